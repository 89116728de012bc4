"""Sends each viewer its own protected copy of a packet, all copies with one system call."""

from __future__ import annotations

import socket


class Forwarder:
    """The node's one way out for media; `sock` is the non-blocking UDP socket of all sessions."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

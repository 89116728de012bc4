"""The node's end of a line of sound, played: a real peer that sends silence or takes what comes, and a data channel."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack


class SmallLine:
    """Takes the sessions of one kind, `heard` holds what the page said over their channels."""

    def __init__(self, *, sends: bool) -> None:
        self.heard: list[dict[str, Any]] = []
        self.begun = 0
        self._sends = sends
        self._connections: dict[str, RTCPeerConnection] = {}
        self._channels: list[RTCDataChannel] = []

    @property
    def is_open(self) -> bool:
        """Whether a page's channel is open."""
        return any(channel.readyState == "open" for channel in self._channels)

    @property
    def sessions(self) -> int:
        """Those that weren't ended."""
        return len(self._connections)

    async def answer(self, offer: str) -> tuple[str, str]:
        """A session's name and its answer."""
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.on("datachannel", self._take)
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if self._sends:
            connection.addTrack(AudioStreamTrack())
        await connection.setLocalDescription(await connection.createAnswer())
        name = uuid4().hex
        self._connections[name] = connection
        self.begun += 1
        return name, connection.localDescription.sdp

    def say(self, **message: object) -> None:
        """Say this to every page."""
        for channel in self._channels:
            if channel.readyState == "open":
                channel.send(json.dumps(message))

    async def end(self, name: str) -> None:
        """The page ends its session."""
        connection = self._connections.pop(name, None)
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """End all without a word."""
        for name in list(self._connections):
            await self.end(name)
        self._channels.clear()

    def _take(self, channel: RTCDataChannel) -> None:
        self._channels.append(channel)
        channel.on("message", lambda text: self.heard.append(json.loads(text)))

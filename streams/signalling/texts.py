"""Messages on their way to a peer's data channel."""

from __future__ import annotations

import logging

from aiortc import InvalidStateError, RTCDataChannel
from pydantic import BaseModel

logger = logging.getLogger(__name__)

WAITING_BOUND_BYTES = 64 * 1024
"""Texts that may wait for a peer that doesn't take them; more are dropped."""


def send_text(channel: RTCDataChannel | None, message: BaseModel, bound: int = WAITING_BOUND_BYTES) -> bool:
    """Send a message if the channel takes it, with no more than `bound` bytes waiting; False where it was dropped."""
    if channel is None or channel.bufferedAmount > bound:
        return False
    try:
        channel.send(message.model_dump_json())
    except (InvalidStateError, ConnectionError, ValueError) as error:
        logger.debug("nothing is said on a closed channel: %s", type(error).__name__)
        return False
    return True

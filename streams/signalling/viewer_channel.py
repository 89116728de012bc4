"""The `viewer` data channel of a viewing session: its page's wishes in, what it is given out."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiortc import RTCDataChannel
from pydantic import ValidationError

from streams.signalling.limits import Bucket
from streams.signalling.texts import send_text
from streams.viewer_protocol import CHANNEL_LABEL, MAX_MESSAGE_BYTES, Picture, Want

BURST, PER_SECOND = 40, 10
"""A page that scrolls or is resized asks anew for its tiles; beyond this its wishes are dropped, and counted."""
UNSENT_BOUND_BYTES = 16 * 1024
"""What may wait for a page that takes nothing; it is told again later."""


class ViewerChannel:
    """Serves one session's channel: `want(wish)` is called with each wish, `picture()` says what is given now."""

    def __init__(self, want: Callable[[Want], None], picture: Callable[[], Picture]) -> None:
        self._want = want
        self._picture = picture
        self._bucket = Bucket(BURST, PER_SECOND)
        self._channel: RTCDataChannel | None = None
        self._told: Picture | None = None
        self.taken = self.refused = self.dropped = 0

    def opened(self, channel: RTCDataChannel) -> None:
        """Listen on the channel if it is ours; the latest one that the page opened is told."""
        if channel.label != CHANNEL_LABEL:
            channel.close()
            return
        self._channel, self._told = channel, None
        channel.on("message", self._received)
        self.tell()

    def tell(self) -> None:
        """Tell what is given now, where that isn't what was told last."""
        channel = self._channel
        if channel is None:
            return
        picture = self._picture()
        if picture != self._told and send_text(channel, picture, UNSENT_BOUND_BYTES):
            self._told = picture

    def _received(self, data: str | bytes) -> None:
        if not self._bucket.take(time.monotonic()):
            self.dropped += 1
            return
        if len(data) > MAX_MESSAGE_BYTES:
            self.refused += 1
            return
        try:
            wish = Want.model_validate_json(data)
        except ValidationError:
            self.refused += 1
            return
        self.taken += 1
        self._want(wish)

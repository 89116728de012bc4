"""How a packet looks to a viewer: which header extensions are passed on, under which numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.rtp.header import (
    ABS_CAPTURE_TIME,
    AUDIO_LEVEL,
    PLAYOUT_DELAY,
    TRANSPORT_CC,
    VIDEO_ORIENTATION,
    Buffer,
    build_extensions,
)

PASSED_ON = (ABS_CAPTURE_TIME, VIDEO_ORIENTATION, AUDIO_LEVEL, PLAYOUT_DELAY)
"""Extensions whose values mean the same to a viewer; those of the transport end at the node."""

TRANSPORT_NUMBER_OFFSET = 17
"""Where a viewer's transport-wide number stands: first element of a one-byte block after the fixed header."""

Element = tuple[int, int, int]


class Layout:
    """How packets look for viewers that negotiated the same extension numbers."""

    __slots__ = ("_cached", "_numbers", "bare", "transport_number")

    def __init__(self, viewer_extensions: Mapping[str, int], *, transport_cc: bool) -> None:
        self.transport_number = viewer_extensions.get(TRANSPORT_CC, 0) if transport_cc else 0
        if self.transport_number > 14:
            self.transport_number = 0
        self._numbers = {uri: viewer_extensions[uri] for uri in PASSED_ON if uri in viewer_extensions}
        self.bare = build_extensions([(self.transport_number, b"\0\0")] if self.transport_number else [])
        """The block of a packet that has nothing to pass on, as most have."""
        self._cached: tuple[Mapping[str, int], dict[int, int]] | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal keys look alike."""
        return (self.transport_number, *sorted(self._numbers.items()))

    def translation(self, publisher: Mapping[str, int]) -> dict[int, int]:
        """Which of the publisher's extensions are passed on, and under which numbers."""
        if self._cached is None or self._cached[0] is not publisher:
            pairs = {publisher[uri]: number for uri, number in self._numbers.items() if uri in publisher}
            self._cached = (publisher, pairs)
        return self._cached[1]

    def block(self, packet: Buffer, elements: Sequence[Element], publisher: Mapping[str, int]) -> bytes:
        """The block of extensions of the packet as these viewers see it; empty where it has none."""
        translation = self.translation(publisher)
        kept = [
            (translation[number], bytes(packet[at : at + size]))
            for number, at, size in elements
            if number in translation
        ]
        if not kept:
            return self.bare
        if self.transport_number:
            if not all(0 < number < 15 and 0 < len(value) <= 16 for number, value in kept):
                return self.bare
            kept.insert(0, (self.transport_number, b"\0\0"))
        return build_extensions(kept)

"""The hot path: one incoming packet becomes one protected packet for each viewer, in memory made beforehand."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pylibsrtp import Session
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from streams.rtp.header import (
    ABS_CAPTURE_TIME,
    AUDIO_LEVEL,
    PLAYOUT_DELAY,
    TRANSPORT_CC,
    VIDEO_ORIENTATION,
    Buffer,
    build_extensions,
)
from streams.sfu.datagrams import Envelope, pack_address
from streams.sfu.forwarder import TRAILER, Forwarder
from streams.sfu.ring import MAX_PACKET

if TYPE_CHECKING:
    from streams.sfu.branch import Branch

PASSED_ON = (ABS_CAPTURE_TIME, VIDEO_ORIENTATION, AUDIO_LEVEL, PLAYOUT_DELAY)
"""Extensions whose values mean the same to a viewer; those of the transport end at the node."""

SLOTS = 8
"""How many packets gather for one viewer before they are sent; the kernel takes up to 64."""
SLOT_BYTES = MAX_PACKET + 4 + TRAILER

_FIXED = struct.Struct("!BBHII")
_fixed_into = _FIXED.pack_into
_number_into = struct.Struct("!H").pack_into
_protect = srtp_lib.srtp_protect

TRANSPORT_NUMBER_OFFSET = 17
"""Where a viewer's transport-wide number stands: first element of a one-byte block after the fixed header."""

Element = tuple[int, int, int]


class Layout:
    """How packets look for viewers that negotiated the same extension numbers."""

    __slots__ = ("_cached", "_numbers", "transport_number")

    def __init__(self, viewer_extensions: Mapping[str, int], *, transport_cc: bool) -> None:
        self.transport_number = viewer_extensions.get(TRANSPORT_CC, 0) if transport_cc else 0
        if self.transport_number > 14:
            self.transport_number = 0
        self._numbers = {uri: viewer_extensions[uri] for uri in PASSED_ON if uri in viewer_extensions}
        self._cached: tuple[Mapping[str, int], dict[int, int]] | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal keys look alike."""
        return (self.transport_number, *sorted(self._numbers.items()))

    def _translation(self, publisher: Mapping[str, int]) -> dict[int, int]:
        if self._cached is None or self._cached[0] is not publisher:
            pairs = {publisher[uri]: number for uri, number in self._numbers.items() if uri in publisher}
            self._cached = (publisher, pairs)
        return self._cached[1]

    def write(
        self, packet: Buffer, start: int, end: int, elements: Sequence[Element], publisher: Mapping[str, int]
    ) -> tuple[bytearray, int]:
        """The packet as these viewers see it, its fixed header still to be filled in, and its first byte."""
        block = b""
        if elements or self.transport_number:
            translation = self._translation(publisher)
            kept = [
                (translation[number], bytes(packet[at : at + size]))
                for number, at, size in elements
                if number in translation
            ]
            if self.transport_number:
                fits = all(0 < number < 15 and 0 < len(value) <= 16 for number, value in kept)
                kept = [(self.transport_number, b"\0\0"), *(kept if fits else ())]
            block = build_extensions(kept)
        template = bytearray(12)
        template += block
        template += memoryview(packet)[start:end]
        return template, 0x90 if block else 0x80


class _Group:
    """Viewers of one layout within a fan-out."""

    __slots__ = ("first_byte", "layout", "rows", "run_size", "template")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        # For each slot, one row a viewer: all that the loop needs, so that it looks nothing up.
        self.rows: list[list[tuple[Any, ...]]] = [[] for _ in range(SLOTS)]
        self.template = bytearray()
        self.first_byte = 0x80
        self.run_size = 0


class FanOut:
    """The copies of one source's packets for all its started viewers, sent together."""

    def __init__(self, forwarder: Forwarder) -> None:
        self.reminded = False
        self._forwarder = forwarder
        self._branches: list[Branch] = []
        # The rows hold bare pointers into these sessions, which must therefore live as long as the rows.
        self._sessions: list[Session] = []
        self._groups: list[_Group] = []
        self._envelope: Envelope | None = None
        self._filled = 0
        self._closed = False
        self._failed = False
        self._shape: tuple[int, ...] = ()
        self._arrivals: list[float] = []

    def arrange(self, branches: Sequence[Branch]) -> None:
        """Serve exactly these from now on; each must be open and know its address."""
        self.flush()
        self._branches = list(branches)
        self._sessions = [branch.session for branch in branches]
        self._groups = []
        self._shape = ()
        groups: dict[tuple[object, ...], _Group] = {}
        addresses = [pack_address(self._forwarder.family, branch.address) for branch in branches]
        places = [[int(srtp_ffi.cast("uintptr_t", slot)) for slot in branch.slots] for branch in branches]
        self._envelope = Envelope(addresses, places, SLOTS)
        for index, branch in enumerate(branches):
            group = groups.get(branch.layout.key)
            if group is None:
                group = groups[branch.layout.key] = _Group(branch.layout)
                self._groups.append(group)
            for slot in range(SLOTS):
                length = srtp_ffi.cast("int *", self._envelope.length_address(index, slot))
                data = branch.slots[slot]
                view = srtp_ffi.buffer(data, SLOT_BYTES)
                numbers = (branch.sequence_offset, branch.timestamp_offset, branch.ssrc, branch.payload_type)
                group.rows[slot].append((view, data, length, branch.session._srtp[0], *numbers, branch.viewer))

    def append(
        self,
        packet: Buffer,
        start: int,
        end: int,
        elements: Sequence[Element],
        publisher: Mapping[str, int],
        marker: int,
        number: int,
        timestamp: int,
        now: float,
    ) -> None:
        """Prepare one packet for all; `marker` is 0x80 or 0. Full slots, or a longer packet, send what gathered."""
        groups = self._groups
        if not groups:
            return
        fits = 0 < self._filled < SLOTS and not self._closed and self._forwarder.segmentation
        shorter = False
        for group in groups:
            group.template, group.first_byte = group.layout.write(packet, start, end, elements, publisher)
            size = len(group.template)
            fits = fits and size <= group.run_size
            shorter = shorter or size < group.run_size
        if not fits:
            self.flush()
            shorter = False
            for group in groups:
                group.run_size = len(group.template)
        # Only the last segment may be shorter than the others.
        self._closed = shorter
        slot = self._filled
        if not self.reminded:
            self.reminded = True
            self._forwarder.remind(self)
        for group in groups:
            if group.layout.transport_number:
                self._fill_numbered(group, slot, marker, number, timestamp)
            else:
                self._fill(group, slot, marker, number, timestamp)
        self._filled = slot + 1
        self._arrivals.append(now)

    def _fill(self, group: _Group, slot: int, marker: int, number: int, timestamp: int) -> None:
        template, first = group.template, group.first_byte
        size = len(template)
        for view, data, length, srtp, by_sequence, by_timestamp, ssrc, payload_type, _ in group.rows[slot]:
            _fixed_into(
                template,
                0,
                first,
                marker | payload_type,
                (number + by_sequence) & 0xFFFF,
                (timestamp + by_timestamp) & 0xFFFFFFFF,
                ssrc,
            )
            view[0:size] = template
            length[0] = size
            if _protect(srtp, data, length):
                self._drop(length)

    def _fill_numbered(self, group: _Group, slot: int, marker: int, number: int, timestamp: int) -> None:
        template, first = group.template, group.first_byte
        size = len(template)
        for view, data, length, srtp, by_sequence, by_timestamp, ssrc, payload_type, viewer in group.rows[slot]:
            _fixed_into(
                template,
                0,
                first,
                marker | payload_type,
                (number + by_sequence) & 0xFFFF,
                (timestamp + by_timestamp) & 0xFFFFFFFF,
                ssrc,
            )
            viewer.transport_number = transport = (viewer.transport_number + 1) & 0xFFFF
            _number_into(template, TRANSPORT_NUMBER_OFFSET, transport)
            view[0:size] = template
            length[0] = size
            if _protect(srtp, data, length):
                self._drop(length)

    def _drop(self, length: Any) -> None:
        """A packet that could not be protected must never leave."""
        length[0] = 0
        self._failed = True
        self._forwarder.counters.errors += 1

    def flush(self) -> None:
        """Send what gathered."""
        count = self._filled
        if not count:
            return
        self._filled = 0
        self._closed = False
        envelope, forwarder = self._envelope, self._forwarder
        if envelope is None or self._failed or not forwarder.batches:
            self._failed = False
            self._send_singly(range(len(self._branches)), count)
        else:
            shape = (count, *(group.run_size for group in self._groups)) if count > 1 else (1,)
            if shape != self._shape:
                envelope.shape(count)
                self._shape = shape
            uncut = forwarder.send_many(envelope.headers, len(self._branches), count)
            if uncut:
                self._send_singly(uncut, count)
        done = forwarder.clock()
        observe = forwarder.delays.observe
        for arrival in self._arrivals:
            observe(done - arrival)
        self._arrivals.clear()

    def _send_singly(self, members: Sequence[int], count: int) -> None:
        envelope = self._envelope
        if envelope is None:
            return
        for member in members:
            branch = self._branches[member]
            for slot in range(count):
                size = envelope.vectors[member * SLOTS + slot].iov_len
                if size:
                    self._forwarder.send_protected(srtp_ffi.buffer(branch.slots[slot], size)[:], branch.address)

"""The hot path: one incoming packet becomes one protected packet for each viewer, in memory made beforehand."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import lib as srtp_lib

from streams.rtp.header import Buffer
from streams.rtp.payload import PictureNumbers, shift_numbers, vp8_numbers
from streams.sfu.datagrams import SLOT_BYTES, SLOTS
from streams.sfu.forwarder import Forwarder
from streams.sfu.layout import TRANSPORT_NUMBER_OFFSET, Element, Layout

if TYPE_CHECKING:
    from streams.sfu.branch import Branch

WORTH_SENDING = 4
"""A frame of so many packets is sent at its end; smaller ones gather with what else comes in the round."""

_protect = srtp_lib.srtp_protect

# A whole packet is written with one call: its header as this viewer sees it, then what is the same for all. Those who
# number what they get across their lines have their own number in the first element of a block of extensions.
_plain: list[Any] = [struct.Struct(f"!BBHII{size}s").pack_into for size in range(SLOT_BYTES)]
_HEAD_BYTES = TRANSPORT_NUMBER_OFFSET - 12
_numbered: list[Any] = [struct.Struct(f"!BBHII{_HEAD_BYTES}sH{size}s").pack_into for size in range(SLOT_BYTES)]

_Item = tuple[Any, int, int, int, int, int, bytes, bytes, PictureNumbers | None]
"""One gathered packet: how to write it, size, first byte, marker bit, number, timestamp, what stands before the
transport-wide number, the rest, and where the picture's numbers stand (if anybody's differ)."""


class _Group:
    """Viewers of one layout within a fan-out, and the packets that gathered for them."""

    __slots__ = ("block", "is_numbered", "is_shifted", "items", "layout", "octets", "run_size")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.is_numbered = layout.transport_number > 0
        self.is_shifted = False
        """Whether the pictures of some are renumbered, because they changed layers."""
        self.items: list[_Item] = []
        self.octets = self.run_size = 0
        self.block = b""
        """The extensions of the packet that is being taken."""

    def gather(self, payload: bytes, marker: int, number: int, timestamp: int) -> None:
        """Take a packet; `block` holds its extensions as these viewers see them."""
        block = self.block
        before = 12 + len(block)
        size = before + len(payload)
        self.octets += size
        pictures = vp8_numbers(bytes(before) + payload, before, size) if self.is_shifted else None
        if self.is_numbered:
            head, rest = block[:_HEAD_BYTES], block[_HEAD_BYTES + 2 :] + payload
            into = _numbered[len(rest)]
        else:
            head, rest = b"", block + payload
            into = _plain[len(rest)]
        self.items.append((into, size, 0x90 if block else 0x80, marker, number, timestamp, head, rest, pictures))


class FanOut:
    """The copies of one source's packets for all its started viewers.

    Packets gather until `flush`, which then takes viewer by viewer: what belongs to one viewer is touched once
    for all of them, while it lies in the processor's cache, and the kernel gets them as one segmented datagram.
    """

    def __init__(self, forwarder: Forwarder, *, has_frames: bool) -> None:
        self.reminded = False
        self.awaits_more = False
        """Whether what gathered lacks the end of its frame, and there is room for it."""
        self._has_frames = has_frames
        self._forwarder = forwarder
        self._branches: list[Branch] = []
        # For each viewer all that the loop needs, so that it looks nothing up. The sessions are named because
        # the pointers into them are bare.
        self._members: list[tuple[Any, ...]] = []
        self._groups: list[_Group] = []
        self._gathered = 0
        self._closed = False
        self._arrivals: list[float] = []

    def arrange(self, branches: Sequence[Branch]) -> None:
        """Serve exactly these from now on; each must be open and know its address."""
        self.flush()
        self._branches = list(branches)
        groups: dict[tuple[object, ...], _Group] = {}
        self._members = []
        for branch in branches:
            group = groups.setdefault(branch.layout.key, _Group(branch.layout))
            group.is_shifted = group.is_shifted or branch.shift is not None
            session = branch.session
            numbers = (branch.sequence_offset, branch.timestamp_offset, branch.ssrc, branch.payload_type)
            name = self._forwarder.name_of(branch.address)
            log = branch.viewer.sent.append if group.is_numbered else None
            self._members.append((group, branch.shift, name, session._srtp[0], *numbers, branch.viewer, log, session))
        self._groups = list(groups.values())

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
        """Take one packet for all; `marker` is 0x80 or 0. When it doesn't fit what gathered, that is sent first."""
        groups = self._groups
        if not groups:
            return
        fits = 0 < self._gathered < SLOTS and not self._closed and self._forwarder.segmentation
        shorter = False
        payload = bytes(memoryview(packet)[start:end])
        plain_size = 12 + len(payload)
        for group in groups:
            group.block = group.layout.block(packet, elements, publisher)
            size = plain_size + len(group.block)
            fits = fits and size <= group.run_size
            shorter = shorter or size < group.run_size
        if not fits:
            self.flush()
            shorter = False
            for group in groups:
                group.run_size = plain_size + len(group.block)
        # Only the last segment of a datagram may be shorter than the others.
        self._closed = shorter
        if not self.reminded:
            self.reminded = True
            self._forwarder.remind(self)
        for group in groups:
            group.gather(payload, marker, number, timestamp)
        self._gathered += 1
        self.awaits_more = self._has_frames and not marker and self._gathered < SLOTS
        self._arrivals.append(now)
        if self._gathered == SLOTS or (marker and self._has_frames and self._gathered >= WORTH_SENDING):
            # Nothing is won by letting it wait for the other feeds' packets of this round.
            self.flush()

    def flush(self) -> None:
        """Protect and send what gathered."""
        count = self._gathered
        if not count:
            return
        self._gathered = 0
        self._closed = False
        forwarder, members = self._forwarder, self._members
        step = forwarder.tray.begin(count)
        sent_at = forwarder.clock()
        for first in range(0, len(members), step):
            chunk = members[first : first + step]
            self._fill(chunk, count, sent_at)
            forwarder.send_tray(len(chunk), count)
        for group in self._groups:
            group.items.clear()
            group.octets = 0
        done = forwarder.clock()
        observe = forwarder.delays.observe
        for arrival in self._arrivals:
            observe(done - arrival)
        self._arrivals.clear()

    def _fill(self, members: Sequence[tuple[Any, ...]], count: int, sent_at: float) -> None:
        """Write each viewer's packets into its place of the tray. Every name here is local: this is the loop."""
        protect = _protect
        for place, member in zip(self._forwarder.tray.places, members, strict=False):
            group, shift, name, srtp, by_sequence, by_timestamp, ssrc, payload_type, viewer, log, _ = member
            transport = viewer.transport_number
            for (view, data, length), item in zip(place.slots, group.items, strict=False):
                into, size, first, marker, number, timestamp, head, rest, pictures = item
                kind = marker | payload_type
                sequence = (number + by_sequence) & 0xFFFF
                stamp = (timestamp + by_timestamp) & 0xFFFFFFFF
                if head:
                    transport = (transport + 1) & 0xFFFF
                    into(view, 0, first, kind, sequence, stamp, ssrc, head, transport, rest)
                else:
                    into(view, 0, first, kind, sequence, stamp, ssrc, rest)
                if shift is not None and pictures is not None:
                    shift_numbers(view, pictures, shift)
                length[0] = size
                if protect(srtp, data, length):
                    # What could not be protected must never leave.
                    length[0] = 0
                    self._forwarder.failed()
            if log is not None:
                viewer.transport_number = transport
                log((transport, count, group.octets, sent_at))
            if place.name is not name:
                place.address(name)
            if count > 1:
                place.segment_size[0] = place.first_length[0]

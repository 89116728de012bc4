"""The copies of what gathered, written and protected in Python; `native_copies.py` does the same in C."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import lib as srtp_lib

from streams.rtp.payload import PictureNumbers, shift_numbers, vp8_numbers
from streams.sfu.datagrams import SLOT_BYTES
from streams.sfu.forwarder import Forwarder
from streams.sfu.layout import TRANSPORT_NUMBER_OFFSET, Layout

if TYPE_CHECKING:
    from streams.sfu.branch import Branch

_protect = srtp_lib.srtp_protect

# A whole packet is written with one call: its header as this viewer sees it, then what is the same for all. Those who
# number what they get across their lines have their own number in the first element of a block of extensions.
_plain: list[Any] = [struct.Struct(f"!BBHII{size}s").pack_into for size in range(SLOT_BYTES)]
_HEAD_BYTES = TRANSPORT_NUMBER_OFFSET - 12
_numbered: list[Any] = [struct.Struct(f"!BBHII{_HEAD_BYTES}sH{size}s").pack_into for size in range(SLOT_BYTES)]

_Item = tuple[Any, int, int, int, int, int, bytes, bytes, PictureNumbers | None]
"""One gathered packet: how to write it, size, first byte, marker bit, number, timestamp, what stands before the
transport-wide number, the rest, and where the picture's numbers stand (if anybody's differ)."""


class Group:
    """Viewers of one layout within a fan-out."""

    __slots__ = ("block", "is_numbered", "is_shifted", "layout", "place", "run_size")

    def __init__(self, layout: Layout, place: int) -> None:
        self.layout = layout
        self.place = place
        """Its place among the groups."""
        self.is_numbered = layout.transport_number > 0
        self.is_shifted = False
        """Whether the pictures of some are renumbered, because they changed layers."""
        self.run_size = 0
        self.block = b""
        """The extensions of the packet that is being taken."""


class Copies:
    """What gathered for each group, and how it becomes each viewer's.

    Viewer by viewer: what belongs to one is touched once for all its packets, while it lies in the processor's cache.
    """

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder
        # For each viewer all that the loop needs, so that it looks nothing up. The sessions are named because
        # the pointers into them are bare.
        self._members: list[tuple[Any, ...]] = []
        self._groups: Sequence[Group] = ()
        self._items: list[list[_Item]] = []

    @property
    def viewers(self) -> int:
        """How many get a copy."""
        return len(self._members)

    def arrange(self, pairs: Sequence[tuple[Branch, Group]], groups: Sequence[Group]) -> None:
        """Serve exactly these from now on; each must be open and know its address."""
        self._groups = groups
        self._items = [[] for _ in groups]
        self._members = [self._member(branch, group) for branch, group in pairs]

    def _member(self, branch: Branch, group: Group) -> tuple[Any, ...]:
        session = branch.session
        numbers = (branch.sequence_offset, branch.timestamp_offset, branch.ssrc, branch.payload_type)
        name = self._forwarder.name_of(branch.address)
        trail = branch.viewer.trail if group.is_numbered else None
        return (self._items[group.place], branch.shift, name, session._srtp[0], *numbers, trail, session)

    def gather(self, slot: int, payload: memoryview, marker: int, number: int, timestamp: int) -> None:
        """Take a packet as the next; each group's `block` holds its extensions."""
        body = bytes(payload)
        for group, items in zip(self._groups, self._items, strict=True):
            block = group.block
            before = 12 + len(block)
            size = before + len(body)
            pictures = vp8_numbers(bytes(before) + body, before, size) if group.is_shifted else None
            if group.is_numbered:
                head, rest = block[:_HEAD_BYTES], block[_HEAD_BYTES + 2 :] + body
                into = _numbered[len(rest)]
            else:
                head, rest = b"", block + body
                into = _plain[len(rest)]
            items.append((into, size, 0x90 if block else 0x80, marker, number, timestamp, head, rest, pictures))

    def send(self, count: int, sent_at: float) -> None:
        """Protect and send the `count` packets that gathered."""
        forwarder, members = self._forwarder, self._members
        step = forwarder.tray.begin(count)
        for first in range(0, len(members), step):
            chunk = members[first : first + step]
            self._fill(chunk, count, sent_at)
            forwarder.send_tray(len(chunk), count)
        for items in self._items:
            items.clear()

    def _fill(self, members: Sequence[tuple[Any, ...]], count: int, sent_at: float) -> None:
        """Write each viewer's packets into its place of the tray. Every name here is local: this is the loop."""
        protect = _protect
        for place, member in zip(self._forwarder.tray.places, members, strict=False):
            items, shift, name, srtp, by_sequence, by_timestamp, ssrc, payload_type, trail, _ = member
            transport = 0 if trail is None else trail.number
            for (view, data, length), item in zip(place.slots, items, strict=False):
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
            if trail is not None:
                trail.number = transport
                trail.sent.append((transport, count, sum(item[1] for item in items), sent_at))
            if place.name is not name:
                place.address(name)
            if count > 1:
                place.segment_size[0] = place.first_length[0]

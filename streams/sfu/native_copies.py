"""The copies of what gathered, written, protected and sent by `native.c`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streams import native
from streams.native import Data, ffi
from streams.rtp.payload import vp8_numbers
from streams.sfu.copies import Group
from streams.sfu.datagrams import SLOTS, pack_address
from streams.sfu.forwarder import Forwarder
from streams.sfu.trail import NativeTrail

if TYPE_CHECKING:
    from streams.sfu.branch import Branch

_head_into = struct.Struct("@HBBIqHHHBB").pack_into
"""`struct item` up to its bytes."""
_AT = struct.calcsize("@HBBIqHHHBB")


class NativeCopies:
    """What `Copies` does, for the same calls, in memory that the C loop reads."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder
        self._groups: Sequence[Group] = ()
        self._members: Data = None
        self.viewers = 0
        """How many get a copy."""
        # The members hold bare pointers into what is kept alive here.
        self._kept: list[object] = []
        self.items: Data = ffi.NULL
        """What gathers: the slots of each group."""
        self.shapes: Data = ffi.NULL
        """How each group sees a packet that has nothing to pass on."""
        self._views: list[list[memoryview]] = []

    def arrange(self, pairs: Sequence[tuple[Branch, Group]], groups: Sequence[Group]) -> None:
        """Serve exactly these from now on; each must be open and know its address."""
        members = ffi.new("struct member[]", len(pairs))
        kept: list[object] = []
        for member, (branch, group) in zip(members, pairs, strict=True):
            kept += self._fill(member, branch, group)
        self._members, self.viewers, self._kept = members, len(pairs), kept
        if len(groups) > len(self._views):
            self.items = ffi.new("struct item[]", len(groups) * SLOTS)
            self._views = [
                [
                    memoryview(ffi.buffer(self.items + place * SLOTS + slot, ffi.sizeof("struct item")))
                    for slot in range(SLOTS)
                ]
                for place in range(len(groups))
            ]
        self._groups = groups
        self.shapes = ffi.new("struct shape[]", len(groups))
        for shape, group in zip(self.shapes, groups, strict=True):
            bare = group.layout.bare
            shape.is_shifted, shape.block_bytes = group.is_shifted, len(bare)
            shape.block[0 : len(bare)] = bare

    @property
    def group_count(self) -> int:
        """How many groups there are."""
        return len(self._groups)

    def _fill(self, member: Data, branch: Branch, group: Group) -> list[object]:
        """Write one viewer; returns what must live as long."""
        session, trail = branch.session, branch.viewer.trail
        member.session = ffi.cast("void *", native.address_of(session._srtp[0]))
        if group.is_numbered and isinstance(trail, NativeTrail):
            member.log = trail.log
        member.by_sequence, member.by_timestamp = branch.sequence_offset, branch.timestamp_offset
        member.ssrc, member.payload_type, member.group = branch.ssrc, branch.payload_type, group.place
        if branch.shift is not None:
            member.is_shifted, member.by_picture, member.by_base = 1, *branch.shift
        name = pack_address(self._forwarder.family, branch.address)
        member.name_bytes = len(name)
        ffi.memmove(member.name, name, len(name))
        return [session, trail]

    def gather(self, slot: int, payload: memoryview, marker: int, number: int, timestamp: int) -> None:
        """Take a packet as the next; each group's `block` holds its extensions."""
        for group, views in zip(self._groups, self._views, strict=False):
            block, view = group.block, views[slot]
            start = _AT + 12
            before = start + len(block)
            end = before + len(payload)
            view[start:before] = block
            view[before:end] = payload
            size, first = end - _AT, 0x90 if block else 0x80
            pictures = vp8_numbers(view[_AT:end], before - _AT, size) if group.is_shifted else None
            if pictures is None:
                _head_into(view, 0, size, first, marker, timestamp, number, 0, 0, 0, 0, 0)
            else:
                at, picture, is_wide, base_at, base = pictures
                _head_into(view, 0, size, first, marker, timestamp, number, at, picture, base_at, base, is_wide)

    def send(self, count: int, sent_at: float) -> None:
        """Protect and send the `count` packets that gathered."""
        forwarder = self._forwarder
        native.lib.send_copies(
            forwarder.native_tray,
            forwarder.descriptor,
            self._members,
            self.viewers,
            self.items,
            count,
            sent_at,
            forwarder.outcome,
        )
        forwarder.sent(forwarder.outcome)

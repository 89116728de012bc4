"""Packets of one stream that came in order, right after each other, taken at once by `native.c`."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

from streams import native
from streams.native import Data, ffi
from streams.sfu.datagrams import SLOTS

if TYPE_CHECKING:
    from streams.sfu.inlet import Inlet
    from streams.sfu.native_copies import NativeCopies
    from streams.sfu.source import Source

_STAND = "@qddIHBBB"
"""Where a `struct run` stands."""
_stand_into = struct.Struct(_STAND).pack_into
_outcome_from = struct.Struct(f"{_STAND}BBHiIII").unpack_from
_at_from = [struct.Struct(f"@{count}d").unpack_from for count in range(SLOTS + 1)]
_ticks_from = [struct.Struct(f"@{count}q").unpack_from for count in range(SLOTS + 1)]


class Runs:
    """One inlet's runs, each within a frame. What is unusual ends a run, and is left to be looked at by itself.

    After `take` the other attributes tell what was taken.
    """

    __slots__ = (
        "_at",
        "_extensions",
        "_items",
        "_kept",
        "_losses",
        "_reception",
        "_run",
        "_shapes",
        "_stands_at",
        "_ticks_at",
        "_view",
        "at",
        "octets",
        "source",
        "ticks",
        "transport",
    )

    def __init__(self, inlet: Inlet, source: Source, transport_id: int) -> None:
        # Not the inlet itself, which knows this: all shall be freed with it, without a collector.
        self._reception, self._losses = inlet.reception, inlet.losses
        self.source = source
        self._run: Data = ffi.new("struct run *")
        self._view = memoryview(ffi.buffer(self._run))
        self._stands_at, self._at, self._ticks_at = (
            ffi.offsetof("struct run", name) for name in ("number", "at", "ticks")
        )
        self._shapes: Data = None
        self._items: Data = None
        self._extensions: Mapping[str, int] = {}
        self.octets = 0
        self.transport = -1
        """The first packet's transport-wide number; those of the others follow it. -1 where they have none."""
        self.at: tuple[float, ...] = ()
        """When each arrived."""
        self.ticks: tuple[int, ...] = ()
        """The same in ticks of transport-wide feedback."""
        run, ring = self._run, source.ring
        run.ssrc, run.clock_rate = inlet.ssrc, source.clock_rate
        run.payload_type = inlet.track.codec.payload_type
        run.is_vp8, run.transport_id = source.codec_name == "VP8", transport_id
        run.ring_mask = ring.mask
        run.ring_numbers = numbers = ffi.from_buffer("int64_t[]", ring.numbers)
        run.ring_lengths = lengths = ffi.from_buffer("uint16_t[]", ring.lengths)
        run.ring_octets = octets = ffi.from_buffer("uint8_t[]", ring.octets)
        # The run holds bare pointers into what is kept alive here. None of it is a memoryview: freed by the collector,
        # one that cffi still holds brings the process down.
        self._kept: list[object] = [numbers, lengths, octets]

    def take(self, batch: Data, step: int) -> int:
        """Take what follows from `step` of a batch on; how many packets that was, and 0 if none could be."""
        copies = self.source.fan_out.native
        before = self._reception.highest
        if copies is None or before is None or not self._may_begin(before):
            return 0
        self._serve(copies)
        if not self._go_on(copies, batch, step, before + 1):
            return 0
        self._note(copies, before)
        return len(self.at)

    def _may_begin(self, before: int) -> bool:
        """Whether all that came up to this index was in order, as far as anybody knows."""
        losses = self._losses
        return self.source.is_next(before + 1) and (losses is None or losses.highest == before)

    def _serve(self, copies: NativeCopies) -> None:
        """Gather for the viewers there are now, of the publisher there is now."""
        source, run = self.source, self._run
        if copies.shapes is self._shapes and source.extensions is self._extensions:
            return
        run.passed_on = source.fan_out.passed_on(source.extensions)
        run.groups, run.items, run.shapes = copies.group_count, copies.items, copies.shapes
        self._shapes, self._items, self._extensions = copies.shapes, copies.items, source.extensions

    def _go_on(self, copies: NativeCopies, batch: Data, step: int, index: int) -> bool:
        """Let `native.c` take what it can; whether it took any."""
        source, reception, run = self.source, self._reception, self._run
        for _ in range(2):
            slot, is_closed = source.fan_out.show_gathered(copies)
            _stand_into(
                self._view,
                self._stands_at,
                source.last_number + 1,
                reception.jitter,
                reception.transit or 0.0,
                source.timestamp_delta & 0xFFFFFFFF,
                index & 0xFFFF,
                reception.transit is not None,
                slot,
                is_closed,
            )
            if native.lib.take_run(run, batch, step):
                return True
            if not run.is_misfit:
                break
            source.fan_out.flush()
        return False

    def _note(self, copies: NativeCopies, before: int) -> None:
        """Write down what was taken after this index, where it would be had the packets come one by one."""
        _, jitter, transit, _, _, _, slot, is_closed, is_end, _, count, transport, timestamp, octets, payload = (
            _outcome_from(self._view, self._stands_at)
        )
        at = _at_from[count](self._view, self._at)
        self._reception.jitter, self._reception.transit = jitter, transit
        self._reception.took(before + count, count, payload)
        if self._losses is not None:
            self._losses.took(before + count)
        self.octets, self.transport, self.at = octets, transport, at
        self.ticks = _ticks_from[count](self._view, self._ticks_at)
        self.source.took(count, payload, timestamp, at, is_end=bool(is_end))
        self.source.fan_out.took(copies, slot, at, is_closed=bool(is_closed), is_end=bool(is_end))

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
        "_inlet",
        "_kept",
        "_run",
        "_shapes",
        "_source",
        "_stands_at",
        "_ticks_at",
        "_view",
        "at",
        "octets",
        "ticks",
        "transport",
    )

    def __init__(self, inlet: Inlet, source: Source, transport_id: int) -> None:
        self._inlet = inlet
        self._source = source
        self._run: Data = ffi.new("struct run *")
        self._view = memoryview(ffi.buffer(self._run))
        self._stands_at, self._at, self._ticks_at = (
            ffi.offsetof("struct run", name) for name in ("number", "at", "ticks")
        )
        self._shapes: Data = None
        self._extensions: Mapping[str, int] = {}
        self.octets = 0
        self.transport = -1
        """The first packet's transport-wide number; those of the others follow it. -1 where they have none."""
        self.at: tuple[float, ...] = ()
        """When each arrived."""
        self.ticks: tuple[int, ...] = ()
        """The same in ticks of transport-wide feedback."""
        run, ring = self._run, source.ring
        run.ssrc, run.payload_type, run.clock_rate = inlet.ssrc, inlet.payload_type or 0, source.clock_rate
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
        inlet, source = self._inlet, self._source
        reception, losses = inlet.reception, inlet.losses
        before = reception.highest
        if before is None or not source.is_next(before + 1) or (losses is not None and losses.highest != before):
            return 0
        copies = source.fan_out.native
        if copies is None:
            return 0
        if copies.shapes is not self._shapes or source.extensions is not self._extensions:
            self._shapes, self._extensions = copies.shapes, source.extensions
            self._run.groups, self._run.items, self._run.shapes = copies.group_count, copies.items, copies.shapes
            self._run.passed_on = source.fan_out.passed_on(source.extensions)
        if not self._go_on(batch, step, before + 1):
            return 0
        _, jitter, transit, _, _, _, slot, is_closed, marker, _, count, transport, timestamp, octets, payload = (
            _outcome_from(self._view, self._stands_at)
        )
        at = _at_from[count](self._view, self._at)
        reception.jitter, reception.transit = jitter, transit
        reception.took(before + count, count, payload)
        if losses is not None:
            losses.took(before + count)
        source.took(count, payload, timestamp, is_end=bool(marker), now=at[-1])
        source.fan_out.took(slot, at, is_closed=bool(is_closed), is_end=bool(marker))
        self.octets, self.transport, self.at = octets, transport, at
        self.ticks = _ticks_from[count](self._view, self._ticks_at)
        return len(at)

    def _go_on(self, batch: Data, step: int, index: int) -> int:
        source, fan_out, run = self._source, self._source.fan_out, self._run
        transit = self._inlet.reception.transit
        for _ in range(2):
            slot, is_closed = fan_out.stand()
            _stand_into(
                self._view,
                self._stands_at,
                source.last_number + 1,
                self._inlet.reception.jitter,
                transit or 0.0,
                source.timestamp_delta & 0xFFFFFFFF,
                index & 0xFFFF,
                transit is not None,
                slot,
                is_closed,
            )
            taken = int(native.lib.take_run(run, batch, step))
            if taken or not run.is_misfit:
                return taken
            fan_out.flush()
        return 0

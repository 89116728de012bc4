"""A wall of tiles behind one simulated line, in virtual time: pages are judged without sockets."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.arrivals import Arrivals
from streams.sfu.page import Page
from streams.sfu.road import Road, Train
from streams.sfu.sent_log import OVERHEAD, SentLog
from streams.sfu.track import LAYERS, Layer
from tests.support.impairment import Impairment, Line

FRAME = 1 / 30
THREE_LAYERS: tuple[tuple[Layer, float], ...] = (("low", 150_000), ("middle", 500_000), ("high", 1_700_000))
KEY_SECONDS = 2.0
KEY_WEIGHT = 5
"""A key frame is so many times as long as another."""
FEEDBACK_SECONDS = 0.1
PACKET, PADDING_PACKET = 1100, 275


class SimulatedTile:
    """One session: sends the frames of its layer, and has them acknowledged; a new layer begins after `key_wait`."""

    def __init__(self, wall: Wall, sizes: Sequence[tuple[Layer, float]], seed: int, *, sound_bps: float = 0.0) -> None:
        self.wall = wall
        self.sizes = sizes
        self.wanted: Layer = "low"
        self.is_spotlight = False
        self.sound_bps = sound_bps
        self.road = Road()
        self.log = SentLog()
        self.number = 0
        self.limit: Layer | None = "high"
        self.is_heard = True
        self.layer: Layer | None = None
        self.begins_at = 0.0
        self.given: list[tuple[float, Layer | None]] = []
        self.told = 0
        self.arrived_at = 0.0
        self._chance = Random(seed)
        self._clock = self._chance.uniform(-1000, 1000) + 2000
        self._frames = self._chance.randrange(60)
        self._arrivals = Arrivals()

    # -- what a page asks of it

    def options(self, now: float) -> Sequence[tuple[Layer, float]]:
        rank = LAYERS.index(self.wanted)
        return [one for one in self.sizes if LAYERS.index(one[0]) <= rank] or self.sizes[:1]

    def give(self, layer: Layer | None, *, is_heard: bool, now: float) -> None:
        self.limit, self.is_heard = layer, is_heard
        self.given.append((now, layer))
        self._settle(now)

    def want(self, layer: Layer, now: float, *, is_spotlight: bool = False) -> None:
        self.wanted, self.is_spotlight = layer, is_spotlight
        self.wall.page.wish_changed(self, now)
        self._settle(now)

    def pad(self, octets: int) -> Train | None:
        size = PADDING_PACKET if self.layer is None else PACKET
        count = max(5, octets // size)
        now = self.wall.now
        for _ in range(count):
            self._send([size], now)
        return Train(count, count * (size + OVERHEAD), now, now)

    def tell(self) -> None:
        self.told += 1

    # -- time

    def _settle(self, now: float) -> None:
        target = None if self.limit is None else min(self.options(now)[-1][0], self.limit, key=LAYERS.index)
        if target not in (None, *(layer for layer, _ in self.sizes)):
            target = self.sizes[0][0]
        if target != self.layer:
            self.layer = target
            self.begins_at = now + self._chance.uniform(0.1, 1.0)
            self._frames = 0

    def frame(self, now: float) -> None:
        """Send the next frame."""
        if self.sound_bps and self.is_heard:
            self.wall.send(self, None, int(self.sound_bps * FRAME / 8), now)
        if self.layer is None or now < self.begins_at:
            return
        bps = dict(self.sizes)[self.layer]
        frames = round(KEY_SECONDS / FRAME)
        share = bps * KEY_SECONDS / 8 / (frames - 1 + KEY_WEIGHT)
        octets = share * (KEY_WEIGHT if self._frames % frames == 0 else 1) * self._chance.uniform(0.7, 1.3)
        self._frames += 1
        count = max(1, -(-int(octets) // PACKET))
        self._send([int(octets) // count] * count, now)

    def _send(self, sizes: Sequence[int], now: float) -> None:
        first = self.number + 1
        self.number += len(sizes)
        self.log.append((self.number & 0xFFFF, len(sizes), sum(sizes), now))
        for place, size in enumerate(sizes):
            self.wall.send(self, first + place, size + OVERHEAD, now)

    def arrive(self, number: int | None, at: float) -> None:
        """A packet came out of the line."""
        self.arrived_at = at
        if number is not None:
            self._arrivals.add(number & 0xFFFF, at + self._clock)

    def feed_back(self, now: float) -> None:
        """The page's feedback is due."""
        if self.wall._read(now) != now:
            return
        for feedback in self._arrivals.build(1, 2, now + self._clock):
            at = now + self.wall.back_seconds
            self.wall.at(at, lambda feedback=feedback: self._heard(feedback))  # type: ignore[misc]

    def _heard(self, feedback: TransportFeedback) -> None:
        told = self.log.acknowledge(feedback)
        if self.road.take(told, self.wall.now):
            self.wall.page.is_uneasy = True
        # What was lost is asked for again, and so are lost repeats.
        for _ in range(told.lost if self.layer is not None else 0):
            if self.wall.page.may_repeat(PACKET, self.wall.now):
                self._send([PACKET], self.wall.now)


class Wall:
    """Tiles of one page; `run` lets virtual time pass. `line` may be impaired anew at any time."""

    def __init__(self, seed: int = 1, *, delay: float = 0.02) -> None:
        self.now = 100.0
        self.page = Page()
        self.tiles: list[SimulatedTile] = []
        self.line = Line("wall", seed, Impairment(delay_seconds=delay))
        self.back_seconds = delay
        self.stalls: list[tuple[float, float]] = []
        """From when to when the page's machine reads nothing."""
        self._seed = seed
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def open(
        self,
        tiles: int,
        sizes: Sequence[tuple[Layer, float]] = THREE_LAYERS,
        *,
        spotlight: bool = True,
        sound_bps: float = 0.0,
    ) -> None:
        """Join tiles; the first is the spotlight."""
        for place in range(tiles):
            tile = SimulatedTile(self, sizes, self._seed * 1000 + len(self.tiles), sound_bps=sound_bps)
            self.tiles.append(tile)
            is_first = spotlight and place == 0
            tile.wanted, tile.is_spotlight = "high" if is_first else "low", is_first
            self.page.join(tile, self.now)
            tile._settle(self.now)
            offset = tile._chance.uniform(0, FRAME)
            self.at(self.now + offset, lambda tile=tile: self._frame(tile))  # type: ignore[misc]
            self.at(self.now + tile._chance.uniform(0, FEEDBACK_SECONDS), lambda tile=tile: self._back(tile))  # type: ignore[misc]
        if len(self.tiles) == tiles:
            self._tick()

    def impair(self, **changes: float | None) -> None:
        """Change the line."""
        self.line.impairment = replace(self.line.impairment, **changes)  # type: ignore[arg-type]

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._events, (when, self._count, call))

    def send(self, tile: SimulatedTile, number: int | None, size: int, now: float) -> None:
        """Put one datagram on the line."""
        for at in map(self._read, self.line.arrivals(size, now)):
            self.at(at, lambda at=at: tile.arrive(number, at))  # type: ignore[misc]

    def _read(self, at: float) -> float:
        return next((end for start, end in self.stalls if start <= at < end), at)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            when, _, call = heapq.heappop(self._events)
            self.now = max(self.now, when)
            call()
        self.now = end

    @property
    def alive(self) -> list[SimulatedTile]:
        """Tiles that are given a picture."""
        return [tile for tile in self.tiles if tile.limit is not None]

    def _frame(self, tile: SimulatedTile) -> None:
        tile.frame(self.now)
        self.at(self.now + FRAME, lambda: self._frame(tile))

    def _back(self, tile: SimulatedTile) -> None:
        tile.feed_back(self.now)
        self.at(self.now + FEEDBACK_SECONDS, lambda: self._back(tile))

    def _tick(self) -> None:
        self.page.look(self.now)
        self.at(self.now + 0.05, self._tick)

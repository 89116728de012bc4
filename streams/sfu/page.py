"""All sessions of one browser page: they share its line, and so one budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from streams.sfu.allocation import PAUSED, STAY_MARGIN, Demand, allocate
from streams.sfu.estimate import FREE_SECONDS, Estimate
from streams.sfu.prober import CALM_SECONDS, Prober
from streams.sfu.road import Road, Train
from streams.sfu.track import Layer, rank

TILES_BOUND = 64
LOOK_SECONDS = 0.2
REVIEW_SECONDS = 1.0
"""How often a limited page is shared out anew though nothing was heard: the layers' sizes change."""
STAY_SECONDS = 2.0
"""A tile that was lowered or paused stays so for this long."""
NOTICEABLE = 0.03
"""A budget that changed by less shares out the same."""
TELL_SECONDS = 2.0
TELL_SHARE = 0.2
STAY_BACK_OFF, LONGEST_STAY = 2.0, 30.0
"""A tile that was given back what didn't fit after all waits longer the next time."""
WIDER = 1.5
"""A line that carries so much more than was thought is another one: nobody waits any more."""
REPEAT_SHARE = 0.15
"""Of a limited line repeats may take so much: into a full queue they bring nothing but more loss."""
REPEAT_SECONDS = 0.5
"""So long a share may be used at once."""
ENOUGH = 1.2
"""So much more than all that is wanted needn't be found out."""
TRAIN_SECONDS = 0.12
"""A train takes the line for about so long."""
TRAIN_OCTETS = (4_000, 16_000)


class Tile(Protocol):
    """One session of the page."""

    @property
    def road(self) -> Road: ...

    @property
    def is_spotlight(self) -> bool: ...

    @property
    def sound_bps(self) -> float:
        """What its sound takes."""

    def options(self, now: float) -> Sequence[tuple[Layer, float]]:
        """The layers that it can be given, up to the one that it wants, and what each takes; none while none comes."""

    def give(self, layer: Layer | None, *, is_heard: bool, now: float) -> None:
        """Give it no higher layer than this from now on (None: no picture), and its sound or not."""

    def pad(self, octets: int) -> Train | None:
        """Send about so many bytes of repeated packets at once; None where that can't be."""

    def tell(self) -> None:
        """The estimate has moved: let the page know."""


class _Place:
    """What a tile is given now; `lowered_at` is when it was given less."""

    def __init__(self) -> None:
        self.limit: Layer | None = "high"
        self.is_heard = True
        self.lowered_at = float("-inf")
        self.stay_seconds = STAY_SECONDS
        self.demand = Demand(())

    def lower(self, now: float) -> None:
        """It was just given less."""
        is_again = now - self.lowered_at < 2 * LONGEST_STAY
        self.stay_seconds = min(LONGEST_STAY, self.stay_seconds * STAY_BACK_OFF) if is_again else STAY_SECONDS
        self.lowered_at = now

    def present(self, options: Sequence[tuple[Layer, float]]) -> int:
        """Which of the options that is."""
        if self.limit is None:
            return PAUSED
        highest = rank(self.limit)
        return max(0, sum(rank(layer) <= highest for layer, _ in options) - 1)


class Page:
    """Shares one line's estimate out among its tiles. `look` costs a comparison as long as nothing limits.

    `is_uneasy` is set by whoever hears that something queues or is lost.
    """

    def __init__(self) -> None:
        self.estimate = Estimate()
        self.prober = Prober()
        self.is_uneasy = False
        self.allocations = 0
        self._places: dict[Tile, _Place] = {}
        self._look_at = self._review_at = 0.0
        self._is_changed = False
        self._shared_bps = 0.0
        self._wanted_bps = 0.0
        self._satisfied_since: float | None = None
        self._told_bps = 0.0
        self._tell_at = 0.0
        self._repeats = 0.0
        self._repeats_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether no tile is left."""
        return not self._places

    @property
    def is_full(self) -> bool:
        """Whether it takes no more tiles."""
        return len(self._places) >= TILES_BOUND

    @property
    def paused(self) -> int:
        """How many tiles are given no picture."""
        return sum(place.limit is None for place in self._places.values())

    @property
    def estimate_bps(self) -> float | None:
        """What its line carries; None while nothing limits it."""
        return self.estimate.bps

    def join(self, tile: Tile, now: float) -> None:
        """Take a tile in; on a limited page it gets its share at once."""
        self._places[tile] = _Place()
        self._change(now)

    def leave(self, tile: Tile, now: float) -> None:
        """A tile is gone; the others share what it leaves."""
        if self._places.pop(tile, None) is not None:
            self._change(now)

    def wish_changed(self, tile: Tile, now: float) -> None:
        """A tile wants another layer, or became the spotlight: nobody waits for that."""
        place = self._places.get(tile)
        if place is not None:
            place.lowered_at = float("-inf")
            self._change(now)

    def may_repeat(self, octets: int, now: float) -> bool:
        """Whether so many lost bytes may be sent again now; yes where nothing limits."""
        bps = self.estimate.bps
        if bps is None:
            return True
        share = bps / 8 * REPEAT_SHARE
        self._repeats = min(share * REPEAT_SECONDS, self._repeats + share * (now - self._repeats_at))
        self._repeats_at = now
        if self._repeats < octets:
            return False
        self._repeats -= octets
        return True

    def look(self, now: float) -> None:
        """Judge the line and share it out, where anything calls for it; each tick."""
        if (not self.is_uneasy and self.estimate.bps is None) or now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        self.is_uneasy = False
        estimate = self.estimate
        estimate.look([tile.road for tile in self._places], now)
        if estimate.bps is None:
            return
        if estimate.stands:
            self.prober.wait(now)
        self._share(now)
        self._seek(estimate.bps, now)
        self._tell(now)

    def _change(self, now: float) -> None:
        self._is_changed = True
        if self.estimate.bps is not None:
            self._share(now)

    def _share(self, now: float) -> None:
        budget = self.estimate.budget_bps(now)
        if budget is None:
            return
        is_other = abs(budget - self._shared_bps) > NOTICEABLE * self._shared_bps
        if not (is_other or self._is_changed or now >= self._review_at):
            return
        self.allocations += 1
        self._is_changed, self._shared_bps, self._review_at = False, budget, now + REVIEW_SECONDS
        options = {tile: tile.options(now) for tile in self._places}
        for tile, place in self._places.items():
            place.demand = Demand(
                [size for _, size in options[tile]],
                tile.sound_bps,
                is_spotlight=tile.is_spotlight,
                present=place.present(options[tile]),
                hears=place.is_heard,
                may_rise=now - place.lowered_at >= place.stay_seconds,
            )
        demands = [place.demand for place in self._places.values()]
        self._wanted_bps = sum((demand.sizes[-1] if demand.sizes else 0.0) + demand.sound_bps for demand in demands)
        # While the line is full nobody keeps more than fits; but for the spotlight's least.
        strict = budget * STAY_MARGIN if self.estimate.stands else budget
        least = sum(demand.sizes[0] + demand.sound_bps for demand in demands if demand.is_spotlight and demand.sizes)
        allocate(demands, max(strict, min(self.estimate.bps or 0.0, least)))
        for tile, place in self._places.items():
            self._give(tile, place, options[tile], now)
        if not all(demand.step == len(demand.sizes) - 1 for demand in demands):
            self._satisfied_since = None
        elif self._satisfied_since is None:
            self._satisfied_since = now

    def _give(self, tile: Tile, place: _Place, options: Sequence[tuple[Layer, float]], now: float) -> None:
        demand = place.demand
        if not options:
            limit = place.limit
        else:
            limit = None if demand.step == PAUSED else options[demand.step][0]
            if demand.step < demand.present:
                place.lower(now)
        if (limit, demand.is_heard) != (place.limit, place.is_heard):
            place.limit, place.is_heard = limit, demand.is_heard
            tile.give(limit, is_heard=demand.is_heard, now=now)

    def _seek(self, bps: float, now: float) -> None:
        """Find out whether the line carries more than it is believed to, as long as more is wanted."""
        if self._satisfied_since is not None:
            long_enough = now - self._satisfied_since >= FREE_SECONDS and self.estimate.is_calm(now, FREE_SECONDS)
            if long_enough:
                self._free(now)
            return
        if bps > ENOUGH * self._wanted_bps:
            return
        found = self.prober.look(bps, self.estimate.is_calm(now, CALM_SECONDS), self._send_train, now)
        if found is not None:
            self.estimate.raise_to(found)
            if found > WIDER * bps:
                for place in self._places.values():
                    place.lowered_at = float("-inf")
            self._share(now)

    def _send_train(self) -> tuple[Road, Train] | None:
        least, most = TRAIN_OCTETS
        octets = int(min(most, max(least, (self.estimate.bps or 0.0) * TRAIN_SECONDS / 8)))
        # Who plays has packets at hand; the spotlight's are the longest.
        order = sorted(self._places, key=lambda tile: (self._places[tile].limit is None, not tile.is_spotlight))
        for tile in order:
            train = tile.pad(octets)
            if train is not None:
                return tile.road, train
        return None

    def _free(self, now: float) -> None:
        self.estimate.free()
        self._satisfied_since = None
        for tile, place in self._places.items():
            place.limit, place.is_heard = "high", True
            tile.give("high", is_heard=True, now=now)
            tile.tell()

    def _tell(self, now: float) -> None:
        bps = self.estimate.bps or 0.0
        if now >= self._tell_at and abs(bps - self._told_bps) > TELL_SHARE * self._told_bps:
            self._told_bps, self._tell_at = bps, now + TELL_SECONDS
            for tile in self._places:
                tile.tell()

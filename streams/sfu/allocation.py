"""Which layer each tile of a page is given within one budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RISE_MARGIN = 1.1
"""What is to be given more must fit with room to spare, so that it stays."""
STAY_MARGIN = 0.92
"""What is given already stays while it fits nearly: sizes are measured, and pictures vary."""
PAUSED = -1


@dataclass(slots=True)
class Demand:
    """What one tile could be given: `sizes` in bits a second, from its lowest layer to the one that it wants.

    `present` is the step that it is given now, `PAUSED` for none. `may_rise` is false for a while after it was lowered.
    """

    sizes: Sequence[float]
    sound_bps: float = 0.0
    is_spotlight: bool = False
    present: int = PAUSED
    hears: bool = True
    may_rise: bool = True
    step: int = PAUSED
    """The answer: which of `sizes` it is given."""
    is_heard: bool = False
    """The answer: whether its sound goes on."""


class _Purse:
    """What is left of the budget."""

    def __init__(self, budget_bps: float) -> None:
        self._left = budget_bps

    def pay(self, bps: float, *, has_it: bool) -> bool:
        """Spend it if there is enough, by the measure for what one has or for what one hasn't."""
        if bps > 0 and bps * (STAY_MARGIN if has_it else RISE_MARGIN) > self._left:
            return False
        self._left -= bps
        return True

    def put_back(self, bps: float) -> None:
        """Have again what was laid aside."""
        self._left += bps


def allocate(demands: Iterable[Demand], budget_bps: float) -> None:
    """Answer all demands: as many pictures as fit, the spotlight's first; then it as sharp as fits, then the others.

    Who plays already comes before who is paused; otherwise the order is the caller's. The others rise step by step
    together. What a paused tile needs that may not begin yet is laid aside, so that nobody is given it for a moment.
    Sound goes with the picture; a paused tile keeps it where it still fits.
    """
    purse = _Purse(budget_bps)
    ordered = sorted(demands, key=lambda demand: (not demand.is_spotlight, demand.present == PAUSED))
    for demand in ordered:
        demand.step, demand.is_heard = PAUSED, False
    aside = sum(_begin(demand, purse) for demand in ordered)
    for demand in ordered:
        if demand.is_spotlight:
            _raise_at_once(demand, purse)
    others = [demand for demand in ordered if not demand.is_spotlight]
    for step in range(1, max((len(demand.sizes) for demand in others), default=0)):
        for demand in others:
            if demand.step == step - 1 and step < len(demand.sizes):
                _raise_to(demand, step, purse)
    purse.put_back(aside)
    for demand in ordered:
        if demand.step == PAUSED and purse.pay(demand.sound_bps, has_it=demand.hears):
            demand.is_heard = True


def _begin(demand: Demand, purse: _Purse) -> float:
    """Give it its lowest step where that fits; returns what was laid aside because it has to wait."""
    if not demand.sizes or _raise_to(demand, 0, purse) or demand.may_rise:
        return 0.0
    cost = demand.sizes[0] + demand.sound_bps
    return cost if purse.pay(cost, has_it=False) else 0.0


def _raise_at_once(demand: Demand, purse: _Purse) -> None:
    """Take the highest step that fits."""
    if demand.step == PAUSED:
        return
    for step in range(len(demand.sizes) - 1, demand.step, -1):
        if _raise_to(demand, step, purse):
            return


def _raise_to(demand: Demand, step: int, purse: _Purse) -> bool:
    # Nobody waits for a picture in the spotlight: its lowest layer is as good as given already.
    has_it = demand.present >= step or (demand.is_spotlight and step == 0)
    if not has_it and not demand.may_rise:
        return False
    cost = demand.sizes[step]
    cost += demand.sound_bps if demand.step == PAUSED else -demand.sizes[demand.step]
    if not purse.pay(max(0.0, cost), has_it=has_it):
        return False
    demand.step, demand.is_heard = step, True
    return True

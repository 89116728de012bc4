"""A control measure on one asset, and the states that it goes through."""

from __future__ import annotations

from enum import StrEnum


class MeasureState(StrEnum):
    """Where a measure stands. Only one in force controls anything; one that waits controls nothing."""

    INTENDED = "intended"
    PRE_REGISTERED = "pre_registered"
    """预查封: in force on what isn't registered in the debtor's name yet; becomes a seizure when it is."""
    IN_FORCE = "in_force"
    WAITING = "waiting"
    """In line behind other courts' measures (轮候); takes effect by itself. Source: 查扣冻 §26."""
    NOT_CONTROLLED = "not_controlled"
    """The other side said that it didn't, and why."""
    RELEASED = "released"
    TRANSFERRED = "transferred"
    """Carried out: the money or the title has gone where the court ordered."""
    LAPSED = "lapsed"
    """Terminal: a new measure loses this one's rank. Source: 查扣冻 §27."""


_ENDS = frozenset({MeasureState.RELEASED, MeasureState.TRANSFERRED, MeasureState.LAPSED})

NEXT: dict[MeasureState, frozenset[MeasureState]] = {
    MeasureState.INTENDED: frozenset(
        {
            MeasureState.IN_FORCE,
            MeasureState.PRE_REGISTERED,
            MeasureState.WAITING,
            MeasureState.NOT_CONTROLLED,
            MeasureState.TRANSFERRED,
        }
    ),
    # It never takes effect if the one before disposes of all of it: then it has nothing to wait for.
    MeasureState.WAITING: frozenset({MeasureState.IN_FORCE, MeasureState.PRE_REGISTERED, MeasureState.RELEASED}),
    MeasureState.PRE_REGISTERED: _ENDS | {MeasureState.IN_FORCE},
    MeasureState.IN_FORCE: _ENDS,
    MeasureState.NOT_CONTROLLED: frozenset(),
    MeasureState.RELEASED: frozenset(),
    MeasureState.TRANSFERRED: frozenset(),
    MeasureState.LAPSED: frozenset(),
}

EFFECTIVE = frozenset({MeasureState.IN_FORCE, MeasureState.PRE_REGISTERED})
"""A measure in one of these holds its asset; at most one of an asset does."""
STANDING = EFFECTIVE | {MeasureState.INTENDED, MeasureState.WAITING}
"""A measure in one of these bars a second one of the same case on the same asset."""

"""A control measure on one asset, and the states that it goes through."""

from __future__ import annotations

from enum import StrEnum


class MeasureState(StrEnum):
    """Where a measure stands. Only one in force controls anything; one that waits controls nothing."""

    INTENDED = "intended"
    IN_FORCE = "in_force"
    WAITING = "waiting"
    """In line behind other courts' measures (轮候); takes effect by itself. Source: 查扣冻 §26."""
    NOT_CONTROLLED = "not_controlled"
    """The other side said that it didn't, and why."""
    RELEASED = "released"
    LAPSED = "lapsed"
    """Terminal: a new measure loses this one's rank. Source: 查扣冻 §27."""


NEXT: dict[MeasureState, frozenset[MeasureState]] = {
    MeasureState.INTENDED: frozenset({MeasureState.IN_FORCE, MeasureState.WAITING, MeasureState.NOT_CONTROLLED}),
    MeasureState.WAITING: frozenset({MeasureState.IN_FORCE, MeasureState.RELEASED}),
    MeasureState.IN_FORCE: frozenset({MeasureState.RELEASED, MeasureState.LAPSED}),
    MeasureState.NOT_CONTROLLED: frozenset(),
    MeasureState.RELEASED: frozenset(),
    MeasureState.LAPSED: frozenset(),
}

STANDING = frozenset({MeasureState.INTENDED, MeasureState.IN_FORCE, MeasureState.WAITING})
"""A measure in one of these bars a second one of the same case on the same asset."""

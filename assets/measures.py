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
    VOID = "void"
    """It waited, and the one before disposed of all that there was: it never took effect. Practice."""


_ENDS = frozenset({MeasureState.RELEASED, MeasureState.TRANSFERRED, MeasureState.LAPSED})

NEXT: dict[MeasureState, frozenset[MeasureState]] = {
    MeasureState.INTENDED: frozenset(
        {
            MeasureState.IN_FORCE,
            MeasureState.PRE_REGISTERED,
            MeasureState.WAITING,
            MeasureState.NOT_CONTROLLED,
            MeasureState.TRANSFERRED,
            # Its receipt came after its last day.
            MeasureState.LAPSED,
        }
    ),
    MeasureState.WAITING: frozenset(
        {MeasureState.IN_FORCE, MeasureState.PRE_REGISTERED, MeasureState.RELEASED, MeasureState.VOID}
    ),
    # Back into the line goes only one that our records had promoted and the other side says still waits.
    MeasureState.PRE_REGISTERED: _ENDS | {MeasureState.IN_FORCE, MeasureState.WAITING},
    MeasureState.IN_FORCE: _ENDS | {MeasureState.WAITING},
    MeasureState.NOT_CONTROLLED: frozenset(),
    MeasureState.RELEASED: frozenset(),
    MeasureState.TRANSFERRED: frozenset(),
    MeasureState.LAPSED: frozenset(),
    MeasureState.VOID: frozenset(),
}

EFFECTIVE = frozenset({MeasureState.IN_FORCE, MeasureState.PRE_REGISTERED})
"""A measure in one of these holds its asset; at most one of an asset does."""
STANDING = EFFECTIVE | {MeasureState.INTENDED, MeasureState.WAITING}
"""A measure in one of these bars a second one of the same case on the same asset."""


class MeasureChange(StrEnum):
    """What happened to a measure: the words of its time line."""

    ORDERED = "ordered"
    TOOK_EFFECT = "took_effect"
    WAITS = "waits"
    NOT_CONTROLLED = "not_controlled"
    RENEWED = "renewed"
    PART_RELEASED = "part_released"
    RELEASED = "released"
    TRANSFERRED = "transferred"
    PART_TRANSFERRED = "part_transferred"
    REFUSED = "refused"
    """A change wasn't carried out, or not approved; the measure stands as it stood."""
    LAPSED = "lapsed"
    MOVED_UP = "moved_up"
    MOVED_DOWN = "moved_down"
    """Others turned out to stand before it."""
    PROMOTED = "promoted"
    """It took effect by itself, the one before having ended. Source: 查扣冻 §26."""
    DEMOTED = "demoted"
    """Our records had it promoted, and the other side says that it still waits."""
    VOID = "void"
    CONFIRMED = "confirmed"
    """The other side says the same as our records, or more exactly."""
    CONTRADICTED = "contradicted"
    RESOLVED = "resolved"
    """Somebody looked into a contradiction."""
    REGISTERED = "registered"
    """预查封 became a seizure."""
    KEPT = "kept"
    """Where a movable is, or who keeps it."""


class Contradiction(StrEnum):
    """How the other side's word and our records disagree; a person has to look into it."""

    IN_FORCE_TWICE = "in_force_twice"
    """It says in force, while another measure of the line is in force in our records."""
    AHEAD = "ahead"
    """The same, while an order that ends the other one has no answer yet: nobody has to look, its answer settles it."""
    STILL_WAITS = "still_waits"
    """It says waiting, and our records have its own word that it was in force."""
    STILL_STANDS = "still_stands"
    """It names a measure that has ended in our records."""
    NOT_LISTED = "not_listed"
    """It names what stands on the asset, and not our measure."""
    MORE_THAN_ASKED = "more_than_asked"
    """It says that it holds more than was ordered."""
    ENDED_BEFORE = "ended_before"
    """It carried out a change of a measure that had ended in our records."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """An order to take was taken back after an asking without an answer: what it took is gone from every list."""


class Keeping(StrEnum):
    """Where a movable is. Source: 查扣冻 §18, the record names the keeper."""

    INVENTORIED = "inventoried"
    STORED = "stored"
    WITH_KEEPER = "with_keeper"
    HANDED_OVER = "handed_over"
    RETURNED = "returned"


KEPT_NEXT: dict[str, frozenset[Keeping]] = {
    "": frozenset({Keeping.INVENTORIED}),
    Keeping.INVENTORIED: frozenset({Keeping.STORED, Keeping.WITH_KEEPER}),
    Keeping.STORED: frozenset({Keeping.WITH_KEEPER, Keeping.HANDED_OVER, Keeping.RETURNED}),
    Keeping.WITH_KEEPER: frozenset({Keeping.STORED, Keeping.HANDED_OVER, Keeping.RETURNED}),
    Keeping.HANDED_OVER: frozenset(),
    Keeping.RETURNED: frozenset(),
}

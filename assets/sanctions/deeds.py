"""What can be done with a sanction now, and if not, why: the screen asks the same question as the guard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from assets.audit import Actor
from assets.errors import Conflict, NotPermitted
from assets.orders import not_own_court
from assets.sanctions.states import NEXT, STANDING, SanctionState
from assets.sanctions.tables import Sanction
from assets.tables import Case


class Deed(StrEnum):
    """One step with a sanction."""

    REVIEW = "review"
    DECIDE = "decide"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    SERVE = "serve"
    PUBLISH = "publish"
    SHIELD = "shield"
    UNSHIELD = "unshield"
    CORRECT = "correct"
    NOTE_GROUND = "note_ground"
    """Note that it has to be deleted, and since when."""
    DROP_GROUND = "drop_ground"
    """Find that it needn't be: the clock that one person started, another one stops."""
    DELETE = "delete"


_BY_PROPOSER = frozenset({Deed.WITHDRAW, Deed.SERVE, Deed.PUBLISH, Deed.NOTE_GROUND})
_BY_DECIDER = frozenset({Deed.REVIEW, Deed.DECIDE, Deed.REFUSE, Deed.DROP_GROUND})
_TARGETS: dict[Deed, SanctionState] = {
    Deed.REVIEW: SanctionState.UNDER_REVIEW,
    Deed.DECIDE: SanctionState.DECIDED,
    Deed.REFUSE: SanctionState.REFUSED,
    Deed.WITHDRAW: SanctionState.WITHDRAWN,
    Deed.SERVE: SanctionState.SERVED,
    Deed.SHIELD: SanctionState.SHIELDED,
    Deed.CORRECT: SanctionState.CORRECTED,
    Deed.DELETE: SanctionState.DELETED,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else decides about a step: the other sanction on the same person in this case, and the checks."""

    limit_stands: bool
    listing_stands: bool
    fails: bool
    """Whether a check bars it."""


def why_not(deed: Deed, actor: Actor, case: Case, sanction: Sanction, around: Circumstances) -> str:
    """The code of what stands in the way of this step; empty where nothing does.

    A court above looks on: each step is for the people of the court that has the case.
    """
    if not _is_permitted(deed, actor):
        return "not-permitted"
    if not _fits(deed, SanctionState(sanction.state)):
        return "sanction-not-now"
    reasons: Iterable[tuple[str, bool]] = (
        ("not-own-court", not_own_court(actor, case) is not None),
        ("sanction-needs-two", deed in _BY_DECIDER and sanction.proposed_by == actor.user_id),
        ("sanction-only-proposer", deed is Deed.WITHDRAW and sanction.proposed_by != actor.user_id),
        ("sanction-check-fails", deed in {Deed.DECIDE, Deed.PUBLISH} and around.fails),
        (
            "sanction-needs-limit",
            deed in {Deed.DECIDE, Deed.PUBLISH} and sanction.is_listing and not around.limit_stands,
        ),
        ("sanction-must-go", deed in {Deed.PUBLISH, Deed.UNSHIELD} and sanction.deletion_due_on is not None),
        ("sanction-ground-noted", deed is Deed.NOTE_GROUND and sanction.deletion_due_on is not None),
        ("sanction-no-ground", deed in {Deed.DELETE, Deed.DROP_GROUND} and sanction.deletion_due_on is None),
        ("sanction-listing-stands", deed is Deed.DELETE and not sanction.is_listing and around.listing_stands),
    )
    return next((code for code, stands in reasons if stands), "")


def require_possible(deed: Deed, actor: Actor, case: Case, sanction: Sanction, around: Circumstances) -> None:
    """Refuse a step that something stands in the way of.

    Raises:
        NotPermitted: the actor may not.
        Conflict: not now, with the code of the reason.
    """
    code = why_not(deed, actor, case, sanction, around)
    if code == "not-permitted":
        raise NotPermitted(code)
    if code:
        raise Conflict(code, state=sanction.state)


def _is_permitted(deed: Deed, actor: Actor) -> bool:
    if deed in _BY_PROPOSER:
        return actor.may_propose_sanction
    if deed in _BY_DECIDER:
        return actor.may_decide_sanction
    return actor.may_propose_sanction or actor.may_decide_sanction


def _fits(deed: Deed, state: SanctionState) -> bool:
    if deed is Deed.PUBLISH:
        return state is SanctionState.SERVED
    if deed is Deed.UNSHIELD:
        return state is SanctionState.SHIELDED
    if deed in {Deed.NOTE_GROUND, Deed.DROP_GROUND}:
        return state in STANDING
    if deed is Deed.CORRECT and state is SanctionState.SHIELDED:
        # What is hidden comes back by `unshield`, with its contents as they were.
        return False
    return _TARGETS[deed] in NEXT[state]

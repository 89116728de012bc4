"""Which orders about an asset can be given now, and if not, why: one set of rules refuses orders and greys buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assets import exemptions
from assets.documents import TAKES_AT_ONCE, Action
from assets.errors import AssetsError, Conflict, NotUnderEnforcement
from assets.measures import EFFECTIVE, STANDING, MeasureState
from assets.tables import Asset, ControlMeasure, Person
from assets.terms import AssetKind, longest_term


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at."""

    asset: Asset
    person: Person
    measure: ControlMeasure | None
    """The case's latest on this asset."""
    pending: frozenset[Action]
    """Orders about that measure which may yet be carried out."""
    can: frozenset[Action]
    """What the gateway of the asset can carry out."""
    today: date


def why_not(action: Action, facts: Facts) -> AssetsError | None:
    """Why this can't be ordered now; None where it can."""
    if action not in facts.can:
        return Conflict("not-controllable-so", action=action.value, kind=facts.asset.kind)
    return _why_not_begin(action, facts) if action.is_first else _why_not_change(action, facts)


def _why_not_begin(action: Action, facts: Facts) -> AssetsError | None:
    if facts.person.role != "under_enforcement":
        return NotUnderEnforcement("not-under-enforcement")
    if action in TAKES_AT_ONCE and facts.asset.kind != AssetKind.BANK_ACCOUNT:
        return Conflict("not-controllable-so", action=action.value, kind=facts.asset.kind)
    if facts.measure is not None and MeasureState(facts.measure.state) in STANDING:
        return Conflict("measure-stands", state=facts.measure.state)
    return exemptions.refusal(facts.asset, action)


def _why_not_change(action: Action, facts: Facts) -> AssetsError | None:
    measure = facts.measure
    if measure is None:
        return Conflict("no-measure")
    if measure.state == MeasureState.LAPSED or (measure.ends_on is not None and measure.ends_on < facts.today):
        return Conflict("measure-lapsed")
    if measure.state == MeasureState.INTENDED:
        return Conflict("measure-unanswered")
    if MeasureState(measure.state) not in STANDING:
        return Conflict("measure-ended", state=measure.state)
    if measure.follows_id is not None:
        return Conflict("measure-follows")
    if action in (Action.RELEASE, Action.PART_RELEASE) and Action.TRANSFER in facts.pending:
        # A bank keeps a release until the transfer on the same freeze is through; so do we.
        return Conflict("transfer-pending")
    if blocking := facts.pending & _BLOCKS[action]:
        return Conflict("change-pending", action=min(blocking).value)
    return _CHANGES[action](measure, facts)


def _why_not_renew(measure: ControlMeasure, facts: Facts) -> AssetsError | None:
    if measure.state == MeasureState.WAITING or measure.ends_on is None:
        return Conflict("waiting-has-no-term")
    if measure.ends_on > longest_term(AssetKind(facts.asset.kind), facts.today):
        return Conflict("renewed-already")
    return None


def _why_not_part_release(measure: ControlMeasure, facts: Facts) -> AssetsError | None:
    if facts.asset.kind != AssetKind.BANK_ACCOUNT:
        return Conflict("not-divisible")
    return _why_not_touch_money(measure)


def _why_not_transfer(measure: ControlMeasure, facts: Facts) -> AssetsError | None:
    if measure.state == MeasureState.WAITING:
        return Conflict("waiting-controls-nothing")
    if measure.state == MeasureState.PRE_REGISTERED:
        return Conflict("not-registered-yet")
    if measure.contradiction:
        return Conflict("measure-contradicted")
    return _why_not_touch_money(measure) if facts.asset.kind == AssetKind.BANK_ACCOUNT else None


def _why_not_touch_money(measure: ControlMeasure) -> AssetsError | None:
    if MeasureState(measure.state) not in EFFECTIVE:
        return Conflict("waiting-controls-nothing")
    if measure.confirmed_at is None:
        return Conflict("measure-unconfirmed")
    return None if measure.controlled_cents else Conflict("nothing-held")


def _why_not_release(measure: ControlMeasure, facts: Facts) -> AssetsError | None:
    return None


_CHANGES = {
    Action.RENEW: _why_not_renew,
    Action.PART_RELEASE: _why_not_part_release,
    Action.RELEASE: _why_not_release,
    Action.TRANSFER: _why_not_transfer,
}
_BLOCKS = {
    Action.RENEW: frozenset({Action.RENEW, Action.RELEASE}),
    Action.PART_RELEASE: frozenset({Action.PART_RELEASE, Action.RELEASE}),
    Action.RELEASE: frozenset({Action.RELEASE, Action.PART_RELEASE}),
    Action.TRANSFER: frozenset({Action.TRANSFER, Action.RELEASE, Action.PART_RELEASE}),
}
"""What may not be under way on the same measure, beside a transfer that a release waits for."""
ORDERS = (
    Action.FREEZE,
    Action.SEIZE,
    Action.PRE_REGISTER,
    Action.IMPOUND,
    Action.FREEZE_AND_TRANSFER,
    Action.WITHDRAW_INCOME,
    *_CHANGES,
)
"""What a judge can order about one asset."""

"""How far assets are under control, told by the database: `standing_of` as an expression of SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, String, and_, case, cast, literal, select
from sqlalchemy.orm import aliased

from assets.measures import MeasureState
from assets.tables import Asset, AssetRequest, ControlMeasure
from assets.views import MAY_HIDE_AN_OUTCOME, OF_ORDER, Standing

HOLDING = (Standing.CONTROLLED, Standing.PARTLY)
"""Only these hold money; what waits counts nothing."""
UNMEASURED = frozenset({Standing.CLUE, Standing.NONE})
"""Of what was never controlled."""
UNTOLD = frozenset(
    {Standing.DRAFTED, Standing.INTENDED, Standing.OBJECTED, Standing.UNSENT, Standing.UNKNOWN, Standing.UNCONFIRMED}
)
"""What came of these orders nobody knows, or nothing did: no figure is told, a nought would claim to know."""
_IN_FORCE = frozenset({Standing.CONTROLLED, Standing.PARTLY, Standing.EMPTY, Standing.UNCONFIRMED, Standing.LAPSED})
_Later = aliased(ControlMeasure)


def states_of(standings: Collection[Standing]) -> list[str]:
    """In which states a measure may be for its asset to stand so; those of assets without one have none."""
    states = {one.value for one in MeasureState} & {one.value for one in standings}
    if _IN_FORCE & set(standings):
        states.add(MeasureState.IN_FORCE.value)
    if set(OF_ORDER.values()) & set(standings):
        states.add(MeasureState.INTENDED.value)
    return sorted(states)


def is_latest_measure() -> ColumnElement[bool]:
    """Joins to each asset the latest of its measures; an asset without any keeps none."""
    # The case is the same by all means; told, a database that is asked about one case reads that one's measures only.
    later = select(_Later.id).where(
        _Later.case_id == ControlMeasure.case_id,
        _Later.asset_id == ControlMeasure.asset_id,
        _Later.id > ControlMeasure.id,
    )
    return and_(ControlMeasure.case_id == Asset.case_id, ControlMeasure.asset_id == Asset.id, ~later.exists())


def standing_column(today: date) -> ColumnElement[str]:
    """The standing of `Asset`; `ControlMeasure` is its latest measure and `AssetRequest` the order that began that."""
    state, asked, held = ControlMeasure.state, ControlMeasure.asked_cents, ControlMeasure.controlled_cents
    is_in_force = state == MeasureState.IN_FORCE.value
    is_unconfirmed = and_(ControlMeasure.promoted_at.is_not(None), ControlMeasure.confirmed_at.is_(None))
    return case(
        (and_(ControlMeasure.id.is_(None), Asset.origin == "clue"), literal(Standing.CLUE.value)),
        (ControlMeasure.id.is_(None), literal(Standing.NONE.value)),
        (
            and_(
                state == MeasureState.INTENDED.value,
                AssetRequest.attempts > 0,
                AssetRequest.state.in_([one.value for one in MAY_HIDE_AN_OUTCOME]),
            ),
            literal(Standing.UNKNOWN.value),
        ),
        *[
            (and_(state == MeasureState.INTENDED.value, AssetRequest.state == order.value), literal(standing.value))
            for order, standing in OF_ORDER.items()
        ],
        (and_(is_in_force, ControlMeasure.ends_on < today), literal(Standing.LAPSED.value)),
        (and_(is_in_force, is_unconfirmed), literal(Standing.UNCONFIRMED.value)),
        (and_(is_in_force, asked.is_(None) | (held >= asked)), literal(Standing.CONTROLLED.value)),
        (and_(is_in_force, held > 0), literal(Standing.PARTLY.value)),
        (is_in_force, literal(Standing.EMPTY.value)),
        else_=cast(state, String),
    )

"""What a second person sees of each request that waits for them: what, of whom, and the cover against the claim."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.conditions import apart
from assets.documents import Action
from assets.masks import masked_description, masked_name, masked_reference
from assets.measures import EFFECTIVE
from assets.names import private_names
from assets.orders import acting_court, visible
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from assets.views import RequestView, request_view

NEVER_LEFT = (RequestState.DRAFT.value, RequestState.DECLINED.value, RequestState.WITHDRAWN.value)
_EFFECTIVE = tuple(state.value for state in EFFECTIVE)


@dataclass(frozen=True, slots=True)
class Thing:
    """The asset in question, masked."""

    kind: str
    reference: str
    description: str
    value_cents: int | None
    available_cents: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request that a second person has to decide on."""

    request: RequestView
    case_number: str
    court_id: UUID
    person_name: str
    thing: Thing | None
    claim_cents: int
    controlled_cents: int
    """Money that is really held for the case now; what waits in line counts nothing."""
    ordered_by: UUID
    is_outstanding: bool
    """It was sent in an emergency, and the approval comes afterwards."""
    may_decide: bool
    may_withdraw: bool
    said_special: str
    """What the gateway said of the account that this would set aside; empty for every order."""
    said_at: datetime | None
    acting_court: str
    """The court whose people decide, where the reader may only look; else empty."""


async def waiting(session: AsyncSession, actor: Actor, today: date, *, after: UUID | None, limit: int) -> list[Waiting]:
    """What waits in the actor's courts, the oldest first: drafts, and what was sent before its approval."""
    query = (
        select(AssetRequest, Case, Person, Asset)
        .join(Case, Case.id == AssetRequest.case_id)
        .join(Person, Person.id == AssetRequest.person_id)
        .outerjoin(Asset, Asset.id == AssetRequest.asset_id)
        .where(_waits(), apart(visible(actor)))
        .order_by(AssetRequest.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(AssetRequest.id > after)
    rows: Sequence[tuple[AssetRequest, Case, Person, Asset | None]] = [
        (request, case, person, asset) for request, case, person, asset in await session.execute(query)
    ]
    case_ids = {case.id for _, case, _, _ in rows}
    names, held = await private_names(session, case_ids), await _held(session, case_ids, today)
    return [
        Waiting(
            request=request_view(request, names),
            case_number=case.number,
            court_id=case.court_id,
            person_name=masked_name(person.name, is_firm=person.is_firm),
            thing=_thing(asset, names) if asset is not None else None,
            claim_cents=case.claim_cents,
            controlled_cents=held.get(case.id, 0),
            ordered_by=request.actor_id,
            is_outstanding=request.state != RequestState.DRAFT,
            may_decide=actor.may_approve and request.actor_id != actor.user_id and not acting_court(actor, case),
            may_withdraw=request.state == RequestState.DRAFT and request.actor_id == actor.user_id,
            said_special=(said := _said(request)),
            said_at=asset.said_special_at if said and asset is not None and asset.said_special == said else None,
            acting_court=acting_court(actor, case),
        )
        for request, case, person, asset in rows
    ]


def _waits() -> ColumnElement[bool]:
    is_outstanding = or_(AssetRequest.state == RequestState.DRAFT.value, AssetRequest.state.not_in(NEVER_LEFT))
    # Told as the index of these tells it, or a database goes through all requests that ever were.
    return and_(AssetRequest.approval != literal_column("''"), AssetRequest.decided_at.is_(None), is_outstanding)


async def _held(session: AsyncSession, case_ids: Collection[UUID], today: date) -> dict[UUID, int]:
    """Money really held, by case."""
    total = func.sum(ControlMeasure.controlled_cents)
    query = (
        select(ControlMeasure.case_id, total)
        .where(
            ControlMeasure.case_id.in_(case_ids),
            ControlMeasure.state.in_(_EFFECTIVE),
            or_(ControlMeasure.ends_on.is_(None), ControlMeasure.ends_on >= today),
        )
        .group_by(ControlMeasure.case_id)
    )
    return {case_id: int(cents) for case_id, cents in await session.execute(query)}


def _said(request: AssetRequest) -> str:
    return str(request.particulars["special"]) if request.action == Action.LIFT_MARK else ""


def _thing(asset: Asset, names: Collection[str]) -> Thing:
    return Thing(
        kind=asset.kind,
        reference=masked_reference(asset.kind, asset.reference),
        description=masked_description(asset.kind, asset.description, names),
        value_cents=asset.value_cents,
        available_cents=asset.available_cents,
    )

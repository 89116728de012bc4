"""Proposals in the records: who may know of which, and what belongs to each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.conditions import apart
from assets.errors import Conflict, NotFound
from assets.measures import STANDING
from assets.names import names_by_case
from assets.orders import case_of, visible
from assets.proposal_states import ProposalState
from assets.proposal_views import ProposalRow, ProposalView, proposal_view
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person, Proposal

PAGE = 200

_Rows = Select[Proposal, Case, Asset, Person, AssetRequest]


async def locked(session: AsyncSession, actor: Actor, proposal_id: UUID) -> tuple[Case, Proposal]:
    """A proposal that the actor may know of, and its case; nobody else decides on it until the transaction ends.

    Officers propose in the case of their operation, whichever court's it is; deciding is that court's.
    """
    proposal = await session.get(Proposal, proposal_id)
    if proposal is None:
        raise NotFound("no-such-proposal")
    case = await case_of(session, actor, proposal.case_id, lock=True, missing="no-such-proposal")
    await session.refresh(proposal)
    return case, proposal


async def newest(
    session: AsyncSession, actor: Actor, wanted: ColumnElement[bool], today: date, *, after: UUID | None
) -> list[ProposalView]:
    """The newest of those wanted that the actor may know of, from behind `after`."""
    found = _rows().where(apart(visible(actor)), wanted).order_by(Proposal.id.desc()).limit(PAGE)
    if after is not None:
        found = found.where(Proposal.id < after)
    return await _views(session, found, today)


async def one(session: AsyncSession, proposal_id: UUID, today: date) -> ProposalView:
    """One of them."""
    (view,) = await _views(session, _rows().where(Proposal.id == proposal_id), today)
    return view


async def require_free(session: AsyncSession, proposal: Proposal, today: date) -> None:
    """Refuse to propose what is controlled or proposed already; of a thing without a number nobody knows.

    Raises:
        Conflict: it is.
    """
    if proposal.asset_id is not None:
        if await _standing(session, [proposal.asset_id], today):
            raise Conflict("measure-stands")
        is_same = Proposal.asset_id == proposal.asset_id
    elif proposal.reference:
        is_same = (Proposal.kind == proposal.kind) & (Proposal.reference == proposal.reference)
    else:
        return
    is_open = (Proposal.case_id == proposal.case_id) & (Proposal.state == ProposalState.OPEN)
    if (await session.scalars(select(Proposal.id).where(is_open, is_same).limit(1))).first():
        raise Conflict("already-proposed")


async def clue_of(session: AsyncSession, proposal: Proposal, person: Person, gateway: str) -> Asset:
    """The asset that was found; one without a number of its own is known by the proposal's."""
    reference = proposal.reference or f"P{proposal.id.hex[-12:].upper()}"
    called = (Asset.case_id == proposal.case_id, Asset.kind == proposal.kind, Asset.reference == reference)
    asset = (await session.scalars(select(Asset).where(*called).order_by(Asset.id).limit(1))).one_or_none()
    if asset is None:
        asset = Asset(
            case_id=proposal.case_id,
            person_id=person.id,
            kind=proposal.kind,
            gateway=gateway,
            reference=reference,
            description=proposal.description or reference,
            origin="clue",
        )
        session.add(asset)
        await session.flush()
    return asset


async def _views(session: AsyncSession, wanted: _Rows, today: date) -> list[ProposalView]:
    rows = [
        ProposalRow(proposal, case, asset, person, request)
        for proposal, case, asset, person, request in await session.execute(wanted)
    ]
    standing = await _standing(session, [row.asset.id for row in rows if row.asset is not None], today)
    names = await names_by_case(session, {row.case.id for row in rows})
    return [proposal_view(row, standing, names[row.case.id]) for row in rows]


async def _standing(session: AsyncSession, asset_ids: Sequence[UUID], today: date) -> dict[UUID, UUID]:
    """By asset, the order of the control that stands on it; one whose term is over doesn't."""
    if not asset_ids:  # SQLite would go through all that stand
        return {}
    standing = select(ControlMeasure.asset_id, ControlMeasure.request_id).where(
        ControlMeasure.asset_id.in_(asset_ids),
        ControlMeasure.state.in_(STANDING),
        ControlMeasure.ends_on.is_(None) | (ControlMeasure.ends_on >= today),
    )
    return {row.asset_id: row.request_id for row in await session.execute(standing)}


def _rows() -> _Rows:
    return (
        select(Proposal, Case, Asset, Person, AssetRequest)
        .join(Case, Case.id == Proposal.case_id)
        .outerjoin(Asset, Asset.id == Proposal.asset_id)
        .outerjoin(Person, Person.id == Proposal.person_id)
        .outerjoin(AssetRequest, AssetRequest.id == Proposal.request_id)
    )

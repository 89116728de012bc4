"""How a proposal comes to be: what an officer wishes, held against the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.documents import Action
from assets.errors import BadFormat, Conflict, NotFound
from assets.identifiers import new_id
from assets.orders import person_of
from assets.proposal_states import ProposalState
from assets.proposed_things import MONEY, PROPOSABLE, checked_reference
from assets.tables import Asset, Case, Proposal
from assets.terms import AssetKind


@dataclass(frozen=True, slots=True)
class ProposedControl:
    """What an officer proposes: a known asset by `asset_id`, else `kind` and what was found on site.

    `idempotency_key` is made by the phone: whatever was kept through a blackout and is sent again changes nothing.
    """

    case_id: UUID
    operation_id: UUID
    action: Action
    idempotency_key: UUID
    asset_id: UUID | None = None
    kind: AssetKind | None = None
    reference: str = ""
    description: str = ""
    person_id: UUID | None = None
    amount_cents: int | None = None
    words: str = ""


async def draft(session: AsyncSession, actor: Actor, case: Case, wish: ProposedControl, at: datetime) -> Proposal:
    """The proposal as it would be kept; what is found under a number that the case knows is that asset.

    Raises:
        NotFound, NotUnderEnforcement, BadFormat, Conflict: as `Proposals.propose` says.
    """
    asset = await _named(session, case, wish) if wish.asset_id else None
    kind = AssetKind(asset.kind) if asset else wish.kind
    if kind is None:
        raise BadFormat("kind", "missing")
    reference = "" if asset else checked_reference(kind, wish.reference)
    description = "" if asset else wish.description
    if asset is None:
        if not (reference or description):
            raise BadFormat("description", "missing")
        asset = await _called(session, case, kind, reference) if reference else None
    if wish.action not in PROPOSABLE[kind]:
        raise Conflict("not-controllable-so", action=wish.action.value, kind=kind.value)
    _require_amount(kind, wish.amount_cents)
    person_id = asset.person_id if asset else wish.person_id
    if person_id is not None:
        await person_of(session, case, person_id)
    return Proposal(
        id=new_id(),
        case_id=case.id,
        operation_id=wish.operation_id,
        asset_id=asset.id if asset else None,
        person_id=person_id,
        kind=kind.value,
        reference=reference,
        description=description,
        action=wish.action.value,
        amount_cents=wish.amount_cents,
        words=wish.words,
        idempotency_key=wish.idempotency_key,
        officer_id=actor.user_id,
        proposed_at=at,
        state=ProposalState.OPEN.value,
    )


def is_same(first: Proposal, again: Proposal) -> bool:
    """Whether two of one key are one proposal of one officer."""
    return _asked(first) == _asked(again)


def _asked(proposal: Proposal) -> tuple[object, ...]:
    thing = (proposal.kind, proposal.reference, proposal.description)
    # What was found may have become a known asset in the meantime; one that was named stays the one.
    named = None if any(thing[1:]) else proposal.asset_id
    return proposal.officer_id, proposal.case_id, thing, named, proposal.action, proposal.amount_cents, proposal.words


async def _named(session: AsyncSession, case: Case, wish: ProposedControl) -> Asset:
    asset = await session.get(Asset, wish.asset_id)
    if asset is None or asset.case_id != case.id:
        raise NotFound("no-such-asset")
    return asset


async def _called(session: AsyncSession, case: Case, kind: AssetKind, reference: str) -> Asset | None:
    called = select(Asset).where(Asset.case_id == case.id, Asset.kind == kind.value, Asset.reference == reference)
    return (await session.scalars(called.order_by(Asset.id).limit(1))).one_or_none()


def _require_amount(kind: AssetKind, cents: int | None) -> None:
    if cents is None:
        return
    if kind not in MONEY:
        raise BadFormat("amount", "not-money")
    if cents <= 0:
        raise BadFormat("amount", "not-positive")

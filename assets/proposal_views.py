"""What may be shown of a proposal: names and numbers are masked here, like those of assets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from assets.masks import HIDDEN, masked_description, masked_name, masked_reference, masked_words
from assets.tables import Asset, AssetRequest, Case, Person, Proposal


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal with the thing that it is about."""

    id: UUID
    idempotency_key: UUID
    """The phone's own name for it."""
    case_id: UUID
    case_number: str
    court_id: UUID
    court_name: str
    operation_id: UUID | None
    officer_id: UUID
    proposed_at: datetime
    asset_id: UUID | None
    person_id: UUID | None
    person_name: str
    kind: str
    reference: str
    description: str
    action: str
    amount_cents: int | None
    words: str
    state: str
    decided_by: UUID | None
    decided_at: datetime | None
    decision_reason: str
    request_id: UUID | None
    request_number: str
    request_state: str
    standing_request_id: UUID | None
    """While it is open: the order of a control that stands on its asset already, whoever thought of it."""


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal with what belongs to it in other tables."""

    proposal: Proposal
    case: Case
    asset: Asset | None
    person: Person | None
    request: AssetRequest | None


def proposal_view(row: ProposalRow, standing: Mapping[UUID, UUID], names: Collection[str]) -> ProposalView:
    """One proposal; `standing` has by asset the order of the control that stands on it, `names` are those to mask."""
    proposal, asset, person, request = row.proposal, row.asset, row.person, row.request
    reference = asset.reference if asset else proposal.reference
    is_open = proposal.decided_at is None
    return ProposalView(
        id=proposal.id,
        idempotency_key=proposal.idempotency_key,
        case_id=proposal.case_id,
        case_number=row.case.number,
        court_id=row.case.court_id,
        court_name=row.case.court_name,
        operation_id=proposal.operation_id,
        officer_id=proposal.officer_id,
        proposed_at=proposal.proposed_at,
        asset_id=proposal.asset_id,
        person_id=proposal.person_id,
        person_name=masked_name(person.name, is_firm=person.is_firm) if person else "",
        kind=proposal.kind,
        reference=masked_reference(proposal.kind, reference) if reference else "",
        description=_description(row, names),
        action=proposal.action,
        amount_cents=proposal.amount_cents,
        words=masked_words(proposal.words, names),
        state=proposal.state,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        decision_reason=masked_words(proposal.decision_reason, names),
        request_id=proposal.request_id,
        request_number=request.number if request else "",
        request_state=request.state if request else "",
        standing_request_id=standing.get(proposal.asset_id) if is_open and proposal.asset_id else None,
    )


def _description(row: ProposalRow, names: Collection[str]) -> str:
    """What the officer called it, else what the asset is called; an address in it down to its street."""
    proposal, asset = row.proposal, row.asset
    if not proposal.description:
        return masked_description(asset.kind, asset.description, names) if asset else ""
    described = masked_description(proposal.kind, proposal.description, names)
    # Words that name no place at all are no address.
    return masked_words(proposal.description, names) if described == HIDDEN else described

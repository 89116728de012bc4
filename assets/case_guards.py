"""What bars a change of a case's persons and claims."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.case_intake import PersonGiven, Role
from assets.errors import Conflict, NotFound
from assets.measures import STANDING
from assets.sanctions.states import LIVE
from assets.sanctions.tables import Sanction
from assets.tables import Asset, AssetRequest, Case, Claim, ControlMeasure, Person


async def require_new(session: AsyncSession, case: Case, given: PersonGiven, but: UUID | None = None) -> None:
    """Refuse somebody who is in the case already, under either form of their number."""
    numbers = _forms(given.id_number, is_firm=given.is_firm)
    persons = await session.execute(
        select(Person.id, Person.id_number, Person.is_firm).where(Person.case_id == case.id)
    )
    for person_id, number, is_firm in persons:
        if person_id != but and is_firm == given.is_firm and numbers & _forms(number, is_firm=is_firm):
            raise Conflict("person-exists")


async def require_free(session: AsyncSession, case: Case, person: Person) -> None:
    """Refuse to change the role of somebody on whom something hangs."""
    if person.role == Role.UNDER_ENFORCEMENT:
        await _require_no_measures(session, person)
        await _require_another_debtor(session, case, person)
    claims = select(Claim.id).where(Claim.creditor_id == person.id, Claim.amount_cents > 0).limit(1)
    if await session.scalar(claims) is not None:
        raise Conflict("person-has-claims")


async def require_unasked(session: AsyncSession, person: Person) -> None:
    """Refuse to correct a name or number that others were told already."""
    if await session.scalar(select(AssetRequest.id).where(AssetRequest.person_id == person.id).limit(1)):
        raise Conflict("person-was-queried")
    if await session.scalar(select(Sanction.id).where(Sanction.person_id == person.id).limit(1)):
        raise Conflict("person-has-sanctions")


async def require_creditor(session: AsyncSession, case: Case, creditor_id: UUID) -> None:
    """Refuse a claim of somebody who didn't apply for this enforcement."""
    creditor = await session.get(Person, creditor_id)
    if creditor is None or creditor.case_id != case.id:
        raise NotFound("no-such-person")
    if creditor.role != Role.APPLICANT:
        raise Conflict("claim-needs-applicant")


async def _require_no_measures(session: AsyncSession, person: Person) -> None:
    measures = select(ControlMeasure.id).join(Asset, Asset.id == ControlMeasure.asset_id)
    held = measures.where(Asset.person_id == person.id, ControlMeasure.state.in_(STANDING)).limit(1)
    if await session.scalar(held) is not None:
        raise Conflict("person-has-measures")
    sanctions = select(Sanction.id).where(Sanction.person_id == person.id, Sanction.state.in_(LIVE)).limit(1)
    if await session.scalar(sanctions) is not None:
        raise Conflict("person-has-sanctions")


async def _require_another_debtor(session: AsyncSession, case: Case, person: Person) -> None:
    others = select(func.count()).where(
        Person.case_id == case.id, Person.role == Role.UNDER_ENFORCEMENT.value, Person.id != person.id
    )
    if not await session.scalar(others):
        raise Conflict("case-needs-debtor")


def _forms(number: str, *, is_firm: bool) -> set[str]:
    """A number and, of a person born before 2000, its 15-digit form."""
    if is_firm or len(number) == 15:
        return {number}
    return {number, formats.fifteen_digit_form(number)} - {""}

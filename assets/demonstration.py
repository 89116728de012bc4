"""The fictional cases of the demonstration: who is under enforcement and for how much; all answers come by query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.simulators.people import everybody
from assets.tables import Asset, Case, Claim, Person
from assets.terms import AssetKind


@dataclass(frozen=True, slots=True)
class Script:
    """One fictional case."""

    number: str
    claim_cents: int
    persons: tuple[str, ...]
    """Identity numbers of the simulators' people."""


CITY_CASE = Script(
    "（2026）内01执123号",
    186_000_000,
    ("150105199001010018", "91150100MA0000007W", "150102198503121021", "150103197806072038"),
)
"""Found, nothing found, no answer and failed all come up in it."""
DISTRICT_CASE = Script(
    "（2026）内0105执456号",
    42_000_000,
    ("150104199202291040", "150105196908152053", "150121198801013060", "150125197504123029", "91150105MA0000033U"),
)
CLUE_REFERENCE = "蒙A12345"
_CLUE = "白色轿车（申请执行人提供的线索，虚构）"
_APPLICANT = ("呼和浩特某某小额贷款有限公司（虚构）", "91150103MA0000022T")


async def seed(
    session: AsyncSession, court_id: UUID, *, court_code: str, court_name: str, today: date, script: Script = CITY_CASE
) -> UUID:
    """Put a fictional case into the records, once, and give its id."""
    number = formats.case_number(script.number, today)
    same = select(Case.id).where(Case.court_id == court_id, Case.number == number)
    known = (await session.scalars(same)).one_or_none()
    if known is not None:
        return known
    case = Case(
        court_id=court_id,
        court_code=court_code,
        court_name=court_name,
        number=number,
        claim_cents=script.claim_cents,
        judge_name="承办法官（虚构）",
        work_card="NM01-0001",
        duty_card="NM01-ZX-0001",
        filed_on=date(2026, 3, 2),
        is_demonstration=True,
    )
    session.add(case)
    await session.flush()
    persons = _persons(case.id, script.persons, today)
    session.add_all(persons)
    await session.flush()
    session.add_all([_clue(case.id, persons[0].id), _claim(case, persons[-1].id)])
    await session.flush()
    return case.id


def _persons(case_id: UUID, id_numbers: Sequence[str], today: date) -> list[Person]:
    rows = []
    for ordinal, id_number in enumerate(id_numbers):
        fictional = everybody()[id_number]
        checked = formats.firm_code(id_number) if fictional.is_firm else formats.resident_id(id_number, today)
        rows.append(
            Person(case_id=case_id, name=fictional.name, is_firm=fictional.is_firm, id_number=checked, ordinal=ordinal)
        )
    name, code = _APPLICANT
    rows.append(
        Person(
            case_id=case_id, name=name, is_firm=True, id_number=formats.firm_code(code), role="applicant", ordinal=99
        )
    )
    return rows


def _claim(case: Case, creditor_id: UUID) -> Claim:
    """All that the case is about, four fifths of it principal."""
    return Claim(
        case_id=case.id,
        creditor_id=creditor_id,
        amount_cents=case.claim_cents,
        principal_cents=case.claim_cents * 4 // 5,
        interest_from=date(2026, 1, 16),
        basis="（2025）内01民终88号（虚构）",
    )


def _clue(case_id: UUID, person_id: UUID) -> Asset:
    return Asset(
        case_id=case_id,
        person_id=person_id,
        kind=AssetKind.MOVABLE.value,
        gateway="",
        reference=formats.plate(CLUE_REFERENCE),
        description=_CLUE,
        origin="clue",
    )

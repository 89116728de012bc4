"""The file of a case as it is shown: persons masked, claims with their total in figures and in capital numerals."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.capitals import amount_in_capitals
from assets.case_entries import CaseEntry
from assets.masks import masked_id, masked_name, masked_words
from assets.names import private_names
from assets.tables import Case, Claim, Person


@dataclass(frozen=True, slots=True)
class FilePerson:
    """A person or firm of the case, masked."""

    id: UUID
    name: str
    id_number: str
    is_firm: bool
    role: str


@dataclass(frozen=True, slots=True)
class FileClaim:
    """What one creditor has to get."""

    id: UUID
    creditor_id: UUID
    kind: str
    amount_cents: int
    amount_in_capitals: str
    principal_cents: int
    is_priority: bool
    interest_from: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One thing that was entered in it."""

    what: str
    subject_id: UUID
    at: datetime
    actor_id: UUID
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that was entered of one case."""

    id: UUID
    court_id: UUID
    court_code: str
    court_name: str
    number: str
    filed_on: date
    judge_id: UUID | None
    judge_name: str
    work_card: str
    duty_card: str
    is_demonstration: bool
    claim_cents: int
    claim_in_capitals: str
    persons: list[FilePerson]
    claims: list[FileClaim]
    entries: list[FileEntry]


async def case_file(session: AsyncSession, case: Case) -> CaseFile:
    """Put a case's file together."""
    persons = await session.scalars(select(Person).where(Person.case_id == case.id).order_by(Person.ordinal, Person.id))
    claims = await session.scalars(select(Claim).where(Claim.case_id == case.id).order_by(Claim.id))
    entries = await session.scalars(
        select(CaseEntry).where(CaseEntry.case_id == case.id).order_by(CaseEntry.at, CaseEntry.id)
    )
    names = await private_names(session, [case.id])
    return CaseFile(
        id=case.id,
        court_id=case.court_id,
        court_code=case.court_code,
        court_name=case.court_name,
        number=case.number,
        filed_on=case.filed_on,
        judge_id=case.judge_id,
        judge_name=case.judge_name,
        work_card=case.work_card,
        duty_card=case.duty_card,
        is_demonstration=case.is_demonstration,
        claim_cents=case.claim_cents,
        claim_in_capitals=amount_in_capitals(case.claim_cents),
        persons=_persons(persons),
        claims=[_claim(claim) for claim in claims],
        entries=[_entry(one, names) for one in entries],
    )


def _persons(persons: Iterable[Person]) -> list[FilePerson]:
    return [
        FilePerson(
            id=one.id,
            name=masked_name(one.name, is_firm=one.is_firm),
            id_number=one.id_number if one.is_firm else masked_id(one.id_number),
            is_firm=one.is_firm,
            role=one.role,
        )
        for one in persons
    ]


def _claim(claim: Claim) -> FileClaim:
    return FileClaim(
        id=claim.id,
        creditor_id=claim.creditor_id,
        kind=claim.kind,
        amount_cents=claim.amount_cents,
        amount_in_capitals=amount_in_capitals(claim.amount_cents),
        principal_cents=claim.principal_cents,
        is_priority=claim.is_priority,
        interest_from=claim.interest_from,
        basis=claim.basis,
    )


def _entry(entry: CaseEntry, names: Collection[str]) -> FileEntry:
    details = dict(entry.details)
    if "reason" in details:
        details["reason"] = masked_words(details["reason"], names)
    return FileEntry(entry.what, entry.subject_id, entry.at, entry.actor_id, details)

"""What is entered of a case: numbers checked in their forms, amounts exact and alike in both ways of writing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from assets import formats
from assets.capitals import require_agreement
from assets.errors import BadFormat


class Role(StrEnum):
    """What a person is in a case. Only the one under enforcement is queried: 法释〔2013〕20号 §7."""

    UNDER_ENFORCEMENT = "under_enforcement"
    APPLICANT = "applicant"
    OUTSIDER = "outsider"


class ClaimKind(StrEnum):
    """What a claim is, for the order in which it is paid."""

    ORDINARY = "ordinary"
    PRIORITY = "priority"
    COSTS = "costs"


@dataclass(frozen=True, slots=True)
class CourtRef:
    """A court as the case's head names it."""

    id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class PersonGiven:
    """A person or firm as it is written down."""

    name: str
    is_firm: bool
    id_number: str
    role: Role

    def checked(self, today: date) -> PersonGiven:
        """With the number in its normal form.

        Raises:
            BadFormat: the name is empty, or the number isn't one.
        """
        if not self.name.strip():
            raise BadFormat("name", "empty")
        number = formats.firm_code(self.id_number) if self.is_firm else formats.resident_id(self.id_number, today)
        return PersonGiven(self.name.strip(), self.is_firm, number, self.role)


@dataclass(frozen=True, slots=True)
class ClaimGiven:
    """A claim as the application states it; `capitals` are its amount once more, where it is written in both ways."""

    creditor_id: UUID
    kind: ClaimKind
    amount_cents: int
    principal_cents: int
    interest_from: date | None = None
    basis: str = ""
    capitals: str = ""

    def check(self) -> None:
        """Refuse amounts that can't be.

        Raises:
            BadFormat: of `amount`, `principal` or `capitals`.
        """
        if self.amount_cents < 0:
            raise BadFormat("amount", "not-positive")
        if not 0 <= self.principal_cents <= self.amount_cents:
            raise BadFormat("principal", "too-much")
        if self.capitals:
            require_agreement(self.amount_cents, self.capitals)


@dataclass(frozen=True, slots=True)
class CaseGiven:
    """A case as it is registered, with its first persons."""

    number: str
    filed_on: date
    judge_name: str
    work_card: str
    duty_card: str
    is_own: bool
    """Whether whoever registers it is its judge."""
    persons: tuple[PersonGiven, ...]

    def checked(self, today: date) -> CaseGiven:
        """With every number in its normal form.

        Raises:
            BadFormat: something can't be what it claims to be.
        """
        if self.filed_on > today:
            raise BadFormat("filed-on", "future")
        for item, text in (
            ("judge-name", self.judge_name),
            ("work-card", self.work_card),
            ("duty-card", self.duty_card),
        ):
            if not text.strip():
                raise BadFormat(item, "empty")
        return CaseGiven(
            formats.case_number(self.number, today),
            self.filed_on,
            self.judge_name.strip(),
            self.work_card.strip(),
            self.duty_card.strip(),
            self.is_own,
            tuple(person.checked(today) for person in self.persons),
        )

    def as_json(self) -> dict[str, Any]:
        """For its digest."""
        return asdict(self)

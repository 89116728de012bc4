"""`/api/assets/cases`: registering cases, their persons and claims, and checking numbers as they are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from assets import formats
from assets.capitals import amount_in_capitals, read_capitals
from assets.case_file import CaseFile
from assets.case_intake import CaseGiven, ClaimGiven, ClaimKind, PersonGiven, Role
from assets.cases import Cases
from assets.orders import acting_court
from assets.terms import china_day
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountNames
from command_center.api.assets import LARGEST_CENTS
from command_center.api.reasons import Reason
from command_center.asset_access import actor_of, refusals
from streams.protocol import PLAIN_TEXT

MOST_PERSONS = 100
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Field(pattern=PLAIN_TEXT)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), Field(pattern=PLAIN_TEXT)]
Cents = Annotated[int, Field(ge=0, le=LARGEST_CENTS)]
Clock = Callable[[], datetime]


class Item(StrEnum):
    """What a number claims to be."""

    CASE_NUMBER = "case-number"
    RULING_NUMBER = "ruling-number"
    RESIDENT_ID = "resident-id"
    FIRM_CODE = "firm-code"
    BANK_CARD = "bank-card"
    BANK_CODE = "bank-code"
    REAL_ESTATE_UNIT = "real-estate-unit"
    TITLE_CERTIFICATE = "title-certificate"
    PLATE = "plate"
    VIN = "vin"
    AMOUNT = "amount"
    CAPITALS = "capitals"


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PressBody(BaseModel):
    """Something that is entered; repeated with the same key it is entered once."""

    model_config = ConfigDict(extra="forbid")
    idempotency_key: UUID


class PersonFields(BaseModel):
    """A person or firm as it is written down."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    is_firm: bool = False
    id_number: Short
    role: Role

    def given(self) -> PersonGiven:
        """As the case takes it in."""
        return PersonGiven(self.name, self.is_firm, self.id_number, self.role)


class CaseBody(PressBody):
    """A case with its first persons."""

    number: Short
    filed_on: date
    judge_name: Annotated[Name, Field(max_length=100)]
    work_card: Short
    duty_card: Short
    is_own: bool = True
    """Whether whoever registers it is its judge."""
    persons: list[PersonFields] = Field(min_length=1, max_length=MOST_PERSONS)


class PersonBody(PressBody):
    """One more person of a case."""

    person: PersonFields


class PersonChangeBody(PressBody):
    """Another role, or a correction of what was written down wrongly: one of the two."""

    role: Role | None = None
    name: Name = ""
    id_number: Short = ""
    reason: Reason

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.role is None) == (not self.name and not self.id_number):
            raise ValueError("another role, or a correction")
        return self


class ClaimBody(PressBody):
    """What a creditor has to get; `capitals` once more in capital numerals, where the application has them."""

    creditor_id: UUID
    kind: ClaimKind = ClaimKind.ORDINARY
    amount_cents: Cents
    principal_cents: Cents
    interest_from: date | None = None
    basis: Name = ""
    capitals: Short = ""

    def given(self) -> ClaimGiven:
        """As the case takes it in."""
        return ClaimGiven(
            self.creditor_id,
            self.kind,
            self.amount_cents,
            self.principal_cents,
            self.interest_from,
            self.basis,
            self.capitals,
        )


class ClaimChangeBody(ClaimBody):
    """A claim as it is from now on."""

    reason: Reason


class FormatBody(BaseModel):
    """A number, plate or amount to be checked."""

    model_config = ConfigDict(extra="forbid")
    item: Item
    text: Annotated[str, Field(max_length=100)]


class FormatView(BaseModel):
    """Its normal form; of an amount also the cents, and how it is written in capital numerals."""

    item: Item
    normal: str
    cents: int | None = None
    capitals: str = ""
    fifteen: str = ""
    """Of a resident's number the 15-digit form that older records stand under."""


class FilePersonView(_Answer):
    """A person or firm of the case, masked."""

    id: UUID
    name: str
    id_number: str
    is_firm: bool
    role: Role


class FileClaimView(_Answer):
    """What one creditor has to get."""

    id: UUID
    creditor_id: UUID
    kind: ClaimKind
    amount_cents: int
    amount_in_capitals: str
    principal_cents: int
    is_priority: bool
    interest_from: date | None
    basis: str


class FileEntryView(BaseModel):
    """One thing that was entered."""

    what: str
    subject_id: UUID
    at: datetime
    by_name: str
    details: dict[str, Any]


class CaseFileView(BaseModel):
    """All that was entered of one case."""

    id: UUID
    court_code: str
    court_name: str
    number: str
    filed_on: date
    judge_name: str
    work_card: str
    duty_card: str
    is_own: bool
    acting_court: str
    is_demonstration: bool
    claim_cents: int
    claim_in_capitals: str
    persons: list[FilePersonView]
    claims: list[FileClaimView]
    entries: list[FileEntryView]


def router(cases: Cases, names: AccountNames, clock: Clock) -> APIRouter:
    """The routes of cases."""
    routes = APIRouter(prefix="/api/assets", tags=["cases"])
    showing = _Showing(names)
    _add_cases(routes, cases, showing)
    _add_persons(routes, cases, showing)
    _add_claims(routes, cases, showing)

    @routes.post("/format-checks", summary="Whether a number is in its form, and if not, what is wrong")
    async def check(body: FormatBody) -> FormatView:
        with refusals():
            return checked(body.item, body.text, china_day(clock()))

    return routes


class _Showing:
    """Makes answers of files, with the names of those who entered something."""

    def __init__(self, names: AccountNames) -> None:
        self._names = names

    async def file(self, file: CaseFile) -> CaseFileView:
        known = await self._names.of({entry.actor_id for entry in file.entries})
        return CaseFileView(
            **{name: getattr(file, name) for name in _SAME},
            is_own=file.judge_id == signed_in().user_id,
            acting_court=acting_court(actor_of(signed_in()), file),
            persons=[FilePersonView.model_validate(one) for one in file.persons],
            claims=[FileClaimView.model_validate(one) for one in file.claims],
            entries=[
                FileEntryView(
                    what=one.what,
                    subject_id=one.subject_id,
                    at=one.at,
                    by_name=known[one.actor_id].display_name if one.actor_id in known else "",
                    details=one.details,
                )
                for one in file.entries
            ],
        )


_SAME = (
    "id",
    "court_code",
    "court_name",
    "number",
    "filed_on",
    "judge_name",
    "work_card",
    "duty_card",
    "is_demonstration",
    "claim_cents",
    "claim_in_capitals",
)


def _add_cases(routes: APIRouter, cases: Cases, showing: _Showing) -> None:
    @routes.post("/cases", status_code=201, summary="Register a case at the court that its number names")
    async def register(body: CaseBody) -> CaseFileView:
        given = CaseGiven(
            body.number,
            body.filed_on,
            body.judge_name,
            body.work_card,
            body.duty_card,
            body.is_own,
            tuple(person.given() for person in body.persons),
        )
        with refusals():
            file = await cases.register(actor_of(signed_in()), given, body.idempotency_key)
        return await showing.file(file)

    @routes.get("/cases/{id}/file", summary="A case's file: persons masked, claims, what was entered when by whom")
    async def read(id: UUID) -> CaseFileView:  # noqa: A002 - the path's own name
        with refusals():
            return await showing.file(await cases.file(actor_of(signed_in()), id))


def _add_persons(routes: APIRouter, cases: Cases, showing: _Showing) -> None:
    @routes.post("/cases/{id}/persons", status_code=201, summary="Add a person or firm to a case")
    async def add(id: UUID, body: PersonBody) -> CaseFileView:  # noqa: A002
        with refusals():
            file = await cases.add_person(actor_of(signed_in()), id, body.person.given(), body.idempotency_key)
        return await showing.file(file)

    @routes.patch("/persons/{id}", summary="Another role in the case, or a correction; what was before is kept")
    async def change(id: UUID, body: PersonChangeBody) -> CaseFileView:  # noqa: A002
        actor = actor_of(signed_in())
        with refusals():
            if body.role is not None:
                file = await cases.change_role(actor, id, body.role, body.reason, body.idempotency_key)
            else:
                file = await cases.correct_person(
                    actor,
                    id,
                    name=body.name,
                    id_number=body.id_number,
                    reason=body.reason,
                    key=body.idempotency_key,
                )
        return await showing.file(file)


def _add_claims(routes: APIRouter, cases: Cases, showing: _Showing) -> None:
    @routes.post("/cases/{id}/claims", status_code=201, summary="Add what a creditor has to get")
    async def add(id: UUID, body: ClaimBody) -> CaseFileView:  # noqa: A002
        with refusals():
            file = await cases.add_claim(actor_of(signed_in()), id, body.given(), body.idempotency_key)
        return await showing.file(file)

    @routes.patch("/claims/{id}", summary="Change a claim; what it was is kept")
    async def change(id: UUID, body: ClaimChangeBody) -> CaseFileView:  # noqa: A002
        with refusals():
            file = await cases.change_claim(actor_of(signed_in()), id, body.given(), body.reason, body.idempotency_key)
        return await showing.file(file)


def checked(item: Item, text: str, today: date) -> FormatView:
    """The number in its normal form.

    Raises:
        BadFormat: it isn't what it claims to be.
    """
    if item is Item.AMOUNT:
        cents = formats.amount_cents(text)
        return FormatView(item=item, normal=formats.amount_text(cents), cents=cents, capitals=amount_in_capitals(cents))
    if item is Item.CAPITALS:
        cents = read_capitals(text)
        return FormatView(item=item, normal=amount_in_capitals(cents), cents=cents, capitals=amount_in_capitals(cents))
    if item is Item.RESIDENT_ID:
        number = formats.resident_id(text, today)
        return FormatView(item=item, normal=number, fifteen=formats.fifteen_digit_form(number))
    return FormatView(item=item, normal=_CHECKS[item](text, today))


_CHECKS: dict[Item, Callable[[str, date], str]] = {
    Item.CASE_NUMBER: formats.case_number,
    Item.RULING_NUMBER: formats.ruling_number,
    Item.FIRM_CODE: lambda text, _today: formats.firm_code(text),
    Item.BANK_CARD: lambda text, _today: formats.bank_card(text),
    Item.BANK_CODE: lambda text, _today: formats.bank_code(text),
    Item.REAL_ESTATE_UNIT: lambda text, _today: formats.real_estate_unit(text),
    Item.TITLE_CERTIFICATE: formats.title_certificate,
    Item.PLATE: lambda text, _today: formats.plate(text),
    Item.VIN: lambda text, _today: formats.vin(text),
}

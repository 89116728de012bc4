"""The fictional people that the simulators know, what they own, and how each is answered about."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from assets.simulators.manners import Trouble
from assets.wire import Cents


class Scripted(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EarlierFreeze(Scripted):
    """Another court's freeze."""

    court: str
    amount: Cents
    until: str
    case_number: str = ""


class PriorityRight(Scripted):
    """A right that goes before."""

    holder: str
    amount: Cents


class SubAccount(Scripted):
    """A part of an account."""

    number: str
    kind: str
    balance: Cents


class Product(Scripted):
    """A financial asset that the bank keeps."""

    number: str
    name: str
    kind: str
    shares: str
    value: Cents


class Movement(Scripted):
    """One line of the statements; `at` as messages carry it."""

    at: str
    is_in: bool
    amount: Cents
    other: str
    purpose: str


class Account(Scripted):
    """One account."""

    number: str
    branch: str
    branch_code: str
    opened: str
    balance: Cents
    blocked: Cents = 0
    """What the bank itself holds back: a payment on its way, a card's deposit."""
    special: str = ""
    """The code of a special account."""
    earlier: tuple[EarlierFreeze, ...] = ()
    priority: tuple[PriorityRight, ...] = ()
    sub_accounts: tuple[SubAccount, ...] = ()
    products: tuple[Product, ...] = ()
    co_owners: tuple[str, ...] = ()
    movements: tuple[Movement, ...] = ()
    control: Trouble | None = None
    not_controlled: str = ""


class EarlierSeizure(Scripted):
    """Another court's seizure."""

    court: str
    ruling: str
    until: str


class Unit(Scripted):
    """One real-estate unit."""

    unit: str
    address: str
    certificate: str
    area: str
    is_registered: bool = True
    """False where only a notice of the title is on record: such a one is pre-registered, not seized."""
    locked: str = ""
    earlier: tuple[EarlierSeizure, ...] = ()
    mortgages: tuple[PriorityRight, ...] = ()
    objections: tuple[str, ...] = ()
    co_owners: tuple[str, ...] = ()
    control: Trouble | None = None
    not_controlled: str = ""


class AtTheBank(Scripted):
    """A person, as the bank knows it."""

    trouble: Trouble | None = None
    accounts: tuple[Account, ...] = ()


class AtTheRegistry(Scripted):
    """A person, as the registry knows it."""

    trouble: Trouble | None = None
    units: tuple[Unit, ...] = ()


class Fictional(Scripted):
    """One person or firm."""

    name: str
    id_number: str
    is_firm: bool
    bank: AtTheBank = Field(default_factory=AtTheBank)
    registry: AtTheRegistry = Field(default_factory=AtTheRegistry)


class _File(BaseModel):
    people: tuple[Fictional, ...]


@cache
def everybody() -> dict[str, Fictional]:
    """All of them, by identity number."""
    text = (Path(__file__).parent / "people.json").read_text(encoding="utf-8")
    return {person.id_number: person for person in _File.model_validate_json(text).people}


@cache
def accounts() -> dict[str, Account]:
    """All accounts that the file names, by number."""
    return {account.number: account for person in everybody().values() for account in person.bank.accounts}

"""The fictional people that the simulators know, and how each behaves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assets.wire import Cents


class Scripted(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Trouble(Scripted):
    """What goes wrong, `times` times for one request number; for ever without."""

    kind: Literal["slow", "silent", "server-error", "garbage", "refuses"]
    times: int | None = None
    reason: str = ""


class EarlierFreeze(Scripted):
    """Another court's freeze."""

    court: str
    amount: Cents
    until: str


class PriorityRight(Scripted):
    """A right that goes before."""

    holder: str
    amount: Cents


class Account(Scripted):
    """One account."""

    number: str
    branch: str
    branch_code: str
    opened: str
    balance: Cents
    earlier: tuple[EarlierFreeze, ...] = ()
    priority: tuple[PriorityRight, ...] = ()
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
    earlier: tuple[EarlierSeizure, ...] = ()
    mortgages: tuple[PriorityRight, ...] = ()
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

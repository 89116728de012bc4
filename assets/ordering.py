"""What every order about an asset carries, and what is looked at before one is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.allowed import Facts
from assets.errors import BadFormat, Conflict, RulingMissing
from assets.gateway import Gateway, Payee
from assets.measures import STANDING, MeasureState
from assets.standing import unsettled
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from assets.terms import LONGEST_YEARS, AssetKind


@dataclass(frozen=True, slots=True)
class Warrant:
    """On what an order rests."""

    ruling_number: str
    idempotency_key: UUID
    """Made by the page for one press of the button: repeated, it gives the first order back."""
    years: int = 0
    """The term that the judge chose; 0 is the longest that the law allows. Source: 解释 §485."""
    override_reason: str = ""
    """Why it is ordered although a guard stands against it."""
    emergency: str = ""
    """Why it goes before its approval; that is asked for afterwards."""

    def ruling(self, today: date) -> str:
        """The ruling's number, checked. Source: 法释〔2013〕20号 §3."""
        if not self.ruling_number.strip():
            raise RulingMissing("ruling-missing")
        return formats.ruling_number(self.ruling_number, today)


class Payees(Protocol):
    """Who knows the court's account that money of a case goes to."""

    async def payee(self, session: AsyncSession, case: Case) -> Payee | None:
        """The case's account; None where the court has none."""


class NoPayees:
    """A court without an account: nothing can be transferred to it."""

    async def payee(self, session: AsyncSession, case: Case) -> Payee | None:
        """There is none."""
        return None


def check_years(kind: AssetKind, years: int) -> int:
    """The length of a term in years, the longest where none was chosen. Source: 解释 §485."""
    longest = LONGEST_YEARS[kind]
    if years < 0:
        raise BadFormat("term", "order")
    if years > longest:
        raise BadFormat("term", "too-long")
    return years or longest


def check_cents(cents: int | None) -> None:
    """Refuse an amount that is none."""
    if cents is not None and cents <= 0:
        raise BadFormat("amount", "not-positive")


def require_same(first: AssetRequest, **ordered: object) -> None:
    """Refuse a key that was used for another order."""
    if any(getattr(first, name) != value for name, value in ordered.items()):
        raise Conflict("idempotency-key-used", number=first.number)


async def latest_measure(session: AsyncSession, asset: Asset) -> ControlMeasure | None:
    """The case's measure on this asset that stands, or else the one that ended last."""
    measures = select(ControlMeasure).where(ControlMeasure.asset_id == asset.id).order_by(ControlMeasure.id.desc())
    found = list(await session.scalars(measures.execution_options(populate_existing=True)))
    standing = [one for one in found if MeasureState(one.state) in STANDING]
    return next(iter(standing or found), None)


async def facts_of(
    session: AsyncSession,
    asset: Asset,
    gateways: Mapping[str, Gateway],
    today: date,
    measure: ControlMeasure | None = None,
) -> Facts:
    """What the rules look at, read now; about the case's latest measure if none is named."""
    gateway = gateways.get(asset.gateway)
    measure = measure or await latest_measure(session, asset)
    return Facts(
        asset=asset,
        person=await session.get_one(Person, asset.person_id),
        measure=measure,
        pending=frozenset(await unsettled(session, measure.id)) if measure else frozenset(),
        can=gateway.actions if gateway else frozenset(),
        today=today,
    )

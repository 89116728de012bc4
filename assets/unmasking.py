"""Seeing names and numbers as they are: the case's own judge alone, for a reason that is logged, for one answer.

Source: 个人信息保护法 §28, §51.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, AuditTrail, Records
from assets.errors import BadFormat, NotPermitted
from assets.masks import masked_words
from assets.names import private_names
from assets.orders import case_of, require
from assets.tables import Asset, Case, Person

FIELDS = ("name", "id_number", "reference", "description", "holder", "details")
"""What an answer shows as it is: the audit names these, never their contents."""


@dataclass(frozen=True, slots=True)
class BarePerson:
    """A person as the records know them."""

    id: UUID
    name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class BareAsset:
    """An asset as the gateway described it."""

    id: UUID
    reference: str
    description: str
    encumbrances: list[dict[str, Any]]
    details: dict[str, Any]
    """By the message's own names; catalogues know them as `asset.detail.…`."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A case's persons and assets without masks; nothing keeps it."""

    persons: list[BarePerson]
    assets: list[BareAsset]


class Unmasking:
    """Every call is made for an `Actor` and leaves an entry in the audit, a refused one too."""

    def __init__(self, records: Records, audit: AuditTrail) -> None:
        self._records = records
        self._audit = audit

    async def unmask(self, actor: Actor, case_id: UUID, *, reason: str, asset_id: UUID | None = None) -> Bare:
        """The persons and assets of a case, or of one of its assets, as they are.

        Raises:
            BadFormat: no reason was given.
            NotFound: no such case in the actor's courts.
            NotPermitted: "not-own-case": the actor isn't the case's own judge.
        """
        require(actor.may_see)
        if not reason.strip():
            raise BadFormat("reason", "empty")
        async with self._records.write() as session:
            case = await case_of(session, actor, case_id)
            is_own = actor.may_unmask and case.judge_id == actor.user_id
            bare = await _bare(session, case, asset_id) if is_own else Bare([], [])
            await self._note(session, actor, case, reason.strip(), asset_id, is_refused=not is_own)
        if not is_own:
            raise NotPermitted("not-own-case")
        return bare

    async def _note(
        self, session: AsyncSession, actor: Actor, case: Case, reason: str, asset_id: UUID | None, *, is_refused: bool
    ) -> None:
        names = await private_names(session, [case.id])
        await self._audit.record(
            session,
            actor=actor.user_id,
            court_id=case.court_id,
            action="asset.unmask-refused" if is_refused else "asset.unmasked",
            subject_type="asset" if asset_id else "case",
            subject_id=str(asset_id or case.id),
            case_id=case.id,
            details={"reason": masked_words(reason, names), "fields": ",".join(FIELDS)},
        )


async def _bare(session: AsyncSession, case: Case, asset_id: UUID | None) -> Bare:
    persons = select(Person).where(Person.case_id == case.id).order_by(Person.ordinal, Person.id)
    assets = select(Asset).where(Asset.case_id == case.id).order_by(Asset.id)
    if asset_id is not None:
        assets = assets.where(Asset.id == asset_id)
        persons = persons.where(Person.id.in_(select(Asset.person_id).where(Asset.id == asset_id)))
    return Bare(
        [BarePerson(one.id, one.name, one.id_number) for one in await session.scalars(persons)],
        [
            BareAsset(one.id, one.reference, one.description, list(one.encumbrances), dict(one.details))
            for one in await session.scalars(assets)
        ],
    )

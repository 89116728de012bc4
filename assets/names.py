"""The names that free words about a case must not tell: those of its people; a firm's name is public."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.tables import Person


async def private_names(session: AsyncSession, case_ids: Collection[UUID]) -> tuple[str, ...]:
    """The names of all people of these cases."""
    query = select(Person.name).where(Person.case_id.in_(case_ids), Person.is_firm.is_(False)).distinct()
    return tuple(await session.scalars(query))


async def names_by_case(session: AsyncSession, case_ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The same of each case by itself."""
    query = select(Person.case_id, Person.name).where(Person.case_id.in_(case_ids), Person.is_firm.is_(False))
    names: dict[UUID, tuple[str, ...]] = dict.fromkeys(case_ids, ())
    for case_id, name in await session.execute(query.distinct()) if names else ():
        names[case_id] += (name,)
    return names

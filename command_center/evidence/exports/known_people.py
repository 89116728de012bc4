"""Who may be named in a text: everybody whom the records know."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.tables import Case, Person
from command_center.accounts.tables import User


async def known_people(session: AsyncSession) -> set[str]:
    """Their names, of whatever court and case: a text may name any of them. Firms aren't among them."""
    people = (
        select(User.display_name),
        select(Person.name).where(Person.is_firm.is_(False)),
        select(Case.judge_name),
    )
    return {name for query in people for name in await session.scalars(query.distinct())}

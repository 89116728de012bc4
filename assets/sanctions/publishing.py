"""The rows that say what the public could read of a sanction, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.sanctions.tables import Sanction, SanctionPublication


async def publications_of(session: AsyncSession, sanction: Sanction) -> list[SanctionPublication]:
    """All of a sanction's, oldest first."""
    found = await session.scalars(
        select(SanctionPublication)
        .where(SanctionPublication.sanction_id == sanction.id)
        .order_by(SanctionPublication.number)
    )
    return list(found)


async def add_publication(
    session: AsyncSession, sanction: Sanction, fields: dict[str, Any], text: str, by: UUID, at: datetime
) -> None:
    """From now on the public can read this."""
    number = len(await publications_of(session, sanction)) + 1
    session.add(SanctionPublication(sanction_id=sanction.id, number=number, fields=fields, text=text, at=at, by=by))


async def end_publication(session: AsyncSession, sanction: Sanction, ended_by: str, at: datetime) -> None:
    """From now on the public can't read it any more; the row stays."""
    for publication in await publications_of(session, sanction):
        if publication.ended_at is None:
            publication.ended_at = at
            publication.ended_by = ended_by

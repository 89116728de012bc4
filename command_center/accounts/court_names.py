"""What courts are called, in both languages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from command_center.accounts.tables import Court
from command_center.database import Database


@dataclass(frozen=True, slots=True)
class CourtName:
    """A court in a list."""

    id: UUID
    code: str
    name_zh: str
    name_en: str


class CourtNames:
    """The names of courts; of everything else about a court it tells nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, ids: Collection[UUID]) -> list[CourtName]:
        """The names of these courts, in the order of their codes."""
        query = select(Court).where(Court.id.in_(ids)).order_by(Court.code)
        async with self._database.read() as session:
            return [CourtName(one.id, one.code, one.name_zh, one.name_en) for one in await session.scalars(query)]

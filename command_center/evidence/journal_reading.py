"""What happened in an operation, for those who review it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from command_center.database import Database
from command_center.journal import JournalEntry, JournalKind, JournalSeal

PAGE = 200
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class NotedEntry:
    """One entry of a journal."""

    id: int
    at: datetime
    kind: str
    body: dict[str, Any]
    is_sealed: bool
    """Whether it stands in the signed file, under a signature."""


class JournalReader:
    """The journals' readers' side; that a reader may know of the operation was checked before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_operation(
        self, operation_id: UUID, *, after: int = 0, limit: int = PAGE, kinds: Collection[JournalKind] = ()
    ) -> Sequence[NotedEntry]:
        """The entries behind the one of number `after`, of these kinds where any are given, in their order."""
        query = select(JournalEntry).where(JournalEntry.operation_id == operation_id, JournalEntry.id > after)
        if kinds:
            query = query.where(JournalEntry.kind.in_([kind.value for kind in kinds]))
        async with self._database.read() as session:
            seal = await session.get(JournalSeal, operation_id)
            sealed = 0 if seal is None else seal.entry_id
            rows = await session.scalars(query.order_by(JournalEntry.id).limit(min(limit, LARGEST_PAGE)))
            return [
                NotedEntry(
                    row.id, row.at, row.kind, json.loads(row.body), row.written_at is not None and row.id <= sealed
                )
                for row in rows
            ]

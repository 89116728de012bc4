"""Values of the index of recordings, edited one by one and put back: by somebody who can write the database."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select, update

from command_center.database import Database
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment

TABLES: list[Table] = [one.__table__ for one in (Recording, RecordingSegment, RecordingGap)]  # type: ignore[misc]
NOT_EDITED = {"site_id", "speaker_id", "covered_by", "id", "recording_id"}
"""What stands in no manifest, and what the database itself holds together."""


@asynccontextmanager
async def one_value_edited(
    database: Database, chance: random.Random, other_operation: UUID
) -> AsyncIterator[tuple[str, str, Any, Any]]:
    """Another value in some row, for as long as it is looked at: its table and column, before and now."""
    table = chance.choice(TABLES)
    column = chance.choice([one for one in table.columns if one.name not in NOT_EDITED])
    async with database.read() as session:
        row: Any = chance.choice((await session.execute(select(table))).all())
    before = getattr(row, column.name)
    after = _other(before, column.name, other_operation)
    key = [one == getattr(row, one.name) for one in table.primary_key]
    # The row may no longer be found by its own key.
    key_then = [one == (after if one is column else getattr(row, one.name)) for one in table.primary_key]
    await _put(database, table, key, column.name, after)
    try:
        yield table.name, column.name, before, after
    finally:
        await _put(database, table, key_then, column.name, before)


async def _put(database: Database, table: Table, key: list[Any], name: str, value: object) -> None:
    async with database.write() as session:
        await session.execute(update(table).where(*key).values({name: value}))


def _other(value: Any, name: str, other_operation: UUID) -> object:
    if name == "feed_id":
        return None
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 100
    if isinstance(value, str):
        return value[:-1] + ("x" if value[-1:] != "x" else "y")
    if isinstance(value, UUID):
        return other_operation
    if value is None:
        return {"ended_at": datetime.fromisoformat("2026-01-01T00:00:00Z"), "talk_id": UUID(int=1), "lines": 7}.get(
            name, "x"
        )
    return value + timedelta(seconds=1)

"""Bringing the records' schema up to date at start."""

from __future__ import annotations

import command_center.accounts.tables
import command_center.audit
import command_center.evidence.tables
import command_center.lease
import command_center.operations.tables
import command_center.outbox  # noqa: F401
from assets.tables import Base as AssetsBase
from command_center.config import Settings
from command_center.database import Base, Database


async def prepare(settings: Settings) -> None:
    """Make the schema of this version."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.records_url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
            await connection.run_sync(AssetsBase.metadata.create_all)
    finally:
        await database.close()

"""One SQL database, SQLite or PostgreSQL, and how a transaction on it is opened."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator, Uuid, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from assets.identifiers import new_id

__all__ = ["Base", "Database", "Instant", "new_id"]

RECYCLE_SECONDS = 3600
"""A connection to SQLite plans by what it read of the tables' sizes when it was made; so long it lives at the most."""
LOOKED_AT = 1000
"""So many entries of each index tell enough of it."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The declarative base of every table of the command center; `assets` has its own."""

    type_annotation_map = {datetime: Instant, uuid.UUID: Uuid(as_uuid=True)}  # noqa: RUF012 - SQLAlchemy reads it so


class Database:
    """An engine and its transactions.

    On SQLite every writer begins with BEGIN IMMEDIATE, so that two writers queue at the start
    instead of failing in the middle; WAL lets readers go on meanwhile. The writers of one process
    queue here, in the order in which they came: SQLite itself lets in whoever happens to ask next.
    """

    def __init__(self, url: str) -> None:
        lives = {"pool_recycle": RECYCLE_SECONDS} if url.startswith("sqlite") else {"pool_pre_ping": True}
        self.engine: AsyncEngine = create_async_engine(url, **lives)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._turn = asyncio.Lock() if self.is_sqlite else nullcontext()
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
            event.listen(self.engine.sync_engine, "invalidate", _let_go)
        self._writing = async_sessionmaker(self.engine.execution_options(writes=True), expire_on_commit=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads."""
        async with self._reading() as session:
            await _connect(session)
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end, rolled back on any error."""
        async with self._turn, self._writing() as session, session.begin():
            await _connect(session)
            yield session

    async def look_over(self) -> None:
        """Let SQLite see how large its tables are, which its plans rest on; PostgreSQL does so by itself."""
        if self.is_sqlite:
            async with self.write() as session:
                await session.execute(text(f"PRAGMA analysis_limit={LOOKED_AT}"))
                await session.execute(text("ANALYZE"))

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


async def _connect(session: AsyncSession) -> None:
    """Take a connection. Whoever is cancelled meanwhile waits for it, since one half made is closed by nobody."""
    connecting = asyncio.ensure_future(session.connection())
    try:
        await asyncio.shield(connecting)
    except asyncio.CancelledError:
        await asyncio.wait([connecting])
        if not connecting.cancelled():
            connecting.exception()  # seen, so that nothing is logged of it
        raise


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below replaces the driver's
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _let_go(connection: Any, _record: object, _error: object) -> None:
    """Roll back what a cancelled user leaves: a statement that isn't fetched to its end outlives its connection's
    closing, and would keep everybody else from writing until the garbage collector comes.
    """
    with suppress(Exception):  # a connection that is broken holds nothing
        connection.rollback()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

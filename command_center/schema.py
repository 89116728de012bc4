"""Bringing the records' schema up to date at start: a copy first, then the migrations in `deploy/migrations`."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, event, inspect, make_url, text

import assets.case_accounts.ledger_tables
import assets.case_accounts.tables
import assets.case_entries
import assets.sanctions.tables  # noqa: F401 - every table is known
import command_center.accounts.tables
import command_center.audit
import command_center.evidence.custody_tables
import command_center.evidence.exports.tables
import command_center.evidence.note_tables
import command_center.evidence.store_tables
import command_center.evidence.tables
import command_center.journal
import command_center.lease
import command_center.operations.tables
import command_center.outbox  # noqa: F401 - every table is known
from assets.tables import Base as AssetsBase
from assets.tables import Moment
from command_center.clock import now
from command_center.config import Settings
from command_center.database import Base, Instant

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parents[1] / "deploy" / "migrations"
METADATA = [Base.metadata, AssetsBase.metadata]
INSTANTS = (Instant, Moment)
LOCK_FILE = "records.lock"
_LOCK = 0x6D696772617465
"""PostgreSQL's advisory lock of the migrations."""


class SchemaRefused(RuntimeError):
    """The records can't be used by this version; the message is a plain sentence."""


async def prepare(settings: Settings) -> None:
    """Bring the schema up to date; one process at a time, the others wait and find it done.

    Raises:
        SchemaRefused: the records are of a newer version than this program.
    """
    await asyncio.to_thread(upgrade, make_url(settings.records_url), settings.data)


def upgrade(url: URL, data: Path) -> None:
    """Bring the schema of the database at `url` up to date; an SQLite file with records is copied before."""
    data.mkdir(parents=True, exist_ok=True)
    engine = create_engine(_synchronous(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with _one_at_a_time(data / LOCK_FILE), engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
                connection.commit()
            _upgrade(connection, data)
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for one connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """Which revision the records are of; None for an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, data: Path) -> None:
    config = configuration(connection)
    scripts = ScriptDirectory.from_config(config)
    present, newest = revision_of(connection), scripts.get_current_head()
    if present == newest:
        return
    if present is None and inspect(connection).has_table("users"):
        raise SchemaRefused(
            "The records have tables but no version, so no release made them. Start with an empty data folder."
        )
    if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaRefused(f"The records are of a newer version ({present}) than this program ({newest}).")
    connection.rollback()
    if present is not None and connection.dialect.name == "sqlite":
        _copy(connection, data / f"records.{present}.{now():%Y%m%dT%H%M%SZ}.sqlite3")
    logger.info("records: %s -> %s", present or "empty", newest)
    command.upgrade(config, "head")
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN replaces the driver's, so that a step is whole or not
    connection.execute("PRAGMA busy_timeout=15000")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _copy(connection: Connection, target: Path) -> None:
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)  # noqa: S101 - as the caller has checked
    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    target.chmod(0o600)
    logger.info("records copied to %s", target.name)


def _synchronous(url: URL) -> URL:
    return url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

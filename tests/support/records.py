"""Records to begin with: the tables are made once by each process of the tests and copied for every test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine

from command_center.schema import METADATA
from tests.support.postgresql import PostgreSQL

_FOLDER = tempfile.TemporaryDirectory(prefix="records-")
"""Goes when the process ends."""
atexit.register(_FOLDER.cleanup)


def sqlite_records(folder: Path) -> str:
    """An SQLite file with every table and no row, as an async SQLAlchemy URL."""
    path = folder / "records.sqlite3"
    shutil.copyfile(_sqlite_template(), path)
    return f"sqlite+aiosqlite:///{path}"


def postgresql_records(server: PostgreSQL) -> str:
    """A database with every table and no row, as an async SQLAlchemy URL."""
    return server.new_database(_postgresql_template(server))


@cache
def _sqlite_template() -> Path:
    path = Path(_FOLDER.name) / "records.sqlite3"
    _make_tables(f"sqlite:///{path}")
    return path


@cache
def _postgresql_template(server: PostgreSQL) -> str:
    url = server.new_database()
    _make_tables(url)
    return url


def _make_tables(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for metadata in METADATA:
            metadata.create_all(connection)
    engine.dispose()  # a database that somebody is connected to can't be copied

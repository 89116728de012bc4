"""Fixtures of the command center: records on both databases, and the web process itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from command_center.database import Database
from tests.support.browser import chromium
from tests.support.postgresql import PostgreSQL
from tests.support.records import postgresql_records, sqlite_records
from tests.support.valkey import Valkey
from tests.support.web import RunningWeb, running_web, settings_for


@pytest.fixture(params=["sqlite", "postgresql"])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'records.sqlite3'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with all tables and no row, once of each kind."""
    if request.param == "sqlite":
        return sqlite_records(tmp_path)
    return postgresql_records(request.getfixturevalue("postgresql"))


@pytest.fixture
async def records(tables_url: str) -> AsyncIterator[Database]:
    """A database with all tables, once of each kind."""
    database = Database(tables_url)
    yield database
    await database.close()


@pytest.fixture(scope="module")
def shared_valkey() -> Iterator[Valkey]:
    """A Valkey for all tests of a module."""
    server = Valkey()
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web(shared_valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningWeb]:
    """A web process with the demonstration in it, for all tests of a module: `loop_scope="module"` in its marks."""
    settings = settings_for(tmp_path_factory.mktemp("web"), shared_valkey.url)
    async with running_web(settings) as running:
        yield running


@pytest.fixture
async def own_web(tmp_path: Path, valkey: Valkey) -> AsyncIterator[RunningWeb]:
    """A web process of one test's own, whose hub it may take away."""
    async with running_web(settings_for(tmp_path, valkey.url)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a module; each has pages of its own."""
    async with chromium() as browser:
        yield browser

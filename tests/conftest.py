"""Fixtures that every part's tests share: a Valkey of one's own, a PostgreSQL, certificates read once."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from functools import cache

import httpx
import pytest
from hypothesis import settings

from streams.hub.hub import Hub
from tests.support.memory import keep_files_in_memory
from tests.support.postgresql import PostgreSQL, start_or_skip
from tests.support.s3 import S3Server
from tests.support.valkey import Valkey

# How long an example takes says more about the machine than about us.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_configure(config: pytest.Config) -> None:
    """Keep files in memory, but for the soak: it fills a real disk for hours."""
    if not any("soak" in argument for argument in config.args):
        keep_files_in_memory()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """What is read of all tests stays until the end: no collection of garbage looks through it, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def certificates() -> Iterator[None]:
    """Every client of httpx reads all the machine's certificates, which takes it 80 ms: here they are read once."""
    with pytest.MonkeyPatch.context() as patch:
        transports = httpx._transports.default
        patch.setattr(transports, "create_ssl_context", cache(transports.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A private PostgreSQL server for all tests of this process; each has a database of its own."""
    server = start_or_skip()
    yield server
    server.stop()


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A real, empty Valkey server of this test's own, on a free port."""
    server = Valkey()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """S3-compatible storage for all tests of this process."""
    server = S3Server()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def s3(s3_server: S3Server) -> S3Server:
    """That storage, with one bucket and nothing in it."""
    if not s3_server.is_running:
        s3_server.start()
    s3_server.empty()
    return s3_server


@pytest.fixture
async def hub(valkey: Valkey) -> AsyncIterator[Hub]:
    """A hub on that server."""
    hub = Hub(valkey.url)
    yield hub
    await hub.close()

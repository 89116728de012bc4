"""Fixtures that every part's tests share: a real Valkey of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from streams.hub.hub import Hub
from tests.support.valkey import Valkey


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A real, empty Valkey server of this test's own, on a free port."""
    server = Valkey()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def hub(valkey: Valkey) -> AsyncIterator[Hub]:
    """A hub on that server."""
    hub = Hub(valkey.url)
    yield hub
    await hub.close()

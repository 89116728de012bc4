"""Every test of the services runs on both databases, with a real hub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from streams.hub.hub import Hub
from tests.support.world import World, new_world


@pytest.fixture
async def world(tables_url: str, hub: Hub) -> AsyncIterator[World]:
    """Two courts and their operations."""
    async with new_world(tables_url, hub) as world:
        yield world

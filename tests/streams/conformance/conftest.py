"""A node, and a client of it that may publish and view the feeds `site-*`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.node import RunningNode, running_node


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with running_node(tmp_path) as running:
        yield running


@pytest.fixture
async def http(running: RunningNode) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {running.token('site-*')}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
        yield client

"""A simulated bank and registry with their gateways, and a day that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.banks.http import HttpBank
from assets.posting import Poster
from assets.registry.http import HttpRegistry
from tests.support.simulator import Simulator


@dataclass
class Day:
    """The simulators' time."""

    instant: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 4, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.instant

    def pass_days(self, days: int) -> None:
        """Let days go by."""
        self.instant += timedelta(days=days)


@pytest.fixture
def day() -> Day:
    """22 November 2026."""
    return Day()


@pytest.fixture
async def other_bank(tmp_path: Path, day: Day) -> AsyncIterator[Simulator]:
    """The other side."""
    simulator = Simulator("bank", tmp_path / "bank.sqlite3", delay_seconds=0)
    simulator.clock = day
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def bank(other_bank: Simulator) -> AsyncIterator[HttpBank]:
    """Our side of it."""
    gateway = HttpBank(Poster("bank", other_bank.url, answer_seconds=1))
    yield gateway
    await gateway.close()


@pytest.fixture
async def other_registry(tmp_path: Path, day: Day) -> AsyncIterator[Simulator]:
    """The other side."""
    simulator = Simulator("registry", tmp_path / "registry.sqlite3", delay_seconds=0)
    simulator.clock = day
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def registry(other_registry: Simulator) -> AsyncIterator[HttpRegistry]:
    """Our side of it."""
    gateway = HttpRegistry(Poster("registry", other_registry.url, answer_seconds=1))
    yield gateway
    await gateway.close()

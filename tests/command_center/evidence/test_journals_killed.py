"""Journals whose writer is killed at seeded moments: nothing twice, nothing lost, nothing out of order."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.database import Database
from tests.command_center.evidence.journal_kills import survive

KILLS = 10
"""`make soak` has 200."""


@pytest.mark.timeout(120)
async def test_a_writer_killed_at_any_moment_leaves_what_the_next_one_completes(
    records: Database, tables_url: str, tmp_path: Path
) -> None:
    assert await survive(records, tables_url, tmp_path, KILLS) > KILLS

"""Exports killed at many seeded moments: each comes out to the byte as if nothing had been."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tests.command_center.evidence.exports.conftest import Case, case  # noqa: F401 - the fixture
from tests.command_center.evidence.exports.killing import killed_until_done

SEEDS = 20
SECONDS = 124.0
"""Three pieces for each camera."""


async def test_every_killed_export_comes_out_identical(case: Case) -> None:  # noqa: F811
    wanted, kills = case.wanted(SECONDS), 0
    undisturbed = await asyncio.to_thread(case.build, wanted)
    whole = undisturbed.read_bytes()
    for seed in range(SEEDS):
        killed, count = await killed_until_done(case, wanted.model_copy(update={"job": UUID(int=seed + 1)}), seed)
        assert killed.read_bytes() == whole, seed
        kills += count
    print(f"{SEEDS} exports, {kills} kills")

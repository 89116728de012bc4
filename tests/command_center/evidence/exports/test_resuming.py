"""An export that is killed half-way is gone on with, and comes out as if nothing had been."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path

import pytest

from command_center.evidence.exports.builder import RESULT_FILE, NoRoom
from command_center.evidence.exports.originals import OriginalMissing
from command_center.evidence.exports.plan import PACKAGE_FILE
from tests.command_center.evidence.exports.conftest import Case, build_package
from tests.command_center.evidence.exports.killing import command, killed_until_done

SEED = 1
SECONDS = 64.0
"""Two pieces for each camera."""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.timeout(240)
async def test_a_killed_export_comes_out_identical(case: Case) -> None:
    wanted = case.wanted(SECONDS)
    undisturbed = await asyncio.to_thread(case.build, wanted)
    killed, kills = await killed_until_done(case, wanted, SEED)
    assert kills > 0
    assert sha256(killed) == sha256(undisturbed)
    assert json.loads((killed.parent / RESULT_FILE).read_bytes())["sha256"] == sha256(killed)
    print(f"{kills} kills")


async def test_the_process_ends_with_whoever_wanted_the_package(case: Case) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "command_center.evidence.exports"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=command(case),
    )
    assert process.stdin is not None
    process.stdin.write(case.wanted(40_000.0).model_dump_json().encode() + b"\n")
    process.stdin.close()
    async with asyncio.timeout(30):
        assert await process.wait() != 0


async def test_what_is_recorded_meanwhile_changes_nothing(case: Case) -> None:
    """What was begun before the ledgers grew is finished as it was begun."""
    undisturbed = await asyncio.to_thread(case.build, case.wanted())
    whole = sha256(undisturbed)
    for name in (PACKAGE_FILE, RESULT_FILE):
        (undisturbed.parent / name).unlink()
    with (case.data / "proof" / "anchors.jsonl").open("ab") as file:
        file.write(b'{"type":"later"}\n')
    assert not (undisturbed.parent / "manifests").exists()
    fresh = await asyncio.to_thread(case.build, case.wanted(), "fresh")
    assert sha256(fresh) != whole


async def test_a_full_disk_is_refused_before_anything_is_made(case: Case) -> None:
    work = case.data / "exports" / "full"
    records = f"sqlite+aiosqlite:///{case.data}/records.sqlite3"
    with pytest.raises(NoRoom):
        await asyncio.to_thread(build_package, case.data, case.wanted(), work, records, reserve_bytes=1 << 60)
    assert not list(work.glob("watch/*"))


async def test_an_original_that_is_cut_short_is_told_as_missing(case: Case) -> None:
    media = next(case.world.root.glob("feed-1/*/*-0001.mp4"))
    media.write_bytes(media.read_bytes()[:1000])
    path = await asyncio.to_thread(case.build, case.wanted())
    assert path.exists()
    plan = json.loads((path.parent / "plan.json").read_bytes())
    assert [part["missing"] for part in plan["cameras"][0]["recordings"]].count([1]) == 1


async def test_an_original_that_goes_meanwhile_ends_the_export(case: Case) -> None:
    work = case.data / "exports" / "gone"
    records = f"sqlite+aiosqlite:///{case.data}/records.sqlite3"
    with pytest.raises(NoRoom):
        await asyncio.to_thread(build_package, case.data, case.wanted(), work, records, reserve_bytes=1 << 60)
    next(case.world.root.glob("feed-1/*/*-0001.mp4")).unlink()
    with pytest.raises(OriginalMissing):
        await asyncio.to_thread(build_package, case.data, case.wanted(), work, records)

"""A package holds what anchors tell of: it waits for them at its beginning, so that a genuine one verifies as whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_center.evidence.exports import builder
from command_center.evidence.exports.builder import NoRoom
from command_center.evidence.exports.plan import PACKAGE_FILE, PLAN_FILE
from command_center.evidence.verifier import Report, verify
from command_center.journal import JournalEntry
from command_center.operations.records import from_ms
from streams.ledger import Chain, head_of
from tests.command_center.evidence.exports.conftest import Case, build_package
from tests.support.manifests import START_MS

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "AWAIT_STEP_SECONDS", 0.01)


def append(case: Case, name: str, fields: dict[str, object], *, is_signed: bool = False) -> None:
    """Add a line to a ledger below `proof`."""
    path = case.data / "proof" / name
    context = "anchors/1" if name == "anchors.jsonl" else f"{name.partition('s/')[0]}/1"
    line = Chain(context, head_of(path)).line(fields, case.signer() if is_signed else None)
    with path.open("ab") as file:
        file.write(line)


def journal_of(case: Case) -> str:
    return f"journals/{case.world.operation}.jsonl"


def write_entry(case: Case, number: int) -> None:
    """Write an entry into the journal's file, as its writer does: sealed only a minute later."""
    salt, body = number.to_bytes(16), '{"what":"exported"}'
    digest = hashlib.sha256(salt + body.encode()).hexdigest()
    with (case.data / "proof" / journal_of(case).replace(".jsonl", ".bodies.jsonl")).open("a") as file:
        file.write(json.dumps({"id": number, "salt": salt.hex(), "body": body}, separators=(",", ":")) + "\n")
    append(
        case,
        journal_of(case),
        {"type": "entry", "id": number, "at": START_MS + 2000, "kind": "operation", "digest": digest},
    )


def anchor(case: Case, sequence: int) -> None:
    """Anchor the journal as it stands."""
    head = head_of(case.data / "proof" / journal_of(case))
    heads = {f"journal:{case.world.operation}": [head.lines, head.hash]}
    at = START_MS + 120_000 + sequence * 60_000
    append(
        case, "anchors.jsonl", {"type": "anchor", "sequence": sequence, "at": at, "heads": heads}, is_signed=True
    )  # fmt: skip


async def note(case: Case, number: int) -> None:
    """Note in the records what isn't in the file yet."""
    async with case.world.database.write() as session:
        at = from_ms(START_MS + 2000)
        row = JournalEntry(
            id=number, operation_id=case.world.operation, at=at, kind="operation", salt=bytes(16), body=""
        )
        session.add(row)


async def build(
    case: Case,
    patience_seconds: float,
    meanwhile: Callable[[], None] = lambda: None,
    name: str = "waits",
    reserve_bytes: int = 0,
) -> Path:
    """Build a package; each time it waits, something happens."""

    def progress(_done: int, whole: int) -> None:
        if not whole:
            meanwhile()

    work, records = case.data / "exports" / name, f"sqlite+aiosqlite:///{case.data}/records.sqlite3"
    await asyncio.to_thread(
        build_package, case.data, case.wanted(), work, records, reserve_bytes=reserve_bytes,
        patience_seconds=patience_seconds, progress=progress,
    )  # fmt: skip
    return work / PACKAGE_FILE


async def look(case: Case, path: Path) -> tuple[Report, int]:
    """What a verification says by the published key, and its exit code without."""
    report = await asyncio.to_thread(verify, path, trusted=[case.signer().id])
    return report, (await asyncio.to_thread(verify, path)).exit_code


async def test_it_waits_until_what_was_noted_before_is_anchored_and_is_whole_then(case: Case) -> None:
    """Though the operation goes on all the while, and its journal is never sealed to its end."""
    await note(case, 6)
    steps = [
        lambda: write_entry(case, 6),
        lambda: anchor(case, 2),
        lambda: write_entry(case, 7),
        lambda: pytest.fail("it waits for what was noted afterwards"),
    ]

    def go_on() -> None:
        steps.pop(0)()

    path = await build(case, PATIENCE, go_on)
    write_entry(case, 8)
    report, without = await look(case, path)
    assert (report.exit_code, without) == (0, 4), report.text("en")
    assert [one.entries for one in report.journals] == [6]
    assert len(steps) == 2


async def test_an_operation_that_lives_is_cut_where_the_newest_anchor_stands(case: Case) -> None:
    write_entry(case, 6)
    anchor(case, 2)
    write_entry(case, 7)
    await note(case, 6)
    path = await build(case, PATIENCE, lambda: pytest.fail("nothing is to be waited for"))
    report, without = await look(case, path)
    assert (report.exit_code, without) == (0, 4), report.text("en")
    assert [(one.entries, one.anchored) for one in report.journals] == [(6, 6)]


async def test_when_no_anchor_comes_in_time_it_is_made_without_and_says_so(case: Case) -> None:
    await note(case, 6)
    write_entry(case, 6)
    path = await build(case, 0.05)
    report, _ = await look(case, path)
    assert (report.exit_code, report.counts["tail-unsigned"]) == (2, 1)
    plan = json.loads((path.parent / PLAN_FILE).read_bytes())
    assert plan["unanchored"] == [str(case.world.operation)]


async def test_a_ring_of_keys_and_a_closed_recording_are_waited_for_too(case: Case) -> None:
    anchors = case.data / "proof" / "anchors.jsonl"
    line = anchors.read_bytes()
    anchors.unlink()
    path = await build(case, PATIENCE, lambda: anchors.write_bytes(line))
    report, without = await look(case, path)
    assert (report.exit_code, without) == (0, 4), report.text("en")


async def test_one_that_is_gone_on_with_waits_for_nothing_and_comes_out_the_same(case: Case) -> None:
    await note(case, 6)
    write_entry(case, 6)
    with pytest.raises(NoRoom):
        await build(case, PATIENCE, lambda: anchor(case, 2), "begun", reserve_bytes=1 << 60)
    undisturbed = (await build(case, 0.0)).read_bytes()
    await note(case, 7)
    write_entry(case, 7)
    path = await build(case, PATIENCE, lambda: pytest.fail("its plan stands"), "begun")
    assert path.read_bytes() == undisturbed

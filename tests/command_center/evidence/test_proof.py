"""The whole road: recorded, noted, sealed, anchored and stamped, and then verified by the file that needs no other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from command_center.evidence.anchors import Anchors, newest_anchor
from command_center.evidence.index import index_events
from command_center.evidence.journals import Journals
from command_center.evidence.keyring import Keyring
from command_center.evidence.proof import Proof
from command_center.evidence.proof_watch import ProofWatch
from command_center.evidence.rebuild import rebuild
from command_center.evidence.store_local import LocalStore
from command_center.evidence.timestamps import TimeStampAuthority
from command_center.evidence.verifier import Report, verify
from command_center.journal import Journal, JournalKind
from streams.hub.hub import Hub
from tests.command_center.evidence.conftest import World
from tests.support.manifests import NODE_KEY, START_MS, make_recording
from tests.support.time_stamps import Authority, is_installed
from tests.support.waiting import until


class Clock:
    """Stands where the recordings are of, and goes on when told to."""

    def __init__(self) -> None:
        self.instant = datetime.fromtimestamp(START_MS / 1000, UTC)

    def __call__(self) -> datetime:
        return self.instant

    def move(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class Court:
    """What a court has of it all."""

    def __init__(self, world: World, hub: Hub, authority: TimeStampAuthority | None) -> None:
        self.world, self.data, self.clock = world, world.root.parent, Clock()
        self.keyring = Keyring(self.data, self.data / "keys", self.clock)
        self.keyring.ensure()
        self.keyring.add("node-1", NODE_KEY.public)
        self.journal = Journal(self.clock)
        self.journals = Journals(world.database, self.data, self.keyring, lambda: newest_anchor(self.data), self.clock)
        self.anchors = Anchors(world.database, hub, self.data, self.keyring, authority, self.clock)

    async def minute(self, begins: float) -> None:
        """One of an operation: something is recorded and noted, all of it written, sealed and anchored."""
        made = make_recording(self.world.root, begins=begins)
        self.clock.move(60)
        await index_events(self.world.database, made.events, self.journal)
        async with self.world.database.write() as session:
            body = {"points": [{"latitude": 40.8, "longitude": 111.7}]}
            await self.journal.note(session, self.world.operation, JournalKind.POSITIONS, body)
        while await self.journals.step():
            pass
        await self.journals.seal()
        await self.anchors.anchor()
        await self.anchors.stamp()

    def verified(self) -> Report:
        return verify(self.data, trusted=[self.keyring.listed()[0].id], anchor=newest_anchor(self.data))


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    if not is_installed():
        pytest.skip("no openssl program")
    authority = Authority(tmp_path / "elsewhere" / "tsa")
    authority.start()
    yield authority
    authority.stop()


async def test_what_is_recorded_and_noted_proves_itself_and_a_change_of_keys_breaks_nothing(
    world: World, hub: Hub, authority: Authority
) -> None:
    court = Court(world, hub, TimeStampAuthority(authority.url, authority.root))
    await court.minute(0)
    await court.minute(60)
    court.keyring.rotate("court")
    await court.minute(120)
    report = court.verified()
    print(report.text("en"))
    assert report.exit_code == 0
    assert (report.trust, report.keys, report.retired, report.anchors) == ("matches", 3, 1, 3)
    (journal,) = report.journals
    assert (journal.entries, journal.sealed, journal.anchored) == (12, 12, 12)
    assert [len(one.spans) for one in report.recordings] == [1, 1, 1]
    assert {span.state for one in report.recordings for span in one.spans} == {"proven"}
    assert sum(report.stamps.values()) == 3


@pytest.mark.parametrize("name", ["journal", "anchors", "keys"])
async def test_an_edited_line_of_any_ledger_is_found(world: World, hub: Hub, name: str) -> None:
    court = Court(world, hub, None)
    await court.minute(0)
    await court.minute(60)
    assert court.verified().exit_code == 0
    paths = {"journal": f"journals/{world.operation}.jsonl", "anchors": "anchors.jsonl", "keys": "keys.jsonl"}
    path = court.data / "proof" / paths[name]
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"at":', b'"at":1', 1)
    path.write_bytes(b"\n".join(lines))
    assert court.verified().exit_code == 1


async def test_a_journal_holds_each_seal_once_however_often_the_index_is_made_anew(world: World, hub: Hub) -> None:
    court = Court(world, hub, None)
    await court.minute(0)
    for _ in range(2):
        await rebuild(world.database, LocalStore(world.root), court.journal)
    while await court.journals.step():
        pass
    await court.journals.seal()
    (journal,) = court.verified().journals
    assert journal.entries == 4


async def test_a_recording_whose_events_were_lost_is_noted_when_the_store_is_looked_through(
    world: World, hub: Hub
) -> None:
    court = Court(world, hub, None)
    make_recording(world.root)
    await rebuild(world.database, LocalStore(world.root), court.journal)
    await court.journals.step()
    (journal,) = court.verified().journals
    assert journal.entries == 3


async def test_the_workers_jobs_leave_nothing_behind_when_they_end(world: World, hub: Hub) -> None:
    court = Court(world, hub, None)
    proof = Proof(court.journals, court.anchors)
    watch = ProofWatch(world.database, hub, court.clock)
    assert (await watch.look()).state == "silent"

    async def forever(step: object) -> None:
        while True:
            await step()  # type: ignore[operator]

    jobs = [asyncio.create_task(forever(step)) for step in (proof.keep_journals, proof.keep_anchors)]
    await until(lambda: newest_anchor(court.data) is not None)
    await _note(court, world.operation)

    async def is_written() -> bool:
        return (await watch.look()).unwritten == 0

    await until(is_written)
    assert (await watch.look()).state == "running"
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    await _note(court, world.operation)
    await proof.finish()
    (journal,) = court.verified().journals
    assert (journal.entries, journal.sealed, journal.anchored) == (2, 2, 2)
    await _note(court, world.operation)
    court.clock.move(300)
    assert (await watch.look()).state == "behind"


async def _note(court: Court, operation: UUID) -> None:
    async with court.world.database.write() as session:
        await court.journal.note(session, operation, JournalKind.ALARM, {"what": "clock"})

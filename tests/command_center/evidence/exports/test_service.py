"""Who may ask for a package, of what, and what is written down of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Role
from command_center.audit import Audit, AuditEntry
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted, TooMany, Unavailable
from command_center.evidence.custody import Purpose
from command_center.evidence.denials import Denials
from command_center.evidence.exports.records import ExportRecord, Wish
from command_center.evidence.exports.service import OPEN_OF_ONE, Exports
from command_center.evidence.exports.tables import ExportJob, ExportState
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.store_local import CHUNK_BYTES
from command_center.journal import Journal, JournalKind
from tests.command_center.evidence.conftest import START, World


@pytest.fixture
async def world(world: World) -> World:
    """One whose courts send supervisors."""
    world.city = replace(world.city, role=Role.SUPERVISOR)
    world.district = replace(world.district, role=Role.SUPERVISOR)
    async with world.database.write() as session:
        for operation in (world.operation, world.other_operation):
            await Journal(lambda: START).note(session, operation, JournalKind.CAMERA, {"feed": "feed-1"})
    return world


@pytest.fixture
def exports(world: World) -> Exports:
    folder, denials = world.root.parent / "exports", Denials(world.database, Audit())
    return Exports(world.database, Audit(), Journal(), denials, folder, lambda: START + timedelta(hours=1))


def commander(world: World) -> Identity:
    return replace(world.city, role=Role.COMMANDER, session_id=uuid4())


def wish(world: World) -> Wish:
    return Wish(
        operation_id=world.operation,
        since=START,
        until=START + timedelta(minutes=10),
        feeds=("feed-1", "voice"),
        purpose=Purpose.APPEAL,
        reason="",
        is_masked=True,
        idempotency_key=uuid4(),
    )


async def audited(world: World) -> list[tuple[str, dict[str, str]]]:
    async with world.database.read() as session:
        rows = await session.execute(select(AuditEntry.action, AuditEntry.details).order_by(AuditEntry.sequence))
        return [(action, json.loads(details)) for action, details in rows if action.startswith("export.")]


async def finish(world: World, exports: Exports, record: ExportRecord, content: bytes = b"package") -> None:
    """Have it done, as the worker would."""
    async with world.database.write() as session:
        job = await session.get_one(ExportJob, record.id)
        job.move_to(ExportState.RUNNING)
        job.move_to(ExportState.DONE)
        job.sha256, job.bytes = "0" * 64, len(content)
    folder = world.root.parent / "exports" / str(record.id)
    await asyncio.to_thread(folder.mkdir, parents=True)
    await asyncio.to_thread((folder / "package.zip").write_bytes, content)


async def test_a_request_waits_and_is_audited_with_its_purpose(world: World, exports: Exports) -> None:
    made = await exports.request(world.city, wish(world))
    assert (made.state, made.feeds, made.is_masked) == (ExportState.QUEUED, ("feed-1", "voice"), True)
    assert [one.id for one in await exports.listed(world.city, world.operation)] == [made.id]
    ((action, details),) = await audited(world)
    assert (action, details["purpose"], details["operation"]) == ("export.requested", "appeal", str(world.operation))


async def test_the_same_key_makes_nothing_twice(world: World, exports: Exports) -> None:
    wanted = wish(world)
    first = await exports.request(world.city, wanted)
    assert (await exports.request(world.city, wanted)).id == first.id
    with pytest.raises(Conflict):
        await exports.request(world.city, replace(wanted, feeds=("feed-2",)))
    assert len(await audited(world)) == 1


@pytest.mark.parametrize("role", [Role.JUDGE, Role.APPROVER, Role.OFFICER])
async def test_who_may_not_export_is_refused_and_that_is_audited(world: World, exports: Exports, role: Role) -> None:
    who = replace(world.city, role=role)
    with pytest.raises(NotPermitted):
        await exports.request(who, wish(world))
    assert await audited(world) == [
        ("export.denied", {"code": "not-permitted", "permission": "export", "purpose": "appeal"})
    ]
    with pytest.raises(NotPermitted):
        await exports.listed(who, world.operation)


async def test_nothing_is_unmasked_without_the_right_and_a_reason(world: World, exports: Exports) -> None:
    unmasked = replace(wish(world), is_masked=False, reason="二审法院调取")
    with pytest.raises(NotPermitted):
        await exports.request(world.city, unmasked)
    assert [action for action, _ in await audited(world)] == ["export.denied"]
    with pytest.raises(Invalid):
        await exports.request(commander(world), replace(unmasked, reason=" "))
    made = await exports.request(commander(world), unmasked)
    await finish(world, exports, made)
    with pytest.raises(NotPermitted):
        await exports.package(world.city, made.id, is_start=True)
    assert (await exports.package(commander(world), made.id, is_start=True)).bytes == 7


async def test_another_courts_operation_is_not_there(world: World, exports: Exports) -> None:
    made = await exports.request(world.city, wish(world))
    with pytest.raises(NotFound):
        await exports.request(world.district, wish(world))
    for call in (exports.export, exports.cancel):
        with pytest.raises(NotFound):
            await call(world.district, made.id)
    with pytest.raises(NotFound):
        await exports.package(world.district, made.id, is_start=True)
    with pytest.raises(NotFound):
        await exports.export(world.city, UUID(int=1))


async def test_what_makes_no_sense_is_refused(world: World, exports: Exports) -> None:
    good = wish(world)
    for bad in (
        replace(good, until=good.since),
        replace(good, since=START + timedelta(hours=2), until=START + timedelta(hours=3)),
        replace(good, since=START - timedelta(hours=13)),
        replace(good, feeds=("feed-3",)),
        replace(good, feeds=("feed-1", "feed-1")),
        replace(good, feeds=()),
    ):
        with pytest.raises(Invalid):
            await exports.request(world.city, bad)


async def test_a_span_in_which_nothing_was_recorded_and_nothing_happened_is_refused(
    world: World, exports: Exports
) -> None:
    empty = replace(wish(world), since=START - timedelta(hours=3), until=START - timedelta(hours=2))
    with pytest.raises(Invalid, match="export-empty"):
        await exports.request(world.city, empty)
    await world.record(begins=-3 * 3600 + 60.0)
    with pytest.raises(Invalid, match="export-empty"):
        await exports.request(world.city, replace(empty, feeds=("voice",)))
    assert (await exports.request(world.city, empty)).state is ExportState.QUEUED


async def test_one_person_cannot_fill_the_queue(world: World, exports: Exports) -> None:
    for _ in range(OPEN_OF_ONE):
        await exports.request(world.city, wish(world))
    with pytest.raises(TooMany):
        await exports.request(world.city, wish(world))
    other = replace(commander(world), user_id=world.officer.user_id)
    await exports.request(other, wish(world))


async def test_a_package_is_fetched_and_each_fetching_audited_once(world: World, exports: Exports) -> None:
    made = await exports.request(world.city, wish(world))
    with pytest.raises(Conflict):
        await exports.package(world.city, made.id, is_start=True)
    await finish(world, exports, made)
    file = await exports.package(world.city, made.id, is_start=True)
    await exports.package(world.city, made.id, is_start=False)
    assert b"".join([piece async for piece in await exports.open(world.city, file, 2, 4)]) == b"cka"
    assert [action for action, _ in await audited(world)] == ["export.requested", "export.downloaded"]
    await asyncio.to_thread((world.root.parent / "exports" / file.path).unlink)
    with pytest.raises(Unavailable):
        await exports.package(world.city, made.id, is_start=True)


async def test_no_part_of_a_package_goes_out_without_the_audit(world: World, exports: Exports) -> None:
    made = await exports.request(world.city, wish(world))
    await finish(world, exports, made)
    await exports.package(world.city, made.id, is_start=False, is_fetched=False)
    assert [action for action, _ in await audited(world)] == ["export.requested"], "that it is there is no secret"
    await exports.package(world.city, made.id, is_start=False)
    await exports.package(world.city, made.id, is_start=False)
    assert [action for action, _ in await audited(world)] == ["export.requested", "export.downloaded"]


async def test_what_is_called_off_stays_so(world: World, exports: Exports) -> None:
    made = await exports.request(world.city, wish(world))
    assert (await exports.cancel(world.city, made.id)).state is ExportState.CANCELLED
    with pytest.raises(Conflict):
        await exports.cancel(world.city, made.id)
    assert [action for action, _ in await audited(world)] == ["export.requested", "export.cancelled"]


async def test_a_package_that_is_withdrawn_is_refused_and_told_so(world: World, exports: Exports) -> None:
    recording = await world.record()
    made = await exports.request(world.city, wish(world))
    await finish(world, exports, made)
    await exports.package(world.city, made.id, is_start=True)
    folder = world.root.parent / "exports"
    await Withdrawals(world.database, Audit(), folder).withdraw(recording)
    (listed,) = await exports.listed(world.city, world.operation)
    assert (listed.state, listed.error) == (ExportState.WITHDRAWN, "export-recording-deleted")
    with pytest.raises(Conflict, match="export-withdrawn"):
        await exports.package(world.city, made.id, is_start=False)
    with pytest.raises(Conflict, match="export-over"):
        await exports.cancel(world.city, made.id)
    assert not await asyncio.to_thread((folder / str(made.id)).exists)
    told = await audited(world)
    (withdrawn,) = [details for action, details in told if action == "export.withdrawn"]
    assert (withdrawn["recording"], withdrawn["fetchings"]) == (str(recording), 1)
    assert told[-1] == ("export.denied", {"attempt": "fetch", "code": "export-withdrawn"})


async def test_a_download_under_way_ends_with_the_withdrawal_and_the_cut_is_audited(world: World) -> None:
    recording, seconds = await world.record(), iter(range(100))
    exports = Exports(
        world.database,
        Audit(),
        Journal(),
        Denials(world.database, Audit()),
        world.root.parent / "exports",
        lambda: START + timedelta(hours=1),
        lambda: float(next(seconds)),
    )
    made = await exports.request(world.city, wish(world))
    content = bytes(4 * CHUNK_BYTES)
    await finish(world, exports, made, content)
    file = await exports.package(world.city, made.id, is_start=True)
    pieces = await exports.open(world.city, file, 0, len(content) - 1)
    assert len(await anext(pieces)) == CHUNK_BYTES
    await Withdrawals(world.database, Audit(), world.root.parent / "exports").withdraw(recording)
    with pytest.raises(Conflict, match="export-withdrawn"):
        await anext(pieces)
    assert (await audited(world))[-1] == ("export.denied", {"attempt": "fetching", "code": "export-withdrawn"})

"""Who may see which recordings, what is told of them, and that every viewing is on record."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from command_center.audit import AuditEntry
from command_center.errors import NotFound, NotPermitted, Unavailable
from command_center.evidence.index import index_events
from command_center.evidence.records import RecordingState
from command_center.operations.tables import PositionRecord
from tests.command_center.evidence.conftest import START, World, write_recording


async def audited(world: World) -> list[AuditEntry]:
    async with world.database.read() as session:
        return list(await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))


async def test_a_list_holds_the_operations_own_recordings_newest_first_in_pages(world: World) -> None:
    made = [await world.record(2.0, feed=f"feed-{1 + number % 2}", begins=number * 10) for number in range(5)]
    await world.record(2.0, feed="feed-3")
    pages: list[UUID] = []
    after = None
    while True:
        page = await world.recordings.listed(world.city, world.operation, after=after, limit=2)
        pages += [record.id for record in page]
        if len(page) < 2:
            break
        after = (page[-1].started_at, page[-1].id)
    assert pages == made[::-1]
    record = (await world.recordings.listed(world.city, world.operation))[0]
    assert (record.feed, record.site_ordinal, record.officer) == ("feed-1", 1, "巴特尔")
    assert record.state is RecordingState.ENDED
    assert record.seconds == pytest.approx(2.0, abs=0.1)


async def test_another_court_and_another_role_get_nothing(world: World) -> None:
    recording = await world.record(2.0)
    for call in (
        world.recordings.listed(world.district, world.operation),
        world.recordings.recording(world.district, recording),
        world.recordings.index(world.district, recording),
        world.recordings.media(world.district, recording, is_start=True),
        world.recordings.track(world.district, recording),
        world.recordings.recording(world.city, uuid4()),
    ):
        with pytest.raises(NotFound):
            await call
    for refused in (
        world.recordings.listed(world.officer, world.operation),
        world.recordings.media(world.officer, recording, is_start=True),
    ):
        with pytest.raises(NotPermitted):
            await refused
    assert await audited(world) == []
    district = await world.record(2.0, feed="feed-3")
    assert [one.id for one in await world.recordings.listed(world.city, world.other_operation)] == [district]
    assert [one.id for one in await world.recordings.listed(world.district, world.other_operation)] == [district]


async def test_every_viewing_is_audited_and_its_later_requests_are_not(world: World) -> None:
    recording = await world.record(2.0)
    await world.recordings.media(world.city, recording, is_start=True)
    for _ in range(5):
        await world.recordings.media(world.city, recording, is_start=False)
    await world.recordings.media(world.city, recording, is_start=True)
    entries = await audited(world)
    assert [(entry.action, entry.actor_id, entry.subject_id) for entry in entries] == [
        ("recording.viewed", world.city.user_id, str(recording))
    ] * 2


async def test_opening_a_recording_as_the_page_does_is_one_viewing(world: World) -> None:
    recording = await world.record(2.0)
    for opened in (1, 2):
        await asyncio.gather(
            world.recordings.index(world.city, recording), world.recordings.track(world.city, recording)
        )
        await world.recordings.media(world.city, recording, is_start=True)
        await world.recordings.media(world.city, recording, is_start=False)
        assert len(await audited(world)) == opened


async def test_a_viewing_that_skips_the_start_is_audited_too(world: World) -> None:
    recording = await world.record(2.0)
    await world.recordings.media(world.city, recording, is_start=False)
    assert len(await audited(world)) == 1


async def test_a_recording_that_grows_is_told_apart_from_one_that_was_cut_off(world: World) -> None:
    events = write_recording(world.root, 2.0)
    await index_events(world.database, events[:1])
    recording = events[0].recording
    path = next(world.root.rglob("*.mp4"))
    assert (await world.recordings.recording(world.city, recording)).state is RecordingState.RECORDING
    long_ago = time.time() - 60
    os.utime(path, (long_ago, long_ago))
    assert (await world.recordings.recording(world.city, recording)).state is RecordingState.CUT_OFF
    path.unlink()
    assert (await world.recordings.recording(world.city, recording)).state is RecordingState.MISSING
    with pytest.raises(Unavailable):
        await world.recordings.media(world.city, recording, is_start=True)


async def test_the_index_tells_where_to_start_and_goes_on_from_a_number(world: World) -> None:
    recording = await world.record(4.0)
    whole = await world.recordings.index(world.city, recording)
    assert whole.mime.startswith("video/mp4; codecs=")
    assert whole.is_complete
    assert whole.fragments[0].offset == whole.header_bytes
    assert [line.start for line in whole.fragments if line.is_key] == pytest.approx([0.0, 2.0], abs=0.02)
    rest = await world.recordings.index(world.city, recording, after=3)
    assert rest.fragments == whole.fragments[3:]


async def test_the_track_is_of_the_recordings_time_by_the_nodes_clock(world: World) -> None:
    recording = await world.record(4.0)
    error = timedelta(hours=-3)  # the device's clock is three hours behind
    async with world.database.write() as session:
        for number in range(-3, 9):
            taken = START + timedelta(seconds=number)
            late = 0.05 if number != 2 else 100.0  # this one waited on the phone
            session.add(
                PositionRecord(
                    id=uuid4(), feed_id=world.feed_id, latitude=40.8 + number / 1000, longitude=111.6, accuracy_m=5,
                    heading_deg=90.0, taken_at=taken + error, received_at=taken + timedelta(seconds=late),
                    clock_offset_ms=round((-error.total_seconds() + late) * 1000), road="channel",
                )
            )  # fmt: skip
    track = await world.recordings.track(world.city, recording)
    assert [point.seconds for point in track.points] == pytest.approx([0.05, 1.05, 2.05, 3.05], abs=0.02)
    assert [point.latitude for point in track.points] == pytest.approx([40.8, 40.801, 40.802, 40.803])
    assert track.points[0].at == START + timedelta(milliseconds=50)


async def test_a_path_that_leads_out_of_the_store_is_refused(world: World, tmp_path: Path) -> None:
    events = write_recording(world.root, 2.0)
    opened = events[0].model_copy(update={"path": "../records.sqlite3"})
    await index_events(world.database, [opened, *events[1:]])
    with pytest.raises(Unavailable):
        await world.recordings.media(world.city, opened.recording, is_start=True)

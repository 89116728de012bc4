"""Who may see which recordings, what is told of them, and that every viewing is on record."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from command_center.audit import AuditEntry
from command_center.errors import NotFound, NotPermitted, Unavailable
from command_center.evidence.index import index_events
from command_center.evidence.manifests import KnownManifest, Manifests
from command_center.evidence.rebuild import compare
from command_center.evidence.records import RecordingState
from command_center.evidence.store import NotStored
from command_center.evidence.store_local import LocalStore
from command_center.evidence.tables import Recording, RecordingSegment
from streams.ledger import Chain, Head, line_hash
from streams.recording.manifest import LEDGER, Closed, Sealed
from tests.command_center.evidence.conftest import World
from tests.support.manifests import (
    NODE_KEY,
    START_MS,
    ManifestWriter,
    make_recording,
    make_recording_of_version_1,
)
from tests.support.recordings import recordings_of


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
        world.recordings.segment(world.district, recording, 1, is_start=True),
        world.recordings.recording(world.city, uuid4()),
    ):
        with pytest.raises(NotFound):
            await call
    for refused in (
        world.recordings.listed(world.officer, world.operation),
        world.recordings.segment(world.officer, recording, 1, is_start=True),
    ):
        with pytest.raises(NotPermitted):
            await refused
    told = [(entry.action, entry.actor_id, json.loads(entry.details)["code"]) for entry in await audited(world)]
    district_person, officer = world.district.user_id, world.officer.user_id
    assert told == [
        ("recording.denied", district_person, "other-court"),
        ("recording.denied", district_person, "other-court"),
        ("recording.denied", officer, "not-permitted"),
        ("recording.denied", officer, "not-permitted"),
    ], "once for the operation and once for the recording"
    district = await world.record(2.0, feed="feed-3")
    assert [one.id for one in await world.recordings.listed(world.city, world.other_operation)] == [district]
    assert [one.id for one in await world.recordings.listed(world.district, world.other_operation)] == [district]


async def test_every_viewing_is_audited_and_its_later_requests_are_not(world: World) -> None:
    recording = await world.record(2.0)
    await world.recordings.segment(world.city, recording, 1, is_start=True)
    for _ in range(5):
        await world.recordings.segment(world.city, recording, 1, is_start=False)
    await world.recordings.segment(world.city, recording, 1, is_start=True)
    entries = await audited(world)
    assert [(entry.action, entry.actor_id, entry.subject_id) for entry in entries] == [
        ("recording.viewed", world.city.user_id, str(recording))
    ] * 2


async def test_opening_a_recording_as_the_page_does_is_one_viewing(world: World) -> None:
    recording = await world.record(2.0)
    for opened in (1, 2):
        await asyncio.gather(*(world.recordings.index(world.city, recording) for _ in range(2)))
        await world.recordings.segment(world.city, recording, 1, is_start=True)
        await world.recordings.segment(world.city, recording, 1, is_start=False)
        assert len(await audited(world)) == opened


async def test_a_viewing_that_skips_the_start_is_audited_too(world: World) -> None:
    recording = await world.record(2.0)
    await world.recordings.segment(world.city, recording, 1, is_start=False)
    assert len(await audited(world)) == 1


async def test_a_recording_that_grows_is_told_apart_from_one_that_was_cut_off(world: World) -> None:
    made = make_recording(world.root, reason=None)
    await index_events(world.database, made.events)
    assert (await world.recordings.recording(world.city, made.recording)).state is RecordingState.RECORDING
    long_ago = time.time() - 60
    os.utime(made.manifest, (long_ago, long_ago))
    assert (await world.recordings.recording(world.city, made.recording)).state is RecordingState.CUT_OFF
    made.manifest.unlink()
    assert (await world.recordings.recording(world.city, made.recording)).state is RecordingState.MISSING
    with pytest.raises(Unavailable):
        await world.recordings.index(world.city, made.recording)


async def test_a_record_says_how_many_files_it_is_in_and_whether_they_are_signed(world: World) -> None:
    made = make_recording(world.root, seconds=(1.0, 1.0, 1.0), codec="VP8")
    old = make_recording_of_version_1(world.root, begins=60)
    await index_events(world.database, made.events)
    await compare(world.database, LocalStore(world.root))
    first = await world.recordings.recording(world.city, made.recording)
    assert (first.segments, first.version, first.is_signed, first.video, first.audio) == (3, 2, True, "VP8", "opus")
    second = await world.recordings.recording(world.city, old.recording)
    assert (second.segments, second.version, second.is_signed, second.video) == (1, 1, False, "H264")


async def test_the_index_tells_where_to_start_and_goes_on_from_a_number(world: World) -> None:
    recording = await world.record(4.0)
    whole = await world.recordings.index(world.city, recording)
    assert whole.is_complete
    assert [(one.number, one.container, one.has_sound, one.is_sealed) for one in whole.segments] == [
        (1, "mp4", True, True),
        (2, "mp4", True, True),
    ]
    first, second = whole.segments
    assert first.mime.startswith("video/mp4; codecs=")
    assert (first.start, first.at) == (0.0, START_MS)
    assert second.start == pytest.approx(2.0, abs=0.1)
    assert second.at == START_MS + round(second.start * 1000)
    assert whole.fragments[0].offset == first.header_bytes
    keys = [(line.segment, line.start, line.at) for line in whole.fragments if line.is_key]
    assert keys == [(1, 0.0, first.at), (2, second.start, second.at)]
    assert whole.seconds == pytest.approx(4.0, abs=0.1)
    rest = await world.recordings.index(world.city, recording, after=3)
    assert rest.fragments == whole.fragments[3:]
    assert rest.segments == whole.segments


async def test_the_old_form_of_a_recording_is_played_like_todays(world: World) -> None:
    old = make_recording_of_version_1(world.root)
    await compare(world.database, LocalStore(world.root))
    index = await world.recordings.index(world.city, old.recording)
    assert (index.version, len(index.segments), [gap.kind for gap in index.gaps]) == (1, 1, ["network"])
    media = await world.recordings.segment(world.city, old.recording, 1, is_start=True)
    assert media.bytes == old.segments[0].stat().st_size


async def test_of_a_recording_that_grows_only_what_came_is_read_again(world: World) -> None:
    writer = ManifestWriter(world.root)
    writer.segment(seconds=2.0, is_sealed=False)
    read: list[tuple[int, int]] = []

    class Watched(LocalStore):
        def open_range(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
            read.append((first, last))
            return super().open_range(path, first, last)

    recordings = recordings_of(world.database, Watched(world.root))
    await index_events(world.database, writer.made.events)
    before = await recordings.index(world.city, writer.made.recording)
    size = writer.made.manifest.stat().st_size
    assert await recordings.index(world.city, writer.made.recording, after=len(before.fragments)) is not None
    writer.segment(seconds=1.0)
    with writer.made.manifest.open("ab") as file:
        file.write(b'{"type":"frag')  # half a line isn't one yet
    after = await recordings.index(world.city, writer.made.recording, after=len(before.fragments))
    assert read == [(0, size - 1), (size, writer.made.manifest.stat().st_size - 1)]
    assert [one.number for one in after.segments] == [1, 2]
    assert {one.segment for one in after.fragments} == {2}


async def test_a_manifest_that_a_crash_tore_and_that_went_on_is_read_anew(world: World) -> None:
    made = make_recording(world.root, seconds=(2.0,), reason=None)
    await index_events(world.database, made.events)
    whole = made.manifest.read_bytes()
    lines = whole.splitlines(keepends=True)
    before = await world.recordings.index(world.city, made.recording)
    # A power cut took the last two lines; what the recovery wrote instead is longer.
    made.manifest.write_bytes(b"".join(lines[:-2]))
    fewer = await world.recordings.index(world.city, made.recording)
    assert fewer.fragments == before.fragments[:-2]
    made.manifest.write_bytes(whole)
    assert (await world.recordings.index(world.city, made.recording)).fragments == before.fragments
    chain = Chain(LEDGER, Head(len(lines) - 2, line_hash(lines[-3][:-1])))
    seal = Sealed(
        segment=1, ended_at=START_MS, seconds=0.5, bytes=5000, sha256="5" * 64, fragments=1, is_recovered=True
    )
    sealed = chain.line(seal.model_dump(mode="json"), NODE_KEY)
    closed = chain.line(Closed(reason="node", ended_at=START_MS, seconds=0.5, segments=1).model_dump(mode="json"))
    made.manifest.write_bytes(b"".join(lines[:-2]) + sealed + closed)
    recovered = await world.recordings.index(world.city, made.recording)
    assert len(recovered.fragments) == 1
    assert recovered.segments[0].is_sealed
    assert recovered.is_complete


async def test_only_so_many_manifests_are_kept_in_memory(world: World) -> None:
    manifests = Manifests(LocalStore(world.root), kept=2)
    made = [make_recording(world.root, seconds=(1.0,), begins=number) for number in range(4)]
    for _ in range(2):
        for one in made:
            found = await manifests.read(one.manifest.relative_to(world.root).as_posix())
            assert found.opened is not None
            assert found.opened.recording == one.recording
    assert manifests.kept == 2
    with pytest.raises(NotStored):
        await manifests.read("feed-1/none.jsonl")
    assert manifests.kept == 1


async def test_many_who_watch_one_recording_grow_get_a_whole_each_time(world: World) -> None:
    manifests, writer = Manifests(LocalStore(world.root)), ManifestWriter(world.root)
    path = writer.made.manifest.relative_to(world.root).as_posix()
    found: list[KnownManifest] = []
    for _ in range(4):
        writer.segment(seconds=1.0)
        found += await asyncio.gather(*(manifests.read(path) for _ in range(8)))
    assert [len(one.segments) for one in found] == [1] * 8 + [2] * 8 + [3] * 8 + [4] * 8
    each = len(found[0].fragments)
    assert [len(one.fragments) for one in found[::8]] == [each, 2 * each, 3 * each, 4 * each]


async def test_a_segment_whose_file_is_gone_is_told_as_missing(world: World) -> None:
    made = make_recording(world.root)
    await index_events(world.database, made.events)
    made.segments[0].unlink()
    index = await world.recordings.index(world.city, made.recording)
    assert [one.is_missing for one in index.segments] == [True, False]
    with pytest.raises(Unavailable):
        await world.recordings.segment(world.city, made.recording, 1, is_start=True)
    assert (await world.recordings.segment(world.city, made.recording, 2, is_start=False)).bytes > 0
    with pytest.raises(NotFound):
        await world.recordings.segment(world.city, made.recording, 3, is_start=False)


async def test_a_path_that_leads_out_of_the_store_is_nowhere(world: World) -> None:
    made = make_recording(world.root)
    await index_events(world.database, made.events)
    async with world.database.write() as session:
        await session.execute(
            update(RecordingSegment).where(RecordingSegment.number == 1).values(path="../records.sqlite3")
        )
        await session.execute(update(Recording).values(manifest="../records.sqlite3"))
    for call in (
        world.recordings.segment(world.city, made.recording, 1, is_start=True),
        world.recordings.index(world.city, made.recording),
    ):
        with pytest.raises(Unavailable):
            await call
    with pytest.raises(NotStored):
        _ = [piece async for piece in LocalStore(world.root).open_range("../records.sqlite3", 0, 9)]

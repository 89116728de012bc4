"""The index follows what nodes tell, once, in any number of attempts, and can be made anew from the store."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from command_center.accounts.tables import MediaToken
from command_center.evidence.index import index_events
from command_center.evidence.rebuild import compare, rebuild
from command_center.evidence.store_local import LocalStore
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment
from command_center.operations.tables import Feed, FeedSite
from streams.hub.topics import RecordingWritten
from streams.recording.manifest import Closed, FragmentLine, GapLine, Sealed, SegmentLine
from streams.recording.writer import Counters, FeedWriter
from streams.voice_protocol import grant_name, talk_line, talk_name
from tests.command_center.evidence.conftest import START, World
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.streams.recording.reading import place
from tests.support.manifests import (
    START_MS,
    Codec,
    Made,
    ManifestWriter,
    make_recording,
    make_recording_of_version_1,
    told,
)

TABLES = (Recording, RecordingSegment, RecordingGap)


async def rows(world: World) -> list[Recording]:
    async with world.database.read() as session:
        return list(await session.scalars(select(Recording).order_by(Recording.started_at)))


async def whole_index(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the index, as it stands."""
    async with world.database.read() as session:
        return {
            table.__tablename__: sorted(
                (tuple(row) for row in await session.execute(select(*table.__table__.columns))), key=str
            )
            for table in TABLES
        }


async def drop(world: World) -> None:
    async with world.database.write() as session:
        for table in reversed(TABLES):
            await session.execute(delete(table))


def several(world: World) -> list[Made]:
    """Recordings of all sorts: closed, under way, with gaps, of version 1, of talks with copies."""
    gap = GapLine(kind="network", track="video", since=START_MS + 500, until=START_MS + 900, packets=7)
    long = GapLine(kind="disk_full", track="both", since=START_MS + 61_000, until=START_MS + 63_000)
    broken, whole = copies(world, ("node-1", 0.0, 2.0), ("node-2", 0.1, 4.0))
    return [
        make_recording(world.root, gaps=[gap]),
        make_recording(world.root, codec="VP8", begins=60, gaps=[long], reason="network"),
        make_recording(world.root, "feed-2", begins=5, reason=None),
        make_recording(world.root, "stranger"),
        broken,
        whole,
    ]


async def test_events_that_come_again_and_late_change_nothing(each_world: World) -> None:
    world = each_world
    made = make_recording(world.root)
    assert await index_events(world.database, made.events) == {"feed-1"}
    before = await whole_index(world)
    (row,) = await rows(world)
    closed, head = made.lines[-1], made.events[-1]
    assert isinstance(closed, Closed)
    assert (row.seconds, row.end_reason, row.lines, row.head) == (closed.seconds, "ended", head.ordinal, head.head)
    assert row.manifest == made.manifest.relative_to(world.root).as_posix()
    assert row.bytes == sum(path.stat().st_size for path in made.segments)
    assert await index_events(world.database, [*made.events, *reversed(made.events)]) == set()
    assert await whole_index(world) == before


async def test_each_segment_is_known_with_its_seal(world: World) -> None:
    made = make_recording(world.root, seconds=(2.0, 2.0, 1.0))
    await index_events(world.database, made.events)
    async with world.database.read() as session:
        found = list(await session.scalars(select(RecordingSegment).order_by(RecordingSegment.number)))
    seals = [event for event in made.events if isinstance(event.line, Sealed)]
    assert [row.number for row in found] == [1, 2, 3]
    for row, seal, path in zip(found, seals, made.segments, strict=True):
        assert isinstance(seal.line, Sealed)
        assert (row.sha256, row.lines, row.head) == (seal.line.sha256, seal.ordinal, seal.head)
        assert (row.bytes, world.root / row.path) == (path.stat().st_size, path)
        assert (row.video, row.audio, row.width, row.height) == ("H264", "opus", 320, 240)
    assert [row.start for row in found] == pytest.approx([0.0, 2.0, 4.0], abs=0.1)


async def test_a_recording_that_grows_gets_longer_until_it_is_sealed(world: World) -> None:
    writer = ManifestWriter(world.root)
    writer.segment(seconds=4.0)
    made = writer.made
    seen = []
    for event in made.events:
        changed = await index_events(world.database, [event])
        assert (changed == set()) == isinstance(event.line, FragmentLine), "growth alone is no news"
        (row,) = await rows(world)
        seen.append((row.seconds, row.bytes))
        assert row.ended_at is None
    assert seen == sorted(seen)
    assert seen[-1][1] == made.segments[0].stat().st_size
    assert seen[-1][0] == pytest.approx(4.0, abs=0.1)


async def test_what_a_recovery_seals_may_be_shorter_than_what_was_told(world: World) -> None:
    made = make_recording(world.root, seconds=(2.0,), reason=None)
    await index_events(world.database, made.events)
    (row,) = await rows(world)
    last = made.events[-1]
    seal = Sealed(
        segment=1, ended_at=START_MS + 900, seconds=0.9, bytes=5000, sha256="5" * 64, fragments=2, is_recovered=True
    )
    event = last.model_copy(update={"ordinal": last.ordinal + 1, "head": "a" * 64, "line": seal})
    await index_events(world.database, [event])
    (row,) = await rows(world)
    assert (row.seconds, row.bytes, row.lines, row.head) == (0.9, 5000, last.ordinal + 1, "a" * 64)


async def test_a_long_gap_is_news_and_a_short_one_is_kept_quietly(world: World) -> None:
    writer = ManifestWriter(world.root)
    writer.segment()
    await index_events(world.database, writer.made.events)
    for until, news in ((START_MS + 40, set()), (START_MS + 3000, {"feed-1"})):
        writer.gap(GapLine(kind="network", track="video", since=START_MS, until=until, packets=2))
        assert await index_events(world.database, writer.made.events[-1:]) == news
    async with world.database.read() as session:
        assert len(list(await session.scalars(select(RecordingGap)))) == 2


async def test_a_recording_whose_beginning_was_never_told_waits_for_the_store(world: World) -> None:
    made = make_recording(world.root)
    assert await index_events(world.database, made.events[1:]) == set()
    assert await rows(world) == []
    assert await compare(world.database, LocalStore(world.root)) == 1
    assert [row.id for row in await rows(world)] == [made.recording]


@pytest.mark.parametrize("lost", [GapLine, SegmentLine, Sealed, Closed])
async def test_lines_that_never_came_are_taken_from_the_store_however_the_recording_went_on(
    each_world: World, lost: type
) -> None:
    world = each_world
    gap = GapLine(kind="network", track="video", since=START_MS + 500, until=START_MS + 900, packets=7)
    made = make_recording(world.root, seconds=(1.0, 1.0), gaps=[gap])
    growing = make_recording(world.root, "feed-2", seconds=(1.0,), reason=None)
    await index_events(world.database, list(told([made, growing])))
    before = await whole_index(world)
    await drop(world)
    dropped = [event for event in made.events if isinstance(event.line, lost)][-1]
    await index_events(world.database, [event for event in made.events if event is not dropped])
    await index_events(world.database, growing.events)
    assert await whole_index(world) != before
    store = LocalStore(world.root)
    assert await compare(world.database, store, passes_growing=True, clock=lambda: START + timedelta(hours=1)) == 2
    assert await whole_index(world) == before


async def test_what_agrees_and_what_grows_is_not_taken_anew(world: World) -> None:
    made, growing = make_recording(world.root), make_recording(world.root, "feed-2", reason=None)
    await index_events(world.database, [*made.events, *growing.events[:-1]])
    before = await whole_index(world)
    await compare(world.database, LocalStore(world.root), passes_growing=True, clock=lambda: START + timedelta(hours=1))
    assert await whole_index(world) == before


async def test_a_segment_that_lies_elsewhere_is_not_taken(world: World) -> None:
    made, other = make_recording(world.root), make_recording(world.root, begins=20)
    await index_events(world.database, other.events)
    segment = made.events[1]
    assert isinstance(segment.line, SegmentLine)
    for path in ("../records.sqlite3", other.segments[0].relative_to(world.root).as_posix()):
        line = segment.line.model_copy(update={"path": path})
        await index_events(world.database, [made.events[0], segment.model_copy(update={"line": line})])
    async with world.database.read() as session:
        found = await session.scalars(select(RecordingSegment.recording_id).distinct())
    assert list(found) == [other.recording]


async def test_a_recording_of_no_registered_feed_is_passed_over(world: World) -> None:
    assert await index_events(world.database, make_recording(world.root, "stranger").events) == set()
    assert await rows(world) == []


async def test_what_the_centre_said_is_listed_as_its_voice_with_who_spoke(world: World) -> None:
    line = talk_line(world.operation, "nonce")
    feed = talk_name(line, "node.1")
    async with world.database.write() as session:
        session.add(
            MediaToken(
                id=uuid4(),
                user_id=world.city.user_id,
                feed=grant_name(line),
                may_publish=True,
                issued_at=START,
                expires_at=START,
            )
        )
    made = make_recording(world.root, feed)
    assert await index_events(world.database, made.events) == {feed}
    (listed,) = await world.recordings.listed(world.city, world.operation)
    assert (listed.kind, listed.site_id, listed.officer) == ("voice", None, world.city.display_name)
    assert await world.recordings.recording(world.city, listed.id) == listed
    stranger = make_recording(world.root, talk_line(uuid4(), "x"))
    assert await index_events(world.database, stranger.events) == set()


def copies(world: World, *parts: tuple[str, float, float]) -> list[Made]:
    """One talk as these nodes recorded it: node, begin and length in seconds."""
    talk, line = uuid4(), talk_line(world.operation, "nonce")
    return [
        make_recording(world.root, talk_name(line, node), seconds=(seconds,), begins=begins, node=node, talk=talk)
        for node, begins, seconds in parts
    ]


async def listed(world: World) -> list[UUID]:
    return [one.id for one in await world.recordings.listed(world.city, world.operation)]


async def test_a_talk_that_several_nodes_recorded_is_listed_once_by_its_longest_recording(world: World) -> None:
    broken, whole, third = copies(world, ("node-1", 0.0, 2.0), ("node-2", 0.1, 8.0), ("node-3", 0.2, 7.0))
    assert await index_events(world.database, [*broken.events, *third.events[:1]]) == {broken.feed, third.feed}
    assert await listed(world) == [broken.recording]
    # The second grows beyond what is listed, long before it ends.
    for event in whole.events:
        if not isinstance(event.line, FragmentLine):
            await index_events(world.database, [event])
            continue
        had = await listed(world)
        changed = await index_events(world.database, [event])
        outgrown = event.line.start + event.line.seconds + 0.1 > 2.0 + 2.0
        assert await listed(world) == [whole.recording if outgrown else broken.recording]
        assert (changed == {whole.feed}) == (had != await listed(world))
    await index_events(world.database, third.events[1:])
    assert await listed(world) == [whole.recording]
    for made in (broken, whole, third):
        media = await world.recordings.segment(world.city, made.recording, 1, is_start=True)
        assert (world.root / media.path).exists()
    # Another talk on the same line is another recording.
    (other,) = copies(world, ("node-1", 20.0, 2.0))
    await index_events(world.database, other.events)
    assert await listed(world) == [other.recording, whole.recording]


async def test_a_part_of_a_talk_that_no_other_recording_holds_is_listed_too(world: World) -> None:
    first, second, last = copies(world, ("node-1", 0.0, 6.0), ("node-2", 0.0, 2.0), ("node-1", 10.0, 4.0))
    for made in (last, second, first):
        await index_events(world.database, made.events)
    assert await listed(world) == [last.recording, first.recording]


async def test_where_the_listed_recording_of_a_talk_is_missing_its_copies_are_listed_too(world: World) -> None:
    whole, short, gone = copies(world, ("node-1", 0.0, 8.0), ("node-2", 0.1, 6.0), ("node-3", 0.2, 6.0))
    await index_events(world.database, list(told([whole, short, gone])))
    assert await listed(world) == [whole.recording]
    for made in (whole, gone):
        made.segments[0].unlink()
    assert await listed(world) == [short.recording, whole.recording]


async def test_a_rebuilt_index_lists_a_talk_once(world: World) -> None:
    short, whole = copies(world, ("node-1", 0.0, 2.0), ("node-2", 0.0, 6.0))
    await rebuild(world.database, LocalStore(world.root))
    assert await listed(world) == [whole.recording]
    assert len(await rows(world)) == len([short, whole])


async def test_the_index_dropped_and_made_anew_is_the_same_row_by_row(each_world: World) -> None:
    world = each_world
    made = several(world)
    await index_events(world.database, list(told(made)))
    store = LocalStore(world.root)
    old = make_recording_of_version_1(world.root, "feed-2", begins=120)
    await compare(world.database, store)
    before = await whole_index(world)
    assert [len(table) for table in before.values()] == [6, 9, 3]
    await drop(world)
    assert (await rebuild(world.database, store)).manifests == 7
    assert await whole_index(world) == before
    assert (await rebuild(world.database, store)).gone == 0
    assert await whole_index(world) == before
    (row,) = [row for row in await rows(world) if row.id == old.recording]
    assert (row.version, row.end_reason, row.bytes) == (1, "ended", old.segments[0].stat().st_size)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_what_a_node_tells_while_it_records_makes_the_same_rows_as_its_store(world: World, codec: Codec) -> None:
    events: list[RecordingWritten] = []
    track = H264 if codec == "H264" else VP8
    writer = FeedWriter(place(world.root), "feed-1", [track, OPUS], Counters(), events.append, lambda: None)
    publisher = Publisher([*clip(codec, 4.0), *tone(4.0)], video_payload_type=track.codec.payload_type)
    for number, packet in enumerate(publisher.packets()):
        if not 300 < number < 320:  # some are lost
            writer.take(packet)
        if number % 20 == 0:
            writer.step(packet[2])
            await index_events(world.database, events)
    writer.close("ended")
    await index_events(world.database, events)
    before = await whole_index(world)
    assert [len(table) for table in before.values()][:2] == [1, 1]
    assert before["recording_gaps"]
    await drop(world)
    await rebuild(world.database, LocalStore(world.root))
    assert await whole_index(world) == before


async def test_what_is_begun_while_the_store_lists_stays_in_the_index(each_world: World) -> None:
    world = each_world
    await index_events(world.database, make_recording(world.root).events)
    writer = ManifestWriter(world.root, begins=60)
    writer.segment()

    class Slow(LocalStore):
        """Lists what there was before the recording was begun."""

        async def manifests(self) -> list[str]:
            """Every manifest but the new one."""
            found = await super().manifests()
            await index_events(world.database, writer.made.events)
            return [path for path in found if str(writer.made.recording) not in path]

    rebuilt = await rebuild(world.database, Slow(world.root))
    assert (rebuilt.manifests, rebuilt.gone) == (1, 0)
    assert writer.made.recording in [row.id for row in await rows(world)]


async def test_rows_that_somebody_edited_are_put_right_by_a_rebuild(each_world: World) -> None:
    world = each_world
    made = several(world)
    await index_events(world.database, list(told(made)))
    store = LocalStore(world.root)
    before = await whole_index(world)
    async with world.database.write() as session:
        await session.execute(update(Recording).values(seconds=1.0, end_reason="officer", version=1, head="x"))
        await session.execute(update(RecordingSegment).values(sha256="0" * 64, is_recovered=True))
        await session.execute(delete(RecordingGap))
        stray = Recording(
            id=uuid4(), operation_id=world.operation, node="n", manifest="x", version=2, started_at=START, head="h"
        )
        session.add(stray)
    assert (await rebuild(world.database, store)).gone == 1
    assert await whole_index(world) == before


async def test_a_comparison_brings_what_no_event_told_and_reads_nothing_twice(each_world: World) -> None:
    world = each_world
    made = several(world)
    await index_events(world.database, list(told(made)))
    before = await whole_index(world)
    await drop(world)
    # Of some the end was never told, of one a segment in the middle, of one all.
    told_of = [*made[0].events[:-3], *made[2].events[:4], *made[4].events[:1], *made[5].events]
    await index_events(world.database, told_of)
    await index_events(world.database, [event for event in made[1].events if event.ordinal not in (2, 3)])
    read: list[str] = []

    class Watched(LocalStore):
        def open_range(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
            read.append(path)
            return super().open_range(path, first, last)

    store = Watched(world.root)
    assert await compare(world.database, store) == 6
    assert await whole_index(world) == before
    read.clear()
    await compare(world.database, store, clock=lambda: START + timedelta(days=30))
    twice = {path for path in read if read.count(path) > 1}
    assert twice == {made[2].manifest.relative_to(world.root).as_posix()}


async def test_events_meanwhile_and_a_rebuild_come_to_the_same(each_world: World) -> None:
    """Lines are told in batches of any size, some twice, while the index is made anew again and again."""
    world, random_ = each_world, random.Random(4)
    writer, store = ManifestWriter(world.root), LocalStore(world.root)
    told_of = 0
    for step in range(12):
        writer.segment(seconds=1.0)
        if step % 3 == 0:
            writer.gap(GapLine(kind="network", track="video", since=START_MS, until=START_MS + step, packets=1))
        events = writer.made.events
        if random_.random() < 0.5:
            await rebuild(world.database, store)
        upto = random_.randint(told_of, len(events))
        await index_events(world.database, events[max(0, told_of - 3) : upto])
        told_of = upto
    writer.close()
    await index_events(world.database, writer.made.events[told_of:])
    found = await whole_index(world)
    await drop(world)
    await rebuild(world.database, store)
    assert await whole_index(world) == found


async def test_a_manifest_that_cannot_be_read_stops_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    good, torn, empty = (
        make_recording(world.root),
        make_recording(world.root, begins=10),
        make_recording(world.root, begins=20),
    )
    torn.manifest.write_bytes(b"{nonsense}\n" + torn.manifest.read_bytes())
    empty.manifest.write_bytes(b"")
    (good.manifest.parent / "notes.jsonl").write_text("{}\n")
    (good.manifest.parent / f"{uuid4()}.jsonl").write_bytes(good.manifest.read_bytes())
    result = await rebuild(world.database, LocalStore(world.root))
    assert result.manifests == 5
    assert good.recording in [row.id for row in await rows(world)]
    assert "notes.jsonl" in caplog.text
    assert str(world.root) not in caplog.text


async def test_a_rebuilt_index_knows_each_recordings_own_site(world: World) -> None:
    first = make_recording(world.root).recording
    second = make_recording(world.root, begins=60).recording
    async with world.database.write() as session:
        feeds = {feed.name: feed for feed in await session.scalars(select(Feed))}
        feed, elsewhere = feeds["feed-1"], feeds["feed-2"].site_id
        before = feed.site_id
        for site, seconds in ((before, -60), (elsewhere, 30)):
            session.add(FeedSite(feed_id=feed.id, site_id=site, since=START + timedelta(seconds=seconds)))
        feed.site_id = elsewhere
    await rebuild(world.database, LocalStore(world.root))
    assert {row.id: row.site_id for row in await rows(world)} == {first: before, second: elsewhere}

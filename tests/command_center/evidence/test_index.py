"""The index follows what nodes tell, once, in any number of attempts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from command_center.accounts.tables import MediaToken
from command_center.evidence.index import index_events
from command_center.evidence.rebuild import rebuild
from command_center.evidence.tables import Recording
from command_center.operations.tables import Feed, FeedSite
from streams.hub.topics import RecordingClosed, SegmentClosed
from streams.recording.events import RecordingEvent
from streams.voice_protocol import grant_name, talk_line, talk_name
from tests.command_center.evidence.conftest import START, World, write_recording


async def rows(world: World) -> list[Recording]:
    async with world.database.read() as session:
        return list(await session.scalars(select(Recording).order_by(Recording.started_at)))


async def test_events_that_come_again_and_in_any_order_change_nothing(world: World) -> None:
    events = write_recording(world.root)
    assert await index_events(world.database, events) == {"feed-1"}
    (before,) = await rows(world)
    closed = events[-1]
    assert isinstance(closed, RecordingClosed)
    assert (before.bytes, before.sha256, before.end_reason) == (closed.bytes, closed.sha256, "ended")
    assert await index_events(world.database, [*events, *reversed(events)]) == set()
    (after,) = await rows(world)
    assert (after.bytes, after.seconds, after.ended_at) == (before.bytes, before.seconds, before.ended_at)


async def test_a_recording_that_grows_gets_longer_and_never_shorter(world: World) -> None:
    opened = write_recording(world.root)[0]
    grown = [
        SegmentClosed(recording=opened.recording, feed="feed-1", seconds=seconds, bytes=int(seconds * 1000))
        for seconds in (1.0, 3.0, 2.0)
    ]
    assert await index_events(world.database, [opened]) == {"feed-1"}
    assert await index_events(world.database, grown) == set()
    (row,) = await rows(world)
    assert (row.seconds, row.bytes, row.ended_at) == (3.0, 3000, None)


async def test_a_second_end_does_not_replace_the_first(world: World) -> None:
    events = write_recording(world.root)
    closed = events[-1]
    assert isinstance(closed, RecordingClosed)
    again = closed.model_copy(update={"reason": "node", "seconds": 1.0})
    assert await index_events(world.database, events) == {"feed-1"}
    assert await index_events(world.database, [again]) == set()
    assert (await rows(world))[0].end_reason == "ended"


async def test_a_recording_of_no_registered_feed_is_passed_over(world: World) -> None:
    assert await index_events(world.database, write_recording(world.root, feed="stranger")) == set()
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
    events = write_recording(world.root, feed=feed)
    assert await index_events(world.database, events) == {feed}
    (listed,) = await world.recordings.listed(world.city, world.operation)
    assert (listed.kind, listed.site_id, listed.officer) == ("voice", None, world.city.display_name)
    assert await world.recordings.recording(world.city, listed.id) == listed
    assert (await world.recordings.track(world.city, listed.id)).points == ()
    assert await index_events(world.database, write_recording(world.root, feed=talk_line(uuid4(), "x"))) == set()


def copies(world: World, *parts: tuple[str, float, float]) -> list[list[RecordingEvent]]:
    """One talk as these nodes recorded it: node, begin and length in seconds."""
    talk, line = uuid4(), talk_line(world.operation, "nonce")
    return [
        write_recording(world.root, seconds, feed=talk_name(line, node), begins=begins, node=node, talk=talk)
        for node, begins, seconds in parts
    ]


async def listed(world: World) -> list[UUID]:
    return [one.id for one in await world.recordings.listed(world.city, world.operation)]


async def test_a_talk_that_several_nodes_recorded_is_listed_once_by_its_longest_recording(world: World) -> None:
    broken, whole, third = copies(world, ("node-1", 0.0, 2.0), ("node-2", 0.1, 8.0), ("node-3", 0.2, 7.0))
    assert await index_events(world.database, [*broken, *third[:1]]) == {broken[0].feed, third[0].feed}
    assert await listed(world) == [broken[0].recording]
    # The second grows beyond what is listed, long before it ends.
    opened, closed = whole[0], whole[-1]
    grown = SegmentClosed(recording=opened.recording, feed=opened.feed, seconds=3.0, bytes=10**6)
    assert await index_events(world.database, [opened, grown]) == {opened.feed}
    assert await listed(world) == [broken[0].recording], "it holds no more so far than clocks may differ"
    assert await index_events(world.database, [grown.model_copy(update={"seconds": 6.0, "bytes": 2 * 10**6})])
    assert await listed(world) == [opened.recording]
    await index_events(world.database, [closed, *third[1:]])
    assert await listed(world) == [opened.recording]
    for events in (broken, whole, third):
        kept = await world.recordings.recording(world.city, events[0].recording)
        assert (world.root / (await world.recordings.media(world.city, kept.id, is_start=True)).path).exists()
    # Another talk on the same line is another recording.
    (other,) = copies(world, ("node-1", 20.0, 2.0))
    await index_events(world.database, other)
    assert await listed(world) == [other[0].recording, opened.recording]


async def test_a_part_of_a_talk_that_no_other_recording_holds_is_listed_too(world: World) -> None:
    first, second, last = copies(world, ("node-1", 0.0, 6.0), ("node-2", 0.0, 2.0), ("node-1", 10.0, 4.0))
    for events in (last, second, first):
        await index_events(world.database, events)
    assert await listed(world) == [last[0].recording, first[0].recording]


async def test_where_the_listed_recording_of_a_talk_is_missing_its_copies_are_listed_too(world: World) -> None:
    whole, short, gone = copies(world, ("node-1", 0.0, 8.0), ("node-2", 0.1, 6.0), ("node-3", 0.2, 6.0))
    for events in (whole, short, gone):
        await index_events(world.database, events)
    assert await listed(world) == [whole[0].recording]
    for events in (whole, gone):
        media = await world.recordings.media(world.city, events[0].recording, is_start=True)
        (world.root / media.path).unlink()
    assert await listed(world) == [short[0].recording, whole[0].recording]


async def test_a_rebuilt_index_lists_a_talk_once(world: World) -> None:
    short, whole = copies(world, ("node-1", 0.0, 2.0), ("node-2", 0.0, 6.0))
    await rebuild(world.database, world.root)
    assert await listed(world) == [whole[0].recording]
    assert len(await rows(world)) == len([short, whole])


async def test_the_index_is_rebuilt_from_the_store(world: World) -> None:
    first = write_recording(world.root)
    second = write_recording(world.root, codec="VP8", begins=60)
    await index_events(world.database, second[:1])  # its end was never told
    assert await rebuild(world.database, world.root) == 2
    found = {row.id: row for row in await rows(world)}
    assert set(found) == {first[0].recording, second[0].recording}
    for events in (first, second):
        closed = events[-1]
        assert isinstance(closed, RecordingClosed)
        row = found[closed.recording]
        assert (row.bytes, row.sha256, row.end_reason) == (closed.bytes, closed.sha256, closed.reason)


async def test_a_rebuilt_index_knows_each_recordings_own_site(world: World) -> None:
    first = write_recording(world.root)[0].recording
    second = write_recording(world.root, begins=60)[0].recording
    async with world.database.write() as session:
        feeds = {feed.name: feed for feed in await session.scalars(select(Feed))}
        feed, elsewhere = feeds["feed-1"], feeds["feed-2"].site_id
        before = feed.site_id
        for site, seconds in ((before, -60), (elsewhere, 30)):
            session.add(FeedSite(feed_id=feed.id, site_id=site, since=START + timedelta(seconds=seconds)))
        feed.site_id = elsewhere
    await rebuild(world.database, world.root)
    assert {row.id: row.site_id for row in await rows(world)} == {first: before, second: elsewhere}

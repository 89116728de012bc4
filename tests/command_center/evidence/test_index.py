"""The index follows what nodes tell, once, in any number of attempts."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from sqlalchemy import select

from command_center.evidence.index import index, index_events
from command_center.evidence.rebuild import rebuild
from command_center.evidence.tables import Recording
from streams.hub.hub import Hub
from streams.hub.topics import LIVE_EVENT, RECORDINGS_STREAM, RecordingChanged, RecordingClosed
from tests.command_center.evidence.conftest import World, write_recording


async def rows(world: World) -> list[Recording]:
    async with world.database.read() as session:
        return list(await session.scalars(select(Recording).order_by(Recording.started_at)))


async def test_events_of_the_stream_are_indexed_once_and_told_to_screens(world: World, hub: Hub) -> None:
    events = write_recording(world.root)
    for event in events:
        await hub.append(RECORDINGS_STREAM, event)
    heard: list[str] = []
    listening = asyncio.Event()

    async def listen() -> None:
        async with aclosing(hub.listen()) as messages:  # type: ignore[type-var]
            async for message in messages:
                listening.set()
                if message is not None:
                    heard.append(message)
                    return

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        await listening.wait()
        done = 0
        while done < len(events):
            done += await index(hub, world.database, wait_seconds=0.2)
    (row,) = await rows(world)
    closed = events[-1]
    assert isinstance(closed, RecordingClosed)
    assert (row.bytes, row.sha256, row.end_reason) == (closed.bytes, closed.sha256, "ended")
    assert LIVE_EVENT.validate_json(heard[0]) == RecordingChanged(feed="feed-1")
    assert await index(hub, world.database, wait_seconds=0.05) == 0


async def test_a_worker_that_died_before_acknowledging_changes_nothing_by_its_second_try(
    world: World, hub: Hub
) -> None:
    events = write_recording(world.root)
    await index_events(world.database, events)
    before = (await rows(world))[0]
    for event in [*events, *reversed(events)]:
        await hub.append(RECORDINGS_STREAM, event)
    done = 0
    while done < 2 * len(events):
        done += await index(hub, world.database, wait_seconds=0.2)
    (after,) = await rows(world)
    assert (after.bytes, after.seconds, after.ended_at) == (before.bytes, before.seconds, before.ended_at)


async def test_a_second_end_does_not_replace_the_first(world: World) -> None:
    events = write_recording(world.root)
    closed = events[-1]
    assert isinstance(closed, RecordingClosed)
    again = closed.model_copy(update={"reason": "node", "seconds": 1.0})
    assert await index_events(world.database, events) == {"feed-1"}
    assert await index_events(world.database, [again]) == set()
    assert (await rows(world))[0].end_reason == "ended"


async def test_what_is_not_an_event_and_what_is_of_no_known_feed_is_passed_over(world: World, hub: Hub) -> None:
    await hub._redis.xadd(RECORDINGS_STREAM, {"event": '{"type":"nonsense"}'})
    for event in write_recording(world.root, feed="stranger"):
        await hub.append(RECORDINGS_STREAM, event)
    for event in write_recording(world.root):
        await hub.append(RECORDINGS_STREAM, event)
    done = 0
    while done < 5:
        done += await index(hub, world.database, wait_seconds=0.2)
    assert len(await rows(world)) == 1


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

"""Feeds: registered once a device, published by their officer, viewed by their court, shut out for good."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from command_center.accounts.identity import Identity
from command_center.accounts.tables import MediaToken
from command_center.audit import AuditEntry
from command_center.clock import now
from command_center.database import new_id
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted
from command_center.evidence.index import index_events
from command_center.evidence.store_local import LocalStore
from command_center.operations.records import FeedRecord, to_ms
from streams.hub.topics import REVOCATIONS_STREAM, RecordingWritten, Revoked
from streams.protocol import CameraState
from streams.recording.manifest import Opened
from tests.support.recordings import recordings_of
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.world import World


async def _register(world: World, name: str = "li", device: str = "phone-1", site: int = 0) -> FeedRecord:
    return await world.operations.feeds.register(
        world.people[name], world.operation.id, world.operation.sites[site].id, device
    )


async def test_a_device_gets_one_feed_with_a_name_that_says_whose_and_cannot_be_guessed(world: World) -> None:
    feed = await _register(world)
    assert re.fullmatch(r"op[0-9a-f]{4}\.s1\.li\.phone-1\.[0-9a-f]{16}", feed.name)
    assert (await _register(world)).name == feed.name
    assert (await _register(world, device="phone-2")).name != feed.name


async def test_a_device_that_registers_twice_at_once_gets_one_feed(world: World) -> None:
    feeds = await asyncio.gather(*(_register(world) for _ in range(5)))
    assert len({feed.id for feed in feeds}) == 1


async def test_the_name_keeps_to_its_alphabet_and_length_whatever_the_username(world: World) -> None:
    person = world.people["li"]
    odd = Identity(
        person.user_id, person.session_id, "李 四/" + "x" * 60, "李四", person.role, person.court_id, person.court_ids
    )
    feed = await world.operations.feeds.register(odd, world.operation.id, world.operation.sites[0].id, "d" * 64)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", feed.name)


async def test_a_device_that_moves_to_another_site_keeps_its_feed(world: World) -> None:
    first = await _register(world)
    moved = await _register(world, site=1)
    assert (moved.name, moved.site_ordinal) == (first.name, 2)
    operation = await world.operations.operation(world.people["li"], world.operation.id)
    places = {one.user_id: one.site_id for one in operation.officers}
    assert places[world.people["li"].user_id] == world.operation.sites[1].id


async def test_what_was_recorded_before_a_move_stays_with_the_site_where_it_was(world: World, tmp_path: Path) -> None:
    feed = await _register(world)
    before = to_ms(now())
    await _register(world)  # the same place again is no move
    await until(lambda: to_ms(now()) > before)
    await _register(world, site=1)
    after = to_ms(now())
    # All are told after the move: the first was kept on a node that couldn't reach the hub.
    for at in (before - 3_600_000, before, after):
        await index_events(world.database, [_opened(feed.name, at)])
    recordings = recordings_of(world.database, LocalStore(tmp_path))
    listed = await recordings.listed(world.people["commander"], world.operation.id)
    assert [record.site_ordinal for record in listed] == [2, 1, 1]
    await _register(world, site=0)
    again = await recordings.listed(world.people["commander"], world.operation.id)
    assert [record.site_ordinal for record in again] == [2, 1, 1]


def _opened(feed: str, at: int) -> RecordingWritten:
    recording = new_id()
    line = Opened(recording=recording, feed=feed, node="one", started_at=at)
    return RecordingWritten(recording=recording, feed=feed, ordinal=1, head="0" * 64, line=line)


async def test_an_officer_registers_only_where_it_has_a_place(world: World) -> None:
    with pytest.raises(NotFound):
        await _register(world, "bao")
    with pytest.raises(NotPermitted):
        await _register(world, "commander")
    with pytest.raises(Invalid, match="site-unknown"):
        await world.operations.feeds.register(
            world.people["li"], world.operation.id, world.district_operation.sites[0].id, "phone"
        )


async def test_an_officer_registers_no_more_than_ten_devices(world: World) -> None:
    for number in range(10):
        await _register(world, device=f"phone-{number}")
    with pytest.raises(Conflict, match="too-many-devices"):
        await _register(world, device="phone-10")


async def test_a_feed_is_published_by_its_officer_and_nobody_else(world: World) -> None:
    feeds = world.operations.feeds
    feed = await _register(world)
    assert (await feeds.for_publishing(world.people["li"], feed.name)).id == feed.id
    for name in ("zhang", "bao"):
        with pytest.raises(NotFound):
            await feeds.for_publishing(world.people[name], feed.name)
    with pytest.raises(NotPermitted):
        await feeds.for_publishing(world.people["commander"], feed.name)


async def test_a_feed_is_viewed_by_its_court_and_the_court_above(world: World) -> None:
    feeds = world.operations.feeds
    feed = await _register(world)
    assert (await feeds.for_viewing(world.people["judge"], feed.name)).id == feed.id
    with pytest.raises(NotFound):
        await feeds.for_viewing(world.people["district-commander"], feed.name)
    for name in ("li", "security", "auditor"):
        with pytest.raises(NotPermitted):
            await feeds.for_viewing(world.people[name], feed.name)


async def test_lists_hold_what_is_in_scope(world: World) -> None:
    feeds = world.operations.feeds
    first, second = await _register(world, "zhang", site=1), await _register(world, "li")
    listed = await feeds.listed(world.people["commander"])
    assert [feed.name for feed in listed] == [second.name, first.name]
    assert await feeds.listed(world.people["district-commander"]) == []
    assert [feed.name for feed in await feeds.listed(world.people["li"])] == [second.name]
    assert await feeds.listed(world.people["commander"], world.district_operation.id) == []


async def _token(world: World, feed: str, session_id: UUID | None) -> UUID:
    token = new_id()
    async with world.database.write() as session:
        session.add(
            MediaToken(
                id=token,
                session_id=session_id,
                feed=feed,
                may_publish=True,
                issued_at=now(),
                expires_at=now() + timedelta(minutes=10),
            )
        )
    return token


async def test_a_revoked_phone_loses_feed_tokens_and_sessions_but_not_the_officers_other_device(world: World) -> None:
    feeds = world.operations.feeds
    lost, kept = await _register(world), await _register(world, device="body-camera")
    phone, camera, tablet = world.people["li"], await world.sign_in("li"), await world.sign_in("li")
    await _token(world, lost.name, phone.session_id)
    await _token(world, kept.name, camera.session_id)
    program = await _token(world, lost.name, None)
    await feeds.revoke(world.people["security"], lost.name)
    assert await world.ended_sessions() == {phone.session_id, tablet.session_id}
    events = [Revoked.model_validate_json(text) for _, text in await world.hub.read_after(REVOCATIONS_STREAM, "0")]
    assert {one.session_id for one in events if one.session_id} == {phone.session_id, tablet.session_id}
    assert program in {one.token_id for one in events}
    assert [one.feed for one in events if one.feed] == [lost.name]
    assert await feeds.is_revoked(lost.name)
    assert not await feeds.is_revoked(kept.name)
    assert not await feeds.is_revoked("a-body-camera-that-nobody-registered")
    with pytest.raises(NotPermitted, match="feed-revoked"):
        await feeds.for_publishing(camera, lost.name)
    with pytest.raises(NotPermitted, match="feed-revoked"):
        await feeds.for_viewing(world.people["commander"], lost.name)
    with pytest.raises(Conflict, match="feed-revoked"):
        await _register(world)
    assert (await feeds.for_publishing(camera, kept.name)).id == kept.id


async def test_a_revocation_is_on_record_at_the_court_whose_feed_it_is(world: World) -> None:
    feed = await world.operations.feeds.register(
        world.people["bao"], world.district_operation.id, world.district_operation.sites[0].id, "phone"
    )
    await world.operations.feeds.revoke(world.people["commander"], feed.name)
    async with world.database.read() as session:
        courts = await session.scalars(select(AuditEntry.court_id).where(AuditEntry.action == "feed.revoked"))
        assert courts.all() == [world.people["bao"].court_id]


async def test_only_who_may_revokes_and_only_in_its_courts(world: World) -> None:
    feed = await _register(world)
    for name in ("judge", "li", "auditor"):
        with pytest.raises(NotPermitted):
            await world.operations.feeds.revoke(world.people[name], feed.name)
    with pytest.raises(NotFound):
        await world.operations.feeds.revoke(world.people["district-commander"], feed.name)


async def test_a_revocation_while_the_hub_is_away_reaches_the_nodes_when_it_is_back(
    world: World, valkey: Valkey
) -> None:
    feed = await _register(world)
    valkey.kill()
    await world.operations.feeds.revoke(world.people["commander"], feed.name)
    assert await world.ended_sessions() == {world.people["li"].session_id}
    valkey.start()
    assert await world.outbox.flush() == 2
    assert await world.outbox.flush() == 0
    events = [Revoked.model_validate_json(text) for _, text in await world.hub.read_after(REVOCATIONS_STREAM, "0")]
    assert {(one.session_id, one.feed) for one in events} == {
        (world.people["li"].session_id, None),
        (None, feed.name),
    }


async def test_a_device_works_for_the_feed_that_it_asked_for_last(world: World) -> None:
    feeds, officer = world.operations.feeds, world.people["li"]
    assert await feeds.of_device(officer.user_id, "phone-1") is None
    first = await _register(world)
    commander = world.people["commander"]
    await world.operations.assign(commander, world.district_operation.id, officer.user_id)
    second = await feeds.register(officer, world.district_operation.id, world.district_operation.sites[0].id, "phone-1")
    found = await feeds.of_device(officer.user_id, "phone-1")
    assert found is not None
    assert found.name == second.name
    await _register(world)
    found = await feeds.of_device(officer.user_id, "phone-1")
    assert found is not None
    assert found.name == first.name
    await world.operations.remove_officer(commander, world.operation.id, officer.user_id)
    found = await feeds.of_device(officer.user_id, "phone-1")
    assert found is not None
    assert found.name == second.name


async def test_an_older_word_of_the_camera_changes_nothing(world: World) -> None:
    feeds = world.operations.feeds
    feed = await _register(world)
    at = to_ms(now())
    await feeds.camera_changed(feed.name, CameraState.STOPPED_BY_SYSTEM, at)
    await feeds.camera_changed(feed.name, CameraState.LIVE, at - 1)
    (record,) = await feeds.of_operation(world.operation.id)
    assert record.camera_state is CameraState.STOPPED_BY_SYSTEM

"""The screens' socket: everything at first, then what changes, and an end at once when the session is over."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Role
from command_center.clock import now
from command_center.database import new_id
from command_center.live import hub_state
from command_center.live.messages import Ended
from command_center.operations.records import to_ms
from streams.hub.topics import (
    FEEDS_KEY,
    NODE_KEY,
    NODE_LIFE_SECONDS,
    PROCESS_KEY,
    CameraChanged,
    FeedPhase,
    FeedState,
    NodeState,
    PositionTaken,
    ProcessChanged,
)
from streams.protocol import CameraState
from tests.support.lines import device, instruct, position, register, screen, socket
from tests.support.waiting import until
from tests.support.web import RunningWeb


async def _beat(web: RunningWeb, node: str = "one", life_seconds: float = 60) -> None:
    state = NodeState(node=node, started_at=0, at=0, signalling_url="http://x", feeds=1, viewers=0)
    await web.web.hub.put(NODE_KEY.format(node=node), state.model_dump_json(), life_seconds=life_seconds)


async def _tell(web: RunningWeb, feed: str, phase: FeedPhase, node: str = "one") -> FeedState:
    state = FeedState(feed=feed, node=node, phase=phase, since=to_ms(now()), video="H264", audio=True)
    await web.web.hub.put_field(FEEDS_KEY.format(node=node), feed, state.model_dump_json())
    await web.web.hub.publish(state)
    return state


async def test_a_screen_gets_everything_at_once_and_then_each_change(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    await instruct(web, commander, "x")
    async with screen(web, commander) as page:
        assert page.feeds[feed].phase == "waiting"
        assert page.states(1)[web.world.users["officer1"]] == "sent"
        await _beat(web)
        await _tell(web, feed, FeedPhase.LIVE)
        await until(lambda: page.feeds[feed].phase == "live" and page.feeds[feed].video == "H264")
        second = await register(web, officer, "tablet", site=1)
        await until(lambda: second in page.feeds)
        assert page.snapshots == 1
        assert [view.order for view in page.feeds.values()] == [0, 1]


async def test_a_tile_says_why_the_picture_stands(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    await _beat(web)
    async with screen(web, commander) as page:
        await _tell(web, feed, FeedPhase.LIVE)
        await until(lambda: page.feeds[feed].phase == "live")
        stopped = CameraChanged(feed=feed, state=CameraState.STOPPED_BY_SYSTEM, received_at=to_ms(now()))
        await web.web.hub.publish(stopped)
        await until(lambda: (page.feeds[feed].phase, page.feeds[feed].cause) == ("stale", "camera"))
        again = CameraChanged(feed=feed, state=CameraState.LIVE, received_at=to_ms(now()))
        await web.web.hub.publish(again)
        await until(lambda: (page.feeds[feed].phase, page.feeds[feed].cause) == ("live", None))


async def test_when_a_node_dies_its_tiles_say_so_and_come_back_with_it(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    web.web.board.hub_state._trusted_from = 0
    await _beat(web)
    async with screen(web, commander) as page:
        await _tell(web, feed, FeedPhase.LIVE)
        await until(lambda: page.feeds[feed].phase == "live")
        await until(lambda: "media" in page.parts)
        await web.web.hub.drop(NODE_KEY.format(node="one"))
        await until(lambda: (page.feeds[feed].phase, page.feeds[feed].cause) == ("lost", "node"))
        assert page.parts["media"].state == "away"
        await _beat(web)
        await until(lambda: (page.feeds[feed].phase, page.feeds[feed].cause) == ("live", None))
        assert page.parts["media"].state == "running"


async def test_a_child_that_dies_is_told(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    async with screen(web, commander) as page:
        for state in ("running", "restarting"):
            value = {"name": "worker", "state": state, "restarts": 1, "since": to_ms(now())}
            await web.web.hub.put(PROCESS_KEY.format(name="worker"), json.dumps(value))
            await web.web.hub.publish(ProcessChanged(name="worker", state="restarting"))
            await until(lambda state=state: "worker" in page.parts and page.parts["worker"].state == state)


async def test_a_part_of_which_nobody_tells_any_more_is_unknown(web: RunningWeb) -> None:
    web.web.board.hub_state._trusted_from = 0
    key = PROCESS_KEY.format(name="worker")
    value = json.dumps({"name": "worker", "state": "running", "restarts": 0, "since": to_ms(now())})
    async with screen(web, await web.signed_in("commander")) as page:
        await web.web.hub.put(key, value)
        await until(lambda: "worker" in page.parts and page.parts["worker"].state == "running")
        await web.web.hub.drop(key)
        await until(lambda: page.parts["worker"].state == "unknown")
        await web.web.hub.put(key, value)
        await until(lambda: page.parts["worker"].state == "running")


async def test_after_a_restart_of_the_hub_launchers_get_time_to_tell_of_their_parts(web: RunningWeb) -> None:
    state, at = hub_state.HubState(), to_ms(now())
    key = PROCESS_KEY.format(name="worker")
    await web.web.hub.put(key, json.dumps({"name": "worker", "state": "running", "restarts": 0, "since": at}))
    await state.refresh(web.web.hub, frozenset(), at)
    await web.web.hub.drop(key)
    state.hub_heard(at)
    await state.refresh(web.web.hub, frozenset(), at + NODE_LIFE_SECONDS * 1000 - 1)
    assert state.parts["worker"].state == "running"
    changes = await state.refresh(web.web.hub, frozenset(), at + NODE_LIFE_SECONDS * 1000)
    assert (state.parts["worker"].state, changes.parts) == ("unknown", {"worker"})


async def test_markers_move_and_trails_are_in_the_next_snapshot(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    async with screen(web, commander) as page:
        for second in range(20):
            fix = position(second)
            event = PositionTaken(feed=feed, position=fix, received_at=fix.taken_at, clock_offset_ms=0, road="channel")
            await web.web.hub.publish(event)
        await until(lambda: feed in page.positions and page.positions[feed].latitude == fix.latitude)
        async with screen(web, await web.signed_in("judge")) as other:
            snapshot = other.messages[0]
            assert snapshot.type == "snapshot"
            assert [len(track.points) for track in snapshot.tracks if track.feed == feed] == [20]


async def test_a_late_position_goes_into_the_trail_and_does_not_move_the_marker(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    began = to_ms(now())
    async with screen(web, commander) as page:
        for second, late in ((10, 0), (30, 0), (20, 25), (20, 26), (31, 0)):
            await web.web.hub.publish(_taken(feed, began, second, late))
        await until(lambda: feed in page.positions and page.positions[feed].latitude == position(31).latitude)
        places = [message.latitude for message in page.messages if message.type == "position"]
        assert position(20).latitude not in places
        tracks = [message for message in page.messages if message.type == "track"]
        assert [len(track.points) for track in tracks] == [3]
        assert [point[0] for point in tracks[0].points] == [position(second).latitude for second in (10, 20, 30)]


async def test_a_position_that_was_kept_on_the_phone_is_as_old_as_it_is(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    fast, began = 90, to_ms(now())
    async with screen(web, commander) as page:
        for second, late in ((1, 2), (2, 0.5), (3, 240)):
            await web.web.hub.publish(_taken(feed, began, second, late, fast))
        await until(lambda: feed in page.positions and page.positions[feed].latitude == position(3).latitude)
        shown = page.positions[feed]
        assert shown.taken_at - shown.at == (fast - 0.5) * 1000
        assert shown.received_at - shown.at == (240 - 0.5) * 1000
        async with screen(web, await web.signed_in("judge")) as other:
            assert other.positions[feed].at == shown.at


def _taken(feed: str, began: int, second: int, late: float, fast: int = 0) -> PositionTaken:
    """A position of this second since `began`, of a phone whose clock is `fast`, received `late` seconds afterwards."""
    fix = position(second).model_copy(update={"taken_at": began + (second + fast) * 1000})
    received_at = began + round((second + late) * 1000)
    return PositionTaken(
        feed=feed, position=fix, received_at=received_at, clock_offset_ms=received_at - fix.taken_at, road="channel"
    )


async def test_an_officer_that_comes_and_goes_is_shown(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    await instruct(web, commander, "x", scope="officer", officer_id=str(web.world.users["officer1"]))

    def is_online() -> bool:
        (view,) = page.instructions.values()
        return view.deliveries[0].online

    async with screen(web, commander) as page:
        assert not is_online()
        async with device(web, officer):
            await until(is_online, seconds=15)
        await until(lambda: not is_online(), seconds=15)


async def test_a_court_does_not_watch_another_courts_operation(web: RunningWeb) -> None:
    async with screen(web, await web.signed_in("saihan-commander")) as page:
        assert (page.closed, page.messages) == (4404, [])
    async with screen(web, await web.signed_in("commander"), web.world.district_operation_id) as page:
        assert page.snapshots == 1


async def test_a_screen_is_told_nothing_of_another_operation(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    async with screen(web, await web.signed_in("saihan-commander"), web.world.district_operation_id) as page:
        async with screen(web, commander) as own:
            await _beat(web)
            await _tell(web, feed, FeedPhase.LIVE)
            await instruct(web, commander, "x")
            await until(lambda: own.feeds[feed].phase == "live" and own.states(1))
        assert feed not in page.feeds
        assert page.instructions == {}


@pytest.mark.parametrize("name", ["officer1", "system", "security", "audit"])
async def test_only_the_centre_gets_in(web: RunningWeb, name: str) -> None:
    client = await web.signed_in(name)
    with pytest.raises(InvalidStatus):
        async with socket(web, client, "/api/live"):
            pass


@pytest.mark.parametrize("text", ["", "{}", '{"type":"watch"}', "x" * 2000])
async def test_what_is_no_watch_closes_the_socket(web: RunningWeb, text: str) -> None:
    async with socket(web, await web.signed_in("commander"), "/api/live") as connection:
        await connection.send(text)
        await connection.wait_closed()
        assert connection.close_code in (4400, 1009)


@pytest.mark.alone
async def test_signing_out_ends_the_screen_within_two_seconds(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    async with screen(web, commander) as page:
        await commander.delete("/api/session")
        await until(lambda: page.closed == 4401, seconds=2)
        assert page.messages[-1] == Ended(code="session-over")


async def test_a_page_that_reads_nothing_holds_one_of_each_thing(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    identity = _identity(web)
    operation = await web.web.operations.operation(identity, web.world.operation_id)
    async with screen(web, commander) as page, web.web.board.page(identity, operation) as (slow, scene):
        assert await slow.take() == [("snapshot", "")]
        for second in range(200):
            fix = position(second)
            await web.web.hub.publish(
                PositionTaken(feed=feed, position=fix, received_at=fix.taken_at, clock_offset_ms=0, road="channel")
            )
        await until(lambda: feed in page.positions and page.positions[feed].latitude == fix.latitude)
        keys = [key for key in await slow.take() if key[0] == "position"]
        assert keys == [("position", feed)]
        assert str(fix.latitude) in (scene.text(keys[0]) or "")


def _identity(web: RunningWeb) -> Identity:
    courts = frozenset(web.world.courts.values())
    user = web.world.users["commander"]
    court = web.world.courts["内01"]
    return Identity(user, new_id(), "commander", "指挥长", Role.COMMANDER, court, courts)


async def test_after_a_restart_of_the_hub_nodes_get_time_to_say_that_they_live(web: RunningWeb) -> None:
    state = hub_state.HubState()
    await _beat(web)
    at = to_ms(now())
    state.hub_heard(at)
    state.heard(await _tell(web, "feed", FeedPhase.LIVE))
    await state.refresh(web.web.hub, frozenset(), at)
    await web.web.hub.drop(NODE_KEY.format(node="one"))
    await state.refresh(web.web.hub, frozenset(), at + NODE_LIFE_SECONDS * 1000 - 1)
    assert state.node_lost_at("feed") is None
    changes = await state.refresh(web.web.hub, frozenset(), at + NODE_LIFE_SECONDS * 1000)
    assert (state.node_lost_at("feed"), changes.feeds) == (at + NODE_LIFE_SECONDS * 1000, {"feed"})

"""Which node a request goes to, what is thought of nodes, and which of two nodes has a feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from command_center.live.hub_state import FORGET_MS, HubState
from command_center.live.node_table import DOUBT_MS, MAX_NODES, NodeTable
from command_center.live.nodes import BUSY_SHARE, PLACED_SECONDS, RETURN_SECONDS, NodeAddress, Nodes
from streams.hub.hub import Hub
from streams.hub.topics import FEEDS_KEY, NODE_KEY, NODE_LIFE_SECONDS, PROCESS_KEY, FeedCause, FeedPhase, FeedState
from streams.hub.topics import NodeState as Beat

START = 1_800_000_000_000


@dataclass
class Room:
    """The hub's keys as a test writes them, and one web process that reads them; time stands until it is moved."""

    nodes: dict[str, Beat] = field(default_factory=dict)
    feeds: dict[str, dict[str, FeedState]] = field(default_factory=dict)
    processes: dict[str, str] = field(default_factory=dict)
    now: int = START
    beats: int = 0

    def __post_init__(self) -> None:
        self.state = HubState()
        self.choice = Nodes(
            self.state,
            [NodeAddress("node-1", "http://assumed")],
            clock=lambda: self.now / 1000,
            wall_clock=lambda: self.now / 1000,
        )

    async def values(self, pattern: str) -> dict[str, str]:
        if pattern == NODE_KEY.format(node="*"):
            return {NODE_KEY.format(node=node): beat.model_dump_json() for node, beat in self.nodes.items()}
        return self.processes if pattern == PROCESS_KEY.format(name="*") else {}

    async def fields(self, key: str) -> dict[str, str]:
        of_node = next((feeds for node, feeds in self.feeds.items() if key == FEEDS_KEY.format(node=node)), {})
        return {name: state.model_dump_json() for name, state in of_node.items()}

    def beat(self, *names: str, **changes: Any) -> None:
        """These nodes' hearts beat now."""
        for node in names:
            self.beats += 1
            values = {"started_at": 1, "at": self.beats, "signalling_url": f"http://{node}", "feeds": 0, "viewers": 0}
            self.nodes[node] = Beat(node=node, **(values | changes))

    def tell(
        self,
        node: str,
        phase: FeedPhase = FeedPhase.LIVE,
        *,
        published_at: int = 0,
        feed: str = "site-1",
        is_event: bool = False,
    ) -> FeedState:
        """This node tells of a feed: in its table, or by an event alone."""
        state = FeedState(feed=feed, node=node, phase=phase, since=self.now, published_at=published_at)
        if is_event:
            self.state.heard(state)
        else:
            self.feeds.setdefault(node, {})[feed] = state
        return state

    async def read(self, later_ms: int = 0) -> set[str]:
        """Time passes, and the hub's keys are read; the feeds that changed."""
        self.now += later_ms
        return (await self.state.refresh(cast("Hub", self), frozenset(), self.now)).feeds

    def order(self, feed: str = "site-1") -> list[str]:
        """Where a publisher of this feed is sent, best first."""
        return [address.node for address in self.choice.for_publisher(feed)]

    def where(self, feed: str = "site-1") -> str | None:
        """Where its viewers are sent."""
        own = self.choice.of_feed(feed)
        return own.node if own else None


async def with_nodes(*names: str) -> Room:
    room = Room()
    room.beat(*(names or ("one", "two")))
    await room.read()
    return room


# -- choice


async def test_until_the_hub_tells_of_nodes_this_machines_own_is_assumed() -> None:
    room = Room()
    assert room.order() == ["node-1"]
    assert room.choice.living() == [NodeAddress("node-1", "http://assumed")]
    assert room.choice.of_session("other~x") == NodeAddress("node-1", "http://assumed")
    room.beat("one")
    await room.read()
    assert room.choice.living() == [NodeAddress("one", "http://one")]


async def test_publishers_spread_at_once_without_waiting_for_the_next_heartbeat() -> None:
    room = await with_nodes("one", "two", "three")
    for number in range(6):
        room.choice.placed(f"site-{number}", room.order(f"site-{number}")[0])
    assert sorted(str(room.where(f"site-{number}")) for number in range(6)) == sorted(["one", "two", "three"] * 2)


async def test_the_one_with_the_fewest_feeds_and_viewers_is_first() -> None:
    room = await with_nodes()
    room.tell("one", feed="a")
    await room.read()
    assert room.order("b") == ["two", "one"]
    room.beat("two", viewers=2)
    await room.read()
    assert room.order("b") == ["one", "two"]
    room.tell("one", FeedPhase.ENDED, feed="c")
    await room.read()
    assert room.order("b") == ["one", "two"]


async def test_a_feed_that_was_placed_counts_once_when_its_node_tells_of_it_too() -> None:
    room = await with_nodes()
    room.choice.placed("a", "one")
    room.tell("one", feed="a")
    room.tell("two", feed="x")
    await room.read()
    assert room.order("b") == ["one", "two"]
    room.now += round(PLACED_SECONDS * 1000)
    assert room.order("b") == ["one", "two"]


async def test_a_busy_node_gets_new_feeds_only_when_all_are_as_busy() -> None:
    room = await with_nodes()
    room.beat("one", cpu_share=BUSY_SHARE + 0.1)
    room.tell("two", feed="a")
    await room.read()
    assert room.order("b") == ["two", "one"]
    room.beat("two", cpu_share=BUSY_SHARE + 0.1)
    await room.read()
    assert room.order("b") == ["one", "two"]


async def test_a_full_node_is_last_even_for_its_own_feed_and_one_that_ends_is_not_asked() -> None:
    room = await with_nodes("one", "two", "three")
    room.tell("one")
    room.beat("one", is_full=True)
    room.beat("three", is_draining=True)
    await room.read()
    assert room.order() == ["two", "one"]


async def test_a_publisher_comes_back_to_its_feeds_node_for_as_long_as_viewers_wait_there() -> None:
    room = await with_nodes()
    for feed in ("a", "b"):
        room.tell("two", feed=feed)
    room.tell("two", FeedPhase.ENDED)
    await room.read()
    assert room.order() == ["two", "one"]
    assert await room.read(round(RETURN_SECONDS * 1000) + 1) is not None
    room.beat("one", "two")
    await room.read()
    assert room.order() == ["one", "two"]


async def test_a_session_names_its_node() -> None:
    room = await with_nodes()
    found = room.choice.of_session("two~secret")
    assert found is not None
    assert found.node == "two"
    assert room.choice.of_session("three~secret") is None
    assert room.choice.of_session("secret") is None


async def test_a_viewer_is_sent_to_the_feeds_node_and_else_to_one_that_says_that_it_is_not_live() -> None:
    room = await with_nodes()
    assert room.where() is None
    assert room.choice.for_viewer("site-1") == NodeAddress("one", "http://one")
    room.tell("two")
    await room.read()
    assert room.choice.for_viewer("site-1") == NodeAddress("two", "http://two")
    room.choice.suspect("two")
    assert room.choice.for_viewer("site-1") == NodeAddress("one", "http://one")


# -- what is thought of nodes


async def test_a_node_that_did_not_answer_comes_last_until_its_heart_has_beaten_twice() -> None:
    room = await with_nodes()
    room.tell("one")
    await room.read()
    room.choice.suspect("one")
    assert room.order() == ["two", "one"]
    for expected in (["two", "one"], ["one", "two"]):
        room.now += 1000
        room.beat("one", "two")
        await room.read()
        assert room.order() == expected


async def test_a_node_that_was_started_again_is_no_suspect() -> None:
    room = await with_nodes()
    room.choice.suspect("one")
    room.beat("one", started_at=2)
    await room.read()
    assert room.order() == ["one", "two"]


async def test_a_node_whose_heart_stands_still_comes_last_and_then_is_gone_with_its_key() -> None:
    room = await with_nodes()
    room.tell("one")
    await room.read()
    room.now += DOUBT_MS
    room.beat("two")
    await room.read(1)
    assert room.order() == ["two", "one"]
    del room.nodes["one"]
    assert await room.read(1000) == {"site-1"}
    assert room.order() == ["two"]
    assert (room.where(), room.choice.lost()) == (None, ["one"])
    assert room.state.node_lost_at("site-1") == room.now


async def test_while_the_hub_was_away_no_node_is_taken_for_gone() -> None:
    room = await with_nodes()
    room.state.hub_heard(room.now)
    room.nodes.clear()
    await room.read(NODE_LIFE_SECONDS * 1000 - 1)
    assert room.order() == ["one", "two"]
    await room.read(1)
    assert room.order() == []


def test_the_table_of_nodes_is_bounded() -> None:
    table = NodeTable()
    for number in range(MAX_NODES + 10):
        node = f"n{number}"
        table.take(
            {node: Beat(node=node, started_at=1, at=1, signalling_url="", feeds=0, viewers=0)}, (), 1, is_sure=False
        )
    assert len(table.ids) == MAX_NODES


# -- which of two nodes has a feed


async def test_the_node_whose_publisher_came_later_has_the_feed_whatever_the_other_still_tells() -> None:
    room = await with_nodes()
    room.tell("one", published_at=1)
    await room.read()
    room.now += 1000
    room.tell("two", published_at=2)
    assert await room.read() == {"site-1"}
    assert room.where() == "two"
    # The one that hung tells of it again, by an event and in its table, with younger phases.
    for phase in (FeedPhase.LOST, FeedPhase.LIVE, FeedPhase.ENDED):
        room.now += 1000
        room.beat("one", "two")
        room.tell("one", phase, published_at=1)
        room.tell("one", phase, published_at=1, is_event=True)
        await room.read()
        assert room.where() == "two"


async def test_a_publisher_that_is_not_connected_yet_takes_no_live_feed_from_another_node_but_a_lost_or_ended_one() -> (
    None
):
    room = await with_nodes()
    room.tell("one", published_at=1)
    await room.read()
    room.tell("two", FeedPhase.CONNECTING, is_event=True)
    assert room.where() == "one"
    room.tell("one", FeedPhase.ENDED, published_at=1)
    room.now += 1
    room.tell("one", FeedPhase.ENDED, published_at=1, is_event=True)
    room.tell("two", FeedPhase.CONNECTING, is_event=True)
    assert room.where() == "two"
    await room.read()
    assert room.where() == "two"


async def test_a_node_that_is_gone_loses_the_feed_to_any_that_tells_of_it() -> None:
    room = await with_nodes()
    room.tell("one", published_at=5)
    await room.read()
    del room.nodes["one"]
    await room.read(1)
    room.tell("two", FeedPhase.CONNECTING)
    assert await room.read(1) == {"site-1"}
    assert (room.where(), room.state.node_lost_at("site-1")) == ("two", None)


async def test_a_feed_that_its_node_forgot_is_lost_by_the_node_even_if_another_once_had_it() -> None:
    room = await with_nodes()
    room.tell("two", FeedPhase.ENDED, published_at=1)
    room.tell("one", published_at=2)
    await room.read()
    room.beat("one", started_at=2)
    room.feeds["one"] = {}
    await room.read(1)
    state = room.state.feed("site-1")
    assert state is not None
    assert (state.node, state.phase, state.cause) == ("one", FeedPhase.LOST, FeedCause.NODE)


# -- parts of the system


async def test_one_node_is_the_media_part_and_several_are_parts_of_their_own_too() -> None:
    room = await with_nodes("one")
    assert {name: part.state for name, part in room.state.parts.items()} == {"media": "running"}
    room.beat("two")
    await room.read()
    del room.nodes["two"]
    await room.read(1)
    states = {name: part.state for name, part in room.state.parts.items()}
    assert states == {"media": "running", "media-one": "running", "media-two": "away"}
    del room.nodes["one"]
    await room.read(1)
    assert room.state.parts["media"].state == "away"


async def test_a_launchers_word_on_a_node_counts_unless_the_node_hangs() -> None:
    room = await with_nodes()

    async def seen(told: str) -> str:
        room.processes = {"p": f'{{"name":"media-one","state":"{told}","restarts":0,"since":{room.now}}}'}
        await room.read(1)
        return str(room.state.parts["media-one"].state)

    assert await seen("running") == "running"
    del room.nodes["one"]
    assert await seen("restarting") == "restarting"
    assert await seen("running") == "away"
    room.beat("one")
    assert await seen("running") == "running"
    room.processes = {}
    await room.read(1)
    assert room.state.parts["media-one"].state == "running"
    del room.nodes["one"]
    for _ in range(2):
        await room.read(1)
    assert room.state.parts["media-one"].state == "away"


@pytest.mark.parametrize("is_another_there", [True, False])
async def test_a_node_that_was_taken_away_for_good_is_forgotten_where_others_go_on(is_another_there: bool) -> None:
    room = await with_nodes()
    room.tell("one")
    await room.read()
    room.nodes = {"two": room.nodes["two"]} if is_another_there else {}
    await room.read(1)
    room.now += FORGET_MS + 1
    changes = await room.state.refresh(cast("Hub", room), frozenset(), room.now)
    # An open page is told, so that it doesn't go on showing the node as away.
    assert ("media-one" in changes.parts) is is_another_there
    assert ("one" in room.choice.lost()) is not is_another_there
    assert ("media-one" in room.state.parts) is not is_another_there
    assert (room.state.feed("site-1") is None) is is_another_there

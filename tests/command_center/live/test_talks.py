"""Several nodes tell of one talk, and the screens see one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from command_center.live.messages import TalkView
from command_center.live.talks import MAX_NODES, MAX_TALKS, QUIET_SECONDS, SceneTalks
from streams.hub.topics import TalkChanged


class Screen:
    """What a screen was shown last, at a time that the test chooses."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, tzinfo=UTC)
        self.talks = SceneTalks(lambda: self.now)
        self.begin = TalkChanged(
            talk=uuid4(), operation_id=uuid4(), user_id=uuid4(), speaker="甲", node="one", recording_feed="talk.x",
            to=("a", "b", "c"), heard=(), began_at=1_000,
        )  # fmt: skip

    def tell(self, node: str, *heard: str, ended_at: int | None = None, began_at: int = 1_000) -> TalkView:
        """A node's word of the talk; gives what is shown then."""
        word = {"node": node, "heard": heard, "ended_at": ended_at, "began_at": began_at}
        return self.talks.take(self.begin.model_copy(update=word))[0]


def test_who_hears_a_talk_at_any_node_is_shown_whichever_told_last() -> None:
    screen = Screen()
    assert screen.tell("one", "b").heard == ["b"]
    assert screen.tell("two", "a").heard == ["a", "b"]
    assert screen.tell("one", "b", "c").heard == ["a", "b", "c"]
    view = screen.tell("two", began_at=1_200)
    assert (view.heard, view.to, view.began_at, view.is_over) == (["b", "c"], ["a", "b", "c"], 1_000, False)


def test_one_nodes_end_does_not_end_what_another_carries() -> None:
    screen = Screen()
    screen.tell("one", "a")
    screen.tell("two", "b")
    view = screen.tell("one", "a", ended_at=2_000)
    assert (view.is_over, view.heard) == (False, ["b"])
    assert screen.tell("two", "b", ended_at=3_000).is_over
    assert not screen.tell("three", "c").is_over, "a node that tells late carries it still"
    assert screen.tell("three", ended_at=3_000).is_over


def test_a_node_that_tells_no_end_holds_no_talk_open() -> None:
    screen = Screen()
    screen.tell("one", "a")
    screen.now += timedelta(seconds=QUIET_SECONDS)
    assert screen.tell("two", "b").heard == ["a", "b"]
    screen.now += timedelta(seconds=0.1)
    assert screen.tell("two", "b").heard == ["b"]
    assert screen.tell("two", ended_at=9_000).is_over


def test_old_talks_and_nodes_are_forgotten() -> None:
    screen = Screen()
    first = screen.begin
    for number in range(2 * MAX_NODES):
        screen.tell(f"node-{number}")
    assert len(screen.talks._talks[first.talk]) == MAX_NODES
    forgotten = [screen.talks.take(first.model_copy(update={"talk": uuid4()}))[1] for _ in range(MAX_TALKS)]
    assert [one for each in forgotten for one in each] == [first.talk]
    assert len(screen.talks._talks) == MAX_TALKS

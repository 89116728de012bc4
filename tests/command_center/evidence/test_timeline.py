"""The time lines of an operation: what the recordings and their gaps make of each feed's time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from command_center.accounts.tables import MediaToken
from command_center.api import timeline
from command_center.errors import NotFound, NotPermitted
from command_center.evidence import timeline as laying
from command_center.evidence.index import index_events
from command_center.evidence.timeline import Lane, TimeLine, TimeLines
from command_center.operations.tables import Feed, Operation
from streams.hub.topics import FeedCause, FeedPhase, FeedState
from streams.recording.manifest import CloseReason, GapLine
from streams.voice_protocol import grant_name, talk_line, talk_name
from tests.command_center.evidence.conftest import START, World
from tests.command_center.evidence.serving import served
from tests.support.manifests import START_MS, Made, ManifestWriter, make_recording


@dataclass
class Live:
    """What is known of the feeds at this moment."""

    states: dict[str, FeedState] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def feed(self, name: str) -> FeedState | None:
        return self.states.get(name)

    def node_lost_at(self, name: str) -> int | None:
        return START_MS if name in self.lost else None

    def say(self, phase: FeedPhase, cause: FeedCause | None = None, **more: object) -> None:
        self.states["feed-1"] = FeedState(
            feed="feed-1", node="node-1", phase=phase, cause=cause, since=START_MS, **more
        )  # type: ignore[arg-type]


@dataclass
class Asked:
    """A time line service whose clock the test sets, in seconds after the recordings' beginning."""

    world: World
    live: Live = field(default_factory=Live)
    seconds: float = 100.0

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def of(self, **window: int) -> TimeLine:
        return await TimeLines(self.world.database, self.live, self.clock).of(
            self.world.city, self.world.operation, **window
        )

    async def lane(self, feed: str = "feed-1", **window: int) -> Lane:
        (lane,) = [lane for lane in (await self.of(**window)).lanes if lane.feed == feed]
        return lane


@pytest.fixture
def asked(world: World) -> Asked:
    return Asked(world)


async def recorded(
    world: World,
    begins: float,
    seconds: float,
    reason: CloseReason | None = "ended",
    *gaps: GapLine,
    feed: str = "feed-1",
) -> Made:
    made = make_recording(world.root, feed, seconds=(seconds,), begins=begins, gaps=gaps, reason=reason)
    await index_events(world.database, made.events)
    return made


def gap(kind: str, since: float, until: float, track: str = "video") -> GapLine:
    return GapLine(kind=kind, track=track, since=START_MS + int(since * 1000), until=START_MS + int(until * 1000))  # type: ignore[arg-type]


def in_tenths(lane: Lane) -> list[tuple[str, float, float]]:
    """Its spans in seconds after the beginning; where a clip ends isn't known to the hundredth."""
    return [
        (span.kind, round((span.since - START_MS) / 1000, 1), round((span.until - START_MS) / 1000, 1))
        for span in lane.spans
    ]


def is_exact(lane: Lane) -> bool:
    whole = lane.spans[-1].until - lane.spans[0].since
    follows = all(one.until == other.since for one, other in pairwise(lane.spans))
    return follows and lane.covered_ms + sum(lane.gaps_ms.values()) == whole


async def test_a_feed_that_came_and_went_is_one_line_with_a_cause_for_every_hole(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, "network", gap("camera", 1, 2), gap("network", 1.5, 3, "audio"))
    await recorded(world, 10, 4.0, "node")
    await recorded(world, 20, 4.0, "disk")
    await recorded(world, 30, 4.0, "ended", gap("disk_full", 24.1, 30))
    lane = await asked.lane()
    assert in_tenths(lane) == [
        ("covered", 0.0, 1.0), ("camera", 1.0, 2.0), ("covered", 2.0, 4.0), ("network", 4.0, 10.0),
        ("covered", 10.0, 14.0), ("node", 14.0, 20.0), ("covered", 20.0, 24.0), ("disk_failed", 24.0, 24.1),
        ("disk_full", 24.1, 30.0), ("covered", 30.0, 34.0),
    ]  # fmt: skip
    assert is_exact(lane)
    assert (lane.kind, lane.officer, lane.site_ordinal) == ("camera", "巴特尔", 1)


async def test_where_only_the_sound_is_missing_for_a_second_and_more_is_told_beside(world: World, asked: Asked) -> None:
    silences = (gap("network", 4, 5.5, "audio"), gap("camera", 1, 2, "audio"), gap("network", 3, 3.9, "audio"))
    await recorded(world, 0, 8.0, "ended", *silences, gap("network", 6, 7, "both"))
    lane = await asked.lane()
    assert [(one.kind, one.since - START_MS, one.until - START_MS) for one in lane.silences] == [
        ("camera", 1_000, 2_000), ("network", 4_000, 5_500),
    ]  # fmt: skip
    assert [kind for kind, _, _ in in_tenths(lane)] == ["covered", "network", "covered"]


async def test_each_feed_has_its_own_line_site_by_site(world: World, asked: Asked) -> None:
    await recorded(world, 5, 2.0, feed="feed-2")
    await recorded(world, 0, 2.0)
    await recorded(world, 0, 2.0, feed="feed-3")
    found = await asked.of()
    assert [lane.feed for lane in found.lanes] == ["feed-1", "feed-2"]
    assert found.since == START_MS
    assert found.until == found.lanes[1].spans[-1].until


async def test_a_part_of_the_time_is_divided_as_exactly(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, "network")
    await recorded(world, 10, 4.0, "ended", gap("network", 11, 12))
    found = await asked.of(since=START_MS + 6000, until=START_MS + 11_500)
    (lane,) = found.lanes
    assert in_tenths(lane) == [("network", 6.0, 10.0), ("covered", 10.0, 11.0), ("network", 11.0, 11.5)]
    assert (found.since, found.until) == (START_MS + 6000, START_MS + 11_500)
    assert (await asked.of(since=START_MS + 60_000)).lanes == ()


async def test_a_recording_that_grows_is_covered_as_far_as_it_is_known(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, None)
    asked.seconds = 8.0
    assert in_tenths(await asked.lane()) == [("covered", 0.0, 4.0)], "what has not come yet is not missing yet"
    asked.seconds = 30.0
    asked.live.say(FeedPhase.LIVE, recording=True)
    assert in_tenths(await asked.lane()) == [("covered", 0.0, 4.0)], "the index may be behind"


@pytest.mark.parametrize(
    ("phase", "cause", "kind"),
    [
        (FeedPhase.LOST, FeedCause.NETWORK, "network"),
        (FeedPhase.STALE, None, "network"),
        (FeedPhase.LOST, FeedCause.CAMERA, "camera"),
        (FeedPhase.LOST, FeedCause.OFFICER, "officer"),
        (FeedPhase.LOST, FeedCause.NODE, "node"),
    ],
)
async def test_what_does_not_come_now_is_an_open_gap_of_its_cause(
    world: World, asked: Asked, phase: FeedPhase, cause: FeedCause | None, kind: str
) -> None:
    await recorded(world, 0, 4.0, None)
    asked.live.say(phase, cause)
    lane = await asked.lane()
    assert in_tenths(lane) == [("covered", 0.0, 4.0), (kind, 4.0, 100.0)]
    assert is_exact(lane)


async def test_a_node_that_is_gone_leaves_an_open_gap(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, None)
    assert in_tenths(await asked.lane())[-1] == ("node", 4.0, 100.0), "nobody knows of the feed any more"
    asked.live.say(FeedPhase.LIVE, recording=True)
    asked.live.lost.add("feed-1")
    assert in_tenths(await asked.lane())[-1] == ("node", 4.0, 100.0)


async def test_a_recorder_that_can_not_write_leaves_an_open_gap(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, "disk")
    asked.live.say(FeedPhase.LIVE, recording_trouble="disk_full")
    assert in_tenths(await asked.lane())[-1] == ("disk_full", 4.0, 100.0)


async def test_after_an_officer_has_stopped_nothing_is_waited_for(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, "ended")
    assert in_tenths(await asked.lane()) == [("covered", 0.0, 4.0)]
    await recorded(world, 10, 4.0, "network")
    assert in_tenths(await asked.lane())[-1] == ("network", 14.0, 100.0)
    asked.live.say(FeedPhase.ENDED, FeedCause.OFFICER)
    assert in_tenths(await asked.lane())[-1] == ("covered", 10.0, 14.0)


async def test_an_operation_that_is_over_and_a_revoked_device_are_waited_for_no_longer(
    world: World, asked: Asked
) -> None:
    await recorded(world, 0, 4.0, "network")
    async with world.database.write() as session:
        await session.execute(update(Operation).values(state="ended", ended_at=START + timedelta(seconds=50)))
    assert in_tenths(await asked.lane())[-1] == ("network", 4.0, 50.0)
    async with world.database.write() as session:
        await session.execute(update(Feed).values(revoked_at=START))
    assert in_tenths(await asked.lane())[-1] == ("covered", 0.0, 4.0)


async def test_a_recording_of_full_length_goes_on_in_the_next(world: World, asked: Asked) -> None:
    first = ManifestWriter(world.root)
    first.segment(seconds=2.0)
    made = first.close("length")
    await index_events(world.database, made.events)
    ended = made.lines[-1].ended_at  # type: ignore[union-attr]
    await recorded(world, (ended + 1 - START_MS) / 1000, 2.0)
    lane = await asked.lane()
    assert [span.kind for span in lane.spans] == ["covered", "covered"]
    assert is_exact(lane)


async def test_what_the_centre_said_is_a_line_of_who_spoke(world: World, asked: Asked) -> None:
    line = talk_line(world.operation, "nonce")
    async with world.database.write() as session:
        session.add(
            MediaToken(
                id=uuid4(), user_id=world.city.user_id, feed=grant_name(line), may_publish=True, issued_at=START,
                expires_at=START,
            )
        )  # fmt: skip
    for begins in (0.0, 10.0):
        made = make_recording(
            world.root, talk_name(line, "node-1"), seconds=(2.0,), begins=begins, reason="network", talk=uuid4()
        )
        await index_events(world.database, made.events)
    (lane,) = (await asked.of()).lanes
    assert (lane.kind, lane.officer) == ("voice", world.city.display_name)
    assert in_tenths(lane) == [("covered", 0.0, 2.0), ("officer", 2.0, 10.0), ("covered", 10.0, 12.0)]


async def test_lines_are_laid_out_beside_the_event_loop(
    world: World, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, really = set(), laying.spans

    def watched(*told: object, **more: object) -> Sequence[object]:
        threads.add(threading.get_ident())
        return really(*told, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(laying, "spans", watched)
    await recorded(world, 0, 4.0, "ended", gap("camera", 1, 2))
    assert in_tenths(await asked.lane())[1] == ("camera", 1.0, 2.0)
    assert threads
    assert threading.get_ident() not in threads


async def test_another_court_and_an_officer_see_no_time_line(world: World, asked: Asked) -> None:
    await recorded(world, 0, 2.0)
    lines = TimeLines(world.database, asked.live, asked.clock)
    with pytest.raises(NotFound):
        await lines.of(world.district, world.operation)
    with pytest.raises(NotPermitted):
        await lines.of(world.officer, world.operation)
    assert (await lines.of(world.city, world.other_operation)).lanes == ()


async def test_the_time_line_over_http(world: World, asked: Asked) -> None:
    await recorded(world, 0, 4.0, "network")
    await recorded(world, 10, 4.0)
    routes = timeline.router(TimeLines(world.database, asked.live, asked.clock))
    path = f"/api/operations/{world.operation}/timeline"
    async with served(world, world.city, [routes]) as address, httpx.AsyncClient(base_url=address) as client:
        answer = (await client.get(path)).json()
        (lane,) = answer["lanes"]
        assert [span["kind"] for span in lane["spans"]] == ["covered", "network", "covered"]
        assert sum(lane["gaps_ms"].values()) + lane["covered_ms"] == answer["until"] - answer["since"]
        for since in (str(START_MS + 10_000), (START + timedelta(seconds=10)).isoformat()):
            (lane,) = (await client.get(path, params={"since": since})).json()["lanes"]
            assert [span["kind"] for span in lane["spans"]] == ["covered"]
        for bad in ("yesterday", "2027-01-15T00:00:00", "9" * 30, ""):
            refused = await client.get(path, params={"since": bad})
            assert (refused.status_code, refused.json()["code"]) == (422, "time-not-valid"), bad
        assert (await client.get(f"/api/operations/{uuid4()}/timeline")).status_code == 404

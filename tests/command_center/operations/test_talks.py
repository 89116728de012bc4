"""Talking to officers, as the centre has it: who may, what the token says, and what stands in the audit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from command_center.accounts.identity import current_identity
from command_center.accounts.media_tokens import MediaTokens
from command_center.accounts.tables import MediaToken
from command_center.api import problems, tokens
from command_center.audit import AuditEntry
from command_center.live.hub_state import HubState
from command_center.live.nodes import NodeAddress, Nodes
from command_center.operations.tables import Operation, TalkWord
from command_center.operations.talks import SETTLE_SECONDS, WAIT_SECONDS, Talks
from streams.hub.topics import TalkChanged
from streams.signalling.tokens import Grant, load_private_key, make_keys, verify
from streams.voice_protocol import NAME_BOUND, line_of_talk, node_of_talk, operation_of_talk, talk_name, voice_name
from tests.support.world import World


@pytest.fixture
def media_tokens(world: World, tmp_path_factory: pytest.TempPathFactory) -> MediaTokens:
    """With keys of its own."""
    keys = tmp_path_factory.mktemp("keys")
    make_keys(keys)
    return MediaTokens(
        world.database,
        world.audit,
        load_private_key(keys),
        minutes=10,
        is_feed_revoked=world.operations.feeds.is_revoked,
    )


NODES = (NodeAddress("node-1", "http://127.0.0.1:1"), NodeAddress("node.2", "http://127.0.0.1:2"))


async def ask(world: World, media_tokens: MediaTokens, who: str, body: dict[str, str]) -> httpx.Response:
    app = FastAPI()
    problems.install(app)
    app.include_router(tokens.router(world.operations.feeds, media_tokens, Nodes(HubState(), NODES)))
    token = current_identity.set(world.people[who])
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre") as client:
            return await client.post("/api/media-tokens", json=body)
    finally:
        current_identity.reset(token)


def grant_of(media_tokens: MediaTokens, answer: httpx.Response) -> Grant:
    return verify(media_tokens._key.public_key(), answer.json()["access_token"])


async def entries(world: World, *actions: str) -> list[AuditEntry]:
    async with world.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.sequence)
        return list(await session.scalars(query))


async def feed_of(world: World, officer: str, device: str = "phone") -> str:
    record = await world.operations.feeds.register(
        world.people[officer], world.operation.id, world.operation.sites[0].id, device
    )
    return record.name


async def test_a_commander_gets_a_line_of_the_operation_under_his_name(world: World, media_tokens: MediaTokens) -> None:
    body = {"operation_id": str(world.operation.id), "right": "talk"}
    first, second = [await ask(world, media_tokens, "commander", body) for _ in range(2)]
    grant = grant_of(media_tokens, first)
    assert operation_of_talk(grant.feed) == grant.operation_id == world.operation.id
    assert (grant.may_publish, grant.may_view, grant.speaker) == (True, False, world.people["commander"].display_name)
    urls = first.json()["urls"]
    assert urls == [f"/whip/{talk_name(line_of_talk(grant.feed), node)}" for node in ("node-1", "node.2")]
    assert first.json()["url"] == urls[0]
    assert [node_of_talk(url.removeprefix("/whip/")) for url in urls] == ["node-1", "node.2"]
    assert all(grant.covers(url.removeprefix("/whip/")) for url in urls)
    assert grant_of(media_tokens, second).feed != grant.feed
    prepared = await entries(world, "talk.prepared")
    assert len(prepared) == 2
    found = (prepared[0].actor_id, prepared[0].subject_id, prepared[0].court_id)
    assert found == (grant.user_id, grant.feed, world.operation.court_id)


async def test_a_long_name_is_cut(world: World, media_tokens: MediaTokens) -> None:
    issued = await media_tokens.issue(
        None, "talk.x", operation_id=None, court_id=None, may_publish=True, speaker="名" * 200
    )
    assert verify(media_tokens._key.public_key(), issued.access_token).speaker == "名" * NAME_BOUND


@pytest.mark.parametrize(("who", "status"), [("judge", 403), ("li", 403), ("district-commander", 404)])
async def test_nobody_else_gets_one(world: World, media_tokens: MediaTokens, who: str, status: int) -> None:
    body = {"operation_id": str(world.operation.id), "right": "talk"}
    assert (await ask(world, media_tokens, who, body)).status_code == status


async def test_nobody_talks_when_the_operation_is_over(world: World, media_tokens: MediaTokens) -> None:
    async with world.database.write() as session:
        await session.execute(update(Operation).where(Operation.id == world.operation.id).values(state="ended"))
    body = {"operation_id": str(world.operation.id), "right": "talk"}
    assert (await ask(world, media_tokens, "commander", body)).status_code == 409


async def test_an_officer_may_listen_on_the_own_phone_only(world: World, media_tokens: MediaTokens) -> None:
    feed = await feed_of(world, "li")
    answer = await ask(world, media_tokens, "li", {"feed": feed, "right": "listen"})
    grant = grant_of(media_tokens, answer)
    assert (grant.feed, grant.may_publish, grant.may_view) == (voice_name(feed), False, True)
    assert (grant.operation_id, answer.json()["url"]) == (world.operation.id, f"/whep/{voice_name(feed)}")
    assert (await entries(world, "talk.awaited"))[0].subject_id == voice_name(feed)
    for who, status in (("zhang", 404), ("commander", 403)):
        assert (await ask(world, media_tokens, who, {"feed": feed, "right": "listen"})).status_code == status


async def test_a_lost_phone_loses_the_right_to_listen(world: World, media_tokens: MediaTokens) -> None:
    feed = await feed_of(world, "li")
    answer = await ask(world, media_tokens, "li", {"feed": feed, "right": "listen"})
    await world.operations.feeds.revoke(world.people["commander"], feed)
    async with world.database.read() as session:
        row = await session.get(MediaToken, grant_of(media_tokens, answer).token_id)
    assert row is not None
    assert row.revoked_at is not None
    assert (await ask(world, media_tokens, "li", {"feed": feed, "right": "listen"})).status_code == 403


def talk(world: World, operation_id: UUID | None = None, talk_id: UUID | None = None) -> TalkChanged:
    return TalkChanged(
        talk=talk_id or uuid4(),
        operation_id=operation_id or world.operation.id,
        user_id=world.people["commander"].user_id,
        speaker="甲",
        node="node-1",
        recording_feed="talk.x",
        to=("feed-1", "feed-2"),
        heard=("feed-1",),
        began_at=1_000_000,
    )


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 28, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def talks(world: World, clock: Clock) -> Talks:
    return Talks(world.database, world.audit, world.journal, clock)


def at_node(event: TalkChanged, node: str, *heard: str, ended_at: int | None = None, reason: str = "") -> TalkChanged:
    """The same talk as another node tells of it."""
    told = {"node": node, "heard": heard, "ended_at": ended_at, "reason": reason or None}
    return event.model_copy(update=told)


def details_of(entry: AuditEntry) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(entry.details))


async def words(world: World) -> int:
    async with world.database.read() as session:
        return await session.scalar(select(func.count()).select_from(TalkWord)) or 0


async def test_begin_and_end_stand_in_the_audit_once_with_whom_they_were_for(
    world: World, talks: Talks, clock: Clock
) -> None:
    begin = talk(world)
    end = begin.model_copy(update={"ended_at": 1_007_400, "reason": "released"})
    await talks.record([begin, end])
    await talks.record([begin, end, end])
    clock.pass_by(SETTLE_SECONDS)
    assert await talks.close_due() == 1
    await talks.record([begin, end])
    assert await talks.close_due() == 0
    began, ended = await entries(world, "talk.began", "talk.ended", "talk.amended")
    assert (began.action, ended.action) == ("talk.began", "talk.ended")
    assert {began.subject_id, ended.subject_id} == {str(begin.talk)}
    assert (ended.actor_id, ended.court_id) == (begin.user_id, world.operation.court_id)
    assert details_of(began) == {"operation": str(world.operation.id), "to": "feed-1 feed-2"}
    assert details_of(ended) == {
        "operation": str(world.operation.id),
        "to": "feed-1 feed-2",
        "heard": "feed-1",
        "seconds": 7,
        "reason": "released",
    }
    assert await words(world) == 0


async def test_the_end_says_who_heard_it_at_any_node(world: World, talks: Talks, clock: Clock) -> None:
    begin = talk(world)
    # The first node carries no phone of the talk, and its part breaks off first.
    first, second = at_node(begin, "node-1"), at_node(begin, "node-2", "feed-2")
    await talks.record([first, at_node(begin, "node-1", ended_at=1_002_000, reason="gone"), second])
    clock.pass_by(10 * SETTLE_SECONDS)
    assert await talks.close_due() == 0, "the second node carries it still"
    await talks.record([at_node(begin, "node-2", "feed-1", "feed-2", ended_at=1_050_000, reason="released")])
    assert await talks.close_due() == 0, "a third may tell of its part"
    await talks.record(
        [at_node(begin, "node-3", "feed-3"), at_node(begin, "node-3", ended_at=1_049_000, reason="gone")]
    )
    clock.pass_by(SETTLE_SECONDS)
    assert await talks.close_due() == 1
    began, ended = await entries(world, "talk.began", "talk.ended")
    assert began.sequence < ended.sequence
    details = details_of(ended)
    assert (details["heard"], details["seconds"], details["reason"]) == ("feed-2 feed-1 feed-3", 50, "released")
    assert "untold_by" not in details


async def test_a_node_that_tells_no_end_is_waited_for_as_long_as_a_talk_may_last(
    world: World, talks: Talks, clock: Clock
) -> None:
    begin = talk(world)
    await talks.record([begin, at_node(begin, "node-2", "feed-2")])
    await talks.record([at_node(begin, "node-1", "feed-1", ended_at=1_004_000, reason="released")])
    clock.pass_by(WAIT_SECONDS - 1)
    assert await talks.close_due() == 0
    clock.pass_by(1)
    assert await talks.close_due() == 1
    (ended,) = await entries(world, "talk.ended")
    details = details_of(ended)
    assert (details["heard"], details["seconds"], details["untold_by"]) == ("feed-1 feed-2", 4, "node-2")
    # What it spooled meanwhile comes at last, twice.
    for _ in range(2):
        await talks.record([at_node(begin, "node-2", "feed-2", "feed-9", ended_at=1_005_000, reason="released")])
    assert await talks.close_due() == 0
    (amended,) = await entries(world, "talk.amended")
    assert amended.subject_id == str(begin.talk)
    assert details_of(amended) == {
        "operation": str(world.operation.id),
        "heard": "feed-9",
        "told_by": "node-2",
        "reason": "released",
        "seconds": 5,
    }


async def test_nobody_is_given_up_while_words_may_be_on_their_way(world: World, talks: Talks, clock: Clock) -> None:
    begin = talk(world)
    await talks.record([begin])
    clock.pass_by(2 * WAIT_SECONDS)
    assert await talks.close_due(gives_up=False) == 0
    await talks.record([at_node(begin, "node-1", "feed-1", ended_at=1_004_000, reason="released")])
    clock.pass_by(SETTLE_SECONDS)
    assert await talks.close_due(gives_up=False) == 1
    (ended,) = await entries(world, "talk.ended")
    assert (details_of(ended)["reason"], details_of(ended)["seconds"]) == ("released", 4)


async def test_a_talk_taken_over_in_the_same_millisecond_goes_on(world: World, talks: Talks, clock: Clock) -> None:
    begin = talk(world)
    again = begin.model_copy(update={"began_at": 1_003_000})
    await talks.record([begin, at_node(begin, "node-1", ended_at=1_003_000, reason="replaced"), again, begin])
    clock.pass_by(2 * SETTLE_SECONDS)
    assert await talks.close_due() == 0


async def test_an_entry_of_an_earlier_version_stops_nothing(world: World, talks: Talks) -> None:
    end = talk(world).model_copy(update={"ended_at": 1_007_400, "reason": "released"})
    async with world.database.write() as session:
        await world.audit.record(
            session,
            actor=end.user_id,
            court_id=world.operation.court_id,
            action="talk.ended",
            subject_type="talk",
            subject_id=str(end.talk),
            details={"operation": str(end.operation_id), "heard": 1, "seconds": 7},
        )
    await talks.record([end])
    (amended,) = await entries(world, "talk.amended")
    assert details_of(amended)["heard"] == "feed-1"


async def test_of_a_talk_whose_end_no_node_told_nothing_is_invented(world: World, talks: Talks, clock: Clock) -> None:
    await talks.record([talk(world)])
    clock.pass_by(WAIT_SECONDS)
    assert await talks.close_due() == 1
    (ended,) = await entries(world, "talk.ended")
    details = details_of(ended)
    assert (details["reason"], details["untold_by"]) == ("unknown", "node-1")
    assert "seconds" not in details


async def test_a_talk_that_goes_on_after_its_line_came_back_has_one_end(
    world: World, talks: Talks, clock: Clock
) -> None:
    begin = talk(world)
    again = begin.model_copy(update={"began_at": 1_009_000, "heard": ("feed-2",)})
    await talks.record([begin, at_node(begin, "node-1", "feed-1", ended_at=1_003_000, reason="gone"), again])
    clock.pass_by(2 * SETTLE_SECONDS)
    assert await talks.close_due() == 0
    await talks.record([at_node(again, "node-1", "feed-2", ended_at=1_020_000, reason="released")])
    clock.pass_by(SETTLE_SECONDS)
    assert await talks.close_due() == 1
    (ended,) = await entries(world, "talk.ended")
    details = details_of(ended)
    assert (details["heard"], details["seconds"], details["reason"]) == ("feed-1 feed-2", 20, "released")


async def test_a_talk_of_an_unknown_operation_is_passed_over(world: World, talks: Talks) -> None:
    await talks.record([talk(world, uuid4())])
    assert await entries(world, "talk.began") == []
    assert await words(world) == 0

"""Revocations reach every node, once it can hear again."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from streams.hub.hub import Hub
from streams.hub.revocations import BACK_SECONDS, REMEMBERED, Revocations, ends
from streams.hub.topics import REVOCATIONS_STREAM, Revoked
from streams.signalling.tokens import LONGEST_LIFE_SECONDS, Grant
from tests.support.valkey import Valkey
from tests.support.waiting import until

USER, OPERATION, SESSION, TOKEN = (UUID(int=number) for number in range(1, 5))


def grant(issued_at: float | None = 100.0) -> Grant:
    return Grant(TOKEN, "site-1", True, True, 10_000, USER, SESSION, OPERATION, issued_at)


@pytest.mark.parametrize(
    ("revoked", "ended"),
    [
        (Revoked(session_id=SESSION, at=0), True),
        (Revoked(session_id=uuid4(), at=0), False),
        (Revoked(token_id=TOKEN, at=0), True),
        (Revoked(token_id=uuid4(), at=0), False),
        (Revoked(user_id=USER, at=100_000), True),
        (Revoked(user_id=USER, operation_id=OPERATION, at=100_000), True),
        (Revoked(user_id=USER, operation_id=uuid4(), at=100_000), False),
        (Revoked(user_id=uuid4(), operation_id=OPERATION, at=100_000), False),
        (Revoked(user_id=USER, operation_id=OPERATION, at=99_999), False),
        (Revoked(at=100_000), False),
    ],
)
def test_a_revocation_ends_what_came_from_it_and_no_more(revoked: Revoked, ended: bool) -> None:
    assert ends(revoked, grant()) is ended


def test_tokens_are_refused_after_their_revocation_and_memory_is_bounded(hub_away: Hub) -> None:
    revocations = Revocations(hub_away, lambda revoked: None)
    revocations.take(Revoked(user_id=USER, operation_id=OPERATION, at=100_000))
    assert revocations.is_revoked(grant())
    assert not revocations.is_revoked(grant(issued_at=100.1)), "let in again afterwards"
    for _ in range(REMEMBERED):
        revocations.take(Revoked(token_id=uuid4(), at=0))
    assert not revocations.is_revoked(grant())


def test_a_revoked_feed_is_refused_by_its_name_and_no_other_is(hub_away: Hub) -> None:
    heard: list[Revoked] = []
    revocations = Revocations(hub_away, heard.append)
    revocations.take(Revoked(feed="site-1", at=0))
    assert revocations.is_feed_revoked("site-1")
    assert not revocations.is_feed_revoked("site-10")
    assert not revocations.is_revoked(grant()), "what the token may do elsewhere, it still may"
    assert [one.feed for one in heard] == ["site-1"]


def test_revocations_are_read_from_as_far_back_as_a_token_may_live() -> None:
    assert BACK_SECONDS > LONGEST_LIFE_SECONDS >= 1440 * 60


@pytest.fixture
def hub_away() -> Hub:
    return Hub("redis://127.0.0.1:1/0")


async def test_revocations_of_before_the_start_and_of_a_break_are_heard(valkey: Valkey, hub: Hub) -> None:
    heard: list[UUID | None] = []
    first, second, third = uuid4(), uuid4(), uuid4()
    await hub.append(REVOCATIONS_STREAM, Revoked(token_id=first, at=0))
    task = asyncio.create_task(Revocations(hub, lambda revoked: heard.append(revoked.token_id)).run())
    await until(lambda: heard == [first])
    await hub.append(REVOCATIONS_STREAM, Revoked(token_id=second, at=0))
    await until(lambda: heard == [first, second])
    valkey.kill()
    valkey.start()
    await hub.append(REVOCATIONS_STREAM, Revoked(token_id=third, at=0))
    await until(lambda: third in heard, 10)
    assert heard[:2] == [first, second]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

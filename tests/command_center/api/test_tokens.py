"""Tokens for media: whose court is told that one was handed out, and the relays that come with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from command_center.accounts.identity import current_identity
from command_center.accounts.media_tokens import MediaTokens
from command_center.api import tokens
from command_center.audit import AuditEntry
from command_center.live.hub_state import HubState
from command_center.live.nodes import Nodes
from streams.hub.hub import Hub
from streams.signalling.tokens import load_private_key, make_keys, verify
from streams.signalling.turn import NO_TURN, TurnServers
from tests.support.world import new_world


async def test_a_viewing_is_on_record_at_the_court_whose_feed_is_watched(
    tables_url: str, hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys = tmp_path_factory.mktemp("keys")
    make_keys(keys)
    async with new_world(tables_url, hub) as world:
        district = world.people["bao"]
        feed = await world.operations.feeds.register(
            district, world.district_operation.id, world.district_operation.sites[0].id, "phone"
        )
        media_tokens = MediaTokens(world.database, world.audit, load_private_key(keys), minutes=10)
        app = FastAPI()
        app.include_router(tokens.router(world.operations.feeds, media_tokens, Nodes(HubState())))
        token = current_identity.set(world.people["commander"])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre") as client:
            answer = await client.post("/api/media-tokens", json={"feed": feed.name, "right": "view"})
        current_identity.reset(token)
        assert answer.status_code == 200
        async with world.database.read() as session:
            entry = (await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc()))).first()
        assert entry is not None
        assert (entry.actor_id, entry.court_id) == (world.people["commander"].user_id, district.court_id)


@pytest.mark.parametrize(
    "turn", [NO_TURN, TurnServers(("turn:a.example", "turns:b.example:443?transport=tcp"), "s3cret")]
)
async def test_the_relays_come_with_the_token_and_credentials_that_only_the_audit_can_place(
    tables_url: str, hub: Hub, tmp_path_factory: pytest.TempPathFactory, turn: TurnServers
) -> None:
    keys = tmp_path_factory.mktemp("keys")
    make_keys(keys)
    key = load_private_key(keys)
    async with new_world(tables_url, hub) as world:
        feed = await world.operations.feeds.register(
            world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
        )
        app = FastAPI()
        media_tokens = MediaTokens(world.database, world.audit, key, minutes=10)
        nodes = Nodes(HubState())
        app.include_router(tokens.router(world.operations.feeds, media_tokens, nodes, turn, wall_clock=lambda: 1_000.0))
        answers: list[dict[str, Any]] = []
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre") as client:
            for person, right in (("li", "publish"), ("commander", "view")):
                token = current_identity.set(world.people[person])
                answer = await client.post("/api/media-tokens", json={"feed": feed.name, "right": right})
                current_identity.reset(token)
                answers.append(answer.json())
        for answer_body in answers:
            if turn is NO_TURN:
                assert answer_body["ice_servers"] == []
                continue
            (relay,) = answer_body["ice_servers"]
            token_id = verify(key.public_key(), answer_body["access_token"]).token_id
            expected = turn.credentials(token_id, 1_000.0)
            assert relay == {
                "urls": list(turn.urls),
                "username": expected.username,
                "credential": expected.password,
            }
            assert "s3cret" not in str(answer_body)

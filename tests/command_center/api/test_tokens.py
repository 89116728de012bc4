"""Tokens for media: whose court is told that one was handed out."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from command_center.accounts.identity import current_identity
from command_center.accounts.media_tokens import MediaTokens
from command_center.api import tokens
from command_center.audit import AuditEntry
from streams.hub.hub import Hub
from streams.signalling.tokens import load_private_key, make_keys
from tests.support.world import new_world


async def test_a_viewing_is_on_record_at_the_court_whose_feed_is_watched(
    records_url: str, hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys = tmp_path_factory.mktemp("keys")
    make_keys(keys)
    async with new_world(records_url, hub) as world:
        district = world.people["bao"]
        feed = await world.operations.feeds.register(
            district, world.district_operation.id, world.district_operation.sites[0].id, "phone"
        )
        media_tokens = MediaTokens(world.database, world.audit, load_private_key(keys), minutes=10)
        app = FastAPI()
        app.include_router(tokens.router(world.operations.feeds, media_tokens))
        token = current_identity.set(world.people["commander"])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre") as client:
            answer = await client.post("/api/media-tokens", json={"feed": feed.name, "right": "view"})
        current_identity.reset(token)
        assert answer.status_code == 200
        async with world.database.read() as session:
            entry = (await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc()))).first()
        assert entry is not None
        assert (entry.actor_id, entry.court_id) == (world.people["commander"].user_id, district.court_id)

"""The long form: every asset route some hundred times, by a judge, an approver and an officer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.access_world import new_access_world
from tests.support.described import PEOPLE, ask_all, session_of
from tests.support.valkey import Valkey
from tests.support.web import running_web, settings_for

EXAMPLES = 200


async def test_asset_routes_answer_as_described_for_long(tmp_path: Path, valkey: Valkey) -> None:
    async with running_web(settings_for(tmp_path, valkey.url)) as web:
        world = await new_access_world(web)
        sessions = {username: await session_of(world, username) for username in PEOPLE}
        asked = await asyncio.to_thread(ask_all, web.web.server.openapi(), web.url, world.things, sessions, EXAMPLES)
    print(f"{asked.count} asked, {asked.successes} done")
    assert not asked.wrong, "\n\n".join(f"{name}\n{why}" for name, why in asked.wrong.items())

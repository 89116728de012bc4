"""The asset routes answer what OpenAPI says that they do, whatever they are asked, and never break."""

from __future__ import annotations

import asyncio
import copy

import pytest

from tests.support.access_world import AccessWorld, new_access_world
from tests.support.described import PEOPLE, ask_all, session_of
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = 2


async def test_every_refusal_is_described_as_a_problem(web: RunningWeb) -> None:
    description = web.web.server.openapi()
    assert web.web.server.openapi() is description
    assert "HTTPValidationError" not in str(description)
    operations = [one for methods in description["paths"].values() for one in methods.values()]
    told = [one["responses"] for one in operations if "422" in one["responses"]]
    assert len(told) > 100
    assert all({"401", "403", "404", "409", "422", "503"} <= one.keys() for one in told)
    assert all(set(one["422"]["content"]) == {"application/problem+json"} for one in told)


async def test_an_answer_that_is_not_described_is_noticed(web: RunningWeb) -> None:
    path = "/api/assets/requests/{id}"
    description = copy.deepcopy(web.web.server.openapi())
    description["paths"] = {path: description["paths"][path]}
    del description["paths"][path]["get"]["responses"]["404"]
    session = await session_of(AccessWorld(web), "judge")
    asked = await asyncio.to_thread(ask_all, description, web.url, {}, {"judge": session}, 2)
    assert list(asked.wrong) == [f"GET {path}"]


@pytest.mark.timeout(300)
async def test_asset_routes_answer_as_described_whatever_they_are_asked(web: RunningWeb) -> None:
    world = await new_access_world(web)
    sessions = {username: await session_of(world, username) for username in PEOPLE}
    asked = await asyncio.to_thread(ask_all, web.web.server.openapi(), web.url, world.things, sessions, EXAMPLES)
    print(f"{asked.count} asked, {asked.successes} done")
    assert not asked.wrong, "\n\n".join(f"{name}\n{why}" for name, why in asked.wrong.items())
    assert asked.successes > asked.count / 10, "too little of it was ever carried out"

"""The first administrator: one link, once, while there is nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_center import schema
from command_center.accounts.setup import LINK_HOURS, SetupLinks
from command_center.listeners import Listener, Listeners
from command_center.main import Web
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, settings_for

PASSWORD = "a good long password"
BODY = {"username": "first", "display_name": "第一人", "password": PASSWORD}


@pytest.fixture
async def empty(tmp_path: Path, valkey: Valkey) -> AsyncIterator[RunningWeb]:
    """A web process with nobody in its records."""
    settings = settings_for(tmp_path, valkey.url)
    await schema.prepare(settings)
    web = Web(settings)
    listeners = Listeners(web.app, [Listener("127.0.0.1", 0)])
    serving = asyncio.create_task(listeners.serve())
    await until(lambda: listeners.are_started, 20)
    running = RunningWeb(web, None, f"http://127.0.0.1:{listeners.ports[0]}", listeners.ports[0])  # type: ignore[arg-type]
    yield running
    for client in running.clients:
        await client.aclose()
    listeners.stop()
    await serving


async def test_the_link_makes_one_security_administrator_and_is_then_over(empty: RunningWeb) -> None:
    path = await empty.web.setup_links.make()
    assert path is not None
    client = empty.client()
    assert (await client.get(path)).status_code == 200
    assert (await client.post(path, json={**BODY, "password": "short"})).status_code == 422
    made = await client.post(path, json=BODY)
    assert made.status_code == 201
    assert (await client.post(path, json={**BODY, "username": "second"})).status_code == 404
    assert (await client.get(path)).status_code == 404
    session = await client.post("/api/session", json={"username": "first", "password": PASSWORD})
    assert session.json()["user"]["role"] == "security_administrator"
    assert await empty.web.setup_links.make() is None


async def test_two_who_use_the_link_at_once_make_one_account(empty: RunningWeb) -> None:
    path = await empty.web.setup_links.make()
    assert path is not None
    bodies = [{**BODY, "username": f"first-{number}"} for number in range(4)]
    answers = await asyncio.gather(*(empty.client().post(path, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]


async def test_a_guess_and_an_earlier_link_open_nothing(empty: RunningWeb) -> None:
    earlier, later = await empty.web.setup_links.make(), await empty.web.setup_links.make()
    assert earlier is not None
    assert later is not None
    client = empty.client()
    for path in ("/setup/guess", earlier):
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path, json=BODY)).status_code == 404
    assert (await client.get(later)).status_code == 200


async def test_a_link_that_lay_about_for_a_day_is_over(empty: RunningWeb) -> None:
    path = await empty.web.setup_links.make()
    assert path is not None
    later = SetupLinks(
        empty.web.database,
        court_name_zh="",
        court_name_en="",
        clock=lambda: datetime.now(UTC) + timedelta(hours=LINK_HOURS, seconds=1),
    )
    assert not await later.is_open(path.removeprefix("/setup/"))

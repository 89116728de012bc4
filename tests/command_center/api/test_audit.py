"""`/api/audit`: ids with the names that belong to them, asked for by name or id."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.accounts.tables import User
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(web: RunningWeb, **query: str) -> list[dict[str, Any]]:
    auditor = await web.signed_in("audit")
    answer = await auditor.get("/api/audit", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def person(web: RunningWeb, username: str) -> User:
    async with web.web.database.read() as session:
        return await session.get_one(User, web.world.users[username])


async def test_an_actor_has_a_name_and_is_found_by_it_or_by_the_id(web: RunningWeb) -> None:
    await web.signed_in("commander")
    commander = await person(web, "commander")
    for text in ("commander", commander.display_name, str(commander.id)):
        entries = await asked(web, actor=text, action="session.began")
        assert entries
        told = {(entry["actor_id"], entry["actor_name"], entry["actor_username"]) for entry in entries}
        assert told == {(str(commander.id), commander.display_name, "commander")}


async def test_an_unknown_actor_has_done_nothing(web: RunningWeb) -> None:
    assert await asked(web, actor="nobody of that name") == []
    assert await asked(web, actor="00000000-0000-0000-0000-000000000000") == []


async def test_what_was_done_to_an_account_is_found_by_its_name(web: RunningWeb) -> None:
    await web.client().post("/api/session", json={"username": "judge", "password": "wrong"})
    judge = await person(web, "judge")
    entries = await asked(web, subject="judge", action="session.refused")
    assert entries
    assert {(entry["actor_name"], entry["subject_id"], entry["subject_name"]) for entry in entries} == {
        (None, str(judge.id), judge.display_name)
    }


async def test_an_officer_in_the_details_has_a_name(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    operations = (await commander.get("/api/operations")).json()["items"]
    officer = await person(web, "officer1")
    for operation in operations:
        answer = await commander.delete(f"/api/operations/{operation['id']}/officers/{officer.id}")
        if answer.status_code == 204:
            break
    entries = await asked(web, action="operation.officer-removed")
    assert [entry["officer_name"] for entry in entries] == [officer.display_name]
    by_operation = await asked(web, subject=str(operation["id"]), action="operation.officer-removed")
    assert by_operation == entries

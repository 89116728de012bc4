"""The journal and the public keys over HTTP, on the real web process."""

from __future__ import annotations

import pytest

from command_center.evidence.keyring import Keyring
from tests.command_center.evidence.journalling import journals_of
from tests.support.lines import instruct
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")


def journal_of(web: RunningWeb) -> str:
    return f"/api/operations/{web.world.operation_id}/journal"


async def test_what_happened_comes_in_order_with_the_names_of_the_people_in_it(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    for number in range(3):
        await instruct(web, commander, f"第{number}")
    page = (await commander.get(journal_of(web), params={"kinds": "instruction"})).json()
    assert [item["body"]["text"] for item in page["items"]] == ["第0", "第1", "第2"]
    assert page["next"] is None
    assert page["names"][str(web.world.users["commander"])]
    assert {one["officer"] for one in page["items"][0]["body"]["recipients"]} <= page["names"].keys()
    first = (await commander.get(journal_of(web), params={"limit": 2})).json()
    rest = (await commander.get(journal_of(web), params={"after": first["next"]})).json()
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert ids == sorted(ids)
    assert len(ids) == len(set(ids)) >= 3


async def test_an_entry_is_sealed_once_it_is_in_the_file_under_a_signature(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    await instruct(web, commander, "x")
    before = (await commander.get(journal_of(web))).json()["items"][-1]
    journals = journals_of(web.web.database, web.web.settings.data)
    while await journals.step():
        pass
    await journals.seal()
    await instruct(web, commander, "y")
    items = (await commander.get(journal_of(web))).json()["items"]
    known = {item["id"]: item["is_sealed"] for item in items}
    assert (before["is_sealed"], known[before["id"]], items[-1]["is_sealed"]) == (False, True, False)


async def test_who_must_state_a_purpose_reads_no_journal_without_one(web: RunningWeb) -> None:
    supervisor = await web.signed_in("supervisor")
    refused = await supervisor.get(journal_of(web))
    assert (refused.status_code, refused.json()["code"]) == (403, "purpose-required")
    body = {"operation_id": str(web.world.operation_id), "purpose": "complaint"}
    review = (await supervisor.post("/api/reviews", json=body)).json()["id"]
    assert (await supervisor.get(journal_of(web), headers={"X-Review": review})).status_code == 200


@pytest.mark.parametrize(
    "query", [{"after": -1}, {"limit": 0}, {"limit": 9999}, {"kinds": "secrets"}, {"after": 2**70}]
)
async def test_a_query_that_makes_no_sense_is_refused(web: RunningWeb, query: dict[str, int | str]) -> None:
    commander = await web.signed_in("commander")
    assert (await commander.get(journal_of(web), params=query)).status_code == 422


async def test_the_public_halves_of_the_keys_are_shown_and_nothing_private(web: RunningWeb) -> None:
    data = web.web.settings.data
    Keyring(data, data / "keys").ensure(["node-1"])
    officer = await web.signed_in("officer1")
    answer = await officer.get("/api/keys")
    keys = answer.json()["keys"]
    assert [key["owner"] for key in keys] == ["court", "node:node-1"]
    assert keys[0]["id"] == Keyring(data, data / "keys").signer().id
    assert keys[0]["until"] is None
    assert keys[0]["fingerprint"].startswith(keys[0]["id"])
    assert keys[0].keys() == {"id", "owner", "public", "fingerprint", "since", "until", "replaces"}

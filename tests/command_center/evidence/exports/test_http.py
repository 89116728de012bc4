"""Exports over HTTP: asked for once, listed, fetched in parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import httpx
import pytest

from command_center.accounts.permissions import Role
from command_center.api import exports as routes
from command_center.audit import Audit
from command_center.evidence.denials import Denials
from command_center.evidence.exports.service import Exports
from command_center.evidence.exports.tables import ExportJob, ExportState
from command_center.journal import Journal, JournalKind
from tests.command_center.evidence.conftest import World
from tests.command_center.evidence.serving import served

BEGAN = datetime.fromisoformat("2026-01-15T16:00:00+08:00")
CONTENT = bytes(range(256)) * 8


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A supervisor's program."""
    exports = Exports(
        world.database, Audit(), Journal(), Denials(world.database, Audit()), world.root.parent / "exports"
    )
    supervisor = replace(world.city, role=Role.SUPERVISOR)
    async with world.database.write() as session:
        await Journal(lambda: BEGAN).note(session, world.operation, JournalKind.CAMERA, {"feed": "feed-1"})
    async with (
        served(world, supervisor, [routes.router(exports)]) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


def body(world: World, **changes: object) -> dict[str, object]:
    return {
        "operation_id": str(world.operation),
        "since": BEGAN.isoformat(),
        "until": "2026-01-15T16:05:00+08:00",
        "feeds": ["feed-1"],
        "purpose": "complaint",
        "idempotency_key": str(uuid4()),
        **changes,
    }


async def test_a_repeated_request_is_one_export(world: World, client: httpx.AsyncClient) -> None:
    wanted = body(world)
    answers = [await client.post("/api/exports", json=wanted) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    listed = (await client.get("/api/exports", params={"operation_id": str(world.operation)})).json()["items"]
    assert [one["id"] for one in listed] == [answers[0].json()["id"]] == [answers[1].json()["id"]]
    assert (listed[0]["state"], listed[0]["is_masked"], listed[0]["purpose"]) == ("queued", True, "complaint")


@pytest.mark.parametrize(
    "wrong",
    [{"feeds": []}, {"purpose": "curiosity"}, {"since": "2026-01-15T16:00:00"}, {"reason": "x" * 201}, {"more": 1}],
)
async def test_what_is_not_valid_is_refused(world: World, client: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    assert (await client.post("/api/exports", json=body(world, **wrong))).status_code == 422


async def test_a_package_is_fetched_whole_in_parts_and_on(world: World, client: httpx.AsyncClient) -> None:
    export = (await client.post("/api/exports", json=body(world))).json()["id"]
    path = f"/api/exports/{export}/package"
    assert (await client.get(path)).json()["code"] == "export-not-done"
    await _finish(world, export)
    whole = await client.get(path)
    assert (whole.status_code, whole.content, whole.headers["etag"]) == (200, CONTENT, f'"{"a" * 64}"')
    assert whole.headers["content-disposition"].endswith('.zip"')
    part = await client.get(path, headers={"Range": "bytes=1000-", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, CONTENT[1000:])
    assert part.headers["content-range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert (await client.get(path, headers={"Range": "bytes=9999-"})).status_code == 416
    head = await client.head(path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))


async def test_one_that_is_called_off_is_told_so(world: World, client: httpx.AsyncClient) -> None:
    export = (await client.post("/api/exports", json=body(world))).json()["id"]
    assert (await client.delete(f"/api/exports/{export}")).json()["state"] == "cancelled"
    assert (await client.delete(f"/api/exports/{export}")).status_code == 409
    assert (await client.get(f"/api/exports/{uuid4()}")).status_code == 404


async def _finish(world: World, export: str) -> None:
    async with world.database.write() as session:
        row = await session.get_one(ExportJob, UUID(export))
        row.move_to(ExportState.RUNNING)
        row.move_to(ExportState.DONE)
        row.sha256, row.bytes = "a" * 64, len(CONTENT)
    folder = world.root.parent / "exports" / export
    await asyncio.to_thread(folder.mkdir, parents=True)
    await asyncio.to_thread((folder / "package.zip").write_bytes, CONTENT)

"""Whether parts are well, as `/healthz` of a whole web process tells it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from command_center.api.health import Health
from command_center.clock import now
from command_center.evidence.anchors import PROOF_KEY, ProofState
from command_center.live.hub_state import HubState
from command_center.live.nodes import NodeAddress, Nodes
from command_center.operations.records import to_ms
from streams.hub.hub import Hub
from streams.hub.topics import PROCESS_KEY, WORKER_KEY, WORKER_LIFE_SECONDS
from tests.support.valkey import Valkey
from tests.support.web import running_web, settings_for


async def test_a_worker_that_gives_no_sign_is_silent_and_the_web_part_still_answers(
    tmp_path: Path, valkey: Valkey
) -> None:
    async with running_web(settings_for(tmp_path, valkey.url)) as web:
        client = web.client()
        answer = await client.get("/healthz")
        # The launcher starts the web part before the worker and goes by the status alone.
        assert answer.status_code == 200
        assert answer.json() == {
            "ok": False,
            "parts": {"records": "running", "hub": "running", "worker": "silent", "media": "away"},
        }
        await web.web.hub.put(WORKER_KEY.format(name="one"), "1", life_seconds=WORKER_LIFE_SECONDS)
        assert (await client.get("/healthz")).json()["parts"]["worker"] == "running"
        await web.web.hub.drop(WORKER_KEY.format(name="one"))
        assert (await client.get("/healthz")).json()["parts"]["worker"] == "silent"


async def test_what_the_worker_tells_of_room_and_storage_is_part_of_it(tmp_path: Path, valkey: Valkey) -> None:
    async with running_web(settings_for(tmp_path, valkey.url)) as web:
        told = {"space": {"state": "low", "hours": 3.5}, "storage": {"state": "faulty"}}
        for name, value in told.items():
            await web.web.hub.put(PROCESS_KEY.format(name=name), json.dumps({"name": name, "since": 1, **value}))
        seen = (await web.client().get("/healthz")).json()
        assert (seen["parts"]["space"], seen["parts"]["storage"], seen["recording_hours"]) == ("low", "faulty", 3.5)
        await web.web.hub.put(PROCESS_KEY.format(name="space"), "rubbish")
        assert "space" not in (await web.client().get("/healthz")).json()["parts"]


async def test_the_nodes_recorder_is_a_part_and_all_well_is_ok(tmp_path: Path, valkey: Valkey) -> None:
    is_recording = True

    def tell(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "ok", "recorder": is_recording})

    hub = Hub(valkey.url)
    async with running_web(settings_for(tmp_path, valkey.url)) as web:
        node = httpx.AsyncClient(transport=httpx.MockTransport(tell))
        health = Health(web.web.database, hub, node, Nodes(HubState(), [NodeAddress("node-1", "http://node")]))
        await hub.put(WORKER_KEY.format(name="one"), "1", life_seconds=WORKER_LIFE_SECONDS)
        assert (await health.look()).parts["proof"] == "silent"
        told = ProofState(sequence=1, anchored_at=1, looked_at=to_ms(now()), is_stamped=None)
        await hub.put(PROOF_KEY, told.model_dump_json())
        assert (await health.look()).ok
        is_recording = False
        seen = await health.look()
        assert (seen.ok, seen.parts["media"], seen.parts["recorder"]) == (False, "running", "away")
        await node.aclose()
    await hub.close()

"""Whether the web process and what it needs are well: `/healthz` for watchers, `/metrics` for Prometheus."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Literal

import httpx
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from command_center.database import Database
from command_center.evidence.proof_watch import ProofStanding, ProofWatch
from command_center.live.nodes import Nodes
from streams.hub.hub import Hub, HubAway
from streams.hub.topics import NODE_PART, PROCESS_KEY, SPACE_PART, STORAGE_PART, WORKER_KEY

PART_SECONDS = 2.0

State = Literal["running", "away", "silent", "behind", "low", "critical", "faulty"]
"""`silent` is a part that nobody can ask and that gives no sign of life: a worker that hangs, or none at all. The
others are what the worker tells of the room for recordings, and of the storage behind the folder."""


class HealthView(BaseModel):
    """The process is up when this answers at all; `ok` says whether every part that it needs is."""

    ok: bool
    parts: dict[str, State]
    recording_hours: float | None = None
    """For how long the recordings' disk has room, as the worker tells it; 100 stands for more."""


class _Told(BaseModel):
    """What a worker tells of a part."""

    state: State
    hours: float | None = None


class Health:
    """Asks the parts."""

    def __init__(self, database: Database, hub: Hub, client: httpx.AsyncClient, nodes: Nodes) -> None:
        self._database = database
        self._hub = hub
        self._client = client
        self._nodes = nodes
        self._proof = ProofWatch(database, hub)

    async def look(self) -> HealthView:
        """Ask all parts at once; only a node that answers has a recorder to tell of."""
        records, hub, worker, nodes, told, proof = await asyncio.gather(
            self._records(),
            self._hub.ping(),
            self._worker(),
            self._nodes_health(),
            self._told_by_worker(),
            self.proof(),
        )
        parts: dict[str, State] = {
            "records": _asked(records),
            "hub": _asked(hub),
            "worker": "running" if worker else "silent",
            "media": _asked(any(told is not None for told in nodes.values())),
        }
        if len(nodes) > 1:
            parts |= {NODE_PART.format(node=node): _asked(told is not None) for node, told in nodes.items()}
        recorders = [bool(told["recorder"]) for told in nodes.values() if told is not None and "recorder" in told]
        if recorders:
            parts["recorder"] = _asked(all(recorders))
        parts |= {name: one.state for name, one in told.items()}
        if worker and hub and proof is not None:
            parts["proof"] = proof.state
        hours = next((one.hours for one in told.values() if one.hours is not None), None)
        is_ok = all(state == "running" for state in parts.values())
        return HealthView(ok=is_ok, parts=parts, recording_hours=hours)

    async def proof(self) -> ProofStanding | None:
        """How the proof stands; None where the records can't be asked."""
        try:
            async with asyncio.timeout(PART_SECONDS):
                return await self._proof.look()
        except (SQLAlchemyError, OSError, TimeoutError):
            return None

    async def _told_by_worker(self) -> dict[str, _Told]:
        """How the recordings' room and storage stand, where a worker has told of it lately."""
        told: dict[str, _Told] = {}
        for name in (SPACE_PART, STORAGE_PART):
            try:
                value = await self._hub.value(PROCESS_KEY.format(name=name))
                if value is not None:
                    told[name] = _Told.model_validate_json(value)
            except (HubAway, ValidationError):
                continue
        return told

    async def _records(self) -> bool:
        try:
            async with asyncio.timeout(PART_SECONDS), self._database.read() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def _worker(self) -> bool:
        try:
            return bool(await self._hub.values(WORKER_KEY.format(name="*")))
        except HubAway:
            return False

    async def _nodes_health(self) -> dict[str, dict[str, Any] | None]:
        """What each node tells of itself; None for one that doesn't answer, or is gone."""
        addresses = self._nodes.living()
        told = await asyncio.gather(*(self._node_health(address.url) for address in addresses))
        lost = dict.fromkeys(self._nodes.lost())
        return lost | {address.node: one for address, one in zip(addresses, told, strict=True)}

    async def _node_health(self, url: str) -> dict[str, Any] | None:
        try:
            answer = await self._client.get(f"{url}/healthz", timeout=PART_SECONDS)
            told = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None
        return told if isinstance(told, dict) else None


def _asked(is_well: bool) -> State:
    return "running" if is_well else "away"


def router(health: Health, registry: CollectorRegistry) -> APIRouter:
    """The routes of health."""
    routes = APIRouter(tags=["health"])
    anchored = Gauge(
        "command_center_proof_looked_seconds", "Since the ledgers' heads were last anchored.", registry=registry
    )
    unwritten = Gauge(
        "command_center_journal_unwritten", "Entries that no journal's file holds yet.", registry=registry
    )

    @routes.get("/healthz", summary="Whether all parts are well", response_model_exclude_none=True)
    async def healthz() -> HealthView:
        return await health.look()

    @routes.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def metrics() -> Response:
        proof = await health.proof()
        ago = None if proof is None else proof.looked_seconds_ago
        anchored.set(math.nan if ago is None else ago)
        unwritten.set(math.nan if proof is None else proof.unwritten)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes

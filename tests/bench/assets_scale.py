"""How fast panel, table of terms and watch are with 100 000 measures: `python -m tests.bench.assets_scale [MEASURES]`.

Asked over HTTP, one after the other, of a web process that has nothing else to do, on SQLite and on PostgreSQL. The
case on the centre has 2 000 assets of four persons who were asked about at 200 banks.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert, select, text

from assets.identifiers import new_id
from assets.measures import MeasureState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from assets.term_watch import TermWatch
from assets.terms import china_day
from command_center import demonstration, schema
from command_center.accounts.passwords import Passwords
from command_center.accounts.tables import Court
from command_center.asset_access import AssetTrail
from command_center.asset_desk import alarm_days_of
from command_center.audit import Audit
from command_center.config import Settings
from command_center.database import Database
from command_center.journal import Journal
from command_center.screens.components.assets_layout import ASKED, GRID, ORDERED
from command_center.screens.ids import ASSETS_VERSION, CASE
from tests.support.many_measures import make_measures
from tests.support.postgresql import PostgreSQL, is_installed
from tests.support.seeded import QUICK_HASHER
from tests.support.valkey import Valkey
from tests.support.web import running_web, settings_for

MEASURES = 100_000
TERM_DAYS = 1095
"""Last days are spread over so many days: the longest term."""
CASE_ASSETS, BANKS = 2000, 200
DISTRICTS = 9
ROUNDS = 60
BAR_MS, BAR_WATCH_SECONDS = 200.0, 10.0
STATES = (*[MeasureState.IN_FORCE] * 8, MeasureState.PRE_REGISTERED, MeasureState.WAITING)


@dataclass
class Clock:
    """A clock that the benchmark moves by days."""

    instant: datetime

    def __call__(self) -> datetime:
        return self.instant


async def fill(database: Database, measures: int) -> tuple[UUID, list[UUID]]:
    """Make the measures, and a large case; gives the case and the courts."""
    async with database.write() as session:
        case = (await session.scalars(select(Case).where(Case.number.contains("内01执")))).first()
        assert case is not None
        courts = [
            Court(code=f"区{n}", name_zh=f"区{n}", name_en=f"D{n}", parent_id=case.court_id) for n in range(DISTRICTS)
        ]
        session.add_all(courts)
    ids = [case.court_id, *(court.id for court in courts)]
    rng, today = random.Random(7), china_day(datetime.now(UTC))
    ends = [today + timedelta(days=rng.randrange(TERM_DAYS)) for _ in range(measures)]
    await make_measures(database, ids, ends, states=STATES)
    await _enlarge(database, case)
    await _look_over(database)
    return case.id, ids


async def _look_over(database: Database) -> None:
    """What PostgreSQL's autovacuum does by itself some time after so many rows came; SQLite only counts."""
    async with database.engine.connect() as connection:
        apart = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await apart.execute(text("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE"))


async def _enlarge(database: Database, case: Case) -> None:
    at = datetime.now(UTC)
    async with database.write() as session:
        persons = list(await session.scalars(select(Person.id).where(Person.case_id == case.id)))[:4]
        owned = [_asset(case, persons[n % 4], n, at) for n in range(CASE_ASSETS)]
        await session.execute(insert(Asset), owned)
        queries = [_request(case, person, f"bank-{n}", "query", None, at) for person in persons for n in range(BANKS)]
        orders = [
            _request(case, one["person_id"], "bank", "freeze", one["id"], at) for one in owned[: CASE_ASSETS // 2]
        ]
        await session.execute(insert(AssetRequest), [*queries, *orders])
        await session.execute(insert(ControlMeasure), [_measure(case, order, at) for order in orders])


def _asset(case: Case, person: UUID, number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "case_id": case.id, "person_id": person, "kind": "bank_account", "gateway": "bank",
        "reference": f"6228{number:012d}", "description": f"存款{number}", "answered_at": at, "value_cents": 100_000,
    }  # fmt: skip


def _request(case: Case, person: UUID, gateway: str, action: str, asset: UUID | None, at: datetime) -> dict[str, Any]:
    request_id = new_id()
    states = ("answered", "answered", "nothing_found", "no_answer", "failed")
    return {
        "id": request_id, "number": f"Q{request_id.hex[-20:]}", "case_id": case.id, "person_id": person,
        "asset_id": asset, "action": action, "gateway": gateway, "idempotency_key": new_id(), "actor_id": request_id,
        "created_at": at, "sent_at": at, "answered_at": at,
        "state": states[request_id.int % 5] if action == "query" else "answered",
    }  # fmt: skip


def _measure(case: Case, order: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "case_id": case.id, "court_id": case.court_id, "asset_id": order["asset_id"],
        "request_id": order["id"], "line": f"bank/bank_account/{order['asset_id']}", "action": "freeze",
        "state": "in_force", "asked_cents": 100_000, "controlled_cents": 60_000, "changed_at": at,
        "starts_on": china_day(at), "ends_on": china_day(at) + timedelta(days=364),
    }  # fmt: skip


async def times(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds, after a few that warm up."""
    took = []
    for place in range(ROUNDS + 5):
        began = time.perf_counter()
        await ask()
        if place >= 5:
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


async def deep_cursor(client: httpx.AsyncClient) -> str:
    """Where the hundredth page or so begins."""
    day = china_day(datetime.now(UTC)) + timedelta(days=TERM_DAYS // 2)
    return f"{day}~{UUID(int=0)}"


async def measure_pages(client: httpx.AsyncClient, case_id: UUID, courts: list[UUID]) -> None:
    """What the screens ask."""
    cursor = await deep_cursor(client)
    pages = {
        "panel: overview of a case with 2 000 assets": f"/api/assets/cases/{case_id}",
        "asset page: head of the same case": f"/api/assets/cases/{case_id}/summary",
        "panel: what lapses next": f"/api/assets/terms?case_id={case_id}&limit=2",
        "table: first page": "/api/assets/terms",
        "table: one court": f"/api/assets/terms?court_id={courts[-1]}",
        "table: by kind": "/api/assets/terms?kind=movable",
        "table: by a kind that nobody has": "/api/assets/terms?kind=other_right",
        "table: by judge": "/api/assets/terms?judge=法官7",
        "table: by case number": "/api/assets/terms?case=执77",
        "table: within 30 days": "/api/assets/terms?within_days=30",
        "table: open alarms": "/api/assets/terms?show=alarms",
        "table: deep page": f"/api/assets/terms?cursor={cursor}",
        "table: counts": "/api/assets/terms/counts",
    }
    await _measure_panel(client, case_id)
    for name, path in pages.items():

        async def ask(path: str = path) -> None:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text

        _tell(name, *await times(ask))


async def _measure_panel(client: httpx.AsyncClient, case_id: UUID) -> None:
    """The centre's own callback, with everything drawn."""
    outputs = [
        {"id": name, "property": part}
        for name, part in (
            ("assets-headline", "children"),
            ("assets-strip", "children"),
            ("assets-money", "figure"),
            ("assets-answers", "children"),
            (GRID, "rowData"),
            ("assets-graph", "figure"),
        )
    ]
    inputs = [
        {"id": CASE, "property": "data", "value": str(case_id)},
        {"id": ASSETS_VERSION, "property": "data", "value": 1},
        {"id": ASKED, "property": "data", "value": None},
        {"id": ORDERED, "property": "data", "value": None},
    ]
    body = {
        "output": ".." + "...".join(f"{one['id']}.{one['property']}" for one in outputs) + "..",
        "outputs": outputs,
        "inputs": inputs,
        "changedPropIds": [f"{ASSETS_VERSION}.data"],
    }

    async def ask() -> None:
        answer = await client.post("/_dash-update-component", json=body)
        assert answer.status_code == 200, answer.text

    _tell("panel: the whole of it, drawn", *await times(ask))


def _tell(name: str, middle: float, high: float) -> None:
    verdict = "" if high <= BAR_MS else f"  OVER {BAR_MS:.0f} ms"
    print(f"  {name:46} p50 {middle:6.1f} ms  p95 {high:6.1f} ms{verdict}", flush=True)


async def measure_watch(database: Database, settings: Settings) -> None:
    """The first run over records that nobody watched, the next, and the one of the day after."""
    clock = Clock(datetime.now(UTC))

    async def told(_cases: object) -> None:
        return None

    watch = TermWatch(database, AssetTrail(Audit(), Journal()), clock, alarm_days_of(settings), told)
    for name, days in (("first run", 0), ("again at once", 0), ("the day after", 1), ("after 30 days away", 30)):
        clock.instant += timedelta(days=days)
        began = time.perf_counter()
        count = await watch.run_through()
        took = time.perf_counter() - began
        verdict = "" if took <= BAR_WATCH_SECONDS else f"  OVER {BAR_WATCH_SECONDS:.0f} s"
        print(f"  watch: {name:39} {took:6.2f} s for {count} measures{verdict}", flush=True)


async def run(name: str, folder: Path, url: str, measures: int) -> None:
    """All of it on one kind of database."""
    with _valkey() as hub:
        settings = settings_for(folder, hub.url, database_url=url)
        await schema.prepare(settings)
        database = Database(settings.records_url)
        world = await demonstration.seed(database, settings, Passwords(QUICK_HASHER))
        began = time.perf_counter()
        case_id, courts = await fill(database, measures)
        print(f"{name}: {measures} measures made in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
        await measure_watch(database, settings)
        await _look_over(database)
        async with running_web(settings, world) as web:
            await measure_pages(await web.signed_in("judge"), case_id, courts)
        await database.close()


class _valkey:  # noqa: N801 - used as a statement
    def __enter__(self) -> Valkey:
        self.server = Valkey()
        self.server.start()
        return self.server

    def __exit__(self, *_exception: object) -> None:
        self.server.stop()


async def main(measures: int) -> None:
    """SQLite, then PostgreSQL where it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        await run("SQLite", Path(folder), "", measures)
    if not is_installed():
        print("PostgreSQL isn't installed here")
        return
    server = PostgreSQL()
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            await run("PostgreSQL", Path(folder), server.new_database(), measures)
    finally:
        server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else MEASURES))

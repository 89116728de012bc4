"""How fast assets are read and terms watched with 100 000 measures: `python -m tests.bench.assets_scale [MEASURES]`.

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
from dataclasses import dataclass, field
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
from tests.support.seeded import seed_records
from tests.support.valkey import Valkey
from tests.support.web import running_web, settings_for

MEASURES = 100_000
TERM_DAYS = 1095
"""Last days are spread over so many days: the longest term."""
CASE_ASSETS, BANKS = 2000, 200
DISTRICTS = 9
ROUNDS = 40
BAR_MS, BAR_WATCH_SECONDS = 200.0, 10.0
PLAINEST, WATCH = "a request that reads next to nothing", "watch: "
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
    """What the worker does on SQLite every hour, and PostgreSQL's autovacuum some time after so many rows came."""
    await database.look_over()
    if not database.is_sqlite:
        async with database.engine.connect() as connection:
            apart = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await apart.execute(text("VACUUM ANALYZE"))


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


@dataclass
class Figures:
    """What was measured on one kind of database, by name: median and 95th percentile.

    What is done only once has its one time as both.
    """

    database: str
    took: dict[str, tuple[float, float]] = field(default_factory=dict)

    async def measure(self, name: str, ask: Callable[[], Awaitable[object]]) -> None:
        """In milliseconds, after a few that warm up."""
        took = []
        for place in range(ROUNDS + 3):
            began = time.perf_counter()
            await ask()
            if place >= 3:
                took.append((time.perf_counter() - began) * 1000)
        self.took[name] = (statistics.median(took), statistics.quantiles(took, n=20)[-1])


def pages_of(case_id: UUID, courts: list[UUID], history: str, measures: int) -> dict[str, str]:
    """What the screens and programs read, by name."""
    day = china_day(datetime.now(UTC)) + timedelta(days=TERM_DAYS // 2)
    number = max(measures // 13, 1)
    search, case = "/api/assets/search", f"/api/assets/cases/{case_id}"
    return {
        PLAINEST: "/api/session",
        "panel: overview of 2 000 assets": case,
        "panel: what lapses next": f"/api/assets/terms?case_id={case_id}&limit=2",
        "asset page: head of the same case": f"{case}/summary",
        "asset page: cover of the claim": f"{case}/cover",
        "asset page: first rows": f"{search}?case_id={case_id}",
        "asset page: rows, what lapses first": f"{search}?case_id={case_id}&order=lapses",
        "asset page: rows with a word": f"{search}?case_id={case_id}&text=存款77",
        "asset page: time line of an asset": history,
        "asset page: list of cases": f"{search}/cases?limit=50",
        "asset page: cases by a person's name": f"{search}/cases?text=某某{number}",
        "table: first page": "/api/assets/terms",
        "table: one court": f"/api/assets/terms?court_id={courts[-1]}",
        "table: by kind": "/api/assets/terms?kind=movable",
        "table: by a kind that nobody has": "/api/assets/terms?kind=other_right",
        "table: by judge": "/api/assets/terms?judge=法官7",
        "table: by judge and kind": "/api/assets/terms?judge=法官7&kind=real_estate",
        "table: by case number": "/api/assets/terms?case=执77",
        "table: within 30 days": "/api/assets/terms?within_days=30",
        "table: open alarms": "/api/assets/terms?show=alarms",
        "table: open alarms of a kind": "/api/assets/terms?show=alarms&kind=movable",
        "table: deep page": f"/api/assets/terms?cursor={day}~{UUID(int=0)}",
        "table: counts": "/api/assets/terms/counts",
        "all courts: first page": search,
        "all courts: by kind": f"{search}?kind=movable",
        "all courts: by a person's name": f"{search}?text=某某{number}",
        "all courts: by an id number": f"{search}?text={number:018d}",
        "all courts: by an account": f"{search}?text=6217{number * 5:012d}",
        "all courts: by its last four digits": f"{search}?text={number * 5 % 10_000:04d}",
        "all courts: by words that nothing holds": f"{search}?text=没有这个",
        "all courts: unknown outcomes": f"{search}?standing=unknown",
        "all courts: what lapses first": f"{search}?order=lapses",
        "all courts: by value": f"{search}?order=value&descending=true",
        "list: cases": "/api/assets/cases",
        "list: what waits for a second person": "/api/assets/approvals",
        "list: objections": "/api/assets/objections",
        "list: overdue": "/api/assets/overdue",
        "list: proposals": "/api/assets/proposals",
    }


async def measure_pages(figures: Figures, client: httpx.AsyncClient, pages: dict[str, str]) -> None:
    """Ask for each of them."""
    for name, path in pages.items():

        async def ask(path: str = path) -> None:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text

        await figures.measure(name, ask)


async def measure_panel(figures: Figures, client: httpx.AsyncClient, case_id: UUID) -> None:
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

    await figures.measure("panel: the whole of it, drawn", ask)


async def measure_watch(figures: Figures, database: Database, settings: Settings) -> None:
    """The first run over records that nobody watched, the next, and the one of the day after."""
    clock = Clock(datetime.now(UTC))

    async def told(_cases: object) -> None:
        return None

    watch = TermWatch(database, AssetTrail(Audit(), Journal()), clock, alarm_days_of(settings), told)
    for name, days in (("first run", 0), ("again at once", 0), ("the day after", 1), ("after 30 days away", 30)):
        clock.instant += timedelta(days=days)
        began = time.perf_counter()
        await watch.run_through()
        took = (time.perf_counter() - began) * 1000
        figures.took[f"{WATCH}{name}"] = (took, took)


async def run(name: str, folder: Path, url: str, measures: int) -> Figures:
    """All of it on one kind of database."""
    figures = Figures(name)
    with _valkey() as hub:
        settings = settings_for(folder, hub.url, database_url=url)
        world = await seed_records(settings)
        database = Database(settings.records_url)
        began = time.perf_counter()
        case_id, courts = await fill(database, measures)
        print(f"{name}: {measures} measures made in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
        await measure_watch(figures, database, settings)
        await _look_over(database)
        async with database.read() as session:
            asset = await session.scalar(select(ControlMeasure.asset_id).where(ControlMeasure.case_id == case_id))
        async with running_web(settings, world) as web:
            client = await web.signed_in("judge")
            client.timeout = httpx.Timeout(60)
            pages = pages_of(case_id, courts, f"/api/assets/items/{asset}/history", measures)
            await measure_pages(figures, client, pages)
            await measure_panel(figures, client, case_id)
        await database.close()
    return figures


def tell(all_figures: list[Figures]) -> None:
    """One table: of each database the median, how many times that of the plainest request it is, and the percentile.

    Times depend on the machine and on what else it does; how many times the plainest request something takes, less.
    """
    print(f"\n{'':41}" + "".join(f"{one.database:^19}" for one in all_figures))
    print(f"{'milliseconds':41}" + f"{'p50':>7}{'×':>5}{'p95':>6} " * len(all_figures))
    for name in all_figures[0].took:
        bar = BAR_WATCH_SECONDS * 1000 if name.startswith(WATCH) else BAR_MS
        cells = [_cell(figures, name, bar) for figures in all_figures]
        print(f"{name:41}" + "".join(cells))
    print(f"! more than {BAR_MS:.0f} ms, or of the watch than {BAR_WATCH_SECONDS:.0f} s; load {os.getloadavg()[0]:.1f}")


def _cell(figures: Figures, name: str, bar: float) -> str:
    middle, high = figures.took[name]
    times = middle / figures.took[PLAINEST][0]
    return f"{middle:7.1f}{times:5.0f}{high:6.0f}{'!' if high > bar else ' '}"


class _valkey:  # noqa: N801 - used as a statement
    def __enter__(self) -> Valkey:
        self.server = Valkey()
        self.server.start()
        return self.server

    def __exit__(self, *_exception: object) -> None:
        self.server.stop()


async def main(measures: int) -> None:
    """SQLite, then PostgreSQL where it is installed; then both side by side."""
    with tempfile.TemporaryDirectory() as folder:
        measured = [await run("SQLite", Path(folder), "", measures)]
    if is_installed():
        server = PostgreSQL()
        server.start()
        try:
            with tempfile.TemporaryDirectory() as folder:
                measured.append(await run("PostgreSQL", Path(folder), server.new_database(), measures))
        finally:
            server.stop()
    else:
        print("PostgreSQL isn't installed here")
    tell(measured)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else MEASURES))

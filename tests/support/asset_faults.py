"""Judges at work against banks that fail in every way that they know, with processes that are killed in between.

Two services send at once; now and then one dies and another starts. What the banks' own book says is the truth that
every request has to end with.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import or_, select

from assets.audit import Actor
from assets.banks.http import HttpBank
from assets.claims import Claims
from assets.demonstration import CITY_CASE, seed
from assets.errors import Conflict
from assets.posting import Poster
from assets.requests import AWAITED, RequestState
from assets.service import Assets
from assets.simulators.accounts import Accounts
from assets.tables import Asset, AssetRequest, ControlMeasure, Objection, Person
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.support.court_seal import court_seal
from tests.support.simulator import Simulator
from tests.support.waiting import until

RULING = "（2026）内01执123号之一"
TODAY = date(2026, 11, 22)
ANSWER_SECONDS = 0.3
PATIENCE_SECONDS = 60.0
MOST_LOOKS = 40
OPEN = frozenset(AWAITED | {RequestState.FAILED, RequestState.OBJECTED})
_AWAITED = tuple(state.value for state in AWAITED)


@dataclass
class FaultSoak:
    """Rounds of queries and freezes, each of a court of its own; `faults` counts the manners that were not plain."""

    database: Database
    bank: Simulator
    chance: random.Random
    banks: int
    persons: int
    faults: int = 0
    kills: int = 0
    requests: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """The manners that were met, by their names."""
    instant: datetime = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.bank.clock = self.clock
        self._running: list[tuple[Assets, asyncio.Task[None]]] = []
        self._places: list[str] = []

    def clock(self) -> datetime:
        """A clock that the soak moves."""
        return self.instant

    async def round(self, ordinal: int) -> None:
        """One court's case: ask, freeze what was found, and hold every end against the banks' book."""
        court_id = uuid4()
        self._places = [f"{place:03d}" for place in sorted(self.chance.sample(range(1, 201), self.banks))]
        judge = Actor(
            court_id, frozenset({court_id}), may_see=True, may_query=True, may_control=True, own_court_id=court_id
        )
        async with self.database.write() as session:
            case_id = await seed(
                session,
                court_id,
                court_code="内01",
                court_name=f"第{ordinal}法院（虚构）",
                today=TODAY,
                script=CITY_CASE,
            )
        self._start()
        self._start()
        try:
            await self._query(judge, case_id)
            await self._settle(judge, case_id)
            await self._freeze(judge, case_id)
            await self._settle(judge, case_id)
        finally:
            while self._running:
                await self._end(0)
        await self._check(case_id)

    def _start(self) -> None:
        async def changed(_case_id: UUID) -> None:
            return

        gateways = [
            HttpBank(Poster(f"bank-{place}", f"{self.bank.url}/b/{place}", answer_seconds=ANSWER_SECONDS))
            for place in self._places
        ]
        trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        assets = Assets(self.database, gateways, trail, self.clock, changed, court_seal())
        self._running.append((assets, asyncio.create_task(assets.run())))

    async def _end(self, place: int, *, is_killed: bool = False) -> None:
        """End one service; killed, it leaves its claims as they are."""
        assets, task = self._running.pop(place)
        if is_killed:
            claims: Claims = assets._sender._claims
            claims.give_back = _nothing  # type: ignore[method-assign]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await assets.close()

    @property
    def _assets(self) -> Assets:
        return self._running[-1][0]

    async def _query(self, judge: Actor, case_id: UUID) -> None:
        async with self.database.read() as session:
            people = select(Person.id).where(Person.case_id == case_id, Person.role == "under_enforcement")
            persons = list(await session.scalars(people.order_by(Person.ordinal)))[: self.persons]
        for person_id in persons:
            await self._assets.query(judge, case_id=case_id, person_id=person_id, idempotency_key=uuid4())

    async def _freeze(self, judge: Actor, case_id: UUID) -> None:
        async with self.database.read() as session:
            named = select(Asset.id).where(Asset.case_id == case_id, Asset.gateway != "")
            found = list(await session.scalars(named.order_by(Asset.id)))
        for asset_id in found:
            cents, key = self.chance.randint(1, 2_000), uuid4()
            for _ in range(2):  # the same press arrives twice
                await self._order(judge, asset_id, cents, key)
            try:
                await self._order(judge, asset_id, cents, uuid4())
            except Conflict as refused:
                if refused.code == "measure-stands":
                    continue
                raise
            # Only what the bank has said no to already may be ordered anew.
            async with self.database.read() as session:
                states = list(
                    await session.scalars(select(ControlMeasure.state).where(ControlMeasure.asset_id == asset_id))
                )
            assert "not_controlled" in states

    async def _order(self, judge: Actor, asset_id: UUID, cents: int, key: UUID) -> None:
        await self._assets.freeze(
            judge, asset_id=asset_id, amount_cents=cents, ruling_number=RULING, idempotency_key=key
        )

    async def _settle(self, judge: Actor, case_id: UUID) -> None:
        """Ask again, insist and kill until every request has come to its end."""
        for _ in range(MOST_LOOKS):
            await self._idle(case_id)
            if not (unsettled := await self._open(case_id)):
                return
            if self.chance.random() < 0.5:
                self.kills += 1
                await self._end(self.chance.randrange(len(self._running)), is_killed=True)
                self._start()
            for request in unsettled:
                if request.state == RequestState.FAILED:
                    await self._assets.retry(judge, request.id)
                elif request.state == RequestState.OBJECTED:
                    await self._insist(judge, request.id)
            self.instant += timedelta(seconds=3_700)
            for assets, _ in self._running:
                assets.wake()
        raise AssertionError(f"{len(unsettled)} requests come to no end: {unsettled[0].number} {unsettled[0].state}")

    async def _insist(self, judge: Actor, request_id: UUID) -> None:
        async with self.database.read() as session:
            open_one = select(Objection.id).where(Objection.request_id == request_id, Objection.state == "open")
            objection_id = (await session.scalars(open_one)).one()
        await self._assets.objections.maintain(judge, objection_id, "坚持协助要求", uuid4())

    async def _open(self, case_id: UUID) -> list[AssetRequest]:
        states = [state.value for state in OPEN]
        async with self.database.read() as session:
            query = select(AssetRequest).where(AssetRequest.case_id == case_id, AssetRequest.state.in_(states))
            return list(await session.scalars(query))

    async def _idle(self, case_id: UUID) -> None:
        """Wait until nobody who lives has anything left to ask at this time; kill somebody in the middle of it."""
        kills_at = self.chance.randint(1, 30)
        looks = 0

        async def is_idle() -> bool:
            nonlocal looks
            looks += 1
            if looks == kills_at:
                self.kills += 1
                await self._end(self.chance.randrange(len(self._running)), is_killed=True)
                self._start()
            living = [assets._sender._claims._name for assets, _ in self._running]
            is_free = or_(AssetRequest.claimed_until.is_(None), AssetRequest.claimed_until <= self.instant)
            is_left = or_(is_free, AssetRequest.claimed_by.in_(living))
            due = select(AssetRequest.id).where(
                AssetRequest.case_id == case_id,
                AssetRequest.state.in_(_AWAITED),
                AssetRequest.next_ask_at <= self.instant,
                is_left,
            )
            async with self.database.read() as session:
                return (await session.scalars(due.limit(1))).first() is None

        await until(is_idle, PATIENCE_SECONDS)

    async def _check(self, case_id: UUID) -> None:
        async with self.database.read() as session:
            requests = list(await session.scalars(select(AssetRequest).where(AssetRequest.case_id == case_id)))
            persons = {one.id: one for one in await session.scalars(select(Person).where(Person.case_id == case_id))}
            of_case = select(ControlMeasure).where(ControlMeasure.case_id == case_id)
            measures = {one.request_id: one for one in await session.scalars(of_case)}
        for request in requests:
            manner = self.bank.ledger.manner_of(request.number)
            kind = manner.kind if manner else "plain"
            self.asked[kind] += 1
            self.requests += 1
            self.faults += kind != "plain"
            if kind == "contradicts" and self.bank.ledger.count_of(request.number) > 1:
                continue  # it has said two things; which of them came first was never known here
            if request.is_control:
                self._check_control(request, measures[request.id])
            else:
                self._check_query(request, persons[request.person_id], kind)
        self._check_never_twice()

    def _check_query(self, request: AssetRequest, person: Person, kind: str) -> None:
        place = request.gateway.removeprefix("bank-")
        there = [] if kind == "nothing" else Accounts(self.bank.conduct, place).of(person.id_number, person.name)
        expected = RequestState.ANSWERED if there else RequestState.NOTHING_FOUND
        assert (request.state, request.found) == (expected, len(there)), (request.number, kind)

    def _check_control(self, request: AssetRequest, measure: ControlMeasure) -> None:
        ledger = self.bank.ledger
        kept = ledger.receipt(request.number)
        assert kept is not None, f"{request.number} was answered, and the bank knows nothing of it"
        assert request.state == RequestState.ANSWERED, (request.number, request.state)
        held = ledger.lines.find(request.number)
        if kept[1]["kzzt"] == "2":
            assert (measure.state, held) == ("not_controlled", None), request.number
            return
        assert held is not None
        assert (measure.state, measure.controlled_cents) == (held.state.value, held.cents), request.number

    def _check_never_twice(self) -> None:
        standing = Counter(
            (one["court"], one["case_number"], one["reference"])
            for one in self.bank.ledger.controls()
            if one["state"] in ("in_force", "waiting")
        )
        twice = [which for which, count in standing.items() if count > 1]
        assert not twice, f"frozen twice: {twice[:3]}"


async def _nothing(_ids: object) -> None:
    return

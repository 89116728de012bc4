"""Courts that act on one line at the same moment, with a database that lets writers run side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from assets import sender
from assets.errors import AssetsError, Conflict
from assets.exemptions import SpecialAccount
from assets.measures import EFFECTIVE, MeasureState
from assets.tables import CASE_LOCK, Asset, Case, ControlMeasure
from assets.terms import AssetKind
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import ACCOUNT, HOUSE, LAND
from tests.support.courts import DEBTOR, Court, Courts, Thing
from tests.support.postgresql import PostgreSQL
from tests.support.records import postgresql_records
from tests.support.waiting import until

ROUNDS = 4


@pytest.fixture
async def side_by_side(postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Courts]:
    """Three courts on PostgreSQL, with the audit as it is."""
    monkeypatch.setattr(sender, "REST_SECONDS", 0.0)
    database = Database(postgresql_records(postgresql))
    courts = Courts(database)
    trail = AssetTrail(Audit(courts.clock), Journal(courts.clock))
    courts = Courts(database, trail)
    await courts.open()
    yield courts
    await courts.close()
    await database.close()


async def _order_again(courts: Courts, court: Court, reference: str) -> None:
    """Release what the court has on it, or order a control where it has none; either may come too late."""
    sheet = await courts.controls.sheet(court.judge, court.assets[reference])
    stands = sheet.measure is not None and sheet.measure.state in {*EFFECTIVE, MeasureState.WAITING}
    try:
        if stands and sheet.measure is not None:
            await courts.controls.release(court.judge, sheet.measure.id, court.warrant())
        elif courts.bank.things.get(reference):
            await courts.controls.freeze(court.judge, court.assets[reference], court.warrant(), 40_000)
        else:
            await courts.controls.seize(court.judge, court.assets[reference], court.warrant())
    except AssetsError:
        return


async def test_three_courts_at_once_never_have_two_in_force_and_nobody_waits_for_ever(
    side_by_side: Courts, caplog: pytest.LogCaptureFixture
) -> None:
    courts = side_by_side
    await courts.add(Thing(ACCOUNT, DEBTOR, balance=100_000))
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    await courts.add(Thing(LAND, DEBTOR, AssetKind.REAL_ESTATE))
    for _ in range(ROUNDS):
        orders = [_order_again(courts, court, thing) for court in courts.courts for thing in (ACCOUNT, HOUSE, LAND)]
        await asyncio.gather(*orders)
        courts.clock.pass_days(1)
        # Answers come in side by side too, and the watch over terms looks in.
        await asyncio.gather(*(courts.assets.send_due() for _ in range(4)), courts.lapse())
        assert await courts.most_in_force() <= 1
    courts.clock.pass_days(1)
    await courts.exchange()
    courts.clock.pass_days(1)
    await courts.exchange()
    for reference, keeper in ((ACCOUNT, courts.bank), (HOUSE, courts.registry)):
        standing = len(keeper.things[reference].standing)
        query = select(func.count()).where(
            ControlMeasure.line.endswith(reference),
            ControlMeasure.follows_id.is_(None),
            ControlMeasure.state.in_(["in_force", "waiting"]),
        )
        async with courts.database.read() as session:
            assert await session.scalar(query) == standing
    assert "could not" not in caplog.text  # no answer had to be taken in a second time, as after a deadlock


async def test_the_database_itself_refuses_a_second_one_in_force(side_by_side: Courts) -> None:
    courts = side_by_side
    await courts.add(Thing(ACCOUNT, DEBTOR, balance=100_000))
    one, two, _ = courts.courts
    await one.freeze(ACCOUNT, 40_000)
    second = await two.freeze(ACCOUNT, 40_000)

    async def force() -> None:
        async with courts.database.write() as session:
            (await session.get_one(ControlMeasure, second)).move_to(MeasureState.IN_FORCE)

    with pytest.raises(IntegrityError, match="one_effective"):
        await force()


async def test_what_an_account_turns_out_to_be_while_an_order_waits_for_its_case_bars_the_order(
    side_by_side: Courts,
) -> None:
    courts = side_by_side
    await courts.add(Thing(ACCOUNT, DEBTOR, balance=100_000))
    court = courts.courts[0]

    async def is_waited_for() -> bool:
        async with courts.database.read() as looking:
            return bool(await looking.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

    async with courts.database.write() as session:
        asset = await session.get_one(Asset, court.assets[ACCOUNT])
        await session.get_one(Case, asset.case_id, with_for_update=CASE_LOCK)
        order = asyncio.create_task(courts.controls.freeze(court.judge, asset.id, court.warrant(), 40_000))
        await until(is_waited_for)
        asset.special = SpecialAccount.MIGRANT_WAGE.value
    with pytest.raises(Conflict, match="account-not-freezable"):
        await order

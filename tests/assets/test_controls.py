"""Freezing and seizing: never twice, never without a ruling, and waiting counts nothing."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from assets.demonstration import DISTRICT_CASE
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted, RulingMissing
from assets.findings import Marks
from assets.tables import AssetRequest
from assets.terms import AssetKind
from assets.views import AssetView, Standing
from command_center.audit import AuditEntry
from tests.assets.conftest import ACCOUNT, HOUSE, RULING, SHORT_SECONDS, Desk
from tests.support.courts import DEBTOR, Courts, Thing
from tests.support.waiting import until

FOUND = "150105199001010018"
LATE = "150105196908152053"
TROUBLED = "150121198801013060"


async def _standing(desk: Desk, reference_end: str, *wanted: Standing) -> AssetView:
    async def stands() -> AssetView | None:
        asset = next(one for one in (await desk.view()).assets if one.reference.endswith(reference_end))
        return asset if asset.standing in wanted else None

    found = await until(stands, 20)
    assert found is not None
    return found


async def _freeze(desk: Desk, reference_end: str, cents: int, key: UUID | None = None) -> str:
    request = await desk.assets.freeze(
        desk.judge,
        asset_id=await desk.asset(reference_end),
        amount_cents=cents,
        ruling_number=RULING,
        idempotency_key=key or uuid4(),
    )
    return request.number


async def _known(desk: Desk, person: str) -> None:
    await desk.query(person)
    await desk.until_state(person, "bank", "answered")
    await desk.until_state(person, "registry", "answered")


async def test_a_freeze_holds_what_was_asked_for_a_year(desk: Desk) -> None:
    async with desk.at_work() as assets:
        await _known(desk, FOUND)
        await _freeze(desk, "0008", 10_000_000)
        asset = await _standing(desk, "0008", Standing.CONTROLLED)
        assert (asset.controlled_cents, asset.over_cents) == (10_000_000, 0)
        assert (asset.starts_on, asset.ends_on) == (date(2026, 11, 22), date(2027, 11, 21))
        assert (await desk.view()).controlled_cents == 10_000_000
        request = (await assets.requests(desk.judge, desk.case_id))[0]
        assert request.documents == ["ruling", "freeze_notice"]
        assert request.ruling_number == RULING


async def test_more_than_is_there_is_frozen_in_part(desk: Desk) -> None:
    async with desk.at_work():
        await _known(desk, FOUND)
        await _freeze(desk, "1022", 4_000_000)
        asset = await _standing(desk, "1022", Standing.PARTLY)
        assert (asset.controlled_cents, asset.over_cents) == (1_500_000, 2_500_000)


async def test_article_26_a_waiting_freeze_counts_nothing_and_has_no_term(desk: Desk) -> None:
    async with desk.at_work():
        await _known(desk, FOUND)
        await _freeze(desk, "1014", 5_000_000)
        asset = await _standing(desk, "1014", Standing.WAITING)
        assert (asset.rank, asset.controlled_cents, asset.starts_on, asset.ends_on) == (1, 0, None, None)
        assert (await desk.view()).controlled_cents == 0


async def test_a_unit_is_seized_for_three_years_or_waits_in_line(desk: Desk) -> None:
    async with desk.at_work() as assets:
        await _known(desk, FOUND)
        for reference_end in ("310202", "050101"):
            await assets.seize(
                desk.judge,
                asset_id=await desk.asset(reference_end),
                ruling_number=RULING,
                idempotency_key=uuid4(),
            )
        seized = await _standing(desk, "310202", Standing.CONTROLLED)
        assert seized.ends_on == date(2029, 11, 21)
        assert (await _standing(desk, "050101", Standing.WAITING)).rank == 1
        papers = {tuple(one.documents) for one in await assets.requests(desk.judge, desk.case_id) if one.asset_id}
        assert papers == {("work_card", "ruling", "enforcement_notice")}


async def test_the_same_key_freezes_once(desk: Desk) -> None:
    async with desk.at_work():
        await _known(desk, FOUND)
        key = uuid4()
        asset_id = await desk.asset("0008")
        orders = [
            desk.assets.freeze(
                desk.judge, asset_id=asset_id, amount_cents=100, ruling_number=RULING, idempotency_key=key
            )
            for _ in range(5)
        ]
        numbers = {one.number for one in await asyncio.gather(*orders)}
        assert len(numbers) == 1
        await _standing(desk, "0008", Standing.CONTROLLED)
        assert [one["number"] for one in desk.bank.ledger.controls()] == list(numbers)
        with pytest.raises(Conflict, match="idempotency-key-used"):
            await _freeze(desk, "0008", 200, key)
        with pytest.raises(Conflict, match="measure-stands"):
            await _freeze(desk, "0008", 200)


async def test_a_bank_that_acted_and_said_nothing_is_asked_again_and_freezes_once(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work(answer_seconds=SHORT_SECONDS):
        await desk.query(LATE, "bank")
        await desk.until_state(LATE, "bank", "answered")
        number = await _freeze(desk, "1048", 20_000_000)
        await _standing(desk, "1048", Standing.UNKNOWN)
        assert (await desk.view()).controlled_cents == 0
        with pytest.raises(Conflict):
            await _freeze(desk, "1048", 20_000_000)
    await desk.bank.stop()
    await desk.bank.start()  # what it did lies in its file
    desk.clock.move(61)
    async with desk.at_work():
        asset = await _standing(desk, "1048", Standing.CONTROLLED)
        assert asset.controlled_cents == 20_000_000
        assert [one["number"] for one in desk.bank.ledger.controls()] == [number]


async def test_an_error_or_garbage_after_an_order_leaves_its_outcome_unknown(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work() as assets:
        await _known(desk, TROUBLED)
        await _freeze(desk, "1063", 6_000_000)
        await assets.seize(
            desk.judge, asset_id=await desk.asset("010001"), ruling_number=RULING, idempotency_key=uuid4()
        )
        await _standing(desk, "1063", Standing.UNKNOWN)
        await _standing(desk, "010001", Standing.UNKNOWN)
        for request in await assets.requests(desk.judge, desk.case_id):
            if request.asset_id:
                await assets.retry(desk.judge, request.id)
        await _standing(desk, "1063", Standing.CONTROLLED)
        await _standing(desk, "010001", Standing.CONTROLLED)
        assert len(desk.bank.ledger.controls()) == len(desk.registry.ledger.controls()) == 1


async def test_a_priority_right_leaves_nothing_to_hold(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work():
        await _known(desk, TROUBLED)
        await _freeze(desk, "1055", 7_000_000)
        asset = await _standing(desk, "1055", Standing.EMPTY)
        assert (asset.controlled_cents, asset.over_cents) == (0, 7_000_000)


async def test_a_refusal_is_kept_with_the_other_sides_words(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work() as assets:
        await _known(desk, LATE)
        await assets.seize(
            desk.judge, asset_id=await desk.asset("070701"), ruling_number=RULING, idempotency_key=uuid4()
        )
        asset = await _standing(desk, "070701", Standing.NOT_CONTROLLED)
        assert asset.reason == "权利人与被执行人不一致（虚构）"


@pytest.mark.parametrize("ruling", ["", "   "])
async def test_article_3_no_control_without_a_ruling(desk: Desk, ruling: str) -> None:
    async with desk.at_work() as assets:
        await _known(desk, FOUND)
        with pytest.raises(RulingMissing):
            await assets.freeze(
                desk.judge,
                asset_id=await desk.asset("0008"),
                amount_cents=100,
                ruling_number=ruling,
                idempotency_key=uuid4(),
            )
        assert desk.bank.ledger.controls() == []


async def test_what_cannot_be_ordered_is_refused(desk: Desk) -> None:
    async with desk.at_work() as assets:
        await _known(desk, FOUND)
        account, unit = await desk.asset("0008"), await desk.asset("310202")
        with pytest.raises(BadFormat):
            await _freeze(desk, "0008", 0)
        with pytest.raises(BadFormat):
            await assets.seize(desk.judge, asset_id=unit, ruling_number="裁定", idempotency_key=uuid4())
        with pytest.raises(Conflict):
            await assets.seize(desk.judge, asset_id=account, ruling_number=RULING, idempotency_key=uuid4())
        with pytest.raises(Conflict):
            await _freeze(desk, "12345", 100)  # the vehicle is a clue: nobody can be asked to control it
        asker = type(desk.judge)(uuid4(), frozenset({desk.court_id}), may_see=True, may_query=True)
        with pytest.raises(NotPermitted):
            await assets.seize(asker, asset_id=unit, ruling_number=RULING, idempotency_key=uuid4())


async def test_a_lapsed_freeze_counts_nothing_and_may_be_ordered_anew(desk: Desk) -> None:
    async with desk.at_work():
        await _known(desk, FOUND)
        await _freeze(desk, "0008", 10_000_000)
        await _standing(desk, "0008", Standing.CONTROLLED)
        desk.clock.move(364 * 86_400)
        assert (await desk.view()).controlled_cents == 10_000_000
        desk.clock.move(86_400)
        await _standing(desk, "0008", Standing.LAPSED)
        assert (await desk.view()).controlled_cents == 0
        await _freeze(desk, "0008", 100)
        await _standing(desk, "0008", Standing.CONTROLLED)


async def test_a_query_that_is_pressed_again_is_on_record_again_and_a_repeated_request_is_not(desk: Desk) -> None:
    desk.assets = desk.build()  # nothing is sent: the query stays open
    person = await desk.person(FOUND)

    async def press(key: UUID) -> int:
        await desk.assets.query(
            desk.judge, case_id=desk.case_id, person_id=person.id, idempotency_key=key, gateways=["bank"]
        )
        async with desk.database.read() as session:
            count = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "asset.query.sent")
            return await session.scalar(count) or 0

    first = uuid4()
    assert [await press(first), await press(first), await press(uuid4())] == [1, 1, 2]
    async with desk.database.write() as session:
        await session.execute(update(AssetRequest).values(state="failed"))
    assert await press(uuid4()) == 3
    await desk.assets.close()


async def test_a_key_that_ordered_another_term_is_used(courts: Courts) -> None:
    court, key = courts.courts[0], uuid4()
    await courts.add(Thing(HOUSE, DEBTOR, kind=AssetKind.REAL_ESTATE))
    first = await courts.controls.seize(court.judge, court.assets[HOUSE], court.warrant(key, years=1))
    again = await courts.controls.seize(court.judge, court.assets[HOUSE], court.warrant(key, years=1))
    assert again.id == first.id
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await courts.controls.seize(court.judge, court.assets[HOUSE], court.warrant(key, years=3))


async def test_nothing_is_said_of_another_courts_asset_or_request(courts: Courts) -> None:
    own, other = courts.courts[:2]
    order = await courts.controls.freeze(other.judge, other.assets[ACCOUNT], other.warrant(), 100_00)
    with pytest.raises(NotFound, match="no-such-asset"):
        await courts.findings.mark(own.judge, other.assets[ACCOUNT], Marks(), "某理由")
    for reach in (courts.assets.request, courts.assets.retry):
        with pytest.raises(NotFound, match="no-such-request"):
            await reach(own.judge, order.id)

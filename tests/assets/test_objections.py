"""An objection is answered in fifteen days: insisting asks again with the same number, yielding ends the request."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from assets.documents import Action
from assets.errors import (
    BadFormat,
    Conflict,
    GatewayAccepted,
    GatewayBusy,
    GatewayObjected,
    GatewayUnreachable,
    NotFound,
)
from assets.gateway import Encumbrance, QueryAnswer
from assets.identifiers import new_id
from assets.measures import MeasureState
from assets.objections import ObjectionView
from assets.ordering import Warrant
from assets.requests import RequestState
from assets.tables import AssetRequest, Objection, Person
from assets.views import Standing
from tests.assets.conftest import RULING, Desk
from tests.support.courts import OneAccount
from tests.support.scripted_gateway import ACCOUNT, FROZEN, ScriptedGateway
from tests.support.waiting import until

OWNER = "150105199001010018"
WORDS = "账户为农民工工资专用账户（虚构）"


async def objected(desk: Desk, bank: ScriptedGateway) -> ObjectionView:
    """Freeze the account that the bank names, which it objects to."""
    await desk.query(OWNER, "bank")
    await desk.until_state(OWNER, "bank", "answered")
    await freeze(desk)

    async def found() -> list[ObjectionView]:
        return await desk.assets.objections.listed(desk.judge)

    listed = await until(found)
    assert listed is not None
    return listed[0]


async def freeze(desk: Desk) -> UUID:
    order = await desk.assets.freeze(
        desk.judge,
        asset_id=await desk.asset("0008"),
        amount_cents=100,
        ruling_number=RULING,
        idempotency_key=uuid4(),
    )
    return order.id


def bank_that(*then: object) -> ScriptedGateway:
    return ScriptedGateway("bank", QueryAnswer((ACCOUNT,), None), *then)  # type: ignore[arg-type]


async def state(desk: Desk, request_id: UUID) -> str:
    return (await desk.assets.request(desk.judge, request_id)).state


async def standing(desk: Desk) -> Standing:
    return next(one.standing for one in (await desk.view()).assets if one.reference.endswith("0008"))


async def test_jieshi_20_6_an_objection_is_due_in_fifteen_calendar_days(quiet_desk: Desk) -> None:
    bank = bank_that(GatewayObjected("bank", WORDS))
    async with quiet_desk.at_work(bank):
        objection = await objected(quiet_desk, bank)
        assert (objection.words, objection.state, objection.is_overdue) == (WORDS, "open", False)
        assert objection.due_on == date(2026, 12, 7)
        assert objection.request.state == RequestState.OBJECTED
        view = await quiet_desk.view()
        asset = next(one for one in view.assets if one.reference.endswith("0008"))
        assert (asset.standing, asset.answer_by) == (Standing.OBJECTED, objection.due_on)
        # An objection is an answer too: to which order and whose, the head of the case says.
        assert view.last_answer is not None
        assert (view.last_answer.gateway, view.last_answer.action) == ("bank", "freeze")
        assert view.last_answer.at == asset.heard_at == objection.raised_at
        quiet_desk.clock.move(15 * 86_400)
        assert not (await quiet_desk.assets.objections.listed(quiet_desk.judge))[0].is_overdue
        quiet_desk.clock.move(86_400)
        assert (await quiet_desk.assets.objections.listed(quiet_desk.judge))[0].is_overdue


async def test_who_insists_asks_again_with_the_same_number_and_papers(quiet_desk: Desk) -> None:
    bank = bank_that(GatewayObjected("bank", WORDS), FROZEN)
    async with quiet_desk.at_work(bank) as assets:
        objection = await objected(quiet_desk, bank)
        key = uuid4()
        for _ in range(2):
            await assets.objections.maintain(quiet_desk.judge, objection.id, "账户并非专用账户", key)

        async def is_frozen() -> bool:
            return await state(quiet_desk, objection.request.id) == "answered"

        await until(is_frozen)
        assert len(bank.numbers) == 3
        assert bank.asked[1] == bank.asked[2]
        (answered,) = await assets.objections.listed(quiet_desk.judge, only_open=False)
        assert (answered.state, answered.answer) == ("maintained", "账户并非专用账户")
        with pytest.raises(Conflict, match="objection-answered"):
            await assets.objections.yield_to(quiet_desk.judge, objection.id, "撤回", uuid4())


async def test_who_yields_has_it_returned_and_another_freeze_may_be_ordered(quiet_desk: Desk) -> None:
    bank = bank_that(GatewayObjected("bank", WORDS), FROZEN)
    async with quiet_desk.at_work(bank) as assets:
        objection = await objected(quiet_desk, bank)
        with pytest.raises(BadFormat):
            await assets.objections.yield_to(quiet_desk.judge, objection.id, " ", uuid4())
        stranger = replace(quiet_desk.judge, court_ids=frozenset({uuid4()}))
        assert await assets.objections.listed(stranger) == []
        with pytest.raises(NotFound):
            await assets.objections.yield_to(stranger, objection.id, "撤回", uuid4())
        await assets.objections.yield_to(quiet_desk.judge, objection.id, "异议成立", uuid4())
        assert await state(quiet_desk, objection.request.id) == RequestState.RETURNED
        assert await standing(quiet_desk) is Standing.NOT_CONTROLLED
        await freeze(quiet_desk)
        await until(lambda: len(bank.numbers) == 3)
        assert len(set(bank.numbers)) == 3


async def test_an_objection_says_nothing_of_an_asking_that_got_no_answer(quiet_desk: Desk) -> None:
    bank = bank_that(GatewayUnreachable("bank"), GatewayObjected("bank", WORDS))
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")
        await quiet_desk.until_state(OWNER, "bank", "answered")
        order = await freeze(quiet_desk)

        async def standing_is(wanted: RequestState) -> bool:
            return await state(quiet_desk, order) == wanted

        await until(lambda: standing_is(RequestState.NO_ANSWER))
        assert await standing(quiet_desk) is Standing.UNKNOWN
        await assets.retry(quiet_desk.judge, order)
        await until(lambda: standing_is(RequestState.OBJECTED))
        assert await standing(quiet_desk) is Standing.UNKNOWN
        number = (await assets.request(quiet_desk.judge, order)).number
        held = Encumbrance("freeze", "某法院", 100, None, order_number=number)
        bank.script = [QueryAnswer((replace(ACCOUNT, encumbrances=(held,)),), None)]
        (objection,) = await assets.objections.listed(quiet_desk.judge)
        await assets.objections.yield_to(quiet_desk.judge, objection.id, "异议成立", uuid4())

        async def is_controlled() -> bool:
            return await standing(quiet_desk) is Standing.CONTROLLED

        # Taken back it isn't undone: the bank is asked, and had carried out what it didn't answer.
        await until(is_controlled)
        assert await state(quiet_desk, order) == RequestState.RETURNED


async def take(desk: Desk) -> UUID:
    """Have money frozen and moved in one, a second person agreeing."""
    desk.assets.controls._payees = OneAccount()
    asset = await desk.asset("0008")
    order = await desk.assets.controls.freeze_and_transfer(desk.judge, asset, Warrant(RULING, uuid4()), 100_00)
    await desk.assets.approvals.approve(replace(desk.judge, user_id=uuid4(), may_approve=True), order.id, uuid4())
    return order.id


async def test_that_nothing_is_frozen_says_nothing_of_an_order_to_take_whose_outcome_nobody_told(
    quiet_desk: Desk,
) -> None:
    bank = bank_that(GatewayUnreachable("bank"), GatewayObjected("bank", WORDS))
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")
        await quiet_desk.until_state(OWNER, "bank", "answered")
        order = await take(quiet_desk)

        async def standing_is(wanted: RequestState) -> bool:
            return await state(quiet_desk, order) == wanted

        await until(lambda: standing_is(RequestState.NO_ANSWER))
        await assets.retry(quiet_desk.judge, order)
        await until(lambda: standing_is(RequestState.OBJECTED))
        # It had moved the money the first time: nothing is frozen there.
        bank.script = [QueryAnswer((replace(ACCOUNT, value_cents=1, available_cents=1),), None)]
        (objection,) = await assets.objections.listed(quiet_desk.judge)
        await assets.objections.yield_to(quiet_desk.judge, objection.id, "异议成立", uuid4())

        async def is_asked() -> bool:
            return any(one.value_cents == 1 for one in (await quiet_desk.view()).assets)

        await until(is_asked)
        assert await standing(quiet_desk) is Standing.UNKNOWN
        with pytest.raises(Conflict, match="measure-stands"):
            await take(quiet_desk)
        measure = (await assets.controls.sheet(quiet_desk.judge, await quiet_desk.asset("0008"))).measure
        assert measure is not None
        assert measure.contradiction == "outcome_unknown"
        with pytest.raises(Conflict, match="measure-unanswered"):
            await assets.findings.resolve(quiet_desk.judge, measure.id, "电话核实", uuid4())
        ends = MeasureState.TRANSFERRED
        await assets.findings.resolve(quiet_desk.judge, measure.id, "回单已到", uuid4(), ends=ends)
        assert await standing(quiet_desk) is Standing.TRANSFERRED


@pytest.mark.parametrize(("moved", "rest", "balance"), [(40_00, 60_00, None), (0, 100_00, 4_000_000)])
async def test_what_stays_frozen_after_freezing_and_taking_is_a_measure_in_force(
    quiet_desk: Desk, moved: int, rest: int, balance: int | None
) -> None:
    receipt = replace(FROZEN, controlled_cents=rest, transferred_cents=moved, balance_cents=balance)
    bank = bank_that(receipt)
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")
        await quiet_desk.until_state(OWNER, "bank", "answered")
        order = await take(quiet_desk)

        async def is_answered() -> bool:
            return await state(quiet_desk, order) == "answered"

        await until(is_answered)
        sheet = await assets.controls.sheet(quiet_desk.judge, await quiet_desk.asset("0008"))
        measure = sheet.measure
        assert measure is not None
        assert (measure.state, measure.controlled_cents, measure.transferred_cents) == ("in_force", rest, moved)
        assert (measure.contradiction, measure.ends_on) == ("", date(2027, 11, 21))
        changes = {one.action: one.why for one in sheet.allowed if not one.action.is_first}
        assert changes == dict.fromkeys((Action.RENEW, Action.PART_RELEASE, Action.RELEASE, Action.TRANSFER), "")
        (asset,) = [one for one in (await quiet_desk.view()).assets if one.reference.endswith("0008")]
        # The balance that the query told is from before the taking.
        assert asset.value_cents == (balance or ACCOUNT.value_cents - moved)


async def test_accepted_is_asked_again_later_and_no_failure(quiet_desk: Desk) -> None:
    bank = ScriptedGateway("bank", GatewayAccepted("bank"), GatewayAccepted("bank"), QueryAnswer((ACCOUNT,), None))
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")
        await quiet_desk.until_state(OWNER, "bank", "accepted")
        (request,) = await assets.requests(quiet_desk.judge, quiet_desk.case_id)
        assert (request.attempts, request.trouble, request.accepted_at) == (0, "", quiet_desk.clock())
        quiet_desk.clock.move(61)
        await assets.retry(quiet_desk.judge, request.id)
        await until(lambda: len(bank.asked) == 2)
        await quiet_desk.until_state(OWNER, "bank", "accepted")
        quiet_desk.clock.move(3600)
        await assets.retry(quiet_desk.judge, request.id)
        await quiet_desk.until_state(OWNER, "bank", "answered")
        assert len(set(bank.numbers)) == 1


async def test_what_was_not_asked_because_the_gateway_rests_is_no_attempt(quiet_desk: Desk) -> None:
    bank = ScriptedGateway("bank", GatewayBusy("bank", 7), QueryAnswer((ACCOUNT,), None))
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")

        async def is_postponed() -> bool:
            (request,) = await assets.requests(quiet_desk.judge, quiet_desk.case_id)
            assert request.next_ask_at is not None
            return (request.next_ask_at - quiet_desk.clock()).total_seconds() == 7

        await until(is_postponed)
        (request,) = await assets.requests(quiet_desk.judge, quiet_desk.case_id)
        assert (request.state, request.attempts, request.trouble) == ("sent", 0, "")
        quiet_desk.clock.move(8)
        assets.wake()
        await quiet_desk.until_state(OWNER, "bank", "answered")


async def test_a_refusal_after_silence_says_nothing_of_what_was_done(quiet_desk: Desk) -> None:
    from assets.errors import GatewayRefused

    bank = bank_that(GatewayUnreachable("bank"), GatewayRefused("bank", "请求单号重复"), FROZEN)
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")
        await quiet_desk.until_state(OWNER, "bank", "answered")
        request_id = await freeze(quiet_desk)
        for asked in (2, 3):
            await until(lambda asked=asked: len(bank.asked) == asked)  # type: ignore[misc]

            async def is_unknown() -> bool:
                return await standing(quiet_desk) is Standing.UNKNOWN

            await until(is_unknown)
            with pytest.raises(Conflict, match="measure-stands"):
                await freeze(quiet_desk)
            await assets.retry(quiet_desk.judge, request_id)

        async def is_known() -> bool:
            return await standing(quiet_desk) is Standing.CONTROLLED

        await until(is_known)
        assert len(set(bank.numbers[1:])) == 1


async def test_lists_of_what_waits_go_on_behind_their_last_row(quiet_desk: Desk) -> None:
    assets, at = quiet_desk.build(), quiet_desk.clock()
    async with quiet_desk.database.write() as session:
        person = (await session.scalars(select(Person).where(Person.case_id == quiet_desk.case_id))).first()
        assert person is not None
        for place in range(4):
            request = AssetRequest(
                id=new_id(), number=f"L{place}", case_id=person.case_id, person_id=person.id, action="freeze",
                gateway="bank", state="sent", approval="over-cover", chases=1, idempotency_key=uuid4(),
                actor_id=uuid4(), created_at=at, sent_at=at - timedelta(hours=place // 2),
            )  # fmt: skip
            session.add(request)
            await session.flush()
            due_on = date(2026, 12, 7 - place // 2)
            session.add(Objection(request_id=request.id, raised_at=at, due_on=due_on, words=WORDS))

    async def overdue(after: UUID | None, limit: int) -> list[UUID]:
        return [one.request.id for one in await assets.chasing.overdue(quiet_desk.judge, after=after, limit=limit)]

    async def objections(after: UUID | None, limit: int) -> list[UUID]:
        return [one.id for one in await assets.objections.listed(quiet_desk.judge, after=after, limit=limit)]

    async def waiting(after: UUID | None, limit: int) -> list[UUID]:
        return [one.request.id for one in await assets.approvals.waiting(quiet_desk.judge, after=after, limit=limit)]

    for read in (overdue, objections, waiting):
        whole = await read(None, 100)
        paged = await read(None, 1)
        while found := await read(paged[-1], 1):
            paged += found
        assert (paged, len(paged)) == (whole, 4)


async def test_a_transfer_taken_back_with_its_outcome_unknown_bars_another_until_somebody_has_looked(
    quiet_desk: Desk,
) -> None:
    frozen = replace(FROZEN, controlled_cents=100)
    bank = bank_that(frozen, GatewayUnreachable("bank"), GatewayObjected("bank", WORDS))
    async with quiet_desk.at_work(bank) as assets:
        await quiet_desk.query(OWNER, "bank")
        await quiet_desk.until_state(OWNER, "bank", "answered")
        begun = await freeze(quiet_desk)

        async def stands(order: UUID, wanted: str) -> bool:
            return await state(quiet_desk, order) == wanted

        await until(lambda: stands(begun, "answered"))
        assets.controls._payees = OneAccount()
        asset = await quiet_desk.asset("0008")
        measure = (await assets.controls.sheet(quiet_desk.judge, asset)).measure
        assert measure is not None
        transfer = await assets.controls.transfer(quiet_desk.judge, measure.id, Warrant(RULING, uuid4()))
        await assets.approvals.approve(
            replace(quiet_desk.judge, user_id=uuid4(), may_approve=True), transfer.id, uuid4()
        )
        await until(lambda: stands(transfer.id, "no_answer"))
        await assets.retry(quiet_desk.judge, transfer.id)
        await until(lambda: stands(transfer.id, "objected"))
        bank.script = [QueryAnswer((replace(ACCOUNT, value_cents=1, available_cents=1),), None)]
        (objection,) = await assets.objections.listed(quiet_desk.judge)
        await assets.objections.yield_to(quiet_desk.judge, objection.id, "异议成立", uuid4())
        with pytest.raises(Conflict, match="measure-contradicted"):
            await assets.controls.transfer(quiet_desk.judge, measure.id, Warrant(RULING, uuid4()))

        async def is_asked() -> bool:
            return any(one.value_cents == 1 for one in (await quiet_desk.view()).assets)

        await until(is_asked)
        still = (await assets.controls.sheet(quiet_desk.judge, asset)).measure
        assert still is not None
        assert (still.state, still.contradiction) == ("in_force", "outcome_unknown")

"""What may not be controlled, what only for a reason, and what goes beyond the claim."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from assets.audit import Actor
from assets.case_accounts.ledger_tables import LedgerAccount, MainAccount
from assets.errors import BadFormat, Conflict, NotPermitted
from assets.exemptions import NOT_FREEZABLE, ExemptProperty, SpecialAccount
from assets.findings import Marks
from assets.measures import Keeping
from assets.tables import AssetRequest
from assets.terms import AssetKind
from tests.assets.conftest import ACCOUNT, CAR, HOUSE
from tests.support.courts import DEBTOR, Court, Courts, Thing

SPECIAL = "6217000060000000016"


async def _mark(court: Court, reference: str, marks: Marks) -> None:
    await court.world.findings.mark(court.judge, court.assets[reference], marks, "查明")


async def _approval(courts: Courts) -> tuple[str, str]:
    async with courts.database.read() as session:
        request = (await session.scalars(select(AssetRequest).order_by(AssetRequest.id.desc()))).first()
        assert request is not None
        return request.state, request.approval


@pytest.mark.parametrize("special", sorted(NOT_FREEZABLE))
async def test_wages_of_migrant_workers_and_bank_reserves_are_never_frozen(
    courts: Courts, special: SpecialAccount
) -> None:
    one, *_ = courts.courts
    await _mark(one, ACCOUNT, Marks(special=special))
    with pytest.raises(Conflict, match="account-not-freezable"):
        await one.freeze(ACCOUNT, 100, reason="there is nothing else")


@pytest.mark.parametrize("special", sorted(set(SpecialAccount) - NOT_FREEZABLE))
async def test_practice_other_special_accounts_need_a_reason_and_a_second_person(
    courts: Courts, special: SpecialAccount
) -> None:
    one, *_ = courts.courts
    await _mark(one, ACCOUNT, Marks(special=special))
    with pytest.raises(Conflict, match="override-needed"):
        await one.freeze(ACCOUNT, 100)
    await one.freeze(ACCOUNT, 100, reason="its own money lies there too")
    assert await _approval(courts) == ("draft", "special-account")
    assert courts.bank.orders == []


async def test_what_a_bank_says_of_an_account_is_heeded(courts: Courts) -> None:
    one, *_ = courts.courts
    courts.bank.things[ACCOUNT].special = "migrant_wage"
    await courts.assets.query(one.judge, case_id=one.case_id, person_id=one.person_id, idempotency_key=uuid4())
    await courts.exchange()
    with pytest.raises(Conflict, match="account-said-not-freezable"):
        await one.freeze(ACCOUNT, 100)


async def test_no_judge_alone_lifts_what_a_bank_says_of_an_account(courts: Courts) -> None:
    one, *_ = courts.courts
    asset, liftings, approvals = one.assets[ACCOUNT], courts.assets.liftings, courts.assets.approvals
    second = replace(one.judge, user_id=uuid4(), may_control=False, may_approve=True)

    async def hear(special: str) -> None:
        courts.bank.things[ACCOUNT].special = special
        await courts.assets.query(one.judge, case_id=one.case_id, person_id=one.person_id, idempotency_key=uuid4())
        await courts.exchange()

    async def how_far() -> str:
        said = (await courts.controls.sheet(one.judge, asset)).said
        assert said is not None
        assert (said.special, said.gateway, said.at) == ("migrant_wage", "bank", courts.clock())
        assert said.is_barring
        return said.lifting

    with pytest.raises(Conflict, match="nothing-said"):
        await liftings.ask(one.judge, asset, "自有资金", uuid4())
    await hear("union")
    sheet = await courts.controls.sheet(one.judge, asset)
    assert sheet.said is not None
    assert not sheet.said.is_barring
    await hear("migrant_wage")
    await _mark(one, ACCOUNT, Marks())
    with pytest.raises(Conflict, match="account-said-not-freezable"):
        await one.freeze(ACCOUNT, 100)
    with pytest.raises(BadFormat, match="reason"):
        await liftings.ask(one.judge, asset, " ", uuid4())
    key = uuid4()
    first, again = [await liftings.ask(one.judge, asset, "自有资金", key) for _ in range(2)]
    assert (first.id, first.state, await how_far()) == (again.id, "draft", "asked")
    with pytest.raises(Conflict, match="lifting-asked"):
        await liftings.ask(one.judge, asset, "自有资金", uuid4())
    with pytest.raises(NotPermitted, match="own-order"):
        await approvals.approve(replace(one.judge, may_approve=True), first.id, uuid4())
    await approvals.decline(second, first.id, "证据不足", uuid4())
    with pytest.raises(Conflict, match="account-said-not-freezable"):
        await one.freeze(ACCOUNT, 100)
    asked = await liftings.ask(one.judge, asset, "已核实为自有资金", uuid4())
    (waiting,) = await approvals.waiting(second)
    assert (waiting.said_special, waiting.said_at) == ("migrant_wage", courts.clock())
    agreed = await approvals.approve(second, asked.id, uuid4())
    assert (agreed.state, await how_far()) == ("approved", "lifted")
    await hear("migrant_wage")  # the bank says it once more: that was set aside
    assert (await courts.standing(await one.freeze(ACCOUNT, 100)))[0] == "in_force"
    assert len(courts.bank.orders) == 1


@pytest.mark.parametrize("exempt", list(ExemptProperty))
async def test_article_3_exempt_property_is_not_controlled_without_a_reason_and_a_second_person(
    courts: Courts, exempt: ExemptProperty
) -> None:
    one, *_ = courts.courts
    await _mark(one, ACCOUNT, Marks(exempt=exempt))
    with pytest.raises(Conflict, match="override-needed"):
        await one.freeze(ACCOUNT, 100)
    measure = await one.freeze(ACCOUNT, 100, reason="more than is needed to live")
    assert await _approval(courts) == ("draft", "exempt-property")
    assert (await courts.standing(measure))[0] == "intended"


async def test_article_4_a_necessary_home_is_seized_and_not_sold(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, *_ = courts.courts
    await _mark(one, HOUSE, Marks(is_only_home=True))
    measure = await one.seize(HOUSE)
    assert (await courts.standing(measure))[0] == "in_force"
    with pytest.raises(Conflict, match="override-needed"):
        await one.transfer(measure, recipient="某买受人（虚构）")
    await one.transfer(measure, recipient="某买受人（虚构）", reason="another home is provided")
    assert await _approval(courts) == ("draft", "only-home")
    assert (await courts.standing(measure))[0] == "in_force"


async def test_a_guarded_order_goes_once_a_second_person_agrees_and_never_if_not(courts: Courts) -> None:
    one, *_ = courts.courts
    approver = Actor(uuid4(), frozenset({one.id}), may_see=True, may_approve=True, own_court_id=one.id)
    await _mark(one, ACCOUNT, Marks(special=SpecialAccount.UNION))
    declined = await one.freeze(ACCOUNT, 100, reason="a reason")
    async with courts.database.read() as session:
        request = (await session.scalars(select(AssetRequest).where(AssetRequest.measure_id == declined))).one()
    await courts.assets.approvals.decline(approver, request.id, "no", uuid4())
    assert await courts.standing(declined) == ("not_controlled", 0, 0)
    agreed = await one.freeze(ACCOUNT, 100, reason="a better reason")
    async with courts.database.read() as session:
        request = (await session.scalars(select(AssetRequest).where(AssetRequest.measure_id == agreed))).one()
    await courts.assets.approvals.approve(approver, request.id, uuid4())
    await courts.exchange()
    assert await courts.standing(agreed) == ("in_force", 0, 100)


async def test_article_27_a_renewal_that_is_approved_too_late_is_not_sent(courts: Courts) -> None:
    one, *_ = courts.courts
    approver = Actor(uuid4(), frozenset({one.id}), may_see=True, may_approve=True, own_court_id=one.id)
    measure = await one.freeze(ACCOUNT, 100)
    courts.assets._orders._approved_actions = frozenset({"renew"})  # type: ignore[arg-type]
    order = await courts.controls.renew(one.judge, measure, one.warrant())
    courts.clock.pass_days(400)
    with pytest.raises(Conflict, match="measure-lapsed"):
        await courts.assets.approvals.approve(approver, order.id, uuid4())
    assert len(courts.bank.orders) == 1


async def test_article_19_what_goes_beyond_the_claim_needs_a_reason_and_a_second_person(courts: Courts) -> None:
    await courts.limit_claims(50_000)
    one, *_ = courts.courts
    seen = await courts.controls.preview(one.judge, one.assets[ACCOUNT], 60_001)
    assert (seen.cover.claim_cents, seen.added_cents, seen.limit_cents, seen.is_over_limit) == (
        50_000, 60_001, 60_000, True,
    )  # fmt: skip
    assert courts.bank.orders == []
    with pytest.raises(Conflict, match="override-needed"):
        await one.freeze(ACCOUNT, 60_001)
    await one.freeze(ACCOUNT, 60_000)
    assert (await _approval(courts))[0] == "answered"


@pytest.mark.parametrize("is_transferred", [True, False])
async def test_article_19_what_is_collected_already_counts_toward_the_claim(
    courts: Courts, *, is_transferred: bool
) -> None:
    await courts.add(Thing(SPECIAL, DEBTOR, AssetKind.BANK_ACCOUNT, balance=100_000))
    await courts.limit_claims(50_000)
    one, *_ = courts.courts
    if is_transferred:
        await one.transfer(await one.freeze(ACCOUNT, 50_000))
    else:
        await _arrive(courts, one, 50_000)
    seen = await courts.controls.preview(one.judge, one.assets[SPECIAL], 50_000)
    assert (seen.cover.collected_cents, seen.cover.covered_cents, seen.is_over_limit) == (50_000, 50_000, True)
    with pytest.raises(Conflict, match="override-needed"):
        await one.freeze(SPECIAL, 50_000)


async def _arrive(courts: Courts, court: Court, cents: int) -> None:
    """The debtor has paid by themselves; half of it is paid out."""
    async with courts.database.write() as session:
        main = MainAccount(
            id=uuid4(), court_id=court.id, number="0610013200001111", bank_name="b", fee_holder="f", fee_number="1",
            opened_at=courts.clock(), balance_cents=cents // 2,
        )  # fmt: skip
        session.add(main)
        await session.flush()
        for kind, balance in (("received", -cents), ("undistributed", cents // 2), ("paid", cents // 2)):
            session.add(LedgerAccount(main_id=main.id, owner_id=court.case_id, kind=kind, balance_cents=balance))


async def test_practice_cover_counts_what_a_sale_brings_after_those_who_go_before(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    await courts.limit_claims(1_000_000)
    one, two, _ = courts.courts
    await _mark(one, HOUSE, Marks(valuation_cents=1_000_001, valuation_source="评估报告（虚构）"))
    await courts.prior(one, HOUSE, 60_000)
    seen = await courts.controls.preview(one.judge, one.assets[HOUSE])
    assert seen.added_cents == 1_000_001 * 56 // 100 - 60_000 == 500_000
    await one.seize(HOUSE)
    await one.freeze(ACCOUNT, 40_000)
    cover = await courts.controls.cover(one.judge, one.case_id)
    assert (cover.things_cents, cover.money_cents, cover.covered_cents) == (500_000, 40_000, 540_000)
    # What the other court has only waits: it counts nothing.
    await _mark(two, HOUSE, Marks(valuation_cents=1_000_001, valuation_source="评估报告（虚构）"))
    assert (await courts.controls.preview(two.judge, two.assets[HOUSE])).added_cents == 0
    await two.seize(HOUSE)
    await two.freeze(ACCOUNT, 40_000)
    assert (await courts.controls.cover(two.judge, two.case_id)).covered_cents == 0


async def test_practice_rights_that_take_all_leave_nothing_and_never_less(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, *_ = courts.courts
    await _mark(one, HOUSE, Marks(valuation_cents=100_000, valuation_source="评估报告（虚构）"))
    await courts.prior(one, HOUSE, 60_000)
    await one.seize(HOUSE)
    assert (await courts.controls.cover(one.judge, one.case_id)).things_cents == 0


async def test_an_order_under_way_counts_before_it_is_answered(courts: Courts) -> None:
    await courts.limit_claims(50_000)
    await courts.add(Thing(SPECIAL, DEBTOR, balance=100_000))
    one, *_ = courts.courts
    await courts.controls.freeze(one.judge, one.assets[ACCOUNT], one.warrant(), 50_000)
    assert (await courts.controls.cover(one.judge, one.case_id)).intended_cents == 50_000
    with pytest.raises(Conflict, match="override-needed"):
        await one.freeze(SPECIAL, 20_000)


async def test_a_thing_that_nobody_valued_is_told_and_counts_nothing(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, *_ = courts.courts
    assert not (await courts.controls.preview(one.judge, one.assets[HOUSE])).is_valued
    await one.seize(HOUSE)
    cover = await courts.controls.cover(one.judge, one.case_id)
    assert (cover.things_cents, cover.unvalued) == (0, 1)
    with pytest.raises(BadFormat, match="valuation-source"):
        await _mark(one, HOUSE, Marks(valuation_cents=1))


async def test_article_18_a_movable_is_inventoried_then_kept_then_handed_over(courts: Courts) -> None:
    await courts.add(Thing(CAR, DEBTOR, AssetKind.MOVABLE))
    one, two, _ = courts.courts
    warrant = one.warrant()
    measure = await courts.answered(await courts.controls.impound(one.judge, one.assets[CAR], warrant))
    findings, key = courts.findings, uuid4()
    with pytest.raises(Conflict, match="not-kept-so"):
        await findings.keep(one.judge, measure, Keeping.HANDED_OVER, uuid4(), place="某人")
    await findings.keep(one.judge, measure, Keeping.INVENTORIED, key)
    await findings.keep(one.judge, measure, Keeping.INVENTORIED, key)
    with pytest.raises(BadFormat, match="keeper"):
        await findings.keep(one.judge, measure, Keeping.WITH_KEEPER, uuid4())
    await findings.keep(one.judge, measure, Keeping.WITH_KEEPER, uuid4(), place="保管人（虚构）")
    await findings.keep(one.judge, measure, Keeping.RETURNED, uuid4(), place="被执行人（虚构）")
    assert (await courts.measure(measure)).keeping == "returned"
    assert (await courts.events(measure)).count("kept") == 3
    with pytest.raises(Exception, match="no-such-measure"):
        await findings.keep(replace(two.judge), measure, Keeping.STORED, uuid4(), place="x")


async def test_a_pre_registered_seizure_becomes_one_when_the_title_is_registered(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, *_ = courts.courts
    order = await courts.controls.pre_register(one.judge, one.assets[HOUSE], one.warrant())
    measure = await courts.answered(order)
    assert (await courts.standing(measure))[0] == "pre_registered"
    with pytest.raises(Conflict, match="not-registered-yet"):
        await one.transfer(measure, recipient="某人")
    term, key = await courts.term(measure), uuid4()
    for _ in range(2):
        await courts.findings.registered(one.judge, measure, "登记于被执行人名下", key)
    assert (await courts.standing(measure))[0] == "in_force"
    assert await courts.term(measure) == term


async def test_the_registrys_own_word_turns_a_pre_registered_seizure_into_one(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE, is_title_registered=False))
    one, *_ = courts.courts
    measure = await courts.answered(
        await courts.controls.pre_register(one.judge, one.assets[HOUSE], one.warrant(years=1))
    )
    term = await courts.term(measure)
    for is_registered, state in ((False, "pre_registered"), (True, "in_force"), (True, "in_force")):
        courts.registry.things[HOUSE].is_title_registered = is_registered
        courts.clock.pass_days(1)
        await courts.assets.query(one.judge, case_id=one.case_id, person_id=one.person_id, idempotency_key=uuid4())
        await courts.exchange()
        assert ((await courts.standing(measure))[0], await courts.term(measure)) == (state, term)
    assert (await courts.events(measure)).count("registered") == 1
    assert courts.trail.actions.count("asset.measure.registered") == 1  # type: ignore[attr-defined]


async def test_an_account_that_turns_out_not_freezable_is_not_frozen_by_an_approval(courts: Courts) -> None:
    court = courts.courts[0]
    await courts.limit_claims(1)
    draft = await courts.controls.freeze(court.judge, court.assets[ACCOUNT], court.warrant(reason="仅此财产"), 100_00)
    assert draft.state == "draft"
    marks = Marks(special=SpecialAccount.MIGRANT_WAGE)
    await courts.findings.mark(court.judge, court.assets[ACCOUNT], marks, "银行反馈")
    second = Actor(uuid4(), frozenset({court.id}), may_see=True, may_approve=True, own_court_id=court.id)
    with pytest.raises(Conflict, match="account-not-freezable"):
        await courts.assets.approvals.approve(second, draft.id, uuid4())
    assert await courts.assets.send_due() == 0


async def test_an_emergency_hides_no_reason_for_which_a_guard_was_overruled(courts: Courts) -> None:
    court = courts.courts[0]
    await courts.limit_claims(1)
    warrant = replace(court.warrant(reason="仅此财产"), emergency="正在转移")
    sent = await courts.controls.freeze(court.judge, court.assets[ACCOUNT], warrant, 100_00)
    assert (sent.state, sent.override_reason) == ("sent", "仅此财产\n正在转移")

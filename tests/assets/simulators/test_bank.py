"""What the simulated bank does with orders, seen through the gateway and in its own book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from assets.banks.http import HttpBank
from assets.documents import Action
from assets.errors import GatewayAccepted, GatewayRefused
from assets.gateway import Subject
from assets.posting import Poster
from assets.terms import AssetKind
from tests.assets.simulators.conftest import Day
from tests.assets.simulators.orders import ACCOUNT, BALANCE, order, query, without_original
from tests.support.simulator import Simulator


def _book(other: Simulator) -> list[tuple[str, str, int, int]]:
    return [(one["number"], one["state"], one["rank"], one["cents"]) for one in other.ledger.controls(ACCOUNT)]


async def test_article_26_one_freeze_is_in_force_and_the_others_take_effect_in_order(
    other_bank: Simulator, bank: HttpBank
) -> None:
    first = await bank.control(order("A1", cents=10_000_000))
    second = await bank.control(order("B1", court="saihan", cents=12_000_000))
    third = await bank.control(order("C1", court="yuquan", cents=30_000_000))
    assert (first.controlled_cents, first.waiting_rank, first.balance_cents) == (10_000_000, 0, BALANCE)
    assert (second.controlled_cents, second.waiting_rank, second.starts_on, second.ends_on) == (0, 1, None, None)
    assert [(one.order_number, one.rank) for one in third.earlier] == [("A1", 0), ("B1", 1)]
    assert _book(other_bank) == [
        ("A1", "in_force", 0, 10_000_000),
        ("B1", "waiting", 1, 0),
        ("C1", "waiting", 2, 0),
    ]
    released = await bank.control(order("A2", Action.RELEASE, original="A1"))
    assert (released.is_registered, released.controlled_cents) == (True, 0)
    assert _book(other_bank) == [
        ("A1", "released", 0, 0),
        ("B1", "in_force", 0, 12_000_000),
        ("C1", "waiting", 1, 0),
    ]
    account = (await bank.query(query())).assets[0]
    assert [(one.order_number, one.case_number, one.rank, one.amount_cents) for one in account.encumbrances] == [
        ("B1", "（2026）内0105执456号", 0, 12_000_000),
        ("C1", "（2026）内0104执789号", 1, 30_000_000),
    ]
    assert account.available_cents == BALANCE - 12_000_000


async def test_article_27_a_freeze_that_was_not_renewed_lapses_and_the_next_begins_the_day_after(
    other_bank: Simulator, bank: HttpBank, day: Day
) -> None:
    await bank.control(order("A1", cents=100))
    await bank.control(order("B1", court="saihan", cents=200))
    day.pass_days(364)
    await bank.query(query())
    assert [one[1] for one in _book(other_bank)] == ["in_force", "waiting"]
    day.pass_days(1)
    account = (await bank.query(query("C2"))).assets[0]
    assert _book(other_bank) == [("A1", "lapsed", 0, 100), ("B1", "in_force", 0, 200)]
    assert account.encumbrances[0].until == date(2028, 11, 21)
    with pytest.raises(GatewayRefused, match="到期失效"):
        await bank.control(order("A2", Action.RENEW, original="A1", day=date(2027, 11, 22)))


async def test_a_renewal_before_the_end_lasts_a_year_from_its_day(bank: HttpBank, day: Day) -> None:
    await bank.control(order("A1", cents=100))
    day.pass_days(360)
    receipt = await bank.control(order("A2", Action.RENEW, original="A1", day=date(2027, 11, 17)))
    assert (receipt.is_registered, receipt.controlled_cents, receipt.ends_on) == (True, 100, date(2028, 11, 16))
    day.pass_days(300)
    assert (await bank.query(query())).assets[0].encumbrances[0].until == date(2028, 11, 16)


@pytest.mark.parametrize("action", [Action.RENEW, Action.RELEASE, Action.TRANSFER])
async def test_what_changes_a_freeze_is_refused_without_its_original_order(bank: HttpBank, action: Action) -> None:
    await bank.control(order("A1", cents=100))
    with pytest.raises(GatewayRefused, match="缺少原冻结单号"):
        await bank.control(without_original(order("A2", action, original="A1")))
    with pytest.raises(GatewayRefused, match="原冻结不存在"):
        await bank.control(order("A3", action, original="nobody's"))
    with pytest.raises(GatewayRefused, match="原冻结不存在"):
        await bank.control(order("B1", action, original="A1", court="saihan"))


async def test_a_part_release_gives_back_what_it_names_and_keeps_the_rest(
    other_bank: Simulator, bank: HttpBank
) -> None:
    await bank.control(order("A1", cents=10_000))
    receipt = await bank.control(order("A2", Action.PART_RELEASE, original="A1", cents=4_000))
    assert (receipt.is_registered, receipt.controlled_cents) == (True, 6_000)
    assert _book(other_bank) == [("A1", "in_force", 0, 6_000)]


async def test_a_transfer_pays_the_court_and_what_waits_gets_what_is_left(
    other_bank: Simulator, bank: HttpBank
) -> None:
    await bank.control(order("A1", cents=18_000_000))
    await bank.control(order("B1", court="saihan", cents=12_000_000))
    part = await bank.control(order("A2", Action.TRANSFER, original="A1", cents=3_000_000))
    assert (part.transferred_cents, part.controlled_cents, part.balance_cents) == (
        3_000_000,
        15_000_000,
        BALANCE - 3_000_000,
    )
    rest = await bank.control(order("A3", Action.TRANSFER, original="A1", cents=20_000_000))
    assert (rest.transferred_cents, rest.over_cents, rest.controlled_cents) == (15_000_000, 5_000_000, 0)
    assert _book(other_bank) == [("A1", "transferred", 0, 0), ("B1", "in_force", 0, BALANCE - 18_000_000)]
    again = await bank.control(order("A3", Action.TRANSFER, original="A1", cents=20_000_000))
    assert again == rest
    assert other_bank.ledger.moved(ACCOUNT) == 18_000_000


async def test_what_waits_never_takes_effect_when_everything_was_paid_out(
    other_bank: Simulator, bank: HttpBank
) -> None:
    await bank.control(order("A1", cents=BALANCE))
    await bank.control(order("B1", court="saihan", cents=100))
    await bank.control(order("A2", Action.TRANSFER, original="A1"))
    assert _book(other_bank) == [("A1", "transferred", 0, 0), ("B1", "void", 0, 0)]


async def test_a_release_waits_while_a_transfer_of_the_same_freeze_is_pending(
    other_bank: Simulator, bank: HttpBank
) -> None:
    await bank.control(order("A1", cents=10_000))
    other_bank.behave("accepted", requests=1, times=1)
    transfer, release = (
        order("A2", Action.TRANSFER, original="A1", cents=4_000),
        order("A3", Action.RELEASE, original="A1"),
    )
    with pytest.raises(GatewayAccepted):
        await bank.control(transfer)
    with pytest.raises(GatewayAccepted):
        await bank.control(release)
    assert (await bank.control(transfer)).transferred_cents == 4_000
    assert (await bank.control(release)).is_registered
    assert _book(other_bank) == [("A1", "released", 0, 0)]


async def test_what_waits_is_released_by_a_code_of_its_own(other_bank: Simulator, bank: HttpBank) -> None:
    await bank.control(order("A1", cents=100))
    await bank.control(order("B1", court="saihan", cents=100))
    wrong = await bank.control(order("B2", Action.RELEASE, court="saihan", original="B1"))
    assert (wrong.is_registered, wrong.reason) == (False, "仍在轮候，未生效")
    right = await bank.control(order("B3", Action.RELEASE, court="saihan", original="B1", is_waiting=True))
    assert right.is_registered
    assert _book(other_bank) == [("A1", "in_force", 0, 100), ("B1", "released", 0, 0)]


async def test_income_is_withdrawn_and_a_freeze_is_paid_out_in_one_step(other_bank: Simulator, bank: HttpBank) -> None:
    income = await bank.control(order("A1", Action.WITHDRAW_INCOME, cents=1_000))
    both = await bank.control(order("A2", Action.FREEZE_AND_TRANSFER, cents=2_000))
    assert (income.transferred_cents, both.transferred_cents) == (1_000, 2_000)
    assert both.balance_cents == BALANCE - 3_000
    assert _book(other_bank) == [("A2", "transferred", 0, 0)]
    with pytest.raises(GatewayRefused, match="执行款专户"):
        await bank.control(replace(order("A3", Action.WITHDRAW_INCOME, cents=1), payee=None))


async def test_a_priority_right_gives_controlled_0_and_over_control_as_much_as_was_asked(bank: HttpBank) -> None:
    subject = Subject("刘某己（虚构）", False, "150121198801013060")
    receipt = await bank.control(order("A1", cents=5_000, subject=subject, reference="6217000060000001055"))
    assert (receipt.is_registered, receipt.controlled_cents, receipt.over_cents) == (True, 0, 5_000)
    assert [(one.kind, one.amount_cents) for one in receipt.earlier] == [("priority", 7_000_000)]


async def test_a_whole_account_is_frozen_without_an_amount(bank: HttpBank) -> None:
    receipt = await bank.control(order("A1"))
    assert (receipt.controlled_cents, receipt.over_cents, receipt.available_cents) == (BALANCE, 0, 0)


async def test_jieshi_485_a_bank_refuses_more_than_a_year(bank: HttpBank) -> None:
    with pytest.raises(GatewayRefused, match="法定上限"):
        await bank.control(replace(order("A1", cents=1), ends_on=date(2027, 11, 22)))


async def test_the_same_number_for_something_else_is_refused_and_one_case_freezes_an_account_once(
    other_bank: Simulator, bank: HttpBank
) -> None:
    await bank.control(order("A1", cents=100))
    with pytest.raises(GatewayRefused, match="请求单号重复"):
        await bank.control(order("A1", cents=200))
    with pytest.raises(GatewayRefused, match="本案已冻结"):
        await bank.control(order("A2", cents=100))
    assert _book(other_bank) == [("A1", "in_force", 0, 100)]


async def test_nobody_elses_account_is_touched(bank: HttpBank) -> None:
    stranger = Subject("王某丙（虚构）", False, "150103197806072038")
    with pytest.raises(GatewayRefused, match="账户不存在"):
        await bank.control(order("A1", cents=100, subject=stranger))
    wrong_name = await bank.query(query("C1", Subject("王某（虚构）", False, "150105199001010018")))
    assert wrong_name.assets == ()


async def test_two_hundred_banks_answer_about_one_person_each_with_accounts_of_its_own(other_bank: Simulator) -> None:
    found = []
    other_bank.conduct.most_seconds = 0
    for place in ("001", "077", "200"):
        gateway = HttpBank(Poster(f"bank-{place}", f"{other_bank.url}/b/{place}"))
        first = await gateway.query(query(f"C{place}"))
        assert (await gateway.query(query(f"D{place}"))).assets == first.assets
        for asset in first.assets:
            assert asset.value_cents is not None
            receipt = await gateway.control(order(f"F{place}", cents=asset.value_cents, reference=asset.reference))
            assert receipt.controlled_cents == asset.value_cents
        found += first.assets
        await gateway.close()
    assert found
    assert all(asset.kind is AssetKind.BANK_ACCOUNT for asset in found)


async def test_special_accounts_and_statements_are_told(bank: HttpBank) -> None:
    firm = Subject("内蒙古某某商贸有限公司（虚构）", True, "91150100MA0000007W")
    asked = replace(query("C1", firm), statements_from=date(2026, 10, 1), statements_to=date(2026, 10, 31))
    found = {asset.reference: asset for asset in (await bank.query(asked)).assets}
    main = found["15001706677059000101"]
    assert main.lists["zzhxx"] == ("0001 活期 CNY 950000.00", "0002 三个月定期 CNY 300000.00")
    assert [(one.cents, one.purpose) for one in main.statements] == [(-4_200_000, "运费")]
    builder = Subject("内蒙古某某建设工程有限公司（虚构）", True, "91150105MA0000033U")
    special = [asset.special for asset in (await bank.query(query("C2", builder))).assets]
    assert special == ["migrant_wage", "deposit_guarantee", "", ""]


async def test_a_financial_asset_is_found_and_frozen_for_three_years(bank: HttpBank) -> None:
    owner = Subject("孙某庚（虚构）", False, "150125197504123029")
    found = {asset.reference: asset for asset in (await bank.query(query("C1", owner))).assets}
    assert found["6217000060000001071"].lists["gyrxx"] == ("孙某妻（虚构）",)
    fund = found["LC2026000731"]
    assert (fund.kind, fund.value_cents, fund.details["se"]) == (AssetKind.OTHER_RIGHT, 20_340_000, "200000.00")
    frozen = order("F1", cents=20_000_000, subject=owner, reference="LC2026000731", kind=AssetKind.OTHER_RIGHT)
    receipt = await bank.control(frozen)
    assert (receipt.controlled_cents, receipt.ends_on) == (20_000_000, date(2029, 11, 21))
    again = {asset.reference: asset for asset in (await bank.query(query("C2", owner))).assets}["LC2026000731"]
    assert (again.available_cents, again.encumbrances[0].order_number) == (340_000, "F1")

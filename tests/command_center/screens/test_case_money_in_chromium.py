"""The page of case money in a real Chromium, on a real web process and bank: claimed, computed, approved, paid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select, update

from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.tables import Arrival, Discrepancy, Payment, Proposal
from assets.identifiers import new_id
from assets.simulators.manners import Kind
from assets.tables import Case, Claim
from command_center.clock import now, today
from command_center.translations import translate
from tests.support.pages import page_as
from tests.support.pictures import look, look_in_each_language
from tests.support.simulator import Simulator
from tests.support.valkey import Valkey
from tests.support.web import RunningWeb, running_web, settings_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SLOW_MS = 30_000
LISTED = ".money-cases tbody tr, .money-cases .money-none"
CARD = "6217000060000000008"
APPLICANT = "0610013200007777"
"""The applicant's account in the demonstration."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    simulator = Simulator("paying", tmp_path_factory.mktemp("paying") / "paying.sqlite3")
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def money(
    shared_valkey: Valkey, bank: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningWeb]:
    settings = settings_for(tmp_path_factory.mktemp("web"), shared_valkey.url, paying_url=bank.url)
    async with running_web(settings) as running:
        yield running


def page_of(browser: Browser, web: RunningWeb, username: str) -> AbstractAsyncContextManager[Page]:
    """The page as this person sees it."""
    return page_as(browser, web, username, "/assets/accounts", LISTED)


async def look_at_case(page: Page, name: str) -> None:
    """Take pictures of the page with what is chosen on it."""
    chosen = await page.evaluate("document.querySelector('.money-cases tr[aria-selected=true]')?.dataset.case ?? ''")
    address = f"{page.url.split('?')[0]}?case={chosen}"
    await look_in_each_language(page, name, LISTED, *([".money-head"] if chosen else []), address=address)


def behave(bank: Simulator, account: str, kind: Kind) -> None:
    bank.behave(kind, person=account)


async def test_money_goes_from_the_arrival_to_the_receipt_by_two_people(
    browser: Browser, money: RunningWeb, bank: Simulator
) -> None:
    behave(bank, APPLICANT, "broken")  # what it did pay, its statement would tell
    async with money.web.database.write() as session:
        await session.execute(update(Claim).values(is_priority=True))
    async with page_of(browser, money, "judge") as judge, page_of(browser, money, "approver") as approver:
        waiting = judge.locator(".money-waiting tbody tr")
        await expect(waiting).to_have_count(1, timeout=SLOW_MS)
        await look_at_case(judge, "money-list")
        await waiting.locator("[data-deed=claim]").click()
        case = judge.locator("dialog select[name=case_id] option", has_text="内01执123号")
        await judge.locator("dialog select[name=case_id]").select_option(await case.get_attribute("value"))
        await look(judge, "money-claim")
        await judge.locator("dialog button.primary").click()
        await expect(waiting).to_have_count(0, timeout=SLOW_MS)

        await judge.locator(".money-cases tbody tr", has_text="内01执123号").click()
        await expect(judge.locator("[data-place=undistributed] b")).to_have_text("374,400.50", timeout=SLOW_MS)
        await judge.locator("[data-deed=compute]").click()
        await expect(judge.locator(".money-computing .money-figure-total .money-amount")).to_have_text("374,400.50")
        await expect(judge.locator(".money-computing")).not_to_contain_text("null")
        rank = judge.locator(".money-computing input[name=rank]")
        await rank.fill("2")
        await rank.blur()  # which comes first is computed anew at once, and shown as it was given
        await expect(judge.locator(".money-computing input[name=rank][value='2']")).to_have_count(1, timeout=SLOW_MS)
        await look(judge, "money-compute")
        await judge.locator(".money-computing [data-deed=propose]").click()
        await expect(judge.locator(".money-proposal[data-state=proposed]")).to_have_count(1, timeout=SLOW_MS)
        await expect(judge.locator("[data-deed=approve]")).to_have_count(0)

        await approver.reload()
        await approver.locator(".money-cases tbody tr", has_text="内01执123号").click()
        await look_at_case(approver, "money-proposal")
        await approver.locator("[data-deed=approve]").click()
        await approver.locator("dialog button.primary").click()
        await expect(approver.locator("tr[data-payment]").first).to_be_visible(timeout=SLOW_MS)
        unknown = judge.locator("tr[data-payment][data-state=unknown]")
        await expect(unknown.first).to_be_visible(timeout=SLOW_MS)
        await expect(unknown.first).to_contain_text(translate("case-money.payment.state.unknown", "zh"))
        await look_at_case(judge, "money-unknown")

        behave(bank, APPLICANT, "plain")
        await judge.locator("[data-deed=ask]").click()
        await expect(judge.locator("tr[data-payment][data-state=paid]")).to_have_count(2, timeout=SLOW_MS)
        await expect(judge.locator("[data-place=paid] b")).not_to_have_text("0.00")
        await expect(judge.locator(".money-notices li").first).to_contain_text("7777")
        await expect(judge.locator(".money-notices li").first).to_contain_text(
            translate("case-money.notice.not_sent", "zh")
        )
        await look_at_case(judge, "money-paid")

        await judge.locator("[data-deed='main.report']").click()
        await expect(judge.locator(".money-verdict")).to_be_visible(timeout=SLOW_MS)
        await look(judge, "money-report")


async def test_the_district_sees_its_own_overdue_case_and_may_defer_it(browser: Browser, money: RunningWeb) -> None:
    async with page_of(browser, money, "saihan-judge") as judge:
        rows = judge.locator(".money-cases tbody tr")
        await expect(rows).to_have_count(1, timeout=SLOW_MS)
        await expect(rows.locator(".state-critical")).to_have_count(1)
        await rows.click()
        await look_at_case(judge, "money-overdue")
        await judge.locator("[data-deed=defer]").click()
        await judge.locator("dialog textarea[name=note]").fill("执行异议审查中")
        await look(judge, "money-defer")
        await judge.locator("dialog button.primary").click()
        await expect(judge.locator(".money-proposal[data-state=proposed]")).to_have_count(1, timeout=SLOW_MS)


async def test_the_city_sees_the_districts_money_and_is_offered_nothing_to_do_with_it(
    browser: Browser, money: RunningWeb
) -> None:
    async with money.web.database.write() as session:
        ofcase = select(MainAccount).join(Case, Case.court_id == MainAccount.court_id)
        main = (await session.scalars(ofcase.where(Case.court_code == "内0105").limit(1))).one()
        arrival = Arrival(
            main_id=main.id, bank_serial="DISTRICT1", cents=500, payer_name="张某甲", payer_account=CARD, remark="",
            sub_number="", arrived_at=now(), notified_at=now(), purpose="enforcement", state="waiting",
            receipt_number="DISTRICT1",
        )  # fmt: skip
        found = Discrepancy(
            main_id=main.id, code="not-ordered", bank_serial="DISTRICT2", order_number="", bank_cents=-500,
            ordered_cents=0, moved_at=now(), seen_at=now(),
        )  # fmt: skip
        proposal = Proposal(
            id=new_id(), main_id=main.id, kind="return", state="approved", cents=700,
            content={"arrival_id": str(new_id()), "serial": "DISTRICT3", "note": "与本院案件无关"},
            proposed_by=money.world.users["judge"], proposed_at=now(),
            decided_by=money.world.users["approver"], decided_at=now(),
        )  # fmt: skip
        returned = Payment(
            id=new_id(), number="FK-RETURNED", main_id=main.id, proposal_id=proposal.id, purpose="return",
            payee_name="张某甲", payee_account=CARD, cents=700, credited_on=today(), state="paid", ordered_at=now(),
            answered_at=now(), paid_at=now(), bank_serial="DISTRICT4",
        )  # fmt: skip
        session.add_all([arrival, found, proposal])
        await session.flush()
        session.add(returned)
    reason = translate("error.not-own-court-account", "zh")
    async with page_of(browser, money, "judge") as judge, page_of(browser, money, "approver") as approver:
        row = judge.locator(f"[data-arrival='{arrival.id}']")
        await expect(row).to_contain_text(reason, timeout=SLOW_MS)
        await expect(row.locator("button")).to_have_count(0)
        other = approver.locator(f"[data-discrepancy='{found.id}']")
        await expect(other).to_contain_text(reason, timeout=SLOW_MS)
        await expect(other.locator("button")).to_have_count(0)
        await judge.locator(".money-returned summary").click()
        back = judge.locator(f"[data-returned='{returned.id}']")
        for told in ("张* ****0008", "DISTRICT3 · 与本院案件无关", "7.00"):
            await expect(back).to_contain_text(told)
        await look(judge, "money-elsewhere")
        # The bank is asked for the own court's statement alone: another's would be refused.
        await judge.locator("[data-deed='main.refresh']").click()
        told = translate("case-money.main.refreshed", "zh", count=0)
        await expect(judge.locator(".money-news")).to_have_text(told, timeout=SLOW_MS)

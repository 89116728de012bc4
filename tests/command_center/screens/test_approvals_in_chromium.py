"""The second person's page in a real Chromium: papers before the decision, a yes, a no with its reason, objections."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from sqlalchemy import select

from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from command_center.clock import now
from command_center.translations import translate
from tests.support.access_requests import new_requests
from tests.support.pages import page_as
from tests.support.pictures import look_as_it_is, look_in_each_language
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

WAITING = "#approval-waiting li"
SAID_AT = datetime(2026, 3, 2, 2, tzinfo=UTC)


def approvals_of(browser: Browser, web: RunningWeb, username: str) -> AbstractAsyncContextManager[Page]:
    """The page as this person sees it."""
    return page_as(browser, web, username, "/assets/approvals", WAITING)


async def look(page: Page, name: str) -> None:
    """Take its pictures."""
    await look_in_each_language(page, name, WAITING, "#approval-chosen > *")


async def told(page: Page, key: str) -> None:
    """Wait until the page says so."""
    await page.locator("#approval-news", has_text=translate(key, "zh")).wait_for()


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="things")
async def _things(web: RunningWeb) -> dict[str, str]:
    """Requests of the city court's case that wait for an approval, are objected to or are overdue."""
    async with web.web.database.write() as session:
        case = (await session.scalars(select(Case).where(Case.court_id == web.world.courts["内01"]))).one()
        people = select(Person).where(Person.case_id == case.id, Person.role == "under_enforcement")
        person = (await session.scalars(people.order_by(Person.ordinal))).first()
        assert person is not None
        account = Asset(
            case_id=case.id, person_id=person.id, kind="bank_account", gateway="bank",
            reference="6217000060000000008", description="某银行新城支行（虚构）", value_cents=90_000_000,
            available_cents=81_234_567,
        )  # fmt: skip
        session.add(account)
        await session.flush()
        things = {"city_case": str(case.id), "city_person": str(person.id), "city_asset": str(account.id)}
        query = AssetRequest(
            number="C0001", case_id=case.id, person_id=person.id, action="query", gateway="registry", state="no_answer",
            documents=["query_notice"], idempotency_key=UUID(int=1), actor_id=web.world.users["judge"],
            created_at=now(), sent_at=now(), attempts=14,
        )  # fmt: skip
        session.add(query)
        await session.flush()
        things["request"] = str(query.id)
    things |= await new_requests(web.web.database, things, web.world.users["judge"])
    async with web.web.database.write() as session:
        over = await session.get_one(AssetRequest, UUID(things["waiting_request"]))
        over.action, over.documents = "freeze", ["ruling", "freeze_notice"]
        over.amount_cents, over.approval = 190_000_000, "over-limit"
        over.override_reason = "该账户资金不可分割，其余财产尚未查实"
        over.starts_on, over.ends_on = now().date(), now().date().replace(year=now().year + 1)
        session.add(
            ControlMeasure(
                case_id=over.case_id, court_id=web.world.courts["内01"], asset_id=over.asset_id, request_id=over.id,
                line="bank/bank_account/6217000060000000008", action="freeze", asked_cents=190_000_000,
                changed_at=now(),
            )
        )  # fmt: skip
        wages = Asset(
            case_id=over.case_id, person_id=over.person_id, kind="bank_account", gateway="bank",
            reference="6217000060000000016", description="", said_special="migrant_wage", said_special_at=SAID_AT,
        )  # fmt: skip
        session.add(wages)
        await session.flush()
        lifting = AssetRequest(
            number="M0001", case_id=over.case_id, person_id=over.person_id, asset_id=wages.id, action="lift_mark",
            gateway="bank", state="draft", documents=[], particulars={"special": "migrant_wage"}, approval="said-mark",
            override_reason="工资已全部发放", idempotency_key=UUID(int=2), actor_id=web.world.users["judge"],
            created_at=now(),
        )  # fmt: skip
        session.add(lifting)
        await session.flush()
        things["lifting"] = str(lifting.id)
    return things


async def test_nothing_to_decide_is_said_so(browser: Browser, web: RunningWeb) -> None:
    async with approvals_of(browser, web, "saihan-approver") as page:
        await page.wait_for_selector("#approval-chosen .approval-none")
        assert await page.locator("#approval-waiting li").inner_text() == translate("approval.waiting.none", "zh")
        await look(page, "approvals-empty")


async def test_the_second_person_reads_the_papers_says_yes_to_one_and_no_to_the_other(
    browser: Browser, web: RunningWeb, things: dict[str, str]
) -> None:
    async with approvals_of(browser, web, "approver") as page:
        await page.click(f'[data-id="{things["waiting_request"]}"] button')
        await page.wait_for_selector(".approval-bar-asked")
        await page.wait_for_selector("details[open] .approval-paper")
        chosen = page.locator("#approval-chosen")
        assert "协助冻结通知书" in await chosen.inner_text()
        assert translate("approval.seal.none", "zh") in await chosen.inner_text()
        assert await page.locator(".approval-cover .state-serious").count() == 1
        await look(page, "approvals")
        await page.click(f'[data-id="{things["waiting_request"]}"] button')
        await page.locator("#approval-chosen", has_text="1,900,000.00").wait_for()
        await page.click('[data-deed="approve"]')
        await page.click("dialog button.primary")
        await page.locator(f'#approval-waiting [data-id="{things["waiting_request"]}"]').wait_for(state="detached")
        await told(page, "approval.told.approve")
        await page.click(f'[data-id="{things["other_waiting_request"]}"] button')
        await page.click('[data-deed="decline"]')
        await page.fill("dialog textarea", "尚未履行完毕，不宜解除")
        await page.click("dialog button.primary")
        await told(page, "approval.told.decline")
        assert await page.locator(f'#approval-waiting [data-id="{things["other_waiting_request"]}"]').count() == 0
    async with web.web.database.read() as session:
        approved = await session.get_one(AssetRequest, UUID(things["waiting_request"]))
        declined = await session.get_one(AssetRequest, UUID(things["other_waiting_request"]))
    assert approved.state in ("sent", "no_answer")
    assert approved.decided_by == web.world.users["approver"]
    assert (declined.state, declined.decision_reason) == ("declined", "尚未履行完毕，不宜解除")


async def test_the_second_person_reads_which_mark_is_to_be_set_aside_and_that_nothing_was_sent(
    browser: Browser, web: RunningWeb, things: dict[str, str]
) -> None:
    async with approvals_of(browser, web, "approver") as page:
        await page.click(f'[data-id="{things["lifting"]}"] button')
        said = page.locator(".approval-said")
        for words in ("asset.mark.said", "asset.special.migrant_wage", "asset.gateway.bank"):
            assert translate(words, "zh") in await said.inner_text()
        assert "2026-03-02 10:00" in await said.inner_text()
        assert await page.locator(".approval-override b").inner_text() == translate("approval.lift.reason", "zh")
        assert await page.locator(".approval-cover").count() == 0
        await look_as_it_is(page, "approvals-lifting")
        await page.click('[data-deed="approve"]')
        await page.click("dialog button.primary")
        await told(page, "approval.told.lift")


@pytest.mark.usefixtures("things")
async def test_the_judge_answers_an_objection_and_asks_the_overdue_again(browser: Browser, web: RunningWeb) -> None:
    async with approvals_of(browser, web, "judge") as page:
        await page.wait_for_selector("#approval-objections li button")
        await look(page, "approvals-judge")
        before = await page.locator("#approval-objections li button").count()
        await page.locator("#approval-objections li button").first.click()
        await page.click('[data-deed="yield"]')
        await page.locator("dialog", has_text=translate("approval.yield.about.change", "zh")).wait_for()
        await page.fill("dialog textarea", "异议成立")
        await page.click("dialog button.primary")
        await told(page, "approval.told.yield")
        assert await page.locator("#approval-objections li button").count() == before - 1
        await page.locator("#approval-overdue li button").first.click()
        await page.click('[data-deed="retry"]')
        await told(page, "approval.told.retry")

"""The pages of cases and of sanctions in a real Chromium: registered, proposed, signed by another, deleted in time."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from command_center.translations import LANGUAGES, translate
from tests.support.pages import page_as
from tests.support.pictures import look
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SLOW_MS = 30_000
NUMBER = "（2026）内01执700号"


async def fill(page: Page, **values: str) -> None:
    """Fill the open dialog's fields."""
    for name, value in values.items():
        field = page.locator(f"dialog [name={name.replace('_', '-') if name.startswith('debtor') else name}]")
        if await field.evaluate("(element) => element.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)


async def send(page: Page) -> None:
    """Press the open dialog's button, and wait until it was taken."""
    await page.click("dialog button.primary")
    await page.wait_for_selector("dialog", state="detached")


async def told(page: Page, words: str) -> None:
    """Press the open dialog's button, and wait for the refusal."""
    await page.click("dialog button.primary")
    await expect(page.locator("dialog .field-news")).to_have_text(words, timeout=SLOW_MS)


async def deed(page: Page, name: str, **values: str) -> None:
    """Take a step with the chosen sanction."""
    await page.click(f".sanction-buttons [data-deed={name}]")
    await fill(page, **values)
    await send(page)


async def state(page: Page, wanted: str) -> None:
    """Wait until the chosen sanction stands so."""
    await page.wait_for_selector(f".sanction-body[data-state={wanted}]")


async def test_a_case_is_registered_and_whatever_is_wrong_is_told_beside_it(browser: Browser, web: RunningWeb) -> None:
    async with page_as(browser, web, "judge", "/assets/cases") as page:
        await page.click("[data-deed=register]")
        await fill(page, number="（2027）内01执700号", judge_name="苏和", work_card="1", duty_card="2")
        await fill(page, debtor_name="张某甲", debtor_id="110105194912310021")
        await fill(page, **{"applicant-name": "某公司（虚构）", "applicant-kind": "firm"})
        await fill(page, **{"applicant-id": "91350100M000100Y43"})
        await told(page, translate("bad.case-number.year", "zh"))
        await fill(page, number="(2026)内01执700号")
        await told(page, translate("bad.resident-id.check", "zh"))
        await fill(page, debtor_id="11010519491231002X")
        await send(page)
        await expect(page.locator(".case-head h2")).to_have_text(NUMBER)
        await page.click("[data-deed=add-claim]")
        await fill(page, amount="1,860,000.00", principal="1500000", capitals="壹佰捌拾陆元整")
        await told(page, translate("bad.capitals.disagree", "zh"))
        await fill(page, capitals="壹佰捌拾陆万元整")
        await send(page)
        await expect(page.locator(".case-claim")).to_have_text("1,860,000.00 元")
        await page.click("[data-deed=check-formats]")
        await page.select_option("dialog [name=item]", "amount")
        await page.fill("dialog [name=text]", "107,000.53")
        await expect(page.locator(".format-answer")).to_contain_text("壹拾万柒仟元伍角叁分")
        await page.keyboard.press("Escape")
        assert "11010519491231002X" not in await page.inner_text("main")
        await look(page, "cases")


async def test_a_listing_is_proposed_by_one_and_signed_by_another(browser: Browser, web: RunningWeb) -> None:
    async with page_as(browser, web, "judge", "/assets/sanctions") as judge:
        await judge.click("[data-deed=propose]")
        assert await judge.input_value("dialog [name=case_id]") == "", "no case is chosen for anybody"
        await judge.select_option("dialog [name=case_id]", label="（2026）内01执123号")
        await judge.wait_for_selector(".sanction-preview tr[data-check=no_adequate_security][data-outcome=no_data]")
        await fill(judge, ground="evades", security="adequate", facts="转移财产（虚构）", duty="偿还借款")
        await fill(judge, basis_document="（2025）内0105民初88号")
        await judge.wait_for_selector(".sanction-preview tr[data-outcome=fail]")
        await told(judge, translate("error.sanction-check-fails", "zh"))
        await fill(judge, security="none")
        await judge.wait_for_selector(".sanction-preview:not(:has(tr[data-outcome=fail]))")
        await send(judge)
        await state(judge, "proposed")
        async with page_as(browser, web, "approver", "/assets/sanctions") as president:
            await president.click("tr[data-kind=listing]")
            await deed(president, "review")
            await state(president, "under_review")
            await president.click(".sanction-deeds summary")
            reason = translate("error.sanction-needs-limit", "zh")
            await expect(president.locator(".sanction-deeds dl")).to_contain_text(reason)
            for kind in ("limit", "listing"):
                await president.click(f"tr[data-kind={kind}]")
                await expect(president.locator(".sanction-head")).to_contain_text(
                    translate(f"sanction.kind.{kind}", "zh")
                )
                if kind == "limit":
                    await deed(president, "review")
                await president.click(".sanction-buttons [data-deed=decide]")
                await fill(president, decision_number="（2026）内01执123号之三")
                for box in await president.locator("dialog input[type=checkbox]").all():
                    await box.check()
                await send(president)
                await state(president, "decided")
            await look(president, "sanctions-president")
        for kind in ("limit", "listing"):
            await judge.click(f"tr[data-kind={kind}]")
            await expect(judge.locator(".sanction-head")).to_contain_text(translate(f"sanction.kind.{kind}", "zh"))
            await deed(judge, "serve", manner="direct")
            await state(judge, "served")
            await deed(judge, "publish")
            await state(judge, "published")
        await expect(judge.locator("[data-publication='1'] pre")).to_contain_text("失信被执行人行为具体情形")
        await deed(judge, "note_ground", ground="performed", since="2026-01-05", reason="案款已全部到账")
        overdue = translate("sanction.overdue", "zh", count=2)
        await expect(judge.locator(".sanctions-count")).to_have_text(overdue)
        await look(judge, "sanctions-overdue")
        await deed(judge, "delete")
        await state(judge, "deleted")
        await expect(judge.locator(".sanctions-count")).to_have_text(translate("sanction.overdue", "zh", count=1))


@pytest.mark.parametrize("path", ["/assets/cases", "/assets/sanctions"])
async def test_the_pages_speak_both_languages(browser: Browser, web: RunningWeb, path: str) -> None:
    key = f"asset.nav.{path.rpartition('/')[2]}"
    async with page_as(browser, web, "supervisor", path) as page:
        for language in LANGUAGES:
            await page.evaluate(
                """async (language) => { const { ask } = await import("/static/net.js");
                  await ask("PATCH", "/api/session", { language }); }""",
                language,
            )
            await page.reload()
            await expect(page.locator(".asset-nav a[aria-current]")).to_have_text(translate(key, language))
            await page.wait_for_selector("main th")
            assert "sanction." not in await page.inner_text("main")
            assert "case." not in await page.inner_text("main")
            assert await page.locator("[data-deed=propose], [data-deed=register]").count() == 0

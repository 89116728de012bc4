"""The page of terms in a real Chromium, and its routes: what lapses next, one alarm acknowledged, the table taken."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import uuid4

import openpyxl
import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select, update

from assets.measures import MeasureState
from assets.tables import Asset, TermAlarm
from assets.term_watch import TermWatch
from assets.terms import china_day
from command_center.accounts.tables import Court
from command_center.asset_access import AssetTrail
from command_center.asset_desk import alarm_days_of
from command_center.audit import Audit
from command_center.clock import now
from command_center.journal import Journal
from command_center.translations import translate
from tests.support.browser import Watched, sign_in
from tests.support.many_measures import make_measures
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

PICTURES = os.environ.get("COMMAND_CENTER_TEST_PICTURES")
SLOW_MS = 30_000
FORMULA = '=HYPERLINK("http://evil")'


async def fill(web: RunningWeb) -> None:
    """Measures of both courts, with their alarms raised; in the second place one that reads like a formula."""
    database, today = web.web.database, china_day(datetime.now(UTC))
    async with database.read() as session:
        if (await session.scalars(select(TermAlarm.id).limit(1))).first() is not None:
            return
        courts = list(await session.scalars(select(Court.id).order_by(Court.parent_id.is_not(None))))
    ends = [today + timedelta(days=days) for days in (-1, 0, 3, 10, 20, 45, 90, 200, *range(300, 360))]
    made = await make_measures(database, courts[:1], ends, per_case=2)
    await make_measures(database, courts[1:2], [today + timedelta(days=5)] * 3, first=900, seed=3)
    async with database.write() as session:
        of_second = select(Asset.id).where(Asset.case_id == made.cases[0]).order_by(Asset.id.desc()).limit(1)
        await session.execute(
            update(Asset).where(Asset.id == of_second.scalar_subquery()).values(kind="movable", description=FORMULA)
        )

    async def told(_cases: object) -> None:
        return None

    days = alarm_days_of(web.web.settings)
    await TermWatch(database, AssetTrail(Audit(), Journal()), now, days, told).run_through()


async def look(page: Page, name: str) -> None:
    """Take pictures at both sizes where they are asked for."""
    if not PICTURES:
        return
    for width, height in ((1920, 1080), (1366, 768)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.screenshot(path=f"{PICTURES}/terms-{name}-{width}.png")
    await page.set_viewport_size({"width": 1920, "height": 1080})


async def opened(browser: Browser, web: RunningWeb, username: str) -> tuple[Page, Watched]:
    """The page as this person sees it."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    watched = Watched()
    watched.watch(page)
    await sign_in(page, web.url, username, web.world.passwords[username])
    await page.goto(f"{web.url}/assets/terms")
    await page.wait_for_selector(".term-figure", timeout=SLOW_MS)
    return page, watched


async def test_nothing_yet_is_said_so(browser: Browser, web: RunningWeb) -> None:
    page, watched = await opened(browser, web, "judge")
    await expect(page.locator(".term-none")).to_have_text(translate("term.none", "zh"))
    await look(page, "empty")
    assert watched.foreign == []
    await page.context.close()


async def test_an_alarm_is_acknowledged_and_filters_find(browser: Browser, web: RunningWeb) -> None:
    await fill(web)
    page, watched = await opened(browser, web, "judge")
    rows = page.locator(".term-scroll tbody tr")
    await expect(rows).to_have_count(50, timeout=SLOW_MS)
    await expect(rows.first).to_have_attribute("data-severity", "last_day")
    await look(page, "zh")
    marks = [await row.get_attribute("data-severity") for row in await rows.all()]
    assert [*dict.fromkeys(marks)] == ["last_day", "near", "soon", "ahead", "far"]
    await page.click(".term-more")
    await expect(rows).to_have_count(70, timeout=SLOW_MS)
    await page.click('[data-figure="alarms"]')
    await expect(rows.first).to_have_attribute("data-severity", "lapsed")
    before = await rows.count()
    await rows.first.locator('[data-deed="acknowledge"]').click()
    await expect(rows).to_have_count(before - 1, timeout=SLOW_MS)
    await expect(page.locator(".term-news")).to_have_text(translate("term.acknowledged.told", "zh"))
    await page.click('[data-figure="within.7"]')
    await expect(rows).to_have_count(5, timeout=SLOW_MS)
    link = await rows.first.locator('[data-deed="renew"]').get_attribute("href")
    assert link == f"/assets?measure={await rows.first.get_attribute('data-measure')}"
    await page.fill(".term-filter input >> nth=0", "nowhere")
    await expect(page.locator(".term-none")).to_have_text(translate("term.none.filtered", "zh"), timeout=SLOW_MS)
    await page.click("#switch-language")
    await expect(page.locator("html")).to_have_attribute("lang", "en", timeout=SLOW_MS)
    await expect(rows).to_have_count(50, timeout=SLOW_MS)
    await look(page, "en")
    assert watched.foreign == []
    assert [one for one in watched.errors if "term" in one] == []
    await page.context.close()


async def test_who_only_looks_is_offered_no_deed(browser: Browser, web: RunningWeb) -> None:
    await fill(web)
    page, _ = await opened(browser, web, "supervisor")
    await expect(page.locator(".term-scroll tbody tr")).to_have_count(50, timeout=SLOW_MS)
    assert await page.locator('[data-deed="acknowledge"]').count() == 0
    await page.context.close()


async def test_an_acknowledgement_is_the_first_however_often_it_arrives(web: RunningWeb) -> None:
    await fill(web)
    judge, district = await web.signed_in("judge"), await web.signed_in("saihan-judge")
    found = (await judge.get("/api/assets/terms", params={"show": "alarms"})).json()["items"]
    alarm = found[1]["alarm"]
    path, body = f"/api/assets/terms/alarms/{alarm['id']}/acknowledge", {"idempotency_key": str(uuid4())}
    refused = await district.post(path, json=body)
    own = {one["case_number"] for one in (await district.get("/api/assets/terms")).json()["items"]}
    if found[1]["case_number"] not in own:
        assert (refused.status_code, refused.json()["code"]) == (404, "no-such-alarm")
    first = await judge.post(path, json=body)
    again = await judge.post(path, json=body)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["acknowledged_by_name"]
    other = await judge.post(path, json={"idempotency_key": str(uuid4())})
    assert (other.status_code, other.json()["code"]) == (409, "alarm-acknowledged")


async def test_a_district_court_sees_its_own_terms_only(web: RunningWeb) -> None:
    await fill(web)
    district = await web.signed_in("saihan-judge")
    listed = (await district.get("/api/assets/terms")).json()["items"]
    counts = (await district.get("/api/assets/terms/counts")).json()
    assert counts["effective"] == len(listed)
    assert len(counts["courts"]) == 1
    (court,) = {one["court_id"] for one in listed}
    assert counts["courts"][0]["id"] == court
    city = (await (await web.signed_in("judge")).get("/api/assets/terms/counts")).json()
    foreign = next(one["id"] for one in city["courts"] if one["id"] != court)
    assert (await district.get("/api/assets/terms", params={"court_id": foreign})).json()["items"] == []
    assert (await district.get("/api/assets/terms", params={"cursor": "x~y"})).status_code == 422


async def test_the_workbook_has_typed_cells_and_calculates_nothing(web: RunningWeb) -> None:
    await fill(web)
    judge = await web.signed_in("judge")
    await judge.patch("/api/session", json={"language": "zh"})
    answer = await judge.get("/api/assets/terms/workbook")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    book = openpyxl.load_workbook(BytesIO(answer.content))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    of = {
        name: heads.index(translate(f"term.column.{name}", "zh"))
        for name in ("ends", "days", "kind", "controlled", "description")
    }
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == 70
    for row in rows:
        assert row[of["ends"]].is_date
        assert isinstance(row[of["days"]].value, int)
        # Of a thing no money is held: its cell stays empty.
        is_money = row[of["kind"]].value == translate("asset.kind.bank_account", "zh")
        assert (row[of["controlled"]].number_format == "#,##0.00") == is_money
        assert (row[of["controlled"]].value is not None) == is_money
    texts = [row[of["description"]] for row in rows]
    (formula,) = [cell for cell in texts if str(cell.value).startswith("=")] or [None]
    assert formula is None or formula.data_type == "s"


async def test_what_is_waiting_or_over_is_no_term(web: RunningWeb) -> None:
    await fill(web)
    judge = await web.signed_in("judge")
    states = {one["state"] for one in (await judge.get("/api/assets/terms", params={"limit": 200})).json()["items"]}
    assert states == {MeasureState.IN_FORCE}

"""The page of retention in a real Chromium, on a real web process: one proposes, another approves, a hold stops it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import select

from command_center.accounts.tables import User
from command_center.database import new_id
from command_center.evidence.disposal import Disposal
from command_center.evidence.exports.tables import ExportJob
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.retention_rules import DeletionState, Periods
from command_center.evidence.tables import Recording
from command_center.evidence.tombstones import FILE, Tombstones
from command_center.operations.tables import Feed, Operation, Site
from command_center.translations import translate
from streams.ledger import make_signer
from tests.support.pages import page_as
from tests.support.pictures import look_as_it_is, look_in_each_language
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

KEPT = ".retention-kept tbody tr, .retention-kept .retention-none"


def retention_of(browser: Browser, web: RunningWeb, username: str) -> AbstractAsyncContextManager[Page]:
    """The page as this person sees it."""
    return page_as(browser, web, username, "/retention", KEPT)


async def look(page: Page, name: str) -> None:
    """Take its pictures."""
    await look_in_each_language(page, name, KEPT)


async def old_recordings(web: RunningWeb, count: int) -> list[UUID]:
    """Recordings of an officer whose period is over."""
    at, made = datetime.now(UTC) - timedelta(days=4 * 366), []
    async with web.web.database.write() as session:
        operation = await session.get_one(Operation, web.world.operation_id)
        site = (await session.scalars(select(Site).where(Site.operation_id == operation.id).limit(1))).one()
        officer = await session.get_one(User, web.world.users["officer1"])
        feed = Feed(
            id=new_id(), name="feed-1", operation_id=operation.id, site_id=site.id, officer_id=officer.id,
            device="phone", created_at=at,
        )  # fmt: skip
        session.add(feed)
        await session.flush()
        for number in range(count):
            began = at + timedelta(minutes=number)
            recording = Recording(
                id=new_id(), feed_id=feed.id, operation_id=operation.id, site_id=site.id, node="node-1",
                manifest=f"{number}.jsonl", version=2, started_at=began, ended_at=began + timedelta(seconds=75),
                seconds=75.0, bytes=23_400_000, lines=1, head="0" * 64,
            )  # fmt: skip
            session.add(recording)
            made.append(recording.id)
    return made


async def past_of(web: RunningWeb, recording: UUID) -> None:
    """Somebody found it broken, changed its class, and was refused a step."""
    async with web.web.database.write() as session:
        for action, details in (
            ("evidence.verified", {"verdict": "broken"}),
            ("retention.classified", {"class": "B", "before": "A"}),
            ("deletion.denied", {"attempt": "approve", "code": "not-permitted"}),
        ):
            await web.web.audit.record(
                session, actor=web.world.users["supervisor"], court_id=None, action=action,
                subject_type="recording", subject_id=str(recording), details=details,
            )  # fmt: skip


async def fetched_package(web: RunningWeb, recordings: list[UUID]) -> None:
    """A package with all of them, which somebody fetched once."""
    async with web.web.database.write() as session:
        found = await session.get_one(Recording, recordings[0])
        job = ExportJob(
            operation_id=found.operation_id, requested_by=web.world.users["supervisor"], purpose="appeal",
            since=found.started_at - timedelta(minutes=5), until=found.started_at + timedelta(minutes=30),
            feeds=["feed-1"], idempotency_key=new_id(), requested_at=found.started_at, state="done",
            sha256="0" * 64, bytes=7, finished_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(job)
        await session.flush()
        await web.web.audit.record(
            session, actor=web.world.users["supervisor"], court_id=None, action="export.downloaded",
            subject_type="export", subject_id=str(job.id),
        )  # fmt: skip


def disposal_of(web: RunningWeb) -> Disposal:
    """A worker's, on the same records."""
    data = web.web.settings.data
    tombstones = Tombstones(data / FILE, lambda: nullcontext(make_signer(data / "keys" / "court-signing.pem")))
    withdrawals = Withdrawals(web.web.database, web.web.audit, web.web.settings.exports)
    return Disposal(
        web.web.database,
        web.web.audit,
        web.web.journal,
        web.web.evidence.store,
        tombstones,
        withdrawals,
        Periods(184, 1095, 0),
    )


async def reason(page: Page, text: str) -> None:
    await page.fill("dialog.reason textarea", text)
    await page.click("dialog.reason button.primary")
    await page.locator("dialog.reason").wait_for(state="detached")


async def test_nothing_to_decide_is_said_so(browser: Browser, web: RunningWeb) -> None:
    async with retention_of(browser, web, "supervisor") as page:
        empty = page.locator(".retention-open .retention-none")
        assert await empty.inner_text() == translate("retention.open.none", "zh")
        assert await page.locator("a[data-page='/retention']").get_attribute("aria-current") == "page"
        await look(page, "retention-empty")


async def test_one_proposes_another_approves_and_a_hold_stops_it(browser: Browser, web: RunningWeb) -> None:
    recordings = await old_recordings(web, 3)
    assert await disposal_of(web).list_due() == 3
    async with retention_of(browser, web, "supervisor") as page:
        rows = page.locator(".retention-open tbody tr")
        assert await rows.count() == 3
        await rows.nth(0).locator("input[type=checkbox]").check()
        await rows.nth(1).locator("input[type=checkbox]").check()
        await page.click(f"text={translate('deletion.propose-chosen', 'zh')}")
        await reason(page, "保管期满")
        await page.wait_for_selector("tr[data-state=proposed]")
        assert await page.locator("tr[data-state=proposed]").count() == 2
        assert await page.locator("tr[data-state=proposed] [data-deed=approve]").count() == 0
        for recording in recordings:
            await past_of(web, recording)
        await fetched_package(web, recordings)
        await look(page, "retention-proposed")
    async with retention_of(browser, web, "approver") as page:
        await page.locator("tr[data-state=proposed] [data-deed=custody]").first.click()
        entries = page.locator("dialog.custody .custody-entries tr")
        assert translate("audit.action.export.downloaded", "zh") in await entries.first.inner_text()
        past = await page.locator("dialog.custody .custody-entries").inner_text()
        assert translate("audit.verdict.broken", "zh") in past
        assert translate("custody.class.changed", "zh", before="A", after="B") in past
        assert translate("custody.may.approve", "zh") in past
        assert translate("error.not-permitted", "zh") not in past
        assert translate("custody.class.usual", "zh") in await page.locator("dialog.custody").inner_text()
        await look_as_it_is(page, "retention-custody-zh-1920")
        await page.click("dialog.custody button.primary")
        await page.locator("dialog.custody").wait_for(state="detached")
        assert "1" in await page.locator("tr[data-state=proposed] .retention-packages").first.inner_text()
        await page.locator("tr[data-state=proposed] [data-deed=approve]").first.click()
        told = await page.locator("dialog.reason li").all_inner_texts()
        packages = [translate(f"deletion.packages.{each}", "zh", count=1) for each in ("there", "fetched")]
        assert [one.strip() for one in told[1:]] == [translate("deletion.approve.about", "zh"), *packages]
        place = await page.locator("tr[data-state=proposed] td").nth(2).inner_text()
        assert all(line.strip() in told[0] for line in (*place.splitlines(), "保管期满") if line.strip())
        await look_as_it_is(page, "retention-approve-zh-1920")
        await page.click("dialog.reason button.primary")
        await page.wait_for_selector("tr[data-state=approved]")
        await page.locator("tr[data-state=proposed] [data-deed=refuse]").click()
        await reason(page, "尚需用于申诉")
        await page.locator(".retention-ended tbody tr").wait_for()
        await page.locator("tr[data-state=approved] [data-deed=hold]").click()
        await reason(page, "当事人投诉")
        hold = page.locator(".retention-holds li")
        await hold.wait_for()
        assert await page.locator("tr[data-state=approved]").count() == 0
        assert await hold.locator("button").is_disabled()
        assert translate("error.legal-hold", "zh") in await page.locator(".retention-ended").inner_text()
        await look(page, "retention-held")
    async with retention_of(browser, web, "supervisor") as page:
        await page.locator("[data-deed=lift]").click()
        await reason(page, "投诉已处理")
        await page.locator(".retention-holds").wait_for(state="detached")
        due = page.locator("tr[data-state=due]")
        assert await due.count() == 1
        await due.locator("select").select_option("C")
        await due.wait_for(state="detached")
        assert await page.locator(".administration-news").inner_text() == translate("retention.told.class", "zh")


async def test_what_is_gone_shows_its_tombstone_and_supervisors_read_of_it(browser: Browser, web: RunningWeb) -> None:
    (recording,) = await old_recordings_of_another_feed(web)
    supervisor, approver = await web.signed_in("supervisor"), await web.signed_in("approver")
    body = {"recording_id": str(recording), "reason": "period over"}
    deletion = (await supervisor.post("/api/deletions", json=body)).json()["id"]
    assert (await approver.post(f"/api/deletions/{deletion}/approve")).status_code == 204
    disposal = disposal_of(web)
    disposal._clock = lambda: datetime.now(UTC) + timedelta(days=2)
    assert await disposal.carry_out() == 1
    found = (await supervisor.get("/api/deletions?show=ended")).json()["items"]
    (done,) = [one for one in found if one["state"] == DeletionState.DONE]
    async with retention_of(browser, web, "supervisor") as page:
        assert done["tombstone"][:16] in await page.locator(".retention-ended").inner_text()
        await look(page, "retention-done")
        await page.click("a[data-page='/audit']")
        await page.wait_for_selector("#audit-log td[title='recording.deleted']")
        assert await page.locator("#audit-log td[title^='session.']").count() == 0
        assert await page.locator("option[value='session.began']").count() == 0
        assert await page.locator(".audit-scope").inner_text() == translate("audit.of-operations", "zh")
        await look_as_it_is(page, "audit-supervisor-1920")


async def old_recordings_of_another_feed(web: RunningWeb) -> list[UUID]:
    async with web.web.database.write() as session:
        one = (await session.scalars(select(Recording).limit(1))).one()
        recording = Recording(
            id=new_id(), feed_id=one.feed_id, operation_id=one.operation_id, site_id=one.site_id, node="node-1",
            manifest="another.jsonl", version=2, started_at=one.started_at, ended_at=one.ended_at, seconds=75.0,
            bytes=1_200_000, lines=1, head="0" * 64,
        )  # fmt: skip
        session.add(recording)
    return [recording.id]

"""A package is asked for in the browser, made by the worker's side from what was really kept, and fetched there."""

from __future__ import annotations

import asyncio
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from command_center.audit import Audit
from command_center.evidence import proof as proof_module
from command_center.evidence.exports.exporter import Exporter
from command_center.evidence.keyring import Keyring
from command_center.evidence.proof import proof_of
from command_center.evidence.verifier import verify
from command_center.journal import Journal, JournalKind
from tests.support.manifests import NODE_KEY
from tests.support.review_scene import Scene, reviewing
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

AGO_MS = 600_000
SLOW_MS = 60_000
OPEN = """async ([operation, since, until, feeds]) => {
    const { mountExport } = await import("/static/export.js");
    const dialog = document.createElement("dialog");
    dialog.className = "export";
    const body = document.createElement("div");
    dialog.append(body);
    document.body.append(dialog);
    dialog.showModal();
    mountExport(body, { operation: { id: operation }, since, until, feeds });
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(web: RunningWeb) -> AsyncIterator[Scene]:
    """Two cameras of a minute, with keys, a journal and anchors as an installation has them."""
    settings = web.web.settings
    keyring = Keyring(settings.data, settings.keys)
    keyring.ensure()
    keyring.add("node-1", NODE_KEY.public)
    scene = Scene(web, int(time.time() * 1000) - AGO_MS)
    await scene.add_feeds(2)
    await scene.record(0, 1)
    await scene.record(1, 1)
    await scene.walk(0, 20)
    async with web.web.database.write() as session:
        body = {"what": "clock", "feed": None, "state": "raised"}
        await Journal().note(session, scene.operation_id, JournalKind.ALARM, body)
    await proof_of(settings, web.web.database, web.web.hub).finish()
    yield scene


async def test_a_package_is_asked_for_made_and_fetched(
    scene: Scene, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMAND_CENTER_EXPORTS_RESERVE_MB", "0")
    monkeypatch.setattr(proof_module, "ANCHOR_SECONDS", 1.0)
    web = scene.web.web
    proof = proof_of(web.settings, web.database, web.hub)
    exporter = Exporter(web.database, Audit(), web.settings)
    async with reviewing(browser, scene) as review:
        page = review.page
        span = [str(scene.operation_id), scene.began - 2_000, scene.began + 12_000, scene.feeds[:1]]
        await page.evaluate(OPEN, span)
        await page.wait_for_selector('.export-cameras input[name="feed"]', timeout=SLOW_MS)
        ticked = await page.eval_on_selector_all(
            ".export-cameras input:checked", "boxes => boxes.map(box => box.value)"
        )
        assert ticked == scene.feeds[:1]
        await page.uncheck(f'.export-cameras input[value="{scene.feeds[0]}"]')
        await page.click(".export-form button[type=submit]")
        assert await page.inner_text(".export-form .export-news") != ""
        for feed in scene.feeds:
            await page.check(f'.export-cameras input[value="{feed}"]')
        await page.select_option(".export-form select", "appeal")
        await page.click(".export-form button[type=submit]")
        await page.wait_for_selector('.export-row[data-state="queued"]', timeout=SLOW_MS)
        steps = (exporter.step, proof.keep_journals, proof.keep_anchors)
        working = [asyncio.create_task(_work(step)) for step in steps]
        try:
            await page.wait_for_selector('.export-row[data-state="done"]', timeout=180_000)
        finally:
            for task in working:
                task.cancel()
            await asyncio.wait(working)
            await exporter.close()
        async with page.expect_download(timeout=SLOW_MS) as downloading:
            await page.click(".export-download")
        path = tmp_path / "package.zip"
        await (await downloading.value).save_as(path)
        assert review.watched.foreign == []
    report = await asyncio.to_thread(verify, path)
    assert report.exit_code == 4, report.text("en")
    assert report.first_key is not None
    assert (await asyncio.to_thread(verify, path, trusted=[report.first_key])).exit_code == 0
    with zipfile.ZipFile(path) as archive:
        assert {"watch/01-site-1.mp4", "watch/02-site-2.mp4"} <= set(archive.namelist())


async def _work(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        await step()


@pytest.mark.parametrize("english", [False, True])
async def test_who_may_not_unmask_is_not_offered_it(scene: Scene, browser: Browser, english: bool) -> None:
    async with reviewing(browser, scene, "supervisor", english=english) as review:
        page = review.page
        await page.evaluate(OPEN, [str(scene.operation_id), scene.began, scene.began + 10_000, scene.feeds])
        await page.wait_for_selector('.export-cameras input[name="feed"]', timeout=SLOW_MS)
        assert await page.is_disabled('.export-form input[name="masked"]')
        text = await page.inner_text("dialog.export")
        assert "export." not in text


async def test_the_review_opens_it_with_what_is_in_sight(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene) as review:
        await review.page.keyboard.press("e")
        await review.page.wait_for_selector('dialog.export .export-cameras input[name="feed"]', timeout=SLOW_MS)
        ticked = await review.page.locator(".export-cameras input:checked").count()
        assert ticked == len(scene.feeds)


async def test_who_may_not_export_has_no_button_for_it(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene, "judge") as review:
        assert not await review.page.is_visible(".review-word:has-text('导出')")
        await review.page.keyboard.press("e")
        assert await review.page.locator("dialog.export").count() == 0

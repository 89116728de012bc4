"""Single modules of the review's page, called in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(web: RunningWeb, browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page()
    await page.goto(f"{web.url}/sign-in")
    yield page
    await page.close()


async def _placed(page: Page, fragments: list[tuple[int, float, float, int, bool]]) -> list[tuple[float, float]]:
    """Where on the wall clock fragments (segment, start, seconds, at, is_key) come to stand, and their file's zero."""
    found: list[Any] = await page.evaluate(
        """async (fragments) => {
            const { RecordingIndex } = await import('/static/review_index.js');
            const index = new RecordingIndex({ id: 'one' });
            index.segments.set(1, { number: 1, start: 0 });
            index.segments.set(2, { number: 2, start: 60 });
            for (const [segment, start, seconds, at, is_key] of fragments) {
                index.take({ segment, start, seconds, at, is_key });
            }
            return index.fragments.map(({ since, origin }) => [since, origin]);
        }""",
        fragments,
    )
    return [(since, origin) for since, origin in found]


async def test_a_files_fragments_stay_together_and_follow_the_wall_clock_at_key_frames(page: Page) -> None:
    placed = await _placed(page, [
        (1, 0.0, 1.0, 1_000, True),
        (1, 1.0, 1.0, 2_012, True),  # jitter: nobody sees it
        (1, 2.0, 1.0, 3_030, False),  # apart, and no place to begin anew
        (1, 3.0, 1.0, 4_030, True),
        (1, 4.0, 1.0, 9_000, False),  # a jump of the clock can't wait
        (2, 60.0, 1.0, 70_000, True),
    ])  # fmt: skip
    assert placed == [(1000, 1000), (2000, 1000), (3000, 1000), (4030, 1030), (9000, 5000), (70_000, 70_000)]


async def test_what_is_missing_is_cut_out_of_what_was_recorded_and_out_of_nothing_else(page: Page) -> None:
    spans = await page.evaluate(
        """async () => {
            const { Lane } = await import('/static/review_lane.js');
            const lane = new Lane('camera');
            lane.update({ kind: 'camera', officer: '', officer_id: null, site_ordinal: 1, site_zh: '', site_en: '',
                covered_ms: 0, gaps_ms: {}, spans: [
                    { kind: 'covered', since: 0, until: 100 }, { kind: 'network', since: 100, until: 150 },
                    { kind: 'covered', since: 150, until: 300 }] });
            lane.miss('one', [{ since: 80, until: 170, kind: 'missing' }]);
            return lane.spans.map(({ kind, since, until }) => [kind, since, until]);
        }"""
    )
    assert spans == [
        ["covered", 0, 80], ["missing", 80, 100], ["network", 100, 150], ["missing", 150, 170], ["covered", 170, 300],
    ]  # fmt: skip


async def test_the_clock_waits_for_who_is_not_ready_but_not_for_ever(page: Page) -> None:
    stood, went, late = await page.evaluate(
        """async () => {
            const { Clock } = await import('/static/review_clock.js');
            const clock = new Clock();
            let isBroken = false;
            clock.on('tick', () => isBroken && clock.hold('never')); // as a camera that is asked at each tick
            const settle = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
            clock.setBounds(0, 60_000);
            clock.start();
            clock.play();
            clock.hold('slow');
            const at = clock.now;
            await settle(300);
            const stood = clock.now === at;
            clock.release('slow');
            await settle(200);
            const went = clock.now - at;
            isBroken = true;
            clock.hold('never');
            await settle(4_500);
            const before = clock.now;
            await settle(1_000);
            const late = clock.now - before;
            clock.stop();
            return [stood, went, late];
        }"""
    )
    assert stood
    assert went >= 150
    assert late >= 800


async def test_the_line_zooms_around_a_moment_and_never_out_of_sight(page: Page) -> None:
    found = await page.evaluate(
        """async () => {
            const { Scale } = await import('/static/review_scale.js');
            const scale = new Scale();
            scale.width = 1000;
            scale.setBounds(0, 3_600_000);
            const x = scale.x(900_000);
            scale.zoom(0.1, 900_000);
            const kept = Math.abs(scale.x(900_000) - x) < 1;
            for (let time = 0; time < 20; time += 1) scale.zoom(0.1, 900_000);
            const shortest = scale.length;
            scale.zoom(1e9, 900_000);
            return [kept, shortest, scale.isWhole, scale.ticks(96).moments.every((at) => at % 300_000 === 0)];
        }"""
    )
    assert found == [True, 10_000, True, True]


async def test_nothing_that_is_broken_is_hidden_behind_more(page: Page) -> None:
    lines = await page.evaluate(
        """async () => {
            const { linesOf, proofLines } = await import('/static/review_verdict_words.js');
            const finding = (weight, about, words, count = 1) => ({ weight, about, words, count });
            const found = [
                ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => finding('broken', 'recording', `broken ${number}`)),
                finding('broken', 'proof', 'ring', 44), finding('unproven', 'proof', 'journal'),
                finding('unproven', 'recording', 'open'), finding('note', 'recording', 'clock')];
            const answer = { findings: found, report: { recordings: [] } };
            return [linesOf(answer).map((line) => line.words), proofLines(answer).map((line) => line.words)];
        }"""
    )
    own, shared = lines
    assert own[:8] == [f"broken {number}" for number in range(1, 9)]
    assert own[8].startswith("ring（共 44 处）")
    assert own[9].startswith("另有 2 ")
    assert shared == ["journal"]


async def test_the_review_opens_where_every_camera_that_began_soon_has_a_picture(page: Page) -> None:
    opened = await page.evaluate(
        """async () => {
            const { Lane, openingOf } = await import('/static/review_lane.js');
            const lane = (...spans) => {
                const made = new Lane('camera');
                made.update({ kind: 'camera', officer: '', officer_id: null, site_ordinal: 1, site_zh: '', site_en: '',
                    covered_ms: 0, gaps_ms: {}, spans: spans.map(([kind, since, until]) => ({ kind, since, until })) });
                return made;
            };
            const first = lane(['covered', 1000, 90_000]);
            const broken = lane(['covered', 1017, 1050], ['network', 1050, 3000], ['covered', 3000, 90_000]);
            const lost = lane(['covered', 1017, 1050], ['network', 1050, 90_000]);
            const second = lane(['covered', 1074, 90_000]);
            const late = lane(['covered', 60_000, 90_000]);
            return [[], [first], [first, second, late], [first, broken, second], [first, lost, second]].map(openingOf);
        }"""
    )
    assert opened == [None, 1000, 1074, 3000, 1074]


async def test_a_camera_is_numbered_alike_whatever_was_read_first(page: Page) -> None:
    titles = await page.evaluate(
        """async () => {
            const { eventsOf } = await import('/static/review_events.js');
            const body = { what: 'registered', feed: 'one', officer: 'zhao', site: 'five' };
            const at = '2026-03-01T09:00:00Z';
            const items = [{ id: 1, kind: 'camera', at, body },
                { id: 2, kind: 'camera', at, body: { ...body, what: 'state', site: undefined } }];
            const journal = { items, names: new Map([['zhao', '赵刚']]) };
            const operation = { sites: [{ id: 'five', ordinal: 5, name_zh: '东街' }] };
            const lane = { feed: 'one', number: '5', officer: '赵刚' };
            return [[], [lane]].map((lanes) => eventsOf(journal, operation, lanes).map((event) => event.title));
        }"""
    )
    assert titles == [["5 赵刚", "5 赵刚"], ["5 赵刚", "5 赵刚"]]

"""200 kills of the media node while five officers are recorded: all files play, and at most a second is lost each."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from streams.ledger import load_signer
from streams.recording.manifest import Manifest, read_manifest
from streams.recording.recovery import manifests
from tests.streams.recording.reading import check, decode, files
from tests.support.browser import chromium, sign_in
from tests.support.players import FFPROBE, played, probed
from tests.support.stack import Stack
from tests.support.waiting import until

KILLS = int(os.environ.get("SOAK_RECORDING_KILLS", "200"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
FEEDS = 5
BACK_SECONDS = 60.0
LOST_SECONDS = 1.0
FRAME_SECONDS = 0.1

pytestmark = pytest.mark.timeout(4 * 3600)


@dataclass(frozen=True)
class Loss:
    """What a kill (its number) cost one feed."""

    kill: int
    feed: str
    seconds: float


async def _all_are_recorded(stack: Stack, client: httpx.AsyncClient, killed: int) -> bool:
    """Whether another node than the killed one has five feeds, writes them, and the centre says so."""
    if stack.pid_or_none("streams", unlike=killed) is None:
        return False
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            node = (await http.get(f"{stack.node_url}/healthz")).json()
        answer = await client.get("/api/feeds")
    except httpx.HTTPError:
        return False
    if (node["live_feeds"], node["recorded_feeds"]) != (FEEDS, FEEDS) or not answer.is_success:
        return False
    return sum(feed["phase"] == "live" and feed["recording"] for feed in answer.json()["items"]) == FEEDS


async def _kill_again_and_again(stack: Stack, client: httpx.AsyncClient) -> list[float]:
    """The instants of the kills, in Unix seconds."""
    draw = random.Random(SEED)
    kills: list[float] = []
    await until(lambda: _all_are_recorded(stack, client, 0), BACK_SECONDS)
    for number in range(KILLS):
        await asyncio.sleep(draw.uniform(1.0, 6.0))
        killed = stack.pid("streams")
        os.kill(killed, signal.SIGKILL)
        kills.append(time.time())
        await until(lambda killed=killed: _all_are_recorded(stack, client, killed), BACK_SECONDS)
        print(
            f"kill {number + 1} of {KILLS}: five are recorded again after {time.time() - kills[-1]:.1f} s", flush=True
        )
    return kills


def _read_all(root: Path) -> dict[str, list[Manifest]]:
    """All manifests, by feed and age."""
    found: defaultdict[str, list[Manifest]] = defaultdict(list)
    for path in manifests(root):
        manifest = read_manifest(path)
        if manifest is not None:
            found[manifest.opened.feed].append(manifest)
    for each in found.values():
        each.sort(key=lambda manifest: manifest.opened.started_at)
    return found


def _losses(kills: list[float], found: dict[str, list[Manifest]]) -> list[Loss]:
    """Of each kill and feed: from the end of what was kept to the kill."""
    losses = []
    for number, killed in enumerate(kills, 1):
        for feed, recordings in found.items():
            last = [one for one in recordings if one.opened.started_at / 1000 < killed][-1]
            assert last.closed is not None, f"{last.opened.recording} was not completed"
            assert (last.closed.reason, last.closed.is_recovered) == ("node", True)
            losses.append(Loss(number, feed, killed - last.closed.ended_at / 1000))
    return losses


async def _play(stack: Stack, found: dict[str, list[Manifest]]) -> int:
    """Play every segment in Chromium, as the centre serves it; how many there were."""
    sealed = [
        (f"/api/recordings/{manifest.opened.recording}/segments/{segment.line.number}", segment.sealed.seconds)
        for recordings in found.values()
        for manifest in recordings
        for segment in manifest.segments
        if segment.sealed is not None
    ]
    account = stack.accounts("commander")[0]
    async with chromium() as browser:
        page = await browser.new_page()
        await sign_in(page, stack.url, account["username"], account["password"], then="/sign-in")
        outcomes = await played(page, [url for url, _ in sealed])
    for (url, seconds), outcome in zip(sealed, outcomes, strict=True):
        assert outcome.how == "ended", f"{url} of {seconds} s: {outcome}"
        assert outcome.width > 0
        assert outcome.seconds == pytest.approx(seconds, abs=2 * FRAME_SECONDS), url
    return len(sealed)


def _look_at_files(root: Path) -> Counter[str]:
    """Decode every file whole; each is as long as its manifest says."""
    kinds: Counter[str] = Counter()
    lengths = {
        segment.line.path: segment.seconds
        for recordings in _read_all(root).values()
        for manifest in recordings
        for segment in manifest.segments
    }
    for path in files(root):
        times = decode(path)
        end = max(max(each) for each in times.values() if each)
        assert end == pytest.approx(lengths[path.relative_to(root).as_posix()], abs=FRAME_SECONDS), path.name
        kinds[path.suffix] += 1
    return kinds


def _look_at_time_line(shown: dict[str, Any], kills: list[float]) -> None:
    """Each lane's spans divide its time without a hole, and a gap of the node's stands at every kill."""
    lanes = [lane for lane in shown["lanes"] if lane["kind"] == "camera" and lane["spans"]]
    assert len(lanes) == FEEDS
    for lane in lanes:
        spans = lane["spans"]
        assert all(one["until"] == other["since"] for one, other in pairwise(spans))
        wall = spans[-1]["until"] - spans[0]["since"]
        assert lane["covered_ms"] + sum(lane["gaps_ms"].values()) == wall
        for number, killed in enumerate(kills, 1):
            (there,) = [span for span in spans if span["since"] <= killed * 1000 + 1 < span["until"]]
            assert there["kind"] == "node", f"kill {number}, {lane['feed']}: {there}"
        kinds = Counter(span["kind"] for span in spans)
        print(f"{lane['feed']}: {wall / 1000:.1f} s, {lane['covered_ms'] / 1000:.1f} s covered, {dict(kinds)}")


async def test_what_was_recorded_before_each_kill_is_there_and_plays(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "var")
    root = stack.data / "recordings"
    stack.start()
    try:
        async with stack.signed_in("commander") as commander:
            operation = (await commander.get("/api/operations")).json()["items"][0]["id"]
            kills = await _kill_again_and_again(stack, commander)

            async def all_are_completed() -> bool:
                before = [
                    one for each in _read_all(root).values() for one in each if one.opened.started_at < kills[-1] * 1000
                ]
                return all(one.closed is not None for one in before)

            await until(all_are_completed, BACK_SECONDS)
            found = _read_all(root)
            losses = _losses(kills, found)
            count = await _play(stack, found)
            print(f"{count} segments played to their end in Chromium")
            _look_at_time_line((await commander.get(f"/api/operations/{operation}/timeline")).json(), kills)
    finally:
        stack.end()
    check(root, load_signer(stack.data / "keys" / "recording-node-1.pem").public)
    print(f"decoded whole: {dict(await asyncio.to_thread(_look_at_files, root))}")
    wrong = {path.name: said for path in files(root) if (said := await probed(path))}
    assert not wrong
    print("no ffprobe here" if FFPROBE is None else "ffprobe finds nothing wrong")
    seconds = sorted(loss.seconds for loss in losses)
    worst = max(losses, key=lambda loss: loss.seconds)
    print(
        f"{KILLS} kills, {len(losses)} losses: p50 {seconds[len(seconds) // 2]:.3f} s, "
        f"p95 {seconds[len(seconds) * 95 // 100]:.3f} s, most {worst.seconds:.3f} s (kill {worst.kill}, {worst.feed})"
    )
    assert worst.seconds <= LOST_SECONDS

"""Two phones that are recorded through a bad line, with outages and restarts of the node; what came of it, measured."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from bisect import bisect
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Literal

from command_center.evidence.spans import Missing, Run, Span, spans
from command_center.evidence.timeline import AFTER
from streams.recording.manifest import Manifest, read_manifest
from streams.recording.recovery import manifests
from streams.signalling.tokens import Grant, issue, load_private_key, make_keys
from tests.support.clip_peer import ClipPhone, Film, PhoneClock
from tests.support.impairment import Bursts, Impairment
from tests.support.killable_node import KillableNode
from tests.support.recorded_film import KINDS, Seen, of_kind, recognised
from tests.support.relay import Relay, relayed
from tests.support.waiting import until

BAD_LINE = Impairment(
    loss=0.01,
    bursts=Bursts(0.002, 0.3),
    delay_seconds=0.03,
    jitter_seconds=0.01,
    reorder=0.005,
)
WRONG_BY_SECONDS = 600.0
SOUND_PPM = 60.0
FILM_SECONDS = 20.0
"""A sample is told from the same one of the next round by its time."""
BACK_SECONDS = 40.0
SILENCE_SECONDS = 1.0
"""A pause that a manifest must tell of."""
TOLD_SECONDS = 1.5
"""An outage this long must stand in the spans."""
EDGE_SECONDS = 0.3
END_SECONDS = 10.0
LIFE_SECONDS = 6 * 3600

Codec = Literal["H264", "VP8"]
CODECS: tuple[Codec, ...] = ("H264", "VP8")
Way = Literal["outage", "kill", "term"]


@dataclass(frozen=True)
class Trouble:
    """What happens, so long after the one before is over, and for how long."""

    way: Way
    after: float
    seconds: float


@dataclass(frozen=True)
class Happened:
    """What happened, from when to when (Unix seconds)."""

    way: Way
    since: float
    until: float


def seeded(seed: int, seconds: float, outages: int, ways: Sequence[Way]) -> list[Trouble]:
    """So many outages of 0.3 to 20 s and these restarts in an order drawn from the seed, spread over `seconds`."""
    draw = random.Random(seed)
    order: list[Way] = ["outage"] * outages + list(ways)
    draw.shuffle(order)
    slot = seconds / len(order)
    plan = []
    for way in order:
        lasting = draw.uniform(0.3, min(20.0, slot / 2)) if way == "outage" else draw.uniform(0.5, 3.0)
        plan.append(Trouble(way, max(3.0, slot - lasting) * draw.uniform(0.8, 1.0), lasting))
    return plan


@dataclass
class Lane:
    """What one phone's recordings hold, and how their time is divided."""

    feed: str
    phone: ClipPhone
    manifests: list[Manifest]
    seen: list[Seen]
    runs: list[Run]
    spans: list[Span]

    @property
    def wall_error(self) -> float:
        """Of the spans' sum: against the time from the first recorded picture's filming to the last's (seconds)."""
        pictures = of_kind(self.seen, "video")
        filmed = max(one.filmed for one in pictures) - min(one.filmed for one in pictures) + 1 / 30
        return sum(span.until - span.since for span in self.spans) / 1000 - filmed

    def kind_at(self, at: float) -> str:
        """What the spans say of an instant."""
        return next((span.kind for span in self.spans if span.since <= at * 1000 < span.until), "outside")

    def errors(self, kind: Literal["video", "audio"] = "video") -> list[float]:
        """How much later than filmed each frame is put, sorted (seconds)."""
        return sorted(one.error for one in of_kind(self.seen, kind))

    def skews(self) -> list[tuple[float, float]]:
        """(When, how much later the pictures are than their sound), for each ten seconds that have both."""
        errors: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
        for one in self.seen:
            errors[int(one.filmed / END_SECONDS), one.kind].append(one.error)
        numbers = sorted({number for number, _ in errors})
        return [
            (number * END_SECONDS, median(errors[number, "video"]) - median(errors[number, "audio"]))
            for number in numbers
            if errors[number, "video"] and errors[number, "audio"]
        ]

    def untrue(self) -> list[str]:
        """What is told otherwise than the samples say: a track's hole in no gap, or a gap with samples in it."""
        found = []
        between = [(one.until, other.since) for one, other in pairwise(self.runs)]
        for kind in KINDS:
            told = sorted(one.told for one in of_kind(self.seen, kind))
            gaps = [(gap.since, gap.until) for manifest in self.manifests for gap in manifest.gaps
                    if gap.track in (kind, "both")]  # fmt: skip
            for before, after in pairwise(told):
                middle = (before + after) * 500
                if after - before > SILENCE_SECONDS + EDGE_SECONDS and not any(
                    start <= middle <= end for start, end in (*gaps, *between)
                ):
                    found.append(f"{before:.3f} to {after:.3f}: no {kind}, and no gap")
            for start, end in gaps:
                first, last = start / 1000 + EDGE_SECONDS, end / 1000 - EDGE_SECONDS
                if first < last and bisect(told, first) != bisect(told, last):
                    found.append(f"{first:.3f} to {last:.3f}: a gap of {kind}, and it is there")
        return found

    def wrong_kinds(self, happened: Sequence[Happened]) -> list[str]:
        """What happened and the spans call otherwise."""
        found = []
        for one in happened:
            if one.way == "outage" and one.until - one.since < TOLD_SECONDS:
                continue  # what was lost in so short a time may have been sent again
            expected = "network" if one.way == "outage" else "node"
            told = self.kind_at((one.since + one.until) / 2)
            if told != expected:
                found.append(f"{one}: {told}")
        return found


@dataclass
class Place:
    """A node behind a bad line, and phones that film."""

    node: KillableNode
    relay: Relay
    phones: list[ClipPhone]
    root: Path
    happened: list[Happened] = field(default_factory=list)

    async def all_are_recorded(self) -> bool:
        """Whether the node writes every phone's feed."""
        parts = await self.node.health()
        return parts is not None and parts["live_feeds"] == parts["recorded_feeds"] == len(self.phones)

    async def go_through(self, plan: Sequence[Trouble]) -> None:
        """Let all of it happen, one after the other; each is over when everything is recorded again."""
        for number, trouble in enumerate(plan, 1):
            await asyncio.sleep(trouble.after)
            since = time.time()
            if trouble.way == "outage":
                self.relay.is_cut = True
                await asyncio.sleep(trouble.seconds)
                self.relay.is_cut = False
            else:
                await asyncio.to_thread(self.node.kill if trouble.way == "kill" else self.node.stop)
                await asyncio.sleep(trouble.seconds)
                await self.node.start()
            self.happened.append(Happened(trouble.way, since, time.time()))
            await until(self.all_are_recorded, BACK_SECONDS)
            back = time.time() - self.happened[-1].until
            print(
                f"{number} of {len(plan)}: {trouble.way} of {trouble.seconds:.1f} s, back after {back:.1f} s",
                flush=True,
            )

    async def film(self, seconds: float) -> None:
        """Let so much be filmed in peace."""
        end = time.time() + seconds
        await until(lambda: time.time() >= end, 2 * seconds)

    def lanes(self) -> list[Lane]:
        """What came of it; the node must have ended."""
        found: defaultdict[str, list[Manifest]] = defaultdict(list)
        for path in manifests(self.root):
            manifest = read_manifest(path)
            assert manifest is not None
            found[manifest.opened.feed].append(manifest)
        return [_lane(self.root, phone, found[phone.feed]) for phone in self.phones]


def _lane(root: Path, phone: ClipPhone, found: list[Manifest]) -> Lane:
    found.sort(key=lambda manifest: manifest.opened.started_at)
    runs, gaps = [], []
    for manifest in found:
        opened, closed = manifest.opened, manifest.closed
        assert closed is not None, f"{opened.recording} was not completed"
        runs.append(Run(opened.recording, opened.started_at, closed.ended_at, AFTER[closed.reason]))
        gaps += [Missing(opened.recording, gap.kind, gap.since, gap.until) for gap in manifest.gaps]
    seen = [one for manifest in found for one in recognised(root, manifest, phone.film, phone.filmed)]
    divided = spans(runs, gaps, runs[0].since, max(run.until for run in runs))
    return Lane(phone.feed, phone, found, seen, runs, divided)


@asynccontextmanager
async def filmed_through_a_bad_line(
    folder: Path, redis_url: str, seed: int, film_seconds: float = FILM_SECONDS
) -> AsyncIterator[Place]:
    """A node that records, and two phones that are recorded; after the block all recordings are complete."""
    keys = folder / "keys"
    make_keys(keys)
    key = load_private_key(keys)
    films = {codec: await asyncio.to_thread(Film.make, codec, film_seconds) for codec in CODECS}
    node = KillableNode(folder / "data", keys, redis_url, records=True)
    await node.start()
    phones = []
    jobs: list[asyncio.Task[None]] = []
    try:
        async with relayed(node.udp_port, seed=seed) as relay:
            relay.impair(BAD_LINE)
            for codec in CODECS:
                token = issue(key, Grant(uuid.uuid4(), "*", True, True, int(time.time()) + LIFE_SECONDS))
                phones.append(
                    ClipPhone(
                        node.url,
                        token,
                        f"phone-{codec}",
                        films[codec],
                        PhoneClock(WRONG_BY_SECONDS, SOUND_PPM),
                        lead=relay.lead,
                        has_network=lambda: not relay.is_cut,
                    )
                )
            place = Place(node, relay, phones, folder / "data" / "recordings")
            jobs += [asyncio.create_task(phone.run()) for phone in phones]
            await until(place.all_are_recorded, BACK_SECONDS)
            yield place
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await asyncio.to_thread(node.stop)
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        node.kill()

"""Half an hour recorded through a bad line, 30 outages and 3 restarts of the node: clocks and gaps are true."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.ledger import load_signer
from tests.streams.recording.reading import check, decode, files
from tests.support.recorded_outages import Lane, filmed_through_a_bad_line, seeded
from tests.support.valkey import Valkey

MINUTES = float(os.environ.get("SOAK_OUTAGE_MINUTES", "30"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
OUTAGES = max(2, round(MINUTES))
FRAME_P99_SECONDS = 0.1
SKEW_SECONDS = 0.08
WALL_SECONDS = 0.1

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A hub."""
    server = Valkey()
    server.start()
    yield server
    server.stop()


async def test_clocks_and_gaps_are_true_through_outages_and_restarts(valkey: Valkey, tmp_path: Path) -> None:
    plan = seeded(SEED, MINUTES * 60, OUTAGES, ("kill", "kill", "term"))
    async with filmed_through_a_bad_line(tmp_path, valkey.url, SEED) as place:
        await place.go_through(plan)
        await place.film(15.0)
    check(place.root, load_signer(tmp_path / "data" / "keys" / "recording-node-1.pem").public)
    for path in files(place.root):
        await asyncio.to_thread(decode, path)
    lanes = await asyncio.to_thread(place.lanes)
    for lane in lanes:
        _print(lane)
    for lane in lanes:
        assert lane.untrue() == []
        assert abs(lane.wall_error) <= WALL_SECONDS
        assert lane.wrong_kinds(place.happened) == []
        errors = sorted(map(abs, lane.errors()))
        assert errors[len(errors) * 99 // 100] <= FRAME_P99_SECONDS
        assert abs(lane.skews()[-1][1]) <= SKEW_SECONDS


def _print(lane: Lane) -> None:
    sums: Counter[str] = Counter()
    for span in lane.spans:
        sums[span.kind] += span.until - span.since
    wall = (lane.spans[-1].until - lane.spans[0].since) / 1000
    skews = lane.skews()
    print(f"\n{lane.feed}: {len(lane.manifests)} recordings, {wall:.3f} s of wall time: "
          f"{', '.join(f'{kind} {ms / 1000:.3f} s' for kind, ms in sorted(sums.items()))}; "
          f"by the phone's filming {lane.wall_error * 1000:+.1f} ms off")  # fmt: skip
    for kind in ("video", "audio"):
        errors = [1000 * error for error in lane.errors(kind)]
        p1, p50, p99 = (errors[len(errors) * share // 100] for share in (1, 50, 99))
        print(f"  {kind}: {len(errors)} samples, later than filmed by p1 {p1:.1f}, "
              f"p50 {p50:.1f}, p99 {p99:.1f}, most {errors[-1]:.1f} ms")  # fmt: skip
    values = [1000 * skew for _, skew in skews]
    hours = (skews[-1][0] - skews[0][0]) / 3600
    print(f"  pictures later than their sound: first {values[0]:.1f}, most {max(values, key=abs):.1f}, at the end "
          f"{values[-1]:.1f} ms; {(values[-1] - values[0]) / max(hours, 1e-9):.1f} ms an hour")  # fmt: skip
    print(f"  {lane.phone.repeated} packets sent again, {lane.phone.picture_losses} key frames asked for, "
          f"posted {len(lane.phone.filmed.connected_at)} times")  # fmt: skip
    for said in lane.untrue():
        print(f"  UNTRUE: {said}")

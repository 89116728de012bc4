"""A power cut at any moment: what was synced is there and plays, at most two seconds are gone, and the proof holds."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from streams.recording.manifest import read_manifest
from streams.recording.recovery import close_unfinished, manifests
from streams.recording.writer import Counters, FeedWriter
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.streams.recording.reading import check, decode, files, place
from tests.support.power_cut import Disk, Remains

CUTS = int(os.environ.get("SOAK_POWER_CUTS", "12"))
"""Of each codec."""
SECONDS = 10.0
ROUND_NS = 150_000_000
"""As often as the recorder comes round."""


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_power_cut_costs_two_seconds_at_most(codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 3_000_000_000)
    chance = random.Random(f"power cut {codec}")
    for number, (given_ms, remains) in enumerate(cuts(codec, tmp_path / "disk", chance, monkeypatch)):
        root = tmp_path / str(number)
        remains.lay_out(tmp_path / "disk", root, chance)
        list(close_unfinished(place(root), manifests(root), threading.Event()))
        check(root)
        (path,) = manifests(root)
        manifest = read_manifest(path)
        assert manifest is not None
        assert manifest.closed is not None
        assert given_ms - manifest.closed.ended_at <= 2000, f"cut {number}"
        for file in files(root):
            assert decode(file)["video"]


def cuts(codec: str, root: Path, chance: random.Random, patch: pytest.MonkeyPatch) -> list[tuple[float, Remains]]:
    """Record a clip, and what the disk would hold had the power gone at seeded moments; with when that was."""
    publisher = Publisher([*clip(codec, SECONDS), *tone(SECONDS)])  # type: ignore[arg-type]
    publisher.video_payload_type = 102 if codec == "H264" else 96
    packets = list(publisher.packets())
    early = next(number for number, packet in enumerate(packets) if packet[2] > publisher.start_ns + 2.2e9)
    moments = set(chance.sample(range(early, len(packets)), CUTS))
    clock = [0.0]
    patch.setattr(time, "monotonic", lambda: clock[0])
    root.mkdir()
    disk = Disk(root)
    writer = FeedWriter(
        place(root), "feed-1", [H264 if codec == "H264" else VP8, OPUS], Counters(), lambda event: None, lambda: None
    )
    found = []
    stepped_ns = 0
    with disk.watched(patch):
        for number, packet in enumerate(packets):
            clock[0] = packet[2] / 1e9
            if packet[2] - stepped_ns > ROUND_NS:
                stepped_ns = packet[2]
                writer.step(packet[2])
            writer.take(packet)
            if number in moments:
                found.append((packet[2] / 1e6, disk.cut()))
        writer.close("ended")
    patch.undo()
    return found

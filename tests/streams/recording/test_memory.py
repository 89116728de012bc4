"""Segments come and go, and the writer holds no more than before: a short form of an hour's soak."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from streams.recording.writer import Counters, FeedWriter
from tests.streams.recording.publisher import H264, NANOSECONDS, OPUS, Publisher, clip, tone
from tests.streams.recording.reading import place

CLIP_SECONDS = 2
CLIPS = 30
WARM_CLIPS = 10
GROWTH_BYTES = 100_000


def test_a_writer_holds_no_more_after_thirty_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", NANOSECONDS)
    counters = Counters()
    writer = FeedWriter(place(tmp_path), "feed-1", [H264, OPUS], counters, lambda event: None, lambda: None)
    publisher = Publisher([*clip("H264", CLIP_SECONDS), *tone(CLIP_SECONDS)])
    held = []
    tracemalloc.start()
    try:
        for _ in range(CLIPS):
            for kind, packet, arrival_ns in publisher.packets():
                writer.take((kind, packet, arrival_ns))
            writer.step(publisher.start_ns + CLIP_SECONDS * NANOSECONDS)
            publisher.go_on(CLIP_SECONDS)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
        writer.close("ended")
    assert counters.files == CLIPS
    assert max(held[WARM_CLIPS:]) <= max(held[:WARM_CLIPS]) + GROWTH_BYTES

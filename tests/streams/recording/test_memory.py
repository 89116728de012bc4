"""Segments come and go, and the writer holds no more than before: a short form of an hour's soak."""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from streams.recording import writer as writing
from streams.recording.writer import Counters, FeedWriter
from tests.streams.recording.publisher import H264, NANOSECONDS, OPUS, Publisher, clip, tone
from tests.streams.recording.reading import place

CLIP_SECONDS = 2
CLIPS = 30
WARM_CLIPS = 10
GROWTH_BYTES = 100_000


def test_a_writer_holds_no_more_after_thirty_segments(tmp_path: Path) -> None:
    # In a process of its own: what other tests left behind in this one comes and goes as it likes.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        files, held = process.submit(bytes_held, tmp_path).result()
    assert files == CLIPS
    assert max(held[WARM_CLIPS:]) <= max(held[:WARM_CLIPS]) + GROWTH_BYTES


def bytes_held(folder: Path) -> tuple[int, list[int]]:
    """Record clip after clip, a segment each: how many files that made, and what Python held after each."""
    writing.SEGMENT_NS = NANOSECONDS
    counters = Counters()
    writer = FeedWriter(place(folder), "feed-1", [H264, OPUS], counters, lambda event: None, lambda: None)
    publisher = Publisher([*clip("H264", CLIP_SECONDS), *tone(CLIP_SECONDS)])
    held = []
    tracemalloc.start()
    for _ in range(CLIPS):
        for kind, packet, arrival_ns in publisher.packets():
            writer.take((kind, packet, arrival_ns))
        writer.step(publisher.start_ns + CLIP_SECONDS * NANOSECONDS)
        publisher.go_on(CLIP_SECONDS)
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    writer.close("ended")
    return counters.files, held

"""What a package tells of a feed's time: footage whose file isn't there is never told as recorded."""

from __future__ import annotations

import itertools
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from command_center.evidence.exports.lanes import spans
from command_center.evidence.exports.plan import CameraPart, SpanPart
from streams.recording.manifest import Closed, FragmentLine, Manifest, Opened, Segment, SegmentLine

START = 1_800_000_000_000
MINUTE = 60_000
RECORDING = UUID("01a224d4-a33f-709e-968f-ba3ef0621a95")


def recorded(minutes: int) -> Manifest:
    """One recording of whole minutes, a segment each."""
    opened = Opened(recording=RECORDING, feed="feed-1", node="node-1", started_at=START)
    segments = []
    for number in range(minutes):
        line = SegmentLine(
            number=number + 1, path=f"feed-1/day/{RECORDING}-{number + 1:04d}.mp4", container="mp4", video="H264",
            audio=None, mime="video/mp4", started_at=START + number * MINUTE, start=number * 60.0, header_bytes=1,
            header_sha256="0" * 64,
        )  # fmt: skip
        fragment = FragmentLine(
            segment=number + 1, number=0, offset=1, length=1, sha256="0" * 64, start=0.0, seconds=60.0,
            at=START + number * MINUTE, is_key=True,
        )  # fmt: skip
        segments.append(Segment(line, [fragment]))
    closed = Closed(reason="ended", ended_at=START + minutes * MINUTE, seconds=minutes * 60.0, segments=minutes)
    return Manifest(opened, segments, [], closed)


def test_a_segment_without_its_file_is_missing_and_its_neighbours_are_not() -> None:
    found = spans(
        [recorded(3)],
        START,
        START + 3 * MINUTE,
        gone=[SpanPart(kind="missing", since=START + MINUTE, until=START + 2 * MINUTE)],
    )
    assert [(span.kind, span.since - START, span.until - START) for span in found] == [
        ("covered", 0, MINUTE), ("missing", MINUTE, 2 * MINUTE), ("covered", 2 * MINUTE, 3 * MINUTE),
    ]  # fmt: skip


times = st.integers(-2 * MINUTE, 8 * MINUTE)


@given(st.lists(st.tuples(times, times).map(sorted).map(tuple), max_size=6))
def test_whatever_is_gone_the_spans_add_up_and_none_of_it_is_covered(gone: list[tuple[int, int]]) -> None:
    taken = [SpanPart(kind="missing", since=START + since, until=START + until) for since, until in gone]
    found = spans([recorded(5)], START - MINUTE, START + 7 * MINUTE, gone=taken)
    assert (found[0].since, found[-1].until) == (START - MINUTE, START + 7 * MINUTE)
    assert all(before.until == after.since for before, after in itertools.pairwise(found))
    assert all(span.since < span.until for span in found)
    for span in found:
        if span.kind == "covered":
            assert all(
                until <= span.since or since >= span.until
                for since, until in ((one.since, one.until) for one in taken)
                if since < until
            )


def test_the_span_of_an_instant_is_the_one_that_ends_first_after_it() -> None:
    parts = tuple(
        SpanPart(kind=kind, since=since, until=until)
        for kind, since, until in (("none", 0, 10), ("covered", 10, 20), ("network", 20, 21), ("covered", 21, 40))
    )
    camera = CameraPart.model_construct(spans=parts)
    for at in range(40):
        assert camera.span_at(at) == next(span for span in parts if span.since <= at < span.until)
    assert camera.span_at(40) == parts[-1]

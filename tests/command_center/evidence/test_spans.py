"""A feed's time is divided without hole or overlap, whatever recordings and gaps there were."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from command_center.evidence.spans import GRAVITY, Missing, Run, Span, spans
from streams.recording.manifest import GapKind

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


def told(found: list[Span]) -> list[tuple[str, int, int]]:
    return [(span.kind, span.since, span.until) for span in found]


def test_between_two_recordings_is_what_ended_the_first() -> None:
    runs = [Run(ONE, 0, 100, "network"), Run(TWO, 130, 200, "officer"), Run(THREE, 250, 300, "node")]
    assert told(spans(runs, [], 0, 350)) == [
        ("covered", 0, 100), ("network", 100, 130), ("covered", 130, 200), ("officer", 200, 250),
        ("covered", 250, 300), ("node", 300, 350),
    ]  # fmt: skip


def test_what_a_manifest_tells_goes_before_what_ended_the_recording() -> None:
    runs = [Run(ONE, 0, 100, "disk_failed"), Run(TWO, 150, 200, "network")]
    gaps = [Missing(TWO, "disk_full", 100, 150), Missing(ONE, "camera", 20, 40)]
    assert told(spans(runs, gaps, 0, 200)) == [
        ("covered", 0, 20), ("camera", 20, 40), ("covered", 40, 100), ("disk_full", 100, 150), ("covered", 150, 200),
    ]  # fmt: skip


def test_another_recording_covers_what_one_misses() -> None:
    runs = [Run(ONE, 0, 100, "network"), Run(TWO, 50, 200, "network")]
    found = spans(runs, [Missing(ONE, "network", 40, 100)], 0, 200)
    assert told(found) == [("covered", 0, 40), ("network", 40, 50), ("covered", 50, 200)]
    assert [span.recording for span in found] == [ONE, ONE, TWO]


def test_of_two_that_hold_a_moment_the_later_begun_is_named() -> None:
    found = spans([Run(ONE, 0, 100, "network"), Run(TWO, 50, 80, "network")], [], 0, 100)
    assert [(span.recording, span.since, span.until) for span in found] == [(ONE, 0, 50), (TWO, 50, 80), (ONE, 80, 100)]


def test_of_several_causes_the_gravest_is_told() -> None:
    gaps = [Missing(ONE, "network", 10, 30), Missing(ONE, "disk_slow", 20, 40)]
    assert told(spans([Run(ONE, 0, 50, "node")], gaps, 0, 50)) == [
        ("covered", 0, 10), ("network", 10, 20), ("disk_slow", 20, 40), ("covered", 40, 50),
    ]  # fmt: skip


def test_a_part_of_it_begins_with_what_was_before() -> None:
    runs = [Run(ONE, 0, 100, "camera"), Run(TWO, 200, 300, "network")]
    assert told(spans(runs, [], 150, 250)) == [("camera", 150, 200), ("covered", 200, 250)]


def test_every_kind_of_gap_has_its_place() -> None:
    assert set(GRAVITY) == set(get_args(GapKind))


moments = st.integers(0, 500)
kinds = st.sampled_from(GRAVITY)
runs_ = st.lists(st.tuples(moments, st.integers(0, 120), kinds), min_size=1, max_size=8)
gaps_ = st.lists(st.tuples(st.integers(0, 7), kinds, moments, st.integers(0, 60)), max_size=20)


@given(runs_, gaps_, moments, moments)
def test_any_recordings_and_gaps_divide_the_time_exactly(
    runs: list[tuple[int, int, GapKind]],
    gaps: list[tuple[int, GapKind, int, int]],
    one: int,
    other: int,
) -> None:
    made = [Run(UUID(int=number), since, since + length, after) for number, (since, length, after) in enumerate(runs)]
    missing = [
        Missing(made[which % len(made)].recording, kind, since, since + length) for which, kind, since, length in gaps
    ]
    since, until = min(one, other), max(one, other)
    found = spans(made, missing, since, until)
    if since == until:
        assert found == []
        return
    assert (found[0].since, found[-1].until) == (since, until)
    for before, after in pairwise(found):
        assert before.until == after.since
        assert (before.kind, before.recording) != (after.kind, after.recording)
    assert sum(span.until - span.since for span in found) == until - since
    covered = {moment for span in found if span.kind == "covered" for moment in range(span.since, span.until)}
    assert covered == {moment for moment in range(since, until) if _is_held(made, missing, moment)}
    for span in found:
        if span.kind == "covered":
            (run,) = [run for run in made if run.recording == span.recording]
            assert run.since <= span.since
            assert span.until <= run.until


def _is_held(runs: list[Run], gaps: list[Missing], moment: int) -> bool:
    """The same, asked moment by moment."""
    return any(
        run.since <= moment < run.until
        and not any(gap.recording == run.recording and gap.since <= moment < gap.until for gap in gaps)
        for run in runs
    )

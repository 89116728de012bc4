"""What of a feed's time is recorded, and what is missing and why: spans that leave no hole and never overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from uuid import UUID

from streams.recording.manifest import GapKind

SpanKind = Literal["covered", "deleted"] | GapKind

GRAVITY: tuple[GapKind, ...] = ("disk_full", "disk_failed", "disk_slow", "node", "officer", "camera", "network")
"""Where several gaps are told of one moment, the first of these is its kind: what we did ourselves goes before."""


@dataclass(frozen=True, slots=True)
class Run:
    """A recording from `since` to `until`; `after` is why there is nothing afterwards. Instants are Unix ms."""

    recording: UUID
    since: int
    until: int
    after: GapKind


@dataclass(frozen=True, slots=True)
class Missing:
    """What a recording's manifest tells to be missing, in it or before it."""

    recording: UUID
    kind: GapKind
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until`: recorded, or missing for one cause. `recording` is what it is of or told by.

    `deleted`: it was recorded, and two people had it deleted since.
    """

    kind: SpanKind
    since: int
    until: int
    recording: UUID | None


def spans(runs: Sequence[Run], gaps: Sequence[Missing], since: int, until: int) -> list[Span]:
    """Divide the time from `since` to `until`; nothing of it is left out, nothing told twice.

    A moment is covered where a recording holds it that has no gap of its own there; of two, by the one that began
    later. Else it is missing for the gravest cause that is told of it, or for what ended the recording before.
    """
    merged: list[Span] = []
    for piece in _pieces(runs, gaps, since, until):
        last = merged[-1] if merged else None
        if last is not None and (last.kind, last.recording) == (piece.kind, piece.recording):
            merged[-1] = Span(last.kind, last.since, piece.until, last.recording)
        else:
            merged.append(piece)
    return merged


def _pieces(runs: Sequence[Run], gaps: Sequence[Missing], since: int, until: int) -> Iterator[Span]:
    """The smallest pieces, between one beginning or end and the next."""
    by_start, by_end = sorted(runs, key=lambda run: run.since), sorted(runs, key=lambda run: (run.until, run.since))
    told = sorted(gaps, key=lambda gap: gap.since)
    edges = sorted({since, until, *_within(runs, since, until), *_within(gaps, since, until)})
    open_runs: list[Run] = []
    open_gaps: list[Missing] = []
    begun = ended = heard = 0
    for start, end in pairwise(edges):
        while begun < len(by_start) and by_start[begun].since <= start:
            open_runs.append(by_start[begun])
            begun += 1
        while ended < len(by_end) and by_end[ended].until <= start:
            ended += 1
        while heard < len(told) and told[heard].since <= start:
            open_gaps.append(told[heard])
            heard += 1
        open_runs = [run for run in open_runs if run.until > start]
        open_gaps = [gap for gap in open_gaps if gap.until > start]
        yield _piece(start, end, open_runs, open_gaps, by_end[ended - 1] if ended else None)


def _within(edged: Sequence[Run] | Sequence[Missing], since: int, until: int) -> Iterator[int]:
    for one in edged:
        yield from (edge for edge in (one.since, one.until) if since < edge < until)


def _piece(start: int, end: int, runs: Sequence[Run], gaps: Sequence[Missing], before: Run | None) -> Span:
    broken = {gap.recording for gap in gaps}
    whole = [run for run in runs if run.recording not in broken]
    if whole:
        return Span("covered", start, end, max(whole, key=lambda run: (run.since, run.recording)).recording)
    if gaps:
        gravest = min(gaps, key=lambda gap: (GRAVITY.index(gap.kind), gap.since, gap.recording))
        return Span(gravest.kind, start, end, gravest.recording)
    return Span("network" if before is None else before.after, start, end, None)

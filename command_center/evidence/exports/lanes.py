"""What there is of one feed within a span, by its manifests alone, told as the time lines of the screens tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from command_center.evidence.exports.plan import SpanPart
from command_center.evidence.spans import Missing, Run
from command_center.evidence.spans import spans as divide
from command_center.evidence.timeline import AFTER, SEAM_MS
from streams.recording.manifest import Manifest


def spans(
    recordings: Sequence[Manifest],
    since: int,
    until: int,
    *,
    is_voice: bool = False,
    gone: Sequence[SpanPart] = (),
) -> list[SpanPart]:
    """The spans of a feed from `since` to `until` (Unix milliseconds); they add up without hole or overlap.

    `gone` is when that was whose files aren't here, each by what became of them: deleted or missing.
    """
    runs = sorted((_run(one, is_voice=is_voice) for one in recordings), key=lambda run: (run.since, run.recording))
    begin = min(max(since, runs[0].since), until) if runs else until
    end = max(min(until, max(run.until for run in runs)), begin) if runs else until
    told = [gap for one in recordings for gap in _missing(one, is_voice=is_voice)]
    found = [SpanPart(kind="none", since=since, until=begin)] if since < begin else []
    if begin < end:
        for span in divide(_joined(runs, recordings), told, begin, end):
            if found and found[-1].kind == span.kind:
                found[-1] = SpanPart(kind=span.kind, since=found[-1].since, until=span.until)
            else:
                found.append(SpanPart(kind=span.kind, since=span.since, until=span.until))
    found = [part for span in found for part in _without(span, gone)]
    return found if end >= until else [*found, SpanPart(kind="none", since=end, until=until)]


def _without(span: SpanPart, gone: Sequence[SpanPart]) -> Iterator[SpanPart]:
    """A covered span, cut where its files are gone."""
    position = span.since
    lost = sorted(gone, key=lambda one: (one.since, one.until)) if span.kind == "covered" else ()
    for one in lost:
        begin, end = max(one.since, position), min(one.until, span.until)
        if begin < end:
            if position < begin:
                yield SpanPart(kind="covered", since=position, until=begin)
            yield one.model_copy(update={"since": begin, "until": end})
            position = end
    if position < span.until:
        yield SpanPart(kind=span.kind, since=position, until=span.until)


def _run(manifest: Manifest, *, is_voice: bool) -> Run:
    opened, closed = manifest.opened, manifest.closed
    # Whoever spoke had ended; between talks nothing was lost.
    after = "officer" if is_voice else AFTER.get(closed.reason if closed is not None else "node", "node")
    return Run(opened.recording, opened.started_at, opened.started_at + round(manifest.seconds * 1000), after)


def _missing(manifest: Manifest, *, is_voice: bool) -> Iterator[Missing]:
    for gap in manifest.gaps:
        if gap.track == "both" or (gap.track == "audio") == is_voice:
            yield Missing(manifest.opened.recording, gap.kind, gap.since, gap.until)


def _joined(runs: Sequence[Run], recordings: Sequence[Manifest]) -> list[Run]:
    """Recordings of full length reach to the next, which went on at once."""
    full = {one.opened.recording for one in recordings if one.closed is not None and one.closed.reason == "length"}
    joined = []
    for run in runs:
        following = next((one.since for one in runs if one.since >= run.until), None)
        is_seam = run.recording in full and following is not None and following - run.until <= SEAM_MS
        joined.append(Run(run.recording, run.since, following, run.after) if is_seam and following else run)
    return joined

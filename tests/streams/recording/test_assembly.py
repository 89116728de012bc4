"""Fragments follow each other in time, however late pictures come behind their sound."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from streams.recording.assembly import Assembly, Fragment
from streams.recording.frames import Frame

PACKET = b"\xf8\xff\xfe"
"""20 ms of Opus."""
MS = 1_000_000


def assembled(late_ms: int, chance: random.Random) -> Iterator[Fragment]:
    """Five seconds of a phone whose pictures come up to `late_ms` later than the sound of their moment."""
    assembly = Assembly(0, has_video=True)
    pictures = [(at + chance.randrange(late_ms + 1), at, "video") for at in range(0, 5000, 100)]
    coming = sorted([*pictures, *((at, at, "audio") for at in range(0, 5000, 20))])
    shown = -1
    for arrival, at, kind in coming:
        if kind == "audio":
            assembly.add_audio(Frame(0, arrival * MS, PACKET, True), at * MS)
        elif at > shown:
            shown = at
            is_key = at % 1000 == 0
            if is_key:
                assembly.expect_key(at * MS)
                if assembly.is_due(key_next=True) and (fragment := assembly.cut()) is not None:
                    yield fragment
            assembly.add_video(Frame(at * 90, arrival * MS, b"picture", is_key), at * MS)
        if assembly.is_due() and (fragment := assembly.cut()) is not None:
            yield fragment
    if (fragment := assembly.cut(is_last=True)) is not None:
        yield fragment


@pytest.mark.parametrize("late_ms", [0, 50, 400, 900, 2500])
def test_no_fragment_ends_before_it_begins_or_before_the_one_before(late_ms: int) -> None:
    chance = random.Random(late_ms)
    for _ in range(40):
        fragments = list(assembled(late_ms, chance))
        starts = [one.start for one in fragments]
        ends = [one.start + one.seconds for one in fragments]
        assert min(one.seconds for one in fragments) >= 0
        assert starts == sorted(starts)
        assert all(end >= before - 1e-9 for before, end in pairwise(ends))
        assert ends[-1] >= 4.9

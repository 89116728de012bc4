"""Two phones recorded through a bad line, their clocks wrong, with an outage and a killed node: a short soak."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.ledger import load_signer
from tests.streams.recording.reading import check
from tests.support.recorded_outages import Trouble, filmed_through_a_bad_line
from tests.support.valkey import Valkey

FRAME_SECONDS = 0.1
SKEW_SECONDS = 0.08


@pytest.mark.alone
async def test_frames_sound_and_gaps_are_where_they_were_through_an_outage_and_a_kill(
    valkey: Valkey, tmp_path: Path
) -> None:
    plan = [Trouble("outage", 1.5, 2.0), Trouble("kill", 1.0, 0.5)]
    async with filmed_through_a_bad_line(tmp_path, valkey.url, seed=7, film_seconds=8.0) as place:
        await place.go_through(plan)
        await place.film(3.0)
    check(place.root, load_signer(tmp_path / "data" / "keys" / "recording-node-1.pem").public)
    for lane in place.lanes():
        errors = sorted(map(abs, lane.errors()))
        assert errors[len(errors) * 99 // 100] <= FRAME_SECONDS
        assert abs(lane.skews()[-1][1]) <= SKEW_SECONDS
        assert abs(lane.wall_error) <= FRAME_SECONDS
        assert lane.wrong_kinds(place.happened) == []
        assert lane.untrue() == []

"""A track is walked smoothly, there and back, at the speed that it says."""

from __future__ import annotations

from itertools import pairwise

import pytest

from field_agent.agent.track import Track, distance_m, heading_deg

WALK = [(40.8151, 111.6198), (40.8172, 111.6251), (40.8190, 111.6240)]
DRIVE = [(40.80, 111.60), (40.82, 111.68), (40.85, 111.70)]


def test_distances_and_headings_are_those_of_the_globe() -> None:
    assert distance_m((40.0, 111.0), (41.0, 111.0)) == pytest.approx(111_195, rel=1e-3)
    assert heading_deg((40.0, 111.0), (41.0, 111.0)) == pytest.approx(0, abs=1e-6)
    assert heading_deg((0.0, 111.0), (0.0, 112.0)) == pytest.approx(90)
    assert heading_deg((40.0, 112.0), (40.0, 111.0)) == pytest.approx(270.3, abs=0.1)


@pytest.mark.parametrize(("points", "speed"), [(WALK, 1.4), (DRIVE, 8.0)])
def test_the_way_is_smooth_for_an_hour(points: list[tuple[float, float]], speed: float) -> None:
    track = Track(points, "officer2")
    assert track.speed_mps == speed
    fixes = [track.at(float(second)) for second in range(3_600)]
    for one, other in pairwise(fixes):
        step = distance_m((one.latitude, one.longitude), (other.latitude, other.longitude))
        assert step < speed * 1.3 + 1.5
    for fix in fixes:
        assert 0 <= fix.heading_deg < 360
        assert 2 <= fix.accuracy_m <= 12
        nearest = min(distance_m((fix.latitude, fix.longitude), point) for point in points)
        assert nearest < track.length_m


def test_it_turns_at_the_end_and_comes_back() -> None:
    track = Track(WALK, "officer2", speed_mps=10)
    there_and_back = 2 * track.length_m / 10
    for seconds in (5.0, 20.0, 40.0):
        one, other = track.at(seconds), track.at(seconds + there_and_back)
        assert distance_m((one.latitude, one.longitude), (other.latitude, other.longitude)) < 60
    headings = [track.at(float(second)).heading_deg for second in range(int(there_and_back))]
    assert any(abs((one - other + 180) % 360 - 180) > 150 for one, other in pairwise(headings))


def test_the_same_seed_goes_the_same_way() -> None:
    assert Track(WALK, "a").at(33.3) == Track(WALK, "a").at(33.3)
    assert Track(WALK, "a").at(33.3) != Track(WALK, "b").at(33.3)


@pytest.mark.parametrize("points", [[], [(40.0, 111.0)], [(40.0, 111.0), (40.0, 111.0)]])
def test_a_track_that_leads_nowhere_is_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="track"):
        Track(points, "a")

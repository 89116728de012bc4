"""Where a headless agent is: along a line of WGS-84 points, there and back, at a walker's or a driver's speed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

EARTH_RADIUS_M = 6_371_008.8
WALKING_MPS, DRIVING_MPS = 1.4, 8.0
DRIVES_BEYOND_M = 1_500.0
LOOK_AHEAD_M = 6.0
NOISE_M = 0.8

LatLon = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fix:
    """One reading of the positioning receiver."""

    latitude: float
    longitude: float
    accuracy_m: float
    heading_deg: float
    speed_mps: float


def distance_m(one: LatLon, other: LatLon) -> float:
    """Great-circle distance."""
    lat1, lat2 = math.radians(one[0]), math.radians(other[0])
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(other[1] - one[1]) / 2
    square = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(square))


def heading_deg(one: LatLon, other: LatLon) -> float:
    """Initial bearing from one point to another, 0 is north, clockwise."""
    lat1, lat2 = math.radians(one[0]), math.radians(other[0])
    turn = math.radians(other[1] - one[1])
    east = math.sin(turn) * math.cos(lat2)
    north = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(turn)
    return math.degrees(math.atan2(east, north)) % 360


class Track:
    """A route, and where one is on it after a time.

    A route longer than 1.5 km is driven, a shorter one walked, unless `speed_mps` says otherwise.
    """

    def __init__(self, points: Sequence[LatLon], seed: str, speed_mps: float | None = None) -> None:
        if len(points) < 2:
            raise ValueError("a track needs two points")
        self._points = list(points)
        self._lengths = [distance_m(one, other) for one, other in pairwise(self._points)]
        self._ends = list(accumulate(self._lengths))
        self.length_m = self._ends[-1]
        if self.length_m <= 0:
            raise ValueError("a track needs two different points")
        drives = self.length_m > DRIVES_BEYOND_M
        self.speed_mps = speed_mps if speed_mps is not None else (DRIVING_MPS if drives else WALKING_MPS)
        chance = random.Random(seed)
        self._phases = [chance.uniform(0, 2 * math.pi) for _ in range(5)]
        self._head_start_m = chance.uniform(0, self.length_m / 4)

    def at(self, seconds: float) -> Fix:
        """The reading after `seconds`: the same for the same seed."""
        pace = 0.25 * math.sin(seconds / 11 + self._phases[0])
        # The integral of a speed that swings by a quarter, so that the way is smooth and never goes back.
        travelled = self._head_start_m + self.speed_mps * (
            seconds - 0.25 * 11 * (math.cos(seconds / 11 + self._phases[0]) - math.cos(self._phases[0]))
        )
        round_trip = travelled % (2 * self.length_m)
        returns = round_trip > self.length_m
        along = 2 * self.length_m - round_trip if returns else round_trip
        here = self._place(along)
        behind, ahead = self._place(along - LOOK_AHEAD_M), self._place(along + LOOK_AHEAD_M)
        heading = heading_deg(ahead, behind) if returns else heading_deg(behind, ahead)
        north = NOISE_M * math.sin(seconds / 7 + self._phases[1]) * math.cos(seconds / 2.3 + self._phases[2])
        east = NOISE_M * math.sin(seconds / 5 + self._phases[3])
        metre = math.degrees(1 / EARTH_RADIUS_M)
        return Fix(
            latitude=here[0] + north * metre,
            longitude=here[1] + east * metre / math.cos(math.radians(here[0])),
            accuracy_m=round(6.5 + 3.5 * math.sin(seconds / 29 + self._phases[4]), 1),
            heading_deg=round(heading, 1) % 360,
            speed_mps=round(self.speed_mps * (1 + pace), 2),
        )

    def _place(self, along: float) -> LatLon:
        along = min(max(along, 0.0), self.length_m)
        for index, end in enumerate(self._ends):
            if along <= end and self._lengths[index] > 0:
                share = 1 - (end - along) / self._lengths[index]
                (lat1, lon1), (lat2, lon2) = self._points[index], self._points[index + 1]
                return lat1 + (lat2 - lat1) * share, lon1 + (lon2 - lon1) * share
        return self._points[-1]

"""Where one device was lately, in the order in which it was there, however late each position came."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from command_center.operations.positions import TRAIL_POINTS


class Place(NamedTuple):
    """One position; times are Unix milliseconds."""

    taken_at: int
    """By the device's clock."""
    latitude: float
    longitude: float
    received_at: int


class Trail:
    """The last places of one feed's device, and how far its clock is from ours."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def take(self, place: Place) -> bool:
        """Put a place where it belongs; True where it is new. The same one by another road changes nothing."""
        index = bisect_left(self._places, place[:-1])
        if index < len(self._places) and self._places[index][:-1] == place[:-1]:
            return False
        self._places.insert(index, place)
        del self._places[:-TRAIL_POINTS]
        return True

    def at(self, taken_at: int, received_at: int) -> int:
        """When a position was taken by our clock; never later than it was received."""
        return min(received_at, taken_at + self._offset())

    def points(self, oldest: int) -> list[tuple[float, float, int]]:
        """Latitude, longitude and moment by our clock, oldest first, without those before `oldest`."""
        offset = self._offset()
        return [
            (one.latitude, one.longitude, one.taken_at + offset)
            for one in self._places
            if one.taken_at + offset >= oldest
        ]

    def _offset(self) -> int:
        # The least of received minus taken is the clock's error: what came late only makes it greater.
        return min((one.received_at - one.taken_at for one in self._places), default=0)

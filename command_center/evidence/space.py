"""How much room the recordings' disk has, in hours of recording at the rate of now."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.tables import Recording

LEAST_BYTES_PER_SECOND = 250_000
"""Of one camera: while less is recorded, one is thought to begin at any moment."""
LONGEST_RECORDING = timedelta(hours=2)
"""What began before that and has no end isn't under way any more."""
SETTLED_SECONDS = 10.0
"""A recording younger than this has no rate of its own yet."""
RETURN = 1.1
"""An alarm ends only where there is a tenth more room than would raise it, so that it doesn't come and go."""
SECONDS_PER_HOUR = 3600


class Space(StrEnum):
    """How it stands."""

    ENOUGH = "running"
    LOW = "low"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Room:
    """What there is at a moment."""

    free_bytes: int
    bytes_per_second: float

    @property
    def hours(self) -> float:
        """How long recording can go on at this rate."""
        return self.free_bytes / self.bytes_per_second / SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """Below how many hours an alarm is raised."""

    low_hours: float
    critical_hours: float

    def judge(self, room: Room, before: Space) -> Space:
        """How it stands; `before` is how it stood until now."""
        critical = self.critical_hours * (RETURN if before is Space.CRITICAL else 1)
        low = self.low_hours * (RETURN if before is not Space.ENOUGH else 1)
        if room.hours < critical:
            return Space.CRITICAL
        return Space.LOW if room.hours < low else Space.ENOUGH


async def look(database: Database, folder: Path, clock: Clock = now) -> Room:
    """Measure it.

    Raises:
        OSError: the disk can't be asked.
    """
    free = await asyncio.to_thread(_free, folder)
    query = select(Recording.bytes, Recording.seconds).where(
        Recording.ended_at.is_(None), Recording.started_at > clock() - LONGEST_RECORDING
    )
    async with database.read() as session:
        rows = (await session.execute(query)).all()
    rate = sum(row.bytes / max(row.seconds, SETTLED_SECONDS) for row in rows)
    return Room(free, max(rate, LEAST_BYTES_PER_SECOND))


def _free(folder: Path) -> int:
    # Before the first recording the folder isn't there.
    return shutil.disk_usage(folder if folder.exists() else folder.parent).free

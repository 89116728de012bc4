"""Watches the room on the recordings' disk, and tells the screens of it."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.space import Limits, Room, Space, look
from streams.hub.hub import Hub
from streams.hub.topics import PROCESS_KEY, SPACE_PART

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
LIFE_SECONDS = 20
MANY_HOURS, MOST_HOURS = 10, 100


class SpaceWatch:
    """The watch, of one worker at a time."""

    def __init__(self, database: Database, hub: Hub, folder: Path, limits: Limits, clock: Clock = now) -> None:
        self._database = database
        self._hub = hub
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._since = clock()
        self.state = Space.ENOUGH

    async def step(self) -> None:
        """Look once, tell of it, and wait until it is time to look again."""
        await self.look()
        await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> Room | None:
        """Look once and tell of it; None where the disk can't be asked."""
        try:
            room = await look(self._database, self._folder, self._clock)
        except OSError as error:
            logger.error("the recordings' disk can't be asked for its room: %s", error.strerror)
            return None
        state = self._limits.judge(room, self.state)
        if state is not self.state:
            self._turn(state, room)
        told = {
            "name": SPACE_PART,
            "state": state.value,
            "since": int(self._since.timestamp() * 1000),
            "hours": _rounded(room.hours),
        }
        await self._hub.put(PROCESS_KEY.format(name=SPACE_PART), json.dumps(told), life_seconds=LIFE_SECONDS)
        return room

    def _turn(self, state: Space, room: Room) -> None:
        logger.log(
            logging.INFO if state is Space.ENOUGH else logging.ERROR,
            "room for recordings: %s, %.1f hours, %d bytes", state.value, room.hours, room.free_bytes,
        )  # fmt: skip
        self.state, self._since = state, self._clock()


def _rounded(hours: float) -> float:
    """As exact as anybody needs it, so that screens aren't told of every breath."""
    return round(hours, 1) if hours < MANY_HOURS else float(min(round(hours), MOST_HOURS))

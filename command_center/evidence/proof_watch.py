"""How the proof stands, for watchers: whether ledgers are anchored and journals written while there is time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError
from sqlalchemy import func, select

from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.anchors import PROOF_KEY, ProofState
from command_center.journal import JournalEntry
from streams.hub.hub import Hub, HubAway

LONGEST_WAIT_SECONDS = 180.0
"""What was noted stands in its file before, or something is wrong."""


@dataclass(frozen=True, slots=True)
class ProofStanding:
    """`silent`: for three minutes nobody has looked where the ledgers stand. `behind`: journals can't be written.
    `faulty`: a ledger has lost lines that were anchored, or has others."""

    state: Literal["running", "silent", "behind", "faulty"]
    looked_seconds_ago: float | None
    unwritten: int
    """Entries that stand in the records and not yet in their journals' files."""
    waiting_seconds: float
    """For how long the oldest of them has waited."""


class ProofWatch:
    """Asks the records and the hub."""

    def __init__(self, database: Database, hub: Hub, clock: Clock = now) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    async def look(self) -> ProofStanding:
        """How it stands now.

        Raises:
            SQLAlchemyError, OSError: the records are away.
        """
        query = select(func.count(), func.min(JournalEntry.at)).where(JournalEntry.written_at.is_(None))
        async with self._database.read() as session:
            count, oldest = (await session.execute(query)).one()
        waiting = 0.0 if oldest is None else max(0.0, (self._clock() - oldest).total_seconds())
        told = await self._told()
        ago = None if told is None else max(0.0, self._clock().timestamp() - told.looked_at / 1000)
        if ago is None:
            return ProofStanding("silent", None, count, waiting)
        if told is not None and told.broken:
            return ProofStanding("faulty", ago, count, waiting)
        return ProofStanding("behind" if waiting > LONGEST_WAIT_SECONDS else "running", ago, count, waiting)

    async def _told(self) -> ProofState | None:
        try:
            value = await self._hub.value(PROOF_KEY)
            return None if value is None else ProofState.model_validate_json(value)
        except (HubAway, ValidationError):
            return None

"""A worker's disposal in a process of its own, which tells each step before and after it, to be killed at one."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from command_center import schema  # noqa: F401 - every table is known
from command_center.audit import Audit
from command_center.clock import now
from command_center.database import Database
from command_center.evidence.disposal import Disposal
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.store_local import LocalStore
from command_center.evidence.tombstones import FILE, Tombstone, Tombstones
from command_center.journal import Journal
from streams.ledger import make_signer
from tests.command_center.evidence.custody_world import PERIODS
from tests.support.killable import Tell

LATER = timedelta(days=4 * 366)


class ToldStore(LocalStore):
    """A folder that tells when it removes."""

    tell: Tell

    async def remove(self, path: str) -> None:
        self.tell("removing")
        await super().remove(path)
        self.tell("removed")


class ToldTombstones(Tombstones):
    """A ledger that tells when it is written."""

    tell: Tell

    def set_up(self, stone: Tombstone) -> str:
        self.tell("setting up")
        line = super().set_up(stone)
        self.tell("set up")
        return line


class ToldWithdrawals(Withdrawals):
    """Withdrawals that tell when they are made."""

    tell: Tell

    async def withdraw(self, recording_id: UUID) -> None:
        self.tell("withdrawing")
        await super().withdraw(recording_id)
        self.tell("withdrawn")


def work(tell: Tell, url: str, data: Path) -> None:
    """Carry everything out that is approved, and leave."""
    asyncio.run(_work(tell, url, data))


async def _work(tell: Tell, url: str, data: Path) -> None:
    database = Database(url)
    tombstones = ToldTombstones(data / FILE, lambda: nullcontext(make_signer(data / "keys" / "court-signing.pem")))
    store = ToldStore(data / "recordings")
    withdrawals = ToldWithdrawals(database, Audit(), data / "exports")
    tombstones.tell = store.tell = withdrawals.tell = tell
    disposal = Disposal(database, Audit(), Journal(), store, tombstones, withdrawals, PERIODS, lambda: now() + LATER)
    while await disposal.carry_out():
        tell("carried out")
    await database.close()
    tell("done")

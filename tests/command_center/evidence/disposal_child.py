"""A worker's disposal in a process of its own, which tells each step before and after it, to be killed at one."""

from __future__ import annotations

import asyncio
import sys
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

LATER = timedelta(days=4 * 366)


def told(step: str) -> None:
    print(step, flush=True)


class ToldStore(LocalStore):
    """A folder that tells when it removes."""

    async def remove(self, path: str) -> None:
        told("removing")
        await super().remove(path)
        told("removed")


class ToldTombstones(Tombstones):
    """A ledger that tells when it is written."""

    def set_up(self, stone: Tombstone) -> str:
        told("setting up")
        line = super().set_up(stone)
        told("set up")
        return line


class ToldWithdrawals(Withdrawals):
    """Withdrawals that tell when they are made."""

    async def withdraw(self, recording_id: UUID) -> None:
        told("withdrawing")
        await super().withdraw(recording_id)
        told("withdrawn")


async def main(url: str, data: Path) -> None:
    """Carry everything out that is approved, and leave."""
    database = Database(url)
    tombstones = ToldTombstones(data / FILE, lambda: nullcontext(make_signer(data / "keys" / "court-signing.pem")))
    store = ToldStore(data / "recordings")
    withdrawals = ToldWithdrawals(database, Audit(), data / "exports")
    disposal = Disposal(database, Audit(), Journal(), store, tombstones, withdrawals, PERIODS, lambda: now() + LATER)
    while await disposal.carry_out():
        told("carried out")
    await database.close()
    told("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))

"""A lease in the database: of several workers, one at a time does a job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import String, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from command_center.clock import Clock, now
from command_center.database import Base, Database

logger = logging.getLogger(__name__)


class Lease(Base):
    """Who does a job, and until when unless renewed."""

    __tablename__ = "leases"
    job: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    held_until: Mapped[datetime]


class Leases:
    """The leases as one process (`holder`) takes, renews and gives them back."""

    def __init__(self, database: Database, holder: str, seconds: float = 10.0, clock: Clock = now) -> None:
        self._database = database
        self._holder = holder
        self._life = timedelta(seconds=seconds)
        self._clock = clock

    async def take(self, job: str) -> bool:
        """Take or renew the lease of `job`; False while another process holds it."""
        now = self._clock()
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        async with self._database.write() as session:
            await session.execute(
                insert(Lease)
                .values(job=job, holder=self._holder, held_until=now + self._life)
                .on_conflict_do_nothing(index_elements=[Lease.job])
            )
            await session.execute(
                update(Lease)
                .where(Lease.job == job, or_(Lease.holder == self._holder, Lease.held_until < now))
                .values(holder=self._holder, held_until=now + self._life)
            )
            return await session.scalar(select(Lease.holder).where(Lease.job == job)) == self._holder

    async def work(self, job: str, work: Callable[[], Awaitable[None]], renew_seconds: float) -> None:
        """Wait for the lease of `job`, then do work that lasts; it is ended where the lease is lost."""
        while True:
            if await self.take(job):
                break
            await asyncio.sleep(renew_seconds)
        working = asyncio.ensure_future(work())
        try:
            while not working.done():
                await asyncio.wait({working}, timeout=renew_seconds)
                if not await self.take(job):
                    logger.warning("the lease of %s is another's", job)
                    break
        finally:
            working.cancel()
            await asyncio.wait({working})
        if not working.cancelled():
            working.result()

    async def give_back(self, job: str) -> None:
        """Let another process have it at once."""
        async with self._database.write() as session:
            await session.execute(delete(Lease).where(Lease.job == job, Lease.holder == self._holder))

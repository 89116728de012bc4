"""What the worker does for the asset domain by itself, again and again: it watches over terms, and ends listings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from sqlalchemy import select

from assets.answers import Changed
from assets.sanctions.expiry import Expiry
from assets.term_watch import TermWatch, Told
from command_center.asset_access import AssetTrail, told_over
from command_center.asset_desk import alarm_days_of
from command_center.audit import Audit
from command_center.clock import now
from command_center.config import Settings
from command_center.database import Database
from command_center.journal import Journal
from command_center.operations.tables import Operation
from streams.hub.hub import Hub

STEP_SECONDS = 1.0
LOOK_SECONDS = 30.0
"""How often everything is looked through once nothing was due: a renewal closes its alarms within this."""


def asset_jobs(settings: Settings, database: Database, hub: Hub) -> dict[str, Callable[[], Awaitable[object]]]:
    """The jobs by the names of their leases."""
    trail = AssetTrail(Audit(), Journal())
    watch = TermWatch(database, trail, now, alarm_days_of(settings), told_where_live(database, told_over(hub)))
    expiry = Expiry(database, trail, now, told_over(hub))
    return {
        "terms": Resting(watch.step, LOOK_SECONDS).step,
        "sanctions": Resting(expiry.expire_due, LOOK_SECONDS).step,
    }


def told_where_live(database: Database, changed: Changed) -> Told:
    """Tell only of the cases of live operations: no other screen shows a case, and there may be thousands."""

    async def told(cases: Collection[UUID]) -> None:
        live = select(Operation.case_id).where(Operation.state == "live", Operation.case_id.is_not(None)).distinct()
        async with database.read() as session:
            shown = [case_id for case_id in await session.scalars(live) if case_id in cases]
        for case_id in shown:
            if case_id is not None:
                await changed(case_id)

    return told


class Resting:
    """A job that rests for `seconds` once its step found nothing to do, in pieces that leave its lease alive."""

    def __init__(self, step: Callable[[], Awaitable[int]], seconds: float) -> None:
        self._step = step
        self._seconds = seconds
        self._rests_until = 0.0

    async def step(self) -> None:
        """One step, or a piece of the rest."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            await asyncio.sleep(STEP_SECONDS)
        elif await self._step() == 0:
            self._rests_until = loop.time() + self._seconds

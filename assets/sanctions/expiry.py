"""The end of a listing by the passing of its term: a step of the worker's, which may run any time and twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from assets.answers import Changed
from assets.audit import AuditTrail, Records
from assets.sanctions.publishing import end_publication
from assets.sanctions.states import RELEASED, SanctionState
from assets.sanctions.tables import Sanction
from assets.sanctions.taking import EXPIRED, note, step_of
from assets.tables import Case
from assets.terms import china_day

AT_ONCE = 100
"""How many one run ends; the next one takes the rest."""


class Expiry:
    """Ends what has come to its last day."""

    def __init__(self, records: Records, audit: AuditTrail, clock: Callable[[], datetime], changed: Changed) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._changed = changed

    async def expire_due(self, now: datetime | None = None) -> int:
        """End the listings whose last day has passed in China, and give their number."""
        at = now or self._clock()
        due = select(Sanction.id, Sanction.case_id).where(
            Sanction.state.in_(RELEASED), Sanction.ends_on.is_not(None), Sanction.ends_on < china_day(at)
        )
        async with self._records.read() as session:
            found = (await session.execute(due.order_by(Sanction.id).limit(AT_ONCE))).all()
        return sum([await self._expire(sanction_id, case_id, at) for sanction_id, case_id in found])

    async def _expire(self, sanction_id: UUID, case_id: UUID, at: datetime) -> bool:
        async with self._records.write() as session:
            case = await session.get_one(Case, case_id, with_for_update=True)
            sanction = await session.get_one(Sanction, sanction_id)
            await session.refresh(sanction)
            old = SanctionState(sanction.state)
            is_over = sanction.ends_on is not None and sanction.ends_on < china_day(at)
            if old not in RELEASED or not is_over:
                return False  # somebody else was first
            sanction.move_to(SanctionState.EXPIRED)
            sanction.ended_at = at
            await end_publication(session, sanction, EXPIRED, at)
            session.add(step_of(sanction, EXPIRED, old.value, at, None, {}, None))
            await session.flush()
            await note(self._audit, session, None, case, sanction, EXPIRED)
        await self._changed(case_id)
        return True

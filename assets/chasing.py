"""What stayed unanswered is chased: noted as overdue, and asked again at once with the same number.

The time for an answer is practice, not law, and a setting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from assets.audit import Records
from assets.orders import Orders
from assets.requests import AWAITED, RequestState
from assets.tables import AssetRequest, Case

FEEDBACK_HOURS = 24.0
"""How soon an answer is expected, where no setting says otherwise; practice, not law."""
BATCH = 100


class Chasing:
    """Looks for what is overdue. Whoever does a step twice chases nothing twice."""

    def __init__(
        self,
        records: Records,
        orders: Orders,
        clock: Callable[[], datetime],
        tell: Callable[[UUID], Awaitable[None]],
        *,
        feedback_hours: float = FEEDBACK_HOURS,
    ) -> None:
        self._records = records
        self._orders = orders
        self._clock = clock
        self._tell = tell
        self._feedback = timedelta(hours=feedback_hours)

    async def step(self) -> int:
        """Chase what is overdue now, some of it; give how many that were."""
        async with self._records.read() as session:
            due = list(
                await session.execute(
                    select(AssetRequest.id, AssetRequest.case_id)
                    .where(self._is_due())
                    .order_by(AssetRequest.sent_at)
                    .limit(BATCH)
                )
            )
        chased = [request_id for request_id, case_id in due if await self._chase(request_id, case_id)]
        for case_id in dict.fromkeys(case_id for _, case_id in due):
            await self._tell(case_id)
        return len(chased)

    async def _chase(self, request_id: UUID, case_id: UUID) -> bool:
        async with self._records.write() as session:
            case = await session.get_one(Case, case_id, with_for_update=True)
            still = select(AssetRequest).where(AssetRequest.id == request_id, self._is_due()).with_for_update()
            request = (await session.scalars(still)).one_or_none()
            if request is None:
                return False
            request.chased_at = request.next_ask_at = self._clock()
            request.chases += 1
            await self._orders.enter(session, None, case, request, "asset.request.chased")
            return True

    def _is_due(self) -> ColumnElement[bool]:
        """Sent, and chased, too long ago."""
        latest = func.coalesce(AssetRequest.chased_at, AssetRequest.sent_at)
        is_awaited = AssetRequest.state.in_([state.value for state in AWAITED])
        return is_awaited & (latest <= self._clock() - self._feedback)


def is_overdue(request: AssetRequest, now: datetime, feedback_hours: float = FEEDBACK_HOURS) -> bool:
    """Whether an answer should have come by now."""
    return (
        RequestState(request.state) in AWAITED
        and request.sent_at is not None
        and request.sent_at <= now - timedelta(hours=feedback_hours)
    )

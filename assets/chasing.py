"""What stayed unanswered is chased: noted as overdue, and asked again at once with the same number.

The time for an answer is practice, not law, and a setting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from assets.audit import Actor, Records
from assets.conditions import apart
from assets.names import private_names
from assets.orders import Orders, acting_court, require, visible
from assets.requests import AWAITED
from assets.tables import AssetRequest, Case
from assets.views import RequestView, request_view

FEEDBACK_HOURS = 24.0
"""How soon an answer is expected, where no setting says otherwise; practice, not law."""
BATCH = 100
_AWAITED = tuple(state.value for state in AWAITED)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A request that was chased, and nothing has come."""

    request: RequestView
    case_number: str
    acting_court: str
    """The court that asks again, where the reader may only look; else empty."""


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

    async def overdue(self, actor: Actor, *, after: UUID | None = None, limit: int = 200) -> list[Overdue]:
        """What was chased in the actor's courts and still isn't answered, the longest overdue first, behind `after`."""
        require(actor.may_see)
        query = (
            select(AssetRequest, Case)
            .join(Case, Case.id == AssetRequest.case_id)
            .where(AssetRequest.chases > 0, AssetRequest.state.in_(_AWAITED), apart(visible(actor)))
            .order_by(AssetRequest.sent_at, AssetRequest.id)
            .limit(limit)
        )
        if after is not None:
            sent_at, last = AssetRequest.sent_at, aliased(AssetRequest)
            sent = select(last.sent_at).where(last.id == after).scalar_subquery()
            query = query.where(or_(sent_at > sent, and_(sent_at == sent, AssetRequest.id > after)))
        async with self._records.read() as session:
            rows = list(await session.execute(query))
            names = await private_names(session, {request.case_id for request, _ in rows})
            return [
                Overdue(request_view(request, names), case.number, acting_court(actor, case)) for request, case in rows
            ]

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
        return AssetRequest.state.in_(_AWAITED) & (latest <= self._clock() - self._feedback)

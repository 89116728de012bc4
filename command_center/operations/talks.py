"""What the centre said to its officers, and to whom, in the audit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.operations.tables import Operation
from streams.hub.topics import TalkChanged


class Talks:
    """Writes talks down as the nodes tell of them."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def record(self, events: Sequence[TalkChanged]) -> None:
        """Write each talk's begin and end into the audit, once, however often and by however many nodes it is told."""
        async with self._database.write() as session:
            for event in events:
                await self._record(session, event)

    async def _record(self, session: AsyncSession, event: TalkChanged) -> None:
        operation = await session.get(Operation, event.operation_id)
        if operation is None or await _is_known(session, event):
            return
        await self._audit.record(
            session,
            actor=event.user_id,
            court_id=operation.court_id,
            action="talk.began" if event.ended_at is None else "talk.ended",
            subject_type="talk",
            subject_id=str(event.talk),
            details={
                "operation": str(event.operation_id),
                "to": " ".join(event.to),
                "heard": len(event.heard),
                "seconds": round(((event.ended_at or event.began_at) - event.began_at) / 1000),
                "reason": event.reason or "",
            },
        )


async def _is_known(session: AsyncSession, event: TalkChanged) -> bool:
    action = "talk.began" if event.ended_at is None else "talk.ended"
    known = select(AuditEntry.sequence).where(AuditEntry.action == action, AuditEntry.subject_id == str(event.talk))
    return await session.scalar(known.limit(1)) is not None

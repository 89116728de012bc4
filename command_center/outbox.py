"""Events that must reach a durable stream of the hub, kept in SQL until they did."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import String, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from command_center.clock import Clock, now
from command_center.database import Base, Database, new_id
from streams.hub.hub import Hub

BATCH = 100


class OutboxEvent(Base):
    """One event on its way; the row goes when the hub has it."""

    __tablename__ = "outbox_events"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    stream: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Outbox:
    """Put an event in the transaction that makes it true; it is sent once committed, at least once, in order."""

    def __init__(self, database: Database, hub: Hub, clock: Clock = now) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock

    def add(self, session: AsyncSession, stream: str, event: BaseModel) -> None:
        """Have `event` appended to `stream` after the caller's transaction."""
        session.add(OutboxEvent(stream=stream, event=event.model_dump_json(), created_at=self._clock()))

    async def flush(self) -> int:
        """Send what waits, oldest first, and return how many went.

        Called after a commit to be quick, and by the worker again and again to be sure.

        Raises:
            HubAway: the rest waits for the next time.
        """
        async with self._database.read() as session:
            waiting = (
                await session.scalars(select(OutboxEvent).order_by(OutboxEvent.created_at, OutboxEvent.id).limit(BATCH))
            ).all()
        for row in waiting:
            await self._hub.append_json(row.stream, row.event)
            async with self._database.write() as session:
                await session.execute(delete(OutboxEvent).where(OutboxEvent.id == row.id))
        return len(waiting)

"""Ending sign-in sessions, with every media token that came from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.revocations import Revocations
from command_center.accounts.tables import MediaToken, SignIn
from command_center.clock import Clock, now
from command_center.database import Database
from streams.hub.topics import Revoked

EXPIRED_BATCH = 100


async def end_sign_ins(
    session: AsyncSession, ids: Sequence[UUID], at: datetime, revocations: Revocations
) -> list[Revoked]:
    """End these sessions in the caller's transaction; the events are to be told after it is committed."""
    await session.execute(update(SignIn).where(SignIn.id.in_(ids), SignIn.ended_at.is_(None)).values(ended_at=at))
    await session.execute(
        update(MediaToken).where(MediaToken.session_id.in_(ids), MediaToken.revoked_at.is_(None)).values(revoked_at=at)
    )
    events = [Revoked(session_id=sign_in, at=int(at.timestamp() * 1000)) for sign_in in ids]
    for event in events:
        revocations.add(session, event)
    return events


async def open_sign_ins(session: AsyncSession, user_id: UUID) -> list[UUID]:
    """The sessions of this user that nobody has ended."""
    return list(await session.scalars(select(SignIn.id).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None))))


class ExpiredSignIns:
    """Ends the sessions whose time is over: nobody signs them out, yet pictures may still come and go by them."""

    def __init__(self, database: Database, revocations: Revocations, *, idle_minutes: int, clock: Clock = now) -> None:
        self._database = database
        self._revocations = revocations
        self._idle = timedelta(minutes=idle_minutes)
        self._clock = clock

    async def end(self, limit: int = EXPIRED_BATCH) -> int:
        """End up to `limit` of them, with their media, and return how many it were."""
        at = self._clock()
        is_idle = and_(SignIn.is_program.is_(False), SignIn.last_seen_at <= at - self._idle)
        async with self._database.write() as session:
            over = await session.scalars(
                select(SignIn.id)
                .where(SignIn.ended_at.is_(None), or_(SignIn.expires_at <= at, is_idle))
                .order_by(SignIn.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            events = await end_sign_ins(session, over.all(), at, self._revocations)
        await self._revocations.tell(*events)
        return len(events)

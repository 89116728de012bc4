"""Ending sign-in sessions, with every media token that came from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.revocations import Revocations
from command_center.accounts.tables import MediaToken, SignIn
from streams.hub.topics import Revoked


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

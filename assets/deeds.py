"""One press of a button does one thing, however often its request arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from assets.errors import Conflict
from assets.tables import AssetDeed


@dataclass(frozen=True, slots=True)
class Press:
    """What somebody asks to be done once: the page makes `key` for one press."""

    key: UUID
    what: str
    subject_id: UUID
    actor_id: UUID


async def is_first(session: AsyncSession, press: Press, at: datetime) -> bool:
    """Note the press; False where it was done before and its first result stands.

    Raises:
        Conflict: the key was used for something else.
    """
    known = await session.get(AssetDeed, press.key)
    if known is None:
        session.add(
            AssetDeed(key=press.key, what=press.what, subject_id=press.subject_id, actor_id=press.actor_id, done_at=at)
        )
        try:
            await session.flush()
        except IntegrityError as exc:  # at the same moment, for another case
            raise Conflict("idempotency-key-used") from exc
        return True
    if (known.what, known.subject_id, known.actor_id) != (press.what, press.subject_id, press.actor_id):
        raise Conflict("idempotency-key-used")
    return False

"""What the books need around them: the audit, the words of a notice, and a press of a button that counts once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.tables import Deed
from assets.errors import Conflict


class MoneyTrail(Protocol):
    """Who did what with a court's money, written in the transaction of the deed."""

    async def record(
        self,
        session: AsyncSession,
        *,
        actor: UUID | None,
        court_id: UUID | None,
        action: str,
        subject_type: str,
        subject_id: str,
        details: Mapping[str, str | int] | None = None,
    ) -> None:
        """Add one entry, last in the transaction; `details` hold references, no personal contents."""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a payee is told of a payment."""

    court_name: str
    case_number: str
    cents: int
    account: str
    """Masked."""
    paid_on: date
    receipt_number: str


class NoticeWords(Protocol):
    """The words of the message to a payee, made where the languages are."""

    def __call__(self, facts: NoticeFacts) -> str:
        """The text."""


async def earlier_deed(session: AsyncSession, key: UUID, deed: str, actor: Actor, *what: object) -> UUID | None:
    """What this press of a button did when it was pressed first; None where it is new.

    Raises:
        Conflict: the key was used for something else.
    """
    known = await session.get(Deed, key, populate_existing=True)
    if known is None:
        return None
    if (known.deed, known.fingerprint) != (deed, _fingerprint(actor, what)):
        raise Conflict("idempotency-key-used")
    return known.subject_id


async def keep_deed(
    session: AsyncSession, at: datetime, key: UUID, deed: str, actor: Actor, subject_id: UUID, *what: object
) -> None:
    """Remember what a key did, in the transaction in which it does it.

    Raises:
        Conflict: at this very moment somebody else uses the key.
    """
    session.add(
        Deed(idempotency_key=key, deed=deed, fingerprint=_fingerprint(actor, what), subject_id=subject_id, at=at)
    )
    try:
        await session.flush()
    except IntegrityError as exc:
        raise Conflict("idempotency-key-used") from exc


def _fingerprint(actor: Actor, what: tuple[object, ...]) -> str:
    words = json.dumps([str(actor.user_id), *what], default=str, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()

"""Reviews of operations: who looks at recordings, and what for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import NotFound, NotPermitted, TooMany
from command_center.evidence import custody_tables as tables
from command_center.evidence.denials import Denials
from command_center.operations.scope import must
from command_center.operations.tables import Operation

REVIEW_LIFE = timedelta(hours=12)
"""So long a stated purpose holds; then it is asked for again."""
SEEK_SECONDS = 1.0
"""Seeks of one review come in lots, at least so far apart."""
BOUND = 10_000
"""Reviews that a process keeps in mind."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Looked = Literal["journal", "tracks"]
"""What there is to look at of an operation beside its recordings."""


class Purpose(StrEnum):
    """What somebody looks at recordings for."""

    SUPERVISION = "supervision"
    APPEAL = "appeal"
    COMPLAINT = "complaint"
    EVIDENCE = "evidence"
    TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Review:
    """A review under way."""

    id: UUID
    operation_id: UUID
    user_id: UUID
    purpose: Purpose
    began_at: datetime

    @property
    def details(self) -> dict[str, str | int]:
        """What the audit says of it beside whatever was looked at."""
        return {"purpose": self.purpose.value, "review": str(self.id)}


class Custody:
    """Begins reviews, and says of a request which one it belongs to."""

    def __init__(self, database: Database, audit: Audit, denials: Denials, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._denials = denials
        self._clock = clock
        self._known: OrderedDict[UUID, Review] = OrderedDict()
        self._sought_at: OrderedDict[UUID, datetime] = OrderedDict()
        self._looked: OrderedDict[tuple[UUID, UUID | None, UUID, Looked], bool] = OrderedDict()
        self._auditing = asyncio.Lock()

    async def begin(self, identity: Identity, operation_id: UUID, purpose: Purpose, note: str = "") -> Review:
        """Begin a review of an operation in this person's courts.

        Raises:
            NotPermitted: the role doesn't review.
            NotFound: there is no such operation in this person's courts.
        """
        must(identity, Permission.REVIEW)
        review = Review(new_id(), operation_id, identity.user_id, purpose, self._clock())
        async with self._database.write() as session:
            court_id = await _court_of(session, identity, operation_id)
            session.add(
                tables.Review(
                    id=review.id,
                    operation_id=operation_id,
                    user_id=identity.user_id,
                    purpose=purpose.value,
                    note=note,
                    began_at=review.began_at,
                )
            )
            await self._audit.record(
                session,
                actor=identity.user_id,
                court_id=court_id,
                action="review.began",
                subject_type="operation",
                subject_id=str(operation_id),
                details=review.details,
            )
        _put(self._known, review.id, review)
        return review

    async def sought(self, identity: Identity, review_id: UUID, at_ms: int, feeds: Collection[str] = ()) -> None:
        """Write down to where on the time line a reviewer went, and which feeds were on the screen.

        Raises:
            NotFound: it is no review of this person's, or it is over.
            TooMany: it comes too soon after the last.
        """
        must(identity, Permission.REVIEW)
        review = await self._of(identity, review_id)
        if review is None:
            raise NotFound("review-not-found")
        last = self._sought_at.get(review_id)
        if last is not None and self._clock() - last < timedelta(seconds=SEEK_SECONDS):
            raise TooMany("seeks-too-often", retry_after=1)
        _put(self._sought_at, review_id, self._clock())
        details: dict[str, str | int] = {**review.details, "at": at_ms}
        if feeds:
            details["feeds"] = " ".join(sorted(feeds))
        async with self._database.write() as session:
            court_id = await session.scalar(select(Operation.court_id).where(Operation.id == review.operation_id))
            await self._audit.record(
                session,
                actor=identity.user_id,
                court_id=court_id,
                action="recording.sought",
                subject_type="operation",
                subject_id=str(review.operation_id),
                details=details,
            )

    async def review_of(self, identity: Identity, operation_id: UUID, review_id: UUID | None) -> Review | None:
        """The review that a request about this operation belongs to; None where no purpose is given and none is needed.

        Raises:
            NotPermitted: this person must say what for, and hasn't.
        """
        review = None if review_id is None else await self._of(identity, review_id)
        if review is not None and review.operation_id == operation_id:
            return review
        if not identity.may(Permission.REVIEW_WITHOUT_PURPOSE):
            raise NotPermitted("purpose-required")
        return None

    async def admit(self, identity: Identity, operation_id: UUID, review_id: UUID | None, what: Looked) -> None:
        """Let somebody look at `what` of an operation; the audit tells it once a session and review.

        Raises:
            NotPermitted: the role doesn't review, or must say what for, by `review_id`.
            NotFound: there is no such operation in this person's courts.
        """
        async with self._denials.told(identity, "operation", operation_id):
            must(identity, Permission.REVIEW)
            async with self._database.read() as session:
                court_id = await _court_of(session, identity, operation_id)
            review = await self.review_of(identity, operation_id, review_id)
        looking = (identity.session_id, None if review is None else review.id, operation_id, what)
        async with self._auditing:
            if looking in self._looked:
                return
            async with self._database.write() as session:
                details = {"purpose": "none"} if review is None else review.details
                await self._audit.record(
                    session,
                    actor=identity.user_id,
                    court_id=court_id,
                    action="review.looked",
                    subject_type="operation",
                    subject_id=str(operation_id),
                    details={**details, "what": what},
                )
            _put(self._looked, looking, True)

    async def notes_of(self, reviews: Collection[UUID]) -> dict[UUID, str]:
        """What was written beside the purposes of these reviews, where anything was."""
        if not reviews:
            return {}
        written = select(tables.Review.id, tables.Review.note).where(
            tables.Review.id.in_(set(reviews)), tables.Review.note != ""
        )
        async with self._database.read() as session:
            return {row.id: row.note for row in await session.execute(written)}

    async def _of(self, identity: Identity, review_id: UUID) -> Review | None:
        """This person's review of that id, unless it is over."""
        review = self._known.get(review_id) or await self._read(review_id)
        if review is None or review.user_id != identity.user_id or self._clock() - review.began_at > REVIEW_LIFE:
            return None
        _put(self._known, review.id, review)
        return review

    async def _read(self, review_id: UUID) -> Review | None:
        async with self._database.read() as session:
            row = await session.get(tables.Review, review_id)
        if row is None:
            return None
        return Review(row.id, row.operation_id, row.user_id, Purpose(row.purpose), row.began_at)


async def _court_of(session: AsyncSession, identity: Identity, operation_id: UUID) -> UUID:
    """The court of an operation that this person's court sees.

    Raises:
        NotFound: there is none.
    """
    known = select(Operation.court_id).where(Operation.id == operation_id, Operation.court_id.in_(identity.court_ids))
    court_id = await session.scalar(known)
    if court_id is None:
        raise NotFound("operation-not-found")
    return court_id


def _put(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Keep it as the latest; what was used least lately makes room."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > BOUND:
        kept.popitem(last=False)

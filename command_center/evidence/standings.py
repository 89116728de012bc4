"""Reads what decides whether recordings may be deleted: their class, their end, what holds them, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from command_center.accounts.identity import Identity
from command_center.errors import NotFound
from command_center.evidence.custody_tables import Deletion, LegalHold, RetentionMark
from command_center.evidence.exports.tables import OPEN_STATES as EXPORTS_UNDER_WAY
from command_center.evidence.exports.withdrawals import exports_of
from command_center.evidence.retention_rules import (
    DEFAULT_CLASS,
    GONE_STATES,
    OPEN_STATES,
    Periods,
    RetentionClass,
    Standing,
)
from command_center.evidence.tables import Recording
from command_center.operations.tables import Feed, Operation

_OWN, _OF_OPERATION = aliased(RetentionMark), aliased(RetentionMark)
_CLASS: ColumnElement[str] = func.coalesce(_OWN.retention_class, _OF_OPERATION.retention_class, DEFAULT_CLASS.value)
_HELD = exists(
    select(LegalHold.id).where(
        LegalHold.lifted_at.is_(None),
        LegalHold.operation_id == Recording.operation_id,
        or_(LegalHold.recording_id.is_(None), LegalHold.recording_id == Recording.id),
    )
)
_LISTED = exists(
    select(Deletion.id).where(
        Deletion.recording_id == Recording.id,
        Deletion.state.in_([state.value for state in (*OPEN_STATES, *GONE_STATES)]),
    )
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording with its standing, and the person who wore the recorder or spoke."""

    recording: Recording
    standing: Standing
    wearer_id: UUID | None


async def kept(session: AsyncSession, recording_id: UUID) -> Kept:
    """A recording as it stands.

    Raises:
        NotFound: the index doesn't know it.
    """
    row = (await session.execute(_rows().where(Recording.id == recording_id))).one_or_none()
    if row is None:
        raise NotFound("recording-not-found")
    recording, wearer_id, retention_class, is_held = row
    standing = Standing(
        recording.ended_at,
        RetentionClass(retention_class),
        bool(is_held),
        is_exported=await _is_exported(session, recording),
    )
    return Kept(recording, standing, wearer_id or recording.speaker_id)


async def _is_exported(session: AsyncSession, recording: Recording) -> bool:
    """Whether somebody waits for a package that holds something of it."""
    jobs = (await exports_of(session, [recording.id])).get(recording.id, [])
    return any(job.state in EXPORTS_UNDER_WAY for job in jobs)


async def due(session: AsyncSession, periods: Periods, at: datetime, limit: int) -> list[tuple[Recording, str]]:
    """Recordings whose period is over at `at`, that nothing holds and no deletion names yet, with their class."""
    query = (
        _rows().where(_is_over(periods, at), ~_HELD, ~_LISTED).order_by(Recording.ended_at, Recording.id).limit(limit)
    )
    return [(recording, retention_class) for recording, _, retention_class, _ in await session.execute(query)]


def _is_over(periods: Periods, at: datetime) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [false()]
    for one in RetentionClass:
        ended_before = periods.ended_before(one, at)
        if ended_before is not None:
            conditions.append(and_(_CLASS.in_([one.value]), Recording.ended_at <= ended_before))
    return or_(*conditions)


def _rows() -> Select[Recording, UUID | None, str, bool]:
    return (
        select(Recording, Feed.officer_id, _CLASS, _HELD)
        .outerjoin(Feed, Recording.feed_id == Feed.id)
        .outerjoin(_OWN, _OWN.subject_id == Recording.id)
        .outerjoin(_OF_OPERATION, _OF_OPERATION.subject_id == Recording.operation_id)
    )


async def lock_operation(session: AsyncSession, identity: Identity, operation_id: UUID) -> Operation:
    """The operation, locked: whatever changes what may be deleted of it happens one after the other.

    Raises:
        NotFound: there is none in this person's courts.
    """
    found = await session.scalar(
        select(Operation)
        .where(Operation.id == operation_id, Operation.court_id.in_(identity.court_ids))
        .with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound("operation-not-found")
    return found

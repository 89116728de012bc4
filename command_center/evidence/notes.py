"""Bookmarks and notes of those who review: each at a moment of an operation, with its author."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.tables import User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted
from command_center.evidence.note_tables import Note
from command_center.operations.scope import must, visible_operation
from command_center.operations.tables import Feed, Operation

MAX_TEXT = 500
MAX_NOTES = 2000
"""Of one operation: more is no help to anybody, and a page reads them all."""


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """One note; a bookmark is one without text. What was withdrawn stays, and says so."""

    id: UUID
    at: datetime
    feed: str | None
    text: str
    author_id: UUID
    author: str
    created_at: datetime
    edited_at: datetime | None
    withdrawn_at: datetime | None


class Notes:
    """The notes on the operations in a person's courts."""

    def __init__(self, database: Database, audit: Audit, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def listed(self, identity: Identity, operation_id: UUID) -> list[NoteRecord]:
        """All notes on an operation, by their moment, those withdrawn among them.

        Raises:
            NotPermitted: the role doesn't review.
            NotFound: there is no such operation in this person's courts.
        """
        must(identity, Permission.REVIEW)
        async with self._database.read() as session:
            await visible_operation(session, identity, operation_id)
            query = select(Note, User).join(User, Note.author_id == User.id).where(Note.operation_id == operation_id)
            rows = await session.execute(query.order_by(Note.at, Note.id).limit(MAX_NOTES))
            return [_record(note, author.display_name) for note, author in rows]

    async def add(
        self, identity: Identity, operation_id: UUID, at: datetime, text: str = "", feed: str | None = None
    ) -> NoteRecord:
        """Write a note at a moment of the wall clock, of one camera or of the whole operation.

        Raises:
            NotPermitted: the role doesn't review.
            NotFound: there is no such operation in this person's courts.
            Invalid: the text is too long, or the feed isn't of this operation.
            Conflict: there are too many notes on it already.
        """
        must(identity, Permission.REVIEW)
        text = _checked(text)
        async with self._database.write() as session:
            operation = await visible_operation(session, identity, operation_id)
            await _check_feed(session, operation_id, feed)
            count = select(func.count()).select_from(Note).where(Note.operation_id == operation_id)
            if (await session.scalar(count) or 0) >= MAX_NOTES:
                raise Conflict("too-many-notes", limit=MAX_NOTES)
            note = Note(
                id=new_id(),
                operation_id=operation_id,
                author_id=identity.user_id,
                at=at,
                feed=feed,
                text=text,
                created_at=self._clock(),
            )
            session.add(note)
            await self._write(session, identity, operation, note, "note.added")
        return _record(note, identity.display_name)

    async def edit(self, identity: Identity, note_id: UUID, text: str) -> NoteRecord:
        """Put another text into one's own note.

        Raises:
            NotFound: there is none in this person's courts.
            NotPermitted: it is somebody else's.
            Conflict: it was withdrawn.
            Invalid: the text is too long.
        """
        text = _checked(text)
        async with self._database.write() as session:
            note, operation = await _own(session, identity, note_id)
            if note.withdrawn_at is not None:
                raise Conflict("note-withdrawn")
            if note.text != text:
                note.text, note.edited_at = text, self._clock()
                await self._write(session, identity, operation, note, "note.edited")
        return _record(note, identity.display_name)

    async def withdraw(self, identity: Identity, note_id: UUID) -> NoteRecord:
        """Take one's own note back; it stays in the record as withdrawn. Again changes nothing.

        Raises:
            NotFound: there is none in this person's courts.
            NotPermitted: it is somebody else's.
        """
        async with self._database.write() as session:
            note, operation = await _own(session, identity, note_id)
            if note.withdrawn_at is None:
                note.withdrawn_at = self._clock()
                await self._write(session, identity, operation, note, "note.withdrawn")
        return _record(note, identity.display_name)

    async def _write(
        self, session: AsyncSession, identity: Identity, operation: Operation, note: Note, action: str
    ) -> None:
        await self._audit.record(
            session,
            actor=identity.user_id,
            court_id=operation.court_id,
            action=action,
            subject_type="note",
            subject_id=str(note.id),
            details={"operation": str(operation.id)},
        )


def _checked(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise Invalid("text-length", limit=MAX_TEXT)
    return text


async def _check_feed(session: AsyncSession, operation_id: UUID, feed: str | None) -> None:
    if feed is None:
        return
    known = select(Feed.id).where(Feed.name == feed, Feed.operation_id == operation_id)
    if await session.scalar(known) is None:
        raise Invalid("feed-unknown")


async def _own(session: AsyncSession, identity: Identity, note_id: UUID) -> tuple[Note, Operation]:
    must(identity, Permission.REVIEW)
    query = (
        select(Note, Operation)
        .join(Operation, Note.operation_id == Operation.id)
        .where(Note.id == note_id, Operation.court_id.in_(identity.court_ids))
        .with_for_update(of=Note)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound("note-not-found")
    note, operation = found
    if note.author_id != identity.user_id:
        raise NotPermitted("not-the-author")
    return note, operation


def _record(note: Note, author: str) -> NoteRecord:
    return NoteRecord(
        id=note.id,
        at=note.at,
        feed=note.feed,
        text=note.text,
        author_id=note.author_id,
        author=author,
        created_at=note.created_at,
        edited_at=note.edited_at,
        withdrawn_at=note.withdrawn_at,
    )

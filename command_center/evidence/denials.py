"""Who was refused a recording, and why: in the audit, without letting anybody flood it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.names import id_in
from command_center.audit import Audit
from command_center.database import Database
from command_center.errors import NotFound, NotPermitted
from command_center.evidence.attempts import Attempt, attempt_in
from command_center.evidence.custody_tables import Deletion, LegalHold
from command_center.evidence.exports.tables import ExportJob
from command_center.evidence.tables import Recording
from command_center.operations.tables import Operation

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0
ENTRIES = 100
"""So many different refusals of one person within a window have an entry each; those beyond are counted together."""
UNKNOWN_ENTRIES = 10
"""So many of them may be about what the records don't know: ids can be made up without end."""
PEOPLE = 1_000
"""Whose windows a process keeps in mind; the oldest makes room, its counts written down."""
NOTHING_FURTHER: Mapping[str, str] = MappingProxyType({})
SUBJECTS = {"recordings": "recording", "operations": "operation"}
"""What a path's first part names."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What was refused, why, and all that is told of it: only what is the same in everything is the same again."""

    action: str
    subject_type: str
    subject_id: str
    details: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Told:
    """A refusal with an entry: of which court, and how often it came again."""

    court_id: UUID
    is_known: bool
    again: int = 0


@dataclass(slots=True)
class _Window:
    """What one person was refused lately."""

    identity: Identity
    began: float
    told: dict[_Refusal, _Told] = field(default_factory=dict)
    untold: Counter[str] = field(default_factory=Counter)
    """How many have no entry of their own, by action."""

    def has_room(self, *, is_known: bool) -> bool:
        """Whether one more refusal may have an entry."""
        if is_known:
            return len(self.told) < ENTRIES
        return sum(not one.is_known for one in self.told.values()) < UNKNOWN_ENTRIES


class Denials:
    """Writes refusals down: each that differs in anything once a minute and person, with how often it came again."""

    def __init__(self, database: Database, audit: Audit, timer: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._audit = audit
        self._timer = timer
        self._windows: OrderedDict[UUID, _Window] = OrderedDict()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def told(self, identity: Identity, subject_type: str, subject_id: UUID) -> AsyncIterator[None]:
        """Whatever of this recording or operation this person is refused in the block is written down."""
        try:
            yield
        except NotPermitted as refusal:
            await self.note(identity, refusal.code, subject_type, str(subject_id))
            raise
        except NotFound:
            async with self._database.read() as session:
                court_id = await _court_of(session, subject_type, str(subject_id))
            if court_id is not None and court_id not in identity.court_ids:
                await self.note(identity, "other-court", subject_type, str(subject_id))
            raise

    async def note_request(self, identity: Identity, path: str, body: bytes) -> None:
        """Write down that this person's role doesn't open this path, and what it would have done."""
        attempt = attempt_in(path, body)
        if attempt is not None:
            await self.note_attempt(identity, "not-permitted", attempt)
            return
        parts = [part for part in path.split("/") if part and part != "api"]
        named = id_in(parts[1]) if len(parts) > 1 else None
        if named is not None and parts[0] in SUBJECTS:
            await self.note(identity, "not-permitted", SUBJECTS[parts[0]], str(named))
        else:
            await self.note(identity, "not-permitted", "path", parts[0][:64] if parts else "")

    async def note(self, identity: Identity, reason: str, subject_type: str, subject_id: str) -> None:
        """Write down that this person was refused to see it, and why; the code's words are the page's."""
        await self._note(identity, "recording.denied", reason, subject_type, subject_id)

    async def note_attempt(self, identity: Identity, reason: str, attempt: Attempt) -> None:
        """Write down which step of keeping or deleting this person was refused, on what, and why."""
        async with self._database.read() as session:
            attempt = await _completed(session, attempt)
        further: dict[str, str] = {"attempt": attempt.step}
        further |= {"operation": str(attempt.operation)} if attempt.operation else {}
        further |= {"deletion": str(attempt.deletion)} if attempt.deletion else {}
        further |= {"hold": str(attempt.hold)} if attempt.hold else {}
        subject_type, subject_id = "path", str(attempt.kind)
        if attempt.operation is not None:
            subject_type, subject_id = "operation", str(attempt.operation)
        if attempt.recording is not None:
            subject_type, subject_id = "recording", str(attempt.recording)
        if attempt.kind == "deletion":
            await self._note(identity, "deletion.denied", reason, subject_type, subject_id, further)
        elif attempt.kind == "hold":
            await self._note(identity, "hold.denied", reason, subject_type, subject_id, further)
        else:
            await self._note(identity, "retention.denied", reason, subject_type, subject_id, further)

    async def note_export(
        self, identity: Identity, reason: str, subject_type: str, subject_id: str, further: Mapping[str, str]
    ) -> None:
        """Write down that this person was refused an export of it, and why; `further` is what else is told."""
        await self._note(identity, "export.denied", reason, subject_type, subject_id, further)

    async def _note(
        self,
        identity: Identity,
        action: str,
        reason: str,
        subject_type: str,
        subject_id: str,
        further: Mapping[str, str] = NOTHING_FURTHER,
    ) -> None:
        async with self._lock:
            await self._flush(lambda window: self._timer() - window.began > WINDOW_SECONDS)
            window = self._windows.get(identity.user_id)
            if window is None:
                window = self._windows[identity.user_id] = _Window(identity, self._timer())
                while len(self._windows) > PEOPLE:
                    await self._close(next(iter(self._windows)))
            details = {"code": reason, **further}
            refusal = _Refusal(action, subject_type, subject_id, tuple(sorted(details.items())))
            known = window.told.get(refusal)
            if known is not None:
                known.again += 1
                return
            async with self._database.write() as session:
                court_id = await _court_of(session, subject_type, subject_id)
                is_known = court_id is not None or (subject_type == "path" and not further)
                if not window.has_room(is_known=is_known):
                    window.untold[action] += 1
                    return
                told = window.told[refusal] = _Told(court_id or identity.court_id, is_known)
                await self._audit.record(
                    session,
                    actor=identity.user_id,
                    court_id=told.court_id,
                    action=action,
                    subject_type=subject_type,
                    subject_id=subject_id,
                    details=details,
                )

    async def run(self) -> None:
        """Write down the counts of windows that are over, and of all at the end."""
        try:
            while True:
                await asyncio.sleep(WINDOW_SECONDS)
                async with self._lock:
                    await self._flush_if_possible(lambda window: self._timer() - window.began > WINDOW_SECONDS)
        finally:
            await self._flush_if_possible(lambda _: True)

    async def flush(self) -> None:
        """Write down every count now."""
        async with self._lock:
            await self._flush(lambda _: True)

    async def _flush_if_possible(self, is_over: Callable[[_Window], bool]) -> None:
        try:
            await self._flush(is_over)
        except (SQLAlchemyError, OSError):
            logger.exception("refusals could not be counted in the audit")

    async def _flush(self, is_over: Callable[[_Window], bool]) -> None:
        for user_id in [one for one, window in self._windows.items() if is_over(window)]:
            await self._close(user_id)

    async def _close(self, user_id: UUID) -> None:
        window = self._windows[user_id]
        again = [(refusal, told) for refusal, told in window.told.items() if told.again]
        if again or window.untold:
            async with self._database.write() as session:
                for refusal, told in again:
                    await self._audit.record(
                        session,
                        actor=user_id,
                        court_id=told.court_id,
                        action=refusal.action,
                        subject_type=refusal.subject_type,
                        subject_id=refusal.subject_id,
                        details={**dict(refusal.details), "count": told.again},
                    )
                for action, count in sorted(window.untold.items()):
                    await self._audit.record(
                        session,
                        actor=user_id,
                        court_id=window.identity.court_id,
                        action=action,
                        subject_type="user",
                        subject_id=str(user_id),
                        details={"count": count},
                    )
        del self._windows[user_id]


async def _completed(session: AsyncSession, attempt: Attempt) -> Attempt:
    """The same with the recording and operation that the records know of it."""
    of_it: Select[UUID, UUID | None] | Select[UUID, UUID]
    if attempt.deletion is not None:
        of_it = select(Deletion.operation_id, Deletion.recording_id).where(Deletion.id == attempt.deletion)
    elif attempt.hold is not None:
        of_it = select(LegalHold.operation_id, LegalHold.recording_id).where(LegalHold.id == attempt.hold)
    else:
        of_it = select(Recording.operation_id, Recording.id).where(Recording.id == attempt.recording)
    found = (await session.execute(of_it)).one_or_none()
    return attempt if found is None else replace(attempt, operation=found[0], recording=found[1])


async def _court_of(session: AsyncSession, subject_type: str, subject_id: str) -> UUID | None:
    """The court whose recording, export or operation it is, so that its supervisors see the refusal."""
    named = id_in(subject_id)
    if named is None:
        return None
    query = select(Operation.court_id)
    if subject_type == "recording":
        query = query.join(Recording, Recording.operation_id == Operation.id).where(Recording.id == named)
    elif subject_type == "export":
        query = query.join(ExportJob, ExportJob.operation_id == Operation.id).where(ExportJob.id == named)
    else:
        query = query.where(Operation.id == named)
    return await session.scalar(query)

"""Who was refused a recording, and why: in the audit, without letting anybody flood it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.names import id_in
from command_center.audit import Audit
from command_center.database import Database
from command_center.errors import NotFound, NotPermitted
from command_center.evidence.tables import Recording
from command_center.operations.tables import Operation

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0
ENTRIES = 10
"""So many different refusals of one person within a window have an entry each; the others are counted in one."""
PEOPLE = 1_000
"""Whose windows a process keeps in mind; the oldest makes room, its count written down."""
NOTHING_FURTHER: Mapping[str, str] = MappingProxyType({})
SUBJECTS = {"recordings": "recording", "operations": "operation"}
"""What a path's first part names."""


@dataclass(slots=True)
class _Window:
    """What one person was refused lately."""

    identity: Identity
    began: float
    told: set[tuple[str, str, str]] = field(default_factory=set)
    """Those with an entry, by action, reason and subject."""
    untold: int = 0


class Denials:
    """Writes refusals down: each once a minute and person, and no more than `ENTRIES` and a count."""

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

    async def note_path(self, identity: Identity, path: str) -> None:
        """Write down that this person's role doesn't open this path."""
        parts = [part for part in path.split("/") if part and part != "api"]
        named = id_in(parts[1]) if len(parts) > 1 else None
        if named is not None and parts[0] in SUBJECTS:
            await self.note(identity, "not-permitted", SUBJECTS[parts[0]], str(named))
        else:
            await self.note(identity, "not-permitted", "path", parts[0][:64] if parts else "")

    async def note(self, identity: Identity, reason: str, subject_type: str, subject_id: str) -> None:
        """Write down that this person was refused to see it, and why; the code's words are the page's."""
        await self._note(identity, "recording.denied", reason, subject_type, subject_id)

    async def note_deletion(self, identity: Identity, reason: str, recording_id: UUID) -> None:
        """Write down that this person was refused to have it deleted, and why."""
        await self._note(identity, "deletion.denied", reason, "recording", str(recording_id))

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
            if (action, reason, subject_id) in window.told or len(window.told) >= ENTRIES:
                window.untold += 1
                return
            window.told.add((action, reason, subject_id))
            async with self._database.write() as session:
                await self._audit.record(
                    session,
                    actor=identity.user_id,
                    court_id=await _court_of(session, subject_type, subject_id) or identity.court_id,
                    action=action,
                    subject_type=subject_type,
                    subject_id=subject_id,
                    details={"code": reason, **further},
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
        if window.untold:
            async with self._database.write() as session:
                await self._audit.record(
                    session,
                    actor=user_id,
                    court_id=window.identity.court_id,
                    action="recording.denied",
                    subject_type="user",
                    subject_id=str(user_id),
                    details={"count": window.untold},
                )
        del self._windows[user_id]


async def _court_of(session: AsyncSession, subject_type: str, subject_id: str) -> UUID | None:
    """The court whose recording or operation it is, so that its supervisors see the refusal."""
    named = id_in(subject_id)
    if named is None:
        return None
    query = select(Operation.court_id)
    if subject_type == "recording":
        query = query.join(Recording, Recording.operation_id == Operation.id).where(Recording.id == named)
    else:
        query = query.where(Operation.id == named)
    return await session.scalar(query)

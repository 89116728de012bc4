"""Brings what was noted of each operation into its signed file: in order, each entry once."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from command_center.audit import write_in_turn
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.journal_file import FOLDER, SUFFIX, Entry, JournalFile, operation_of, unsealed
from command_center.evidence.keyring import Keyring
from command_center.evidence.ledger_file import LedgerBroken
from command_center.journal import JournalEntry, JournalSeal
from command_center.operations.tables import Operation

logger = logging.getLogger(__name__)

BATCH = 500
SEAL_SECONDS = 60.0
BROKEN_SECONDS = 60.0
"""How long a file that can't be written is left alone before it is tried again."""
MAX_OPEN = 64
"""Of so many files it is remembered where they stand; of the others that is read anew."""
RECENT_SECONDS = 3600.0
LOCK_FILE = "journals.lock"
NewestAnchor = Callable[[], tuple[int, str] | None]


@dataclass(slots=True)
class _Waiting:
    court: UUID
    entries: list[Entry] = field(default_factory=list)


class Journals:
    """The writer of all journals. One process at a time does it; a second one at the same time would do no harm.

    It may die at any moment: what stands in a file isn't written again, and what isn't marked as written comes again.
    """

    def __init__(
        self, database: Database, data: Path, keyring: Keyring, newest_anchor: NewestAnchor, clock: Clock = now
    ) -> None:
        self._database = database
        self._folder = data / FOLDER
        self._keyring = keyring
        self._newest_anchor = newest_anchor
        self._clock = clock
        self._files: dict[UUID, JournalFile] = {}
        self._unsealed_since: dict[UUID, float] = {}
        self._left_alone_until: dict[UUID, float] = {}
        self._mending: set[UUID] = set()
        self._sizes: dict[Path, int] = {}
        self._look_round_at = 0.0

    async def step(self) -> int:
        """Write one batch of what waits, and seal what is due; returns how many entries the batch had.

        Raises:
            SQLAlchemyError: the records are away; everything comes again.
        """
        if time.monotonic() >= self._look_round_at:
            await asyncio.to_thread(self._look_round)
        waiting = await self._waiting()
        for operation_id, one in waiting.items():
            await self._guarded(operation_id, self._write(operation_id, one))
        await self.seal(SEAL_SECONDS)
        return sum(len(one.entries) for one in waiting.values())

    async def seal(self, after_seconds: float = 0.0) -> None:
        """Seal each journal that has stood unsealed for so long.

        Raises:
            SQLAlchemyError: the records are away; what was sealed is noted in them later.
        """
        for operation_id, since in list(self._unsealed_since.items()):
            at = time.monotonic()
            if at - since >= after_seconds and self._left_alone_until.get(operation_id, at) <= at:
                await self._guarded(operation_id, self._seal(operation_id))

    async def _guarded(self, operation_id: UUID, deed: Awaitable[None]) -> None:
        """One operation's trouble with its file isn't the others'."""
        try:
            await deed
        except (LedgerBroken, OSError, ValueError) as error:
            logger.error("journal of operation %s can't be written: %s", operation_id, error)
            self._files.pop(operation_id, None)
            self._left_alone_until[operation_id] = time.monotonic() + BROKEN_SECONDS
        else:
            self._left_alone_until.pop(operation_id, None)

    async def _waiting(self) -> dict[UUID, _Waiting]:
        at = time.monotonic()
        left_alone = [operation for operation, until in self._left_alone_until.items() if until > at]
        query = (
            select(JournalEntry, Operation.court_id)
            .join(Operation, Operation.id == JournalEntry.operation_id)
            .where(JournalEntry.written_at.is_(None), JournalEntry.operation_id.not_in(left_alone))
            .order_by(JournalEntry.id)
            .limit(BATCH)
        )
        waiting: dict[UUID, _Waiting] = {}
        async with self._database.read() as session:
            for row, court in await session.execute(query):
                one = waiting.setdefault(row.operation_id, _Waiting(court))
                one.entries.append(Entry(row.id, row.at, row.kind, row.salt, row.body))
        return waiting

    async def _write(self, operation_id: UUID, waiting: _Waiting) -> None:
        file = self._file(operation_id)
        if not await self._is_ready(file):
            return  # what was lost comes first, and this again behind it
        if clashing := file.unknown(waiting.entries):
            await self._renumber(clashing, file.last_id)
            return
        if await asyncio.to_thread(self._append, file, waiting):
            self._unsealed_since.setdefault(operation_id, time.monotonic())
            self._mending.discard(operation_id)
            await self._mark(waiting.entries)

    async def _is_ready(self, file: JournalFile) -> bool:
        """Have it open; False where it has lost what the records held for written, which comes again."""
        if await asyncio.to_thread(self._opened, file) or not await self._lost(file.operation, file.last_id):
            return True
        self._mending.add(file.operation)
        return False

    def _file(self, operation_id: UUID) -> JournalFile:
        file = self._files.pop(operation_id, None) or JournalFile(self._folder, operation_id)
        self._files[operation_id] = file  # the one used last stands last
        while len(self._files) > MAX_OPEN:
            del self._files[next(iter(self._files))]
        return file

    def _opened(self, file: JournalFile) -> bool:
        """Whether it was open already; it is now."""
        with self._locked():
            if file.is_open:
                return True
            file.open()
            return False

    def _append(self, file: JournalFile, waiting: _Waiting) -> bool:
        """Whether they are written; not, where another process has gone on with the file meanwhile."""
        with self._locked():
            if not file.is_open:
                return False
            file.write(waiting.entries, waiting.court)
            return True

    async def _lost(self, operation_id: UUID, last_id: int) -> bool:
        """Have that written again which the records hold for written, and the file doesn't have."""
        async with self._database.write() as session:
            missing = select(JournalEntry.id).where(
                JournalEntry.operation_id == operation_id,
                JournalEntry.id > last_id,
                JournalEntry.written_at.is_not(None),
            )
            ids = list(await session.scalars(missing))
            await session.execute(update(JournalEntry).where(JournalEntry.id.in_(missing)).values(written_at=None))
        if ids:
            logger.error("journal of operation %s had lost %d entries; they are written again", operation_id, len(ids))
        return bool(ids)

    async def _renumber(self, entries: Sequence[Entry], above: int) -> None:
        """Give new numbers to entries whose own the file gave to others: the records are of an older copy."""
        logger.error("%d entries of the journal get numbers above %d, which stands in the file", len(entries), above)
        async with self._database.write() as session:
            await write_in_turn(session)
            last = max(above, await session.scalar(select(func.max(JournalEntry.id))) or 0)
            for number, entry in enumerate(entries, start=last + 1):
                await session.execute(update(JournalEntry).where(JournalEntry.id == entry.id).values(id=number))
            if not self._database.is_sqlite:
                following = text("SELECT setval(pg_get_serial_sequence('journal_entries', 'id'), :last)")
                await session.execute(following, {"last": last + len(entries)})

    async def _mark(self, entries: Sequence[Entry]) -> None:
        ids = [entry.id for entry in entries]
        async with self._database.write() as session:
            await session.execute(update(JournalEntry).where(JournalEntry.id.in_(ids)).values(written_at=self._clock()))

    async def _seal(self, operation_id: UUID) -> None:
        file = self._file(operation_id)
        if not await self._is_ready(file) or operation_id in self._mending:
            return  # what was lost comes before the seal
        if not await asyncio.to_thread(self._sign, file):
            return
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        values = {"entry_id": file.last_id, "sealed_at": self._clock()}
        async with self._database.write() as session:
            if await session.get(Operation, operation_id) is None:
                raise ValueError("the records don't know this operation")
            await session.execute(
                insert(JournalSeal)
                .values(operation_id=operation_id, **values)
                .on_conflict_do_update(index_elements=[JournalSeal.operation_id], set_=values)
            )
        self._unsealed_since.pop(operation_id, None)

    def _sign(self, file: JournalFile) -> bool:
        """Whether it is sealed; not, where another process has gone on with the file meanwhile."""
        with self._locked():
            if not file.is_open:
                return False
            if not file.is_sealed:
                with self._keyring.signing() as signer:
                    file.seal(signer, self._clock(), self._newest_anchor())
            return True

    def _look_round(self) -> None:
        """Find journals that others left unsealed; at first also those whose last seal may not be in the records."""
        is_first, at = not self._look_round_at, time.monotonic()
        for path in self._folder.glob(f"*{SUFFIX}"):
            operation_id = operation_of(path)
            now = path.stat()
            if operation_id is None or self._sizes.get(path) == now.st_size:
                continue
            self._sizes[path] = now.st_size
            if (is_first and time.time() - now.st_mtime < RECENT_SECONDS) or unsealed(path):
                self._unsealed_since.setdefault(operation_id, at - (SEAL_SECONDS if is_first else 0.0))
        self._look_round_at = at + SEAL_SECONDS

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder.parent / LOCK_FILE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

"""Makes the index of recordings from the manifests in the store: where events were lost, or all of it anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.index import take_line
from command_center.evidence.manifests import LineReader, Written
from command_center.evidence.noting import note_recorded
from command_center.evidence.store import NotStored, Store, read_all
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment
from command_center.journal import Journal
from streams.ledger import line_hash
from streams.recording.manifest import Closed, ManifestLine, Opened, Sealed

logger = logging.getLogger(__name__)

BATCH = 200
TAIL_BYTES = 4096
"""No manifest's last line is longer."""
RECENT = timedelta(days=3)
"""So long after its end it is looked for lines of a recording that never came."""
SEALED, GAP, CLOSED = (b'"type":"%s"' % kind for kind in (b"sealed", b"gap", b"closed"))


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many manifests there are, how many recordings were taken out because the store has none of them, and how many
    manifests couldn't be read: what the index has of those stays as it was."""

    manifests: int
    gone: int
    unread: int = 0


async def compare(
    database: Database,
    store: Store,
    journal: Journal | None = None,
    *,
    passes_growing: bool = False,
    clock: Clock = now,
) -> int:
    """Take in every manifest of the store with which the index doesn't agree; returns how many there are.

    A manifest whose last line the index has as a finished recording's isn't read again; one that ended in the last days
    is, since lines before its last may never have come. `passes_growing`: what the index knows and is recorded now is
    looked at when it has ended.
    """
    paths = await store.manifests()
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        known = await _known(database, batch)
        for path in batch:
            try:
                if not await _agrees(store, path, known.get(path), clock() - RECENT, passes_growing):
                    await _take_anew(database, store, path, journal)
            except (OSError, NotStored) as error:
                logger.error("manifest %s can't be read: %s", PurePosixPath(path).name, error)
    return len(paths)


async def rebuild(database: Database, store: Store, journal: Journal | None = None) -> Rebuilt:
    """Make the whole index anew. Nodes may go on recording meanwhile.

    Raises:
        StoreAway: the store can't say what there is; nothing was changed.
    """
    # Before the store is asked, which may take its time: what is begun meanwhile isn't on its list.
    async with database.read() as session:
        listed = set(await session.scalars(select(Recording.id)))
    paths = await store.manifests()
    gone = listed - {_id_of(path) for path in paths}
    async with database.write() as session:
        for recording_id in gone:
            await _forget_parts(session, recording_id)
            await session.execute(delete(Recording).where(Recording.id == recording_id))
    unread = 0
    for path in paths:
        try:
            await _take_anew(database, store, path, journal)
        except (OSError, NotStored) as error:
            unread += 1
            logger.error("manifest %s can't be read: %s", PurePosixPath(path).name, error)
    return Rebuilt(len(paths), len(gone), unread)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the index has of a recording: its last line, and how many seals and gaps."""

    version: int
    head: str
    ended_at: datetime | None
    segments: int
    seals: int
    gaps: int


async def _known(database: Database, paths: Sequence[str]) -> dict[str, _Known]:
    own = RecordingSegment.recording_id == Recording.id
    last = select(func.coalesce(func.max(RecordingSegment.number), 0)).where(own).scalar_subquery()
    seals = select(func.count()).where(own, RecordingSegment.ended_at.is_not(None)).scalar_subquery()
    gaps = select(func.count()).where(RecordingGap.recording_id == Recording.id).scalar_subquery()
    query = select(Recording.manifest, Recording.version, Recording.head, Recording.ended_at, last, seals, gaps).where(
        Recording.manifest.in_(paths)
    )
    async with database.read() as session:
        return {path: _Known(*rest) for path, *rest in await session.execute(query)}


async def _agrees(store: Store, path: str, known: _Known | None, since: datetime, passes_growing: bool) -> bool:
    if known is None:
        return False
    last = await _last_line(store, path)
    if known.ended_at is None:
        return passes_growing and CLOSED not in last
    if known.head != line_hash(last) or known.seals != known.segments:
        return False
    if known.ended_at < since or known.version == 1:
        return True
    data = await read_all(store, path)
    return await asyncio.to_thread(lambda: (data.count(SEALED), data.count(GAP)) == (known.seals, known.gaps))


async def _last_line(store: Store, path: str) -> bytes:
    data = await read_all(store, path, max(0, await store.size(path) - TAIL_BYTES))
    whole = data[: data.rfind(b"\n")]
    return whole[whole.rfind(b"\n") + 1 :]


async def _take_anew(database: Database, store: Store, path: str, journal: Journal | None) -> None:
    """Index one recording as if it had never been; who tells of it meanwhile waits and finds it done."""
    recording_id = _id_of(path)
    if recording_id is None:
        logger.error("manifest %s isn't named by a recording", PurePosixPath(path).name)
        return
    # Before the transaction, which everybody waits for: from far away it may take its time.
    await store.manifest(path)
    try:
        async with database.write() as session:
            await _begin_anew(session, recording_id)
            lines = await _read(store, path)
            for written in lines:
                if all(line.recording == recording_id for line in written.lines if isinstance(line, Opened)):
                    await take_line(session, recording_id, written.ordinal, written.head, written.lines)
            # Where even its first line can't be read any more, there is nothing to list.
            await session.execute(delete(Recording).where(Recording.id == recording_id, Recording.lines == 0))
            if journal is not None:
                await _note(session, journal, recording_id, [line for written in lines for line in written.lines])
    except IntegrityError:
        logger.exception("recording %s can't be indexed", recording_id)


async def _note(session: AsyncSession, journal: Journal, recording_id: UUID, lines: Sequence[ManifestLine]) -> None:
    recording = await session.get(Recording, recording_id)
    feed = next((line.feed for line in lines if isinstance(line, Opened)), "")
    for line in lines:
        if isinstance(line, Sealed | Closed):
            await note_recorded(session, journal, recording, feed, line)


async def _begin_anew(session: AsyncSession, recording_id: UUID) -> None:
    recording = await session.get(Recording, recording_id, with_for_update=True)
    if recording is not None:
        recording.lines = 0
    await _forget_parts(session, recording_id)


async def _forget_parts(session: AsyncSession, recording_id: UUID) -> None:
    for part in (RecordingSegment, RecordingGap):
        await session.execute(delete(part).where(part.recording_id == recording_id))


async def _read(store: Store, path: str) -> list[Written]:
    data = await read_all(store, path)
    lines = await asyncio.to_thread(lambda: list(LineReader().take(data)))
    if not any(isinstance(line, Closed) for written in lines[-1:] for line in written.lines):
        # Only what a power cut can't take back goes into the index.
        await store.keep(path)
    return lines


def _id_of(path: str) -> UUID | None:
    try:
        return UUID(PurePosixPath(path).stem)
    except ValueError:
        return None

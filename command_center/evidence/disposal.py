"""Carries out what two people decided: lists what is due, writes tombstones, and only then removes files."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.deletions import end, list_as_due, move
from command_center.evidence.exports.folder import Busy
from command_center.evidence.exports.known_people import known_people
from command_center.evidence.exports.masks import Masks
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.ledger_file import LedgerBroken
from command_center.evidence.retention_rules import DeletionState, Periods, obstacle
from command_center.evidence.standings import due, kept
from command_center.evidence.store import NotStored, Store
from command_center.evidence.tables import Recording, RecordingSegment
from command_center.evidence.tombstones import Tombstone, Tombstones
from command_center.journal import Journal, JournalKind
from command_center.operations.tables import Feed, Operation
from streams.ledger import Head, head_of
from streams.recording.manifest import read_manifest
from streams.supervision import leave_if_cancelled

logger = logging.getLogger(__name__)

BATCH = 100
"""So many recordings are listed, or deletions looked at, at a time."""
LISTING_SECONDS = 3600.0
CARRYING_SECONDS = 2.0
"""After so long the rest waits for the next round: a worker must renew its lease."""
WAITING_SECONDS = 30.0
STEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Files:
    """What there is of a recording: its feed, its manifest's head, and its files by their segments' numbers."""

    feed: str
    manifest: Head
    segments: dict[int, str]


class Disposal:
    """The worker's part of retention. Every step may be broken off anywhere and is done again."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        journal: Journal,
        store: Store,
        tombstones: Tombstones,
        withdrawals: Withdrawals,
        periods: Periods,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._journal = journal
        self._store = store
        self._tombstones = tombstones
        self._withdrawals = withdrawals
        self._periods = periods
        self._clock = clock
        self._lists_at = 0.0
        self._carries_out_at = 0.0

    async def run(self) -> None:
        """Work until cancelled; one recording's files may take storage longer than a lease."""
        while True:
            leave_if_cancelled()
            await self.step()

    async def step(self) -> None:
        """What a worker does again and again: it lists and carries out in their time, and else waits a moment."""
        at = asyncio.get_running_loop().time()
        if at >= self._lists_at:
            if await self.list_due() < BATCH:
                self._lists_at = at + LISTING_SECONDS
        elif at >= self._carries_out_at:
            if await self.carry_out() == 0:
                self._carries_out_at = at + WAITING_SECONDS
        else:
            await asyncio.sleep(STEP_SECONDS)

    async def list_due(self) -> int:
        """List recordings whose period is over, for somebody to propose; gives how many were added."""
        async with self._database.write() as session:
            found = await due(session, self._periods, self._clock(), BATCH)
            counts: dict[UUID, int] = {}
            for recording, retention_class in found:
                # Whoever proposed it meanwhile was quicker.
                if await list_as_due(session, recording, retention_class, self._clock()):
                    counts[recording.operation_id] = counts.get(recording.operation_id, 0) + 1
            for operation_id, count in counts.items():
                await self._audit.record(
                    session,
                    actor=None,
                    court_id=await _court_of(session, operation_id),
                    action="retention.due",
                    subject_type="operation",
                    subject_id=str(operation_id),
                    details={"count": count},
                )
        return sum(counts.values())

    async def carry_out(self) -> int:
        """Take approved deletions to their end; gives how many reached it. One that fails is tried again later."""
        loop, done = asyncio.get_running_loop(), 0
        stops_at = loop.time() + CARRYING_SECONDS
        for deletion_id in await self._waiting():
            if loop.time() > stops_at:
                break
            try:
                done += await self._carry_out(deletion_id)
            except (OSError, ValueError, NotStored, LedgerBroken, Busy) as error:
                # The store's being away is among them, a key that can't be read, and an export that is ending.
                logger.error("deletion %s waits: %s", deletion_id, error)
        return done

    async def _waiting(self) -> list[UUID]:
        has_taken_effect = and_(Deletion.state == DeletionState.APPROVED.value, Deletion.effective_at <= self._clock())
        query = (
            select(Deletion.id)
            .where(or_(Deletion.state == DeletionState.DELETING.value, has_taken_effect))
            .order_by(Deletion.effective_at)
            .limit(BATCH)
        )
        async with self._database.read() as session:
            return list(await session.scalars(query))

    async def _carry_out(self, deletion_id: UUID) -> bool:
        stone_and_files = await self._begin(deletion_id)
        if stone_and_files is None:
            return False
        stone, files = stone_and_files
        line = await asyncio.to_thread(self._tombstones.set_up, stone)
        await self._withdrawals.withdraw(stone.recording)
        for path in files.segments.values():
            await self._store.remove(path)
        # Again: an export that was begun meanwhile may have read it. One that is begun now finds nothing.
        await self._withdrawals.withdraw(stone.recording)
        await self._finish(deletion_id, line, files)
        logger.info("recording %s is deleted: %d files", stone.recording, len(files.segments))
        return True

    async def _begin(self, deletion_id: UUID) -> tuple[Tombstone, _Files] | None:
        """Let an approval take effect, unless a rule stops it now; with the tombstone there is no way back."""
        is_settled = await asyncio.to_thread(self._tombstones.stands, await self._recording_of(deletion_id))
        async with self._database.write() as session:
            deletion = await session.get_one(Deletion, deletion_id)
            operation = await session.get_one(Operation, deletion.operation_id, with_for_update={"key_share": True})
            await session.refresh(deletion)
            if deletion.state not in (DeletionState.APPROVED, DeletionState.DELETING):
                return None  # withdrawn meanwhile
            code = None if is_settled else await self._obstacle(session, deletion)
            if code is not None:
                end(deletion, DeletionState.REFUSED, None, self._clock(), code)
                await self._record(session, deletion, operation, "deletion.stopped", {"code": code})
                return None
            if deletion.state == DeletionState.APPROVED:
                move(deletion, DeletionState.DELETING)
            recording = await session.get(Recording, deletion.recording_id)
            if recording is None:
                logger.error("deletion %s waits: the index has lost recording %s", deletion_id, deletion.recording_id)
                return None
            feed = None if recording.feed_id is None else await session.get(Feed, recording.feed_id)
            query = select(RecordingSegment).where(RecordingSegment.recording_id == recording.id)
            indexed = {row.number: row.path for row in await session.scalars(query)}
            masks = Masks(await known_people(session))
        files = await self._files(recording, "" if feed is None else feed.name, indexed)
        return _stone(deletion, files, masks), files

    async def _recording_of(self, deletion_id: UUID) -> UUID:
        async with self._database.read() as session:
            return (await session.get_one(Deletion, deletion_id)).recording_id

    async def _obstacle(self, session: AsyncSession, deletion: Deletion) -> str | None:
        found = await kept(session, deletion.recording_id)
        people = {deletion.proposed_by, deletion.approved_by}
        if len(people) != 2 or None in people:
            return "deletion-needs-two"
        if found.wearer_id in people:
            return "deletion-by-wearer"
        # What is decided waits for no export: one that was asked for since is stopped, or leaves the recording out.
        return obstacle(replace(found.standing, is_exported=False), self._periods, self._clock())

    async def _files(self, recording: Recording, feed: str, indexed: dict[int, str]) -> _Files:
        """By the manifest, which stays; by the index where it is gone."""
        try:
            path = await self._store.manifest(recording.manifest)
            manifest = await asyncio.to_thread(read_manifest, path)
            head = await asyncio.to_thread(head_of, path)
        except NotStored:
            manifest = None
        if manifest is None:
            return _Files(feed, Head(recording.lines, recording.head), indexed)
        named = {segment.line.number: _own(recording, segment.line.path) for segment in manifest.segments}
        return _Files(manifest.opened.feed, head, dict(sorted({**indexed, **named}.items())))

    async def _finish(self, deletion_id: UUID, tombstone: str, files: _Files) -> None:
        async with self._database.write() as session:
            deletion = await session.get_one(Deletion, deletion_id)
            if deletion.state == DeletionState.DONE:
                return
            operation = await session.get_one(Operation, deletion.operation_id)
            move(deletion, DeletionState.DONE)
            deletion.tombstone, deletion.ended_at = tombstone, self._clock()
            told = {
                "recording": str(deletion.recording_id),
                "feed": files.feed,
                "segments": sorted(files.segments),
                "manifest": [files.manifest.lines, files.manifest.hash],
                "class": deletion.retention_class,
                "reason": deletion.reason,
                "tombstone": tombstone,
                "proposed_by": str(deletion.proposed_by),
                "approved_by": str(deletion.approved_by),
            }
            once = f"deleted:{deletion.recording_id}"
            await self._journal.note(session, operation.id, JournalKind.DELETED, told, once=once)
            details: dict[str, str | int] = {"tombstone": tombstone, "count": len(files.segments)}
            await self._record(session, deletion, operation, "recording.deleted", details)

    async def _record(
        self,
        session: AsyncSession,
        deletion: Deletion,
        operation: Operation,
        action: str,
        details: dict[str, str | int],
    ) -> None:
        await self._audit.record(
            session,
            actor=None,
            court_id=operation.court_id,
            action=action,
            subject_type="recording",
            subject_id=str(deletion.recording_id),
            details={"operation": str(operation.id), "deletion": str(deletion.id), **details},
        )


def _own(recording: Recording, path: str) -> str:
    """A segment's path, which must lie beside its recording's manifest under its name: nothing else goes with it.

    Raises:
        ValueError: it doesn't; somebody changed the manifest.
    """
    here, place = PurePosixPath(recording.manifest), PurePosixPath(path)
    if place.parent != here.parent or not place.name.startswith((f"{recording.id}-", f"{recording.id}.")):
        raise ValueError(f"recording {recording.id}: its manifest names another's file")
    return path


def _stone(deletion: Deletion, files: _Files, masks: Masks) -> Tombstone:
    proposed_by, proposed_at, approved_by = deletion.proposed_by, deletion.proposed_at, deletion.approved_by
    if proposed_by is None or proposed_at is None or approved_by is None:
        raise RuntimeError(f"deletion {deletion.id} has taken effect without two people")
    return Tombstone(
        recording=deletion.recording_id,
        operation=deletion.operation_id,
        feed=files.feed,
        segments=tuple(sorted(files.segments)),
        manifest=files.manifest,
        retention_class=deletion.retention_class,
        # Ledgers go out with every exported package, and can't be masked afterwards.
        reason=masks.text(deletion.reason),
        proposed_by=proposed_by,
        proposed_at=proposed_at,
        approved_by=approved_by,
    )


async def _court_of(session: AsyncSession, operation_id: UUID) -> UUID | None:
    return await session.scalar(select(Operation.court_id).where(Operation.id == operation_id))

"""Verifies one recording for a person who says what for, and writes into the audit what was found."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.errors import NotFound, NotPermitted, TooMany, Unavailable
from command_center.evidence.custody import Custody, Review
from command_center.evidence.denials import Denials
from command_center.evidence.store import Store, StoreAway
from command_center.evidence.stored_tree import StoredTree
from command_center.evidence.tables import Recording
from command_center.evidence.verdicts import (
    EvidenceVerdict,
    SaidFinding,
    recording_verdict,
    said_findings,
    verdict_details,
)
from command_center.evidence.verifier import RECORDINGS_PATH, Found, Options, Report, Verification
from command_center.operations.scope import must
from command_center.operations.tables import Operation

logger = logging.getLogger(__name__)

WAITING = 4
"""So many examinations may wait for the one under way; the next is told to come again."""
LONGEST_SECONDS = 110.0
"""A recording of an hour takes some seconds where its files lie on this machine."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A verdict on the recording alone, with its report: in words for a reader, and for programs.

    It holds for what was there at `checked_at`, when the manifest had so many `lines`.
    """

    verdict: EvidenceVerdict
    checked_at: datetime
    lines: int
    findings: tuple[SaidFinding, ...]
    text: str
    report: dict[str, Any]


class Examinations:
    """One at a time in this process: each reads whole files."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        store: Store,
        data: Path,
        custody: Custody,
        denials: Denials,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._store = store
        self._data = data
        self._custody = custody
        self._denials = denials
        self._clock = clock
        self._slot = asyncio.Semaphore(1)
        self._asked = 0

    async def examine(self, identity: Identity, review_id: UUID, recording_id: UUID) -> Examined:
        """Verify a recording: its files, its manifest, and what anchors it.

        Raises:
            NotPermitted: the role doesn't review, or the review isn't this person's, or of another operation.
            NotFound: there is no such recording in this person's courts.
            TooMany: too many wait already.
            Unavailable: it takes too long, or the store can't be asked.
        """
        async with self._denials.told(identity, "recording", recording_id):
            recording, operation = await self._recording(identity, recording_id)
            review = await self._custody.review_of(identity, recording.operation_id, review_id)
            if review is None:
                raise NotPermitted("purpose-required")
        if self._asked > WAITING:
            raise TooMany("examinations-full", retry_after=10)
        self._asked += 1
        try:
            report, checked_at = await self._verified(recording)
        finally:
            self._asked -= 1
        await self._record(identity, recording_id, operation.court_id, review, report)
        name = operation.name_en if identity.language == "en" else operation.name_zh
        return Examined(
            verdict=recording_verdict(report),
            checked_at=checked_at,
            lines=sum(one.lines for one in report.recordings),
            findings=said_findings(report, identity.language, name),
            text=report.text(identity.language),
            report=report.as_dict(),
        )

    async def _recording(self, identity: Identity, recording_id: UUID) -> tuple[Recording, Operation]:
        must(identity, Permission.REVIEW)
        query = (
            select(Recording, Operation)
            .join(Operation, Recording.operation_id == Operation.id)
            .where(Recording.id == recording_id, Operation.court_id.in_(identity.court_ids))
        )
        async with self._database.read() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            raise NotFound("recording-not-found")
        recording, operation = row
        return recording, operation

    async def _verified(self, recording: Recording) -> tuple[Report, datetime]:
        """The report, and since when its files were being read."""
        path = f"{RECORDINGS_PATH}/{recording.manifest}"
        tree = StoredTree(self._data, self._store, [recording.manifest], asyncio.get_running_loop())
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._slot.acquire()
        except TimeoutError as error:
            raise Unavailable("examination-slow") from error
        checked_at = self._clock()
        # Other operations' journals are other courts' business, and tell nothing of this recording.
        own = frozenset({str(recording.operation_id)})
        verification = Verification(Found(str(recording.id), "manifest", tree, path, own), Options(trusts_own=True))
        running = asyncio.ensure_future(asyncio.to_thread(verification.run))
        # A thread can't be stopped, so its slot is free only when it has ended.
        running.add_done_callback(lambda _: self._slot.release())
        done, _ = await asyncio.wait({running}, timeout=LONGEST_SECONDS)
        if not done:
            raise Unavailable("examination-slow")
        report = running.result()
        if not report.recordings and await self._is_gone(recording):
            report.add("database-extra", str(recording.id), table="recordings")
        return report, checked_at

    async def _is_gone(self, recording: Recording) -> bool:
        """Whether the store answers and doesn't have the manifest, which nothing ever deletes."""
        try:
            return not await self._store.exists(recording.manifest)
        except StoreAway:
            return False

    async def _record(
        self, identity: Identity, recording_id: UUID, court_id: UUID, review: Review, report: Report
    ) -> None:
        async with self._database.write() as session:
            await self._audit.record(
                session,
                actor=identity.user_id,
                court_id=court_id,
                action="evidence.verified",
                subject_type="recording",
                subject_id=str(recording_id),
                details={**review.details, **verdict_details(report, recording_verdict(report))},
            )

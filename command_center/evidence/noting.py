"""Puts what a node sealed and closed into the operation's journal, so that journal and manifests hold each other."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from command_center.evidence.tables import Recording, RecordingSegment
from command_center.journal import Journal, JournalKind
from streams.recording.manifest import Closed, ManifestLine, Sealed


async def note_recorded(
    session: AsyncSession, journal: Journal, recording: Recording | None, feed: str, line: ManifestLine
) -> None:
    """Note a seal or a close that the index took in, in its transaction; once, however often it is taken in.

    Nothing is noted of recordings that can't prove themselves, or that no operation knows.
    """
    if recording is None or recording.version == 1:
        return
    told: dict[str, Any] = {"recording": str(recording.id), "feed": feed, "node": recording.node}
    if isinstance(line, Sealed):
        segment = await session.get(RecordingSegment, (recording.id, line.segment))
        if segment is None or segment.lines is None:
            return
        told |= {
            "number": segment.number,
            "lines": segment.lines,
            "head": segment.head,
            "seconds": segment.seconds,
            "bytes": segment.bytes,
            "sha256": segment.sha256,
            "is_recovered": segment.is_recovered,
        }
        once = f"segment:{recording.id}:{segment.number}"
        await journal.note(session, recording.operation_id, JournalKind.SEGMENT, told, once=once)
    elif isinstance(line, Closed) and recording.ended_at is not None:
        told |= {"reason": recording.end_reason, "lines": recording.lines, "head": recording.head}
        once = f"recording:{recording.id}"
        await journal.note(session, recording.operation_id, JournalKind.RECORDING, told, once=once)

"""What the centre said to its officers, and who heard it, in the audit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.audit import Audit, AuditEntry
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.journal import Journal, JournalKind
from command_center.operations.tables import Operation, TalkWord
from streams.hub.topics import TalkChanged
from streams.voice_protocol import MAX_TALK_SECONDS

SETTLE_SECONDS = 3.0
"""For so long after the last word of a talk another node may still tell of its part."""
WAIT_SECONDS = MAX_TALK_SECONDS + 30.0
"""For so long after its first word a node that told of no end is waited for: no talk lasts longer."""
Details = dict[str, str | int]
_LISTS = frozenset({"to", "heard", "untold_by"})
"""Which of the details hold names with spaces between."""
UNKNOWN = "unknown"
"""Why a talk ended of which no node told the end."""


class Talks:
    """Writes talks down as the nodes tell of them: each node of its own part, in any order and perhaps twice.

    A talk's begin is written at its first word. Its end waits for the word of all the nodes that began it, and says
    who heard it at any of them; `close_due` writes it. What a node tells after that is added as an entry of its own.
    One process at a time may do both.
    """

    def __init__(self, database: Database, audit: Audit, journal: Journal, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._journal = journal
        self._clock = clock

    async def record(self, events: Sequence[TalkChanged]) -> None:
        """Take the nodes' words; a talk that stands in the audit with its end is at most amended."""
        async with self._database.write() as session:
            for event in events:
                await self._record(session, event)

    async def close_due(self, *, gives_up: bool = True) -> int:
        """Write the end of each talk whose nodes have all told, or were waited for long enough; returns how many.

        Nobody is given up while what they told may still be on its way (not `gives_up`).
        """
        async with self._database.read() as session:
            if await session.scalar(select(TalkWord.talk_id).limit(1)) is None:
                return 0
        async with self._database.write() as session:
            words: dict[UUID, list[TalkWord]] = {}
            for word in await session.scalars(select(TalkWord).order_by(TalkWord.first_at, TalkWord.node)):
                words.setdefault(word.talk_id, []).append(word)
            due = [talk for talk in words.values() if self._is_due(talk, gives_up=gives_up)]
            for talk in due:
                await self._close(session, talk)
        return len(due)

    def _is_due(self, words: Sequence[TalkWord], *, gives_up: bool) -> bool:
        now = self._clock()
        if gives_up and now - min(word.first_at for word in words) >= timedelta(seconds=WAIT_SECONDS):
            return True
        last = max(word.last_at for word in words)
        return all(word.ended_at for word in words) and now - last >= timedelta(seconds=SETTLE_SECONDS)

    async def _record(self, session: AsyncSession, event: TalkChanged) -> None:
        operation = await session.get(Operation, event.operation_id)
        if operation is None:
            return
        if await _is_known(session, "talk.ended", event.talk):
            await self._amend(session, event, operation.court_id)
            return
        word = await session.get(TalkWord, (event.talk, event.node))
        if word is None:
            session.add(self._new_word(event))
        else:
            self._take(word, event)
        if not await _is_known(session, "talk.began", event.talk):
            details: Details = {"operation": str(event.operation_id), "to": " ".join(event.to)}
            await self._write(session, "talk.began", event.talk, event.user_id, operation.court_id, details)

    def _new_word(self, event: TalkChanged) -> TalkWord:
        now = self._clock()
        return TalkWord(
            talk_id=event.talk,
            node=event.node,
            operation_id=event.operation_id,
            user_id=event.user_id,
            to=" ".join(event.to),
            heard=" ".join(event.heard),
            began_at=event.began_at,
            ended_at=event.ended_at,
            reason=event.reason,
            first_at=now,
            last_at=now,
        )

    def _take(self, word: TalkWord, event: TalkChanged) -> None:
        word.to, word.heard = _joined([word.to, *event.to]), _joined([word.heard, *event.heard])
        if event.ended_at is not None:
            word.ended_at, word.reason, word.last_at = event.ended_at, event.reason, self._clock()
        elif word.ended_at is not None and event.began_at >= word.ended_at and event.began_at > word.began_at:
            # Its line came back while the key was still down: the same talk goes on there, from that very moment if
            # the node put one line in the other's place.
            word.ended_at, word.reason, word.last_at = None, None, self._clock()

    async def _close(self, session: AsyncSession, words: Sequence[TalkWord]) -> None:
        first = words[0]
        operation = await session.get_one(Operation, first.operation_id)
        ends = [(word.ended_at, word.reason or UNKNOWN) for word in words if word.ended_at is not None]
        details: Details = {
            "operation": str(first.operation_id),
            "to": _joined(word.to for word in words),
            "heard": _joined(word.heard for word in words),
            "reason": UNKNOWN,
        }
        if ends:
            # One node's part may end before the others': the talk lasts until the last.
            ended_at, details["reason"] = max(ends)
            details["seconds"] = _seconds(min(word.began_at for word in words), ended_at)
        if silent := [word.node for word in words if word.ended_at is None]:
            details["untold_by"] = " ".join(silent)
        await session.execute(delete(TalkWord).where(TalkWord.talk_id == first.talk_id))
        await self._write(session, "talk.ended", first.talk_id, first.user_id, operation.court_id, details)

    async def _amend(self, session: AsyncSession, event: TalkChanged, court_id: UUID) -> None:
        """Add who heard it, and the end that a node told too late, as far as the audit doesn't say so yet."""
        said = select(AuditEntry.details).where(
            AuditEntry.subject_id == str(event.talk), AuditEntry.action.in_(("talk.ended", "talk.amended"))
        )
        known = [json.loads(details) for details in await session.scalars(said)]
        heard_before, told_by = _names(known, "heard"), _names(known, "told_by")
        heard = [feed for feed in event.heard if feed not in heard_before]
        is_late_end = event.ended_at is not None and event.node in _names(known, "untold_by") - told_by
        if not heard and not is_late_end:
            return
        details: Details = {"operation": str(event.operation_id)}
        if heard:
            details["heard"] = " ".join(heard)
        if event.ended_at is not None and is_late_end:
            details |= {"told_by": event.node, "reason": event.reason or UNKNOWN}
            details["seconds"] = _seconds(event.began_at, event.ended_at)
        await self._write(session, "talk.amended", event.talk, event.user_id, court_id, details)

    async def _write(
        self, session: AsyncSession, action: str, talk: UUID, actor: UUID | None, court_id: UUID, details: Details
    ) -> None:
        told = {key: str(value).split() if key in _LISTS else value for key, value in details.items()}
        body = {"talk": str(talk), "what": action.removeprefix("talk."), "by": str(actor) if actor else None, **told}
        await self._journal.note(session, UUID(str(details["operation"])), JournalKind.TALK, body)
        await self._audit.record(
            session,
            actor=actor,
            court_id=court_id,
            action=action,
            subject_type="talk",
            subject_id=str(talk),
            details=details,
        )


def _seconds(began_at: int, ended_at: int) -> int:
    """How long it lasted; the times may be of two nodes' clocks."""
    return max(0, round((ended_at - began_at) / 1000))


def _names(entries: Iterable[dict[str, object]], key: str) -> set[str]:
    """What stands under this key in any of the entries; older ones hold a number there."""
    return {name for details in entries for name in str(details.get(key, "")).split()}


async def _is_known(session: AsyncSession, action: str, talk: UUID) -> bool:
    known = select(AuditEntry.sequence).where(AuditEntry.action == action, AuditEntry.subject_id == str(talk))
    return await session.scalar(known.limit(1)) is not None


def _joined(feeds: Iterable[str]) -> str:
    """Each name once, in their order, with spaces between."""
    return " ".join(dict.fromkeys(" ".join(feeds).split()))

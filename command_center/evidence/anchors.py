"""Anchors: each minute, where every ledger stands is signed and written down outside the database."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import itertools
import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import or_, select

from command_center.audit import AuditEntry
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.journal_file import FOLDER, SUFFIX, operation_of
from command_center.evidence.keyring import LEDGER_FILE as KEYS_FILE
from command_center.evidence.keyring import PROOF_FOLDER, Keyring
from command_center.evidence.ledger_file import GrowingLedger, LedgerFile
from command_center.evidence.tables import Recording
from command_center.evidence.timestamps import NotStamped, TimeStampAuthority
from streams.hub.hub import Hub, HubAway
from streams.hub.topics import ANCHOR_KEY, ANCHORS_STREAM, Anchored
from streams.ledger import line_hash

logger = logging.getLogger(__name__)

CONTEXT = "anchors/1"
ANCHORS_FILE, TOMBSTONES_FILE, LOCK_FILE = "anchors.jsonl", "tombstones.jsonl", "anchors.lock"
JOURNAL = "journal:"
ANCHOR_SECONDS = 60.0
LARGEST_ANCHOR = 500
"""So many heads go into one anchor; the others into the next, which follows at once."""
FULL_LOOK_SECONDS = 3600.0
"""How often every recording is looked at, and not only those of the last hours."""
RECENT = timedelta(hours=2)
LONGEST_STAMP_PAUSE_SECONDS = 3600.0
MAX_UNTOLD = 1000
PROOF_KEY = "command:proof"
"""JSON of `ProofState`, with a life of PROOF_LIFE_SECONDS: renewed whenever the ledgers' heads were looked at."""
PROOF_LIFE_SECONDS = 180.0
_TAIL_BYTES = 131_072

HeadPair = tuple[int, str]


class ProofState(BaseModel):
    """How the anchoring goes. Times are Unix milliseconds."""

    sequence: int
    anchored_at: int
    looked_at: int
    is_stamped: bool | None
    """Whether the newest anchor has its time stamp; None where no authority is set."""
    broken: int = 0
    """How many ledgers have fewer lines than were anchored, or others."""


@dataclass(slots=True)
class _Newest:
    sequence: int = 0
    at: int = 0
    line: bytes = b""
    is_stamped: bool = False


class Anchors:
    """The writer of the anchors. One process at a time does it; a second one at the same time would do no harm."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        data: Path,
        keyring: Keyring,
        authority: TimeStampAuthority | None = None,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._hub = hub
        self._proof = data / PROOF_FOLDER
        self._journals = data / FOLDER
        self._keyring = keyring
        self._authority = authority
        self._clock = clock
        self._file = LedgerFile(self._proof / ANCHORS_FILE, CONTEXT)
        self._newest = _Newest()
        self._anchored: dict[str, HeadPair] = {}
        self._growing: dict[str, GrowingLedger] = {}
        self._broken: set[str] = set()
        self._untold: deque[Anchored] = deque(maxlen=MAX_UNTOLD)
        self._full_look_at = 0.0
        self._stamp_at = 0.0
        self._stamp_pause = ANCHOR_SECONDS

    async def anchor(self) -> int:
        """Write down the heads that moved since the last time, and tell the hub; returns how many moved.

        Raises:
            SQLAlchemyError, OSError, ValueError, LedgerBroken: nothing, or not everything, was anchored.
        """
        await asyncio.to_thread(self._open)
        heads = await asyncio.to_thread(self._ledger_heads)
        is_full = time.monotonic() >= self._full_look_at
        heads |= await self._recorded_heads(is_full=is_full)
        self._find_broken(heads)
        moved = {name: head for name, head in heads.items() if self._has_moved(name, head)}
        if moved:
            await asyncio.to_thread(self._append, moved)
        if is_full:
            self._full_look_at = time.monotonic() + FULL_LOOK_SECONDS
        await self._tell()
        await self._give_sign()
        return len(moved)

    async def stamp(self) -> bool:
        """Have the newest anchor stamped, and with it all before; whether it is now.

        An authority that fails is asked ever less often; that is no error here.

        Raises:
            OSError, LedgerBroken: the stamp couldn't be written down.
        """
        newest = self._newest
        if self._authority is None or newest.is_stamped or not newest.sequence or time.monotonic() < self._stamp_at:
            return newest.is_stamped
        try:
            token = await self._authority.stamp(newest.line)
        except NotStamped as error:
            logger.warning("anchor %d isn't stamped: %s", newest.sequence, error)
            self._stamp_at = time.monotonic() + self._stamp_pause
            self._stamp_pause = min(self._stamp_pause * 2, LONGEST_STAMP_PAUSE_SECONDS)
            return False
        self._stamp_pause = ANCHOR_SECONDS
        await asyncio.to_thread(self._append_stamp, newest, token, self._authority.url)
        return True

    def _has_moved(self, name: str, head: HeadPair) -> bool:
        known = self._anchored.get(name)
        return head[0] > (0 if known is None else known[0])

    def _find_broken(self, heads: Mapping[str, HeadPair]) -> None:
        """Tell of each ledger once that has lost lines which were anchored, or has others in their place."""
        for name, head in heads.items():
            lines, anchored = self._anchored.get(name, (0, head[1]))
            if head[0] > lines or head == (lines, anchored):
                self._broken.discard(name)
            elif name not in self._broken:
                self._broken.add(name)
                logger.error("%s stands at line %d, and line %d was anchored with another hash", name, head[0], lines)

    def _open(self) -> None:
        if self._file.is_open:
            return
        with self._locked():
            self._read()

    def _read(self) -> None:
        self._newest, self._anchored = _Newest(), {}
        self._file.open(self._take)
        if self._newest.sequence and not self._untold:
            self._untold.append(self._anchored_event())

    def _take(self, line: Mapping[str, Any], raw: bytes) -> None:
        if line["type"] == "anchor":
            self._newest = _Newest(line["sequence"], line["at"], raw)
            self._anchored |= {name: (head[0], head[1]) for name, head in line["heads"].items()}
        elif line["type"] == "timestamp" and line["of"] == self._newest.sequence:
            self._newest.is_stamped = True

    def _append(self, moved: Mapping[str, HeadPair]) -> None:
        with self._locked():
            if not self._file.is_open:
                self._read()
            names = iter(sorted(moved))
            while part := list(itertools.islice(names, LARGEST_ANCHOR)):
                with self._keyring.signing() as signer:
                    fields = {
                        "type": "anchor",
                        "sequence": self._newest.sequence + 1,
                        "at": self._now_ms(),
                        "heads": {name: moved[name] for name in part},
                    }
                    raw = self._file.append([(fields, signer)])[:-1]
                self._take(fields, raw)
                self._untold.append(self._anchored_event())

    def _anchored_event(self) -> Anchored:
        return Anchored(sequence=self._newest.sequence, hash=line_hash(self._newest.line), at=self._newest.at)

    def _ledger_heads(self) -> dict[str, HeadPair]:
        """Where the files stand."""
        paths = {"keys": self._proof / KEYS_FILE, "tombstones": self._proof / TOMBSTONES_FILE}
        for path in self._journals.glob(f"*{SUFFIX}"):
            if (operation := operation_of(path)) is not None:
                paths[f"{JOURNAL}{operation}"] = path
        # What was anchored and isn't there any more stands at no line.
        paths |= {
            name: self._journals / f"{name.removeprefix(JOURNAL)}{SUFFIX}"
            for name in self._anchored
            if name.startswith(JOURNAL) and name not in paths
        }
        heads = {}
        for name, path in paths.items():
            if name not in self._growing and self._is_old(name, path):
                continue
            head = self._growing.setdefault(name, GrowingLedger(path)).head()
            heads[name] = (head.lines, head.hash)
        return heads

    def _is_old(self, name: str, path: Path) -> bool:
        """Whether it was anchored and hasn't been touched since: then there is no need to read it."""
        if name not in self._anchored or not path.exists():
            return False
        return path.stat().st_mtime * 1000 < self._newest.at - ANCHOR_SECONDS * 1000

    async def _recorded_heads(self, *, is_full: bool) -> dict[str, HeadPair]:
        """Where the audit stands, and the manifests of recordings by what their nodes told."""
        recordings = select(Recording.id, Recording.lines, Recording.head).where(Recording.version > 1)
        if not is_full:
            since = self._clock() - RECENT
            recordings = recordings.where(or_(Recording.ended_at.is_(None), Recording.ended_at >= since))
        last = select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
        heads: dict[str, HeadPair] = {}
        async with self._database.read() as session:
            for recording, lines, head in await session.execute(recordings):
                heads[f"manifest:{recording}"] = (lines, head)
            if (entry := (await session.execute(last)).first()) is not None:
                heads["audit"] = (entry.sequence, entry.hash.hex())
        return heads

    async def _tell(self) -> None:
        """Have the hub keep it, and the nodes take it into what they seal; what it misses now it gets later."""
        try:
            while self._untold:
                await self._hub.append(ANCHORS_STREAM, self._untold[0])
                newest = self._untold.popleft()
                await self._hub.put(ANCHOR_KEY, newest.model_dump_json())
        except HubAway:
            logger.debug("hub away, %d anchors wait", len(self._untold))

    def _append_stamp(self, anchor: _Newest, token: bytes, authority: str) -> None:
        fields = {
            "type": "timestamp",
            "of": anchor.sequence,
            "hash": line_hash(anchor.line),
            "token": base64.b64encode(token).decode(),
            "authority": authority,
        }
        with self._locked():
            if not self._file.is_open:
                self._read()
            self._file.append([(fields, None)])
        if self._newest.sequence == anchor.sequence:
            self._newest.is_stamped = True

    async def _give_sign(self) -> None:
        state = ProofState(
            sequence=self._newest.sequence,
            anchored_at=self._newest.at,
            looked_at=self._now_ms(),
            is_stamped=None if self._authority is None else self._newest.is_stamped,
            broken=len(self._broken),
        )
        await self._hub.put(PROOF_KEY, state.model_dump_json(), life_seconds=PROOF_LIFE_SECONDS)

    def _now_ms(self) -> int:
        return round(self._clock().timestamp() * 1000)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._proof.mkdir(parents=True, exist_ok=True)
        with (self._proof / LOCK_FILE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def newest_anchor(data: Path) -> HeadPair | None:
    """The sequence and hash of the newest anchor in the file below `data`; None where there is none.

    Raises:
        OSError: it can't be read.
    """
    path = data / PROOF_FOLDER / ANCHORS_FILE
    if not path.exists():
        return None
    with path.open("rb") as file:
        start, tail = file.seek(0, os.SEEK_END), b""
        while start:
            end, start = start, max(0, start - _TAIL_BYTES)
            file.seek(start)
            tail = file.read(end - start) + tail
            lines = tail.split(b"\n")[:-1]
            # The first may be the end of a longer one.
            for raw in reversed(lines if start == 0 else lines[1:]):
                if (sequence := _sequence_of(raw)) is not None:
                    return sequence, line_hash(raw)
    return None


def _sequence_of(raw: bytes) -> int | None:
    try:
        line = json.loads(raw)
        return int(line["sequence"]) if line["type"] == "anchor" else None
    except (ValueError, KeyError, TypeError):
        return None

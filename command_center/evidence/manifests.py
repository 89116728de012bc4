"""Manifests in the store, read line by line, and as they grow."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from command_center.evidence.records import IndexedFragment
from command_center.evidence.store import NotStored, Store, read_all
from streams.ledger import Head, line_hash
from streams.recording.manifest import (
    Closed,
    FragmentLine,
    GapLine,
    ManifestLine,
    Opened,
    Sealed,
    SegmentLine,
    reading_of,
)

logger = logging.getLogger(__name__)

KEPT = 24
"""Manifests that are kept in memory, about two megabytes for an hour's recording."""


@dataclass(frozen=True, slots=True)
class Written:
    """One raw line of a manifest: its number from 1, its hash, and what it says.

    Of version 1 a line may say two things; one that can't be read says nothing.
    """

    ordinal: int
    head: str
    lines: tuple[ManifestLine, ...]


class LineReader:
    """Reads one manifest, given its bytes as they come."""

    def __init__(self) -> None:
        self.head = Head()
        self.offset = 0
        """Up to here it was read: the end of the last whole line."""
        self._lines_in: Callable[[bytes], Iterable[ManifestLine]] | None = None

    def take(self, data: bytes) -> Iterator[Written]:
        """The whole lines of what stands from `offset` on; the rest must be given again with what comes."""
        for raw in data.split(b"\n")[:-1]:
            self.offset += len(raw) + 1
            self.head = Head(self.head.lines + 1, line_hash(raw))
            yield Written(self.head.lines, self.head.hash, self._read(raw))

    def continues(self, data: bytes) -> bool:
        """Whether these bytes begin with the line that follows the last one that was read, or with none yet."""
        line, end, _ = data.partition(b"\n")
        if not end or self.head.lines == 0:
            return True
        try:
            found = json.loads(line)
        except ValueError:
            return False
        # Version 1 had no chain.
        return isinstance(found, dict) and found.get("previous", self.head.hash) == self.head.hash

    def _read(self, raw: bytes) -> tuple[ManifestLine, ...]:
        if not raw or raw.isspace():
            return ()
        if self._lines_in is None:
            self._lines_in = reading_of(raw)
        try:
            return tuple(self._lines_in(raw))
        except (ValueError, KeyError, TypeError):
            logger.warning("line %d of a manifest can't be read", self.head.lines)
            return ()


@dataclass(slots=True)
class KnownSegment:
    """One file of a recording, as far as its manifest tells of it now."""

    line: SegmentLine
    bytes: int
    seconds: float = 0.0
    sealed: Sealed | None = None


@dataclass(slots=True)
class KnownManifest:
    """What a player needs of a manifest; fragments stand in the order of their lines."""

    opened: Opened | None = None
    segments: dict[int, KnownSegment] = field(default_factory=dict)
    fragments: list[IndexedFragment] = field(default_factory=list)
    gaps: list[GapLine] = field(default_factory=list)
    closed: Closed | None = None

    @property
    def seconds(self) -> float:
        """How long the recording is, as far as the manifest tells."""
        return max((one.line.start + one.seconds for one in self.segments.values()), default=0.0)

    def copy(self) -> KnownManifest:
        """As it stands now; what is appended meanwhile changes no part of it."""
        segments = {number: replace(segment) for number, segment in self.segments.items()}
        return KnownManifest(self.opened, segments, list(self.fragments), list(self.gaps), self.closed)

    def take(self, line: ManifestLine) -> None:
        """Put the next line in its place."""
        if isinstance(line, Opened):
            self.opened = self.opened or line
        elif isinstance(line, SegmentLine):
            self.segments[line.number] = KnownSegment(line, line.header_bytes)
        elif isinstance(line, GapLine):
            self.gaps.append(line)
        elif isinstance(line, Closed):
            self.closed = line
        elif (segment := self.segments.get(line.segment)) is None:
            return
        elif isinstance(line, FragmentLine):
            self._grow(segment, line)
        else:
            self._seal(segment, line)

    def _grow(self, segment: KnownSegment, line: FragmentLine) -> None:
        segment.bytes = line.offset + line.length
        segment.seconds = max(segment.seconds, line.start + line.seconds)
        start = round(segment.line.start + line.start, 6)
        self.fragments.append(
            IndexedFragment(line.segment, line.offset, line.length, start, line.seconds, line.at, line.is_key)
        )

    def _seal(self, segment: KnownSegment, line: Sealed) -> None:
        segment.sealed = line
        segment.bytes, segment.seconds = line.bytes, line.seconds
        own = [one for one in self.fragments if one.segment == line.segment]
        if len(own) > line.fragments:
            # A power cut kept these lines and lost their bytes.
            lost = set(own[line.fragments :])
            self.fragments = [one for one in self.fragments if one not in lost]


class _Entry:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.reader = LineReader()
        self.manifest = KnownManifest()


class Manifests:
    """The manifests that were asked for lately: of one that grows, only what was appended since is read."""

    def __init__(self, store: Store, kept: int = KEPT) -> None:
        self._store = store
        self._bound = kept
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    @property
    def kept(self) -> int:
        """How many are in memory now."""
        return len(self._entries)

    async def read(self, path: str) -> KnownManifest:
        """What the manifest tells now.

        Raises:
            NotStored, StoreAway: as the store does.
        """
        entry = self._entries.setdefault(path, _Entry())
        self._entries.move_to_end(path)
        while len(self._entries) > self._bound:
            self._entries.popitem(last=False)
        async with entry.lock:
            try:
                data = await self._what_came(entry.reader, path)
                if data is None:
                    _begin_again(entry)
                    data = await read_all(self._store, path)
            except NotStored:
                self._entries.pop(path, None)
                raise
            await asyncio.to_thread(_take, entry, data)
            return entry.manifest.copy()

    async def _what_came(self, reader: LineReader, path: str) -> bytes | None:
        """What was appended since; None where it must be read from its beginning.

        That is after a crash: its torn end was cut off, and the ledger went on from before it.
        """
        if await self._store.size(path) < reader.offset:
            return None
        data = await read_all(self._store, path, reader.offset)
        return data if reader.continues(data) else None


def _begin_again(entry: _Entry) -> None:
    entry.reader, entry.manifest = LineReader(), KnownManifest()


def _take(entry: _Entry, data: bytes) -> None:
    for written in entry.reader.take(data):
        for line in written.lines:
            entry.manifest.take(line)

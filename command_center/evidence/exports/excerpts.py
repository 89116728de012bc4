"""What goes into a package of the anchors and tombstones, which all operations share: the lines that speak of it.

What is left out is told by its place, its number of lines and the hash of the last; so the lines that stay still follow
each other, and whatever an anchor here tells of can be held against it. Of the anchors those go in that tell of the
package's manifests, journal, keys and tombstones, those that seals name, one of each key that signed any (what a
retired key signed needs a younger one behind it), the newest, and all between an anchor and the first time stamp that
covers it, since that alone proves it to whoever doesn't trust the court. The keys go in whole: what was left out could
be the retirement of the very key that signs.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.ledger import FIRST, parsed

PROOF = Path("proof")
KEYS, ANCHORS, TOMBSTONES = PROOF / "keys.jsonl", PROOF / "anchors.jsonl", PROOF / "tombstones.jsonl"

LeftOut = tuple[int, int, str | None]
"""From which line on, how many, and the hash of the last; None where they don't follow each other."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a package holds, so far as ledgers speak of it."""

    operation: str
    recordings: frozenset[str]
    named: frozenset[int]
    """The sequences of the anchors that its seals name."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Which bytes of a ledger go into a package (first, how many), and what is left out between."""

    ranges: tuple[tuple[int, int], ...]
    left_out: tuple[LeftOut, ...]


@dataclass(slots=True)
class _Read:
    """A ledger as it was read: of each line where it begins, its hash, and whether it follows the one before."""

    begins: array[int] = field(default_factory=lambda: array("q", [0]))
    hashes: bytearray = field(default_factory=bytearray)
    follows: bytearray = field(default_factory=bytearray)

    def add(self, raw: bytes, previous: object) -> int:
        """Note the next line, which names `previous` as the one before; gives its ordinal."""
        self.follows.append(previous == (self.hash(len(self.follows)) if self.follows else FIRST))
        self.begins.append(self.begins[-1] + len(raw))
        self.hashes += hashlib.sha256(raw.removesuffix(b"\n")).digest()
        return len(self.follows)

    def hash(self, ordinal: int) -> str:
        """That of a line."""
        return self.hashes[32 * ordinal - 32 : 32 * ordinal].hex()

    def excerpt(self, kept: Iterable[int], ends: Iterable[int] = ()) -> Excerpt:
        """The excerpt of these lines, counted from 1; what is left out is told up to each of `ends` by itself."""
        ordinals = sorted(set(kept))
        ranges = tuple((self.begins[one - 1], self.begins[one] - self.begins[one - 1]) for one in ordinals)
        cuts, left_out = sorted(set(ends)), list[LeftOut]()
        for before, after in zip([0, *ordinals], [*ordinals, len(self.follows) + 1], strict=True):
            first = before + 1
            inside = cuts[bisect_left(cuts, first) : bisect_left(cuts, after - 1)]
            for last in (*inside, after - 1):
                if first <= last:
                    left_out.append((first, last - first + 1, self._hash(first, last)))
                    first = last + 1
        return Excerpt(ranges, tuple(left_out))

    def _hash(self, first: int, last: int) -> str | None:
        return self.hash(last) if all(self.follows[first - 1 : last]) else None


def named_anchors(ledgers: Iterable[bytes]) -> frozenset[int]:
    """The sequences of the anchors that the seals in manifests and journals name."""
    found = set()
    for ledger in ledgers:
        for raw in ledger.splitlines(keepends=True):
            anchor = (parsed(raw) or {}).get("anchor") if b'"anchor"' in raw else None
            if isinstance(anchor, list) and anchor and isinstance(anchor[0], int):
                found.add(anchor[0])
    return frozenset(found)


def excerpts(data: Path, lengths: Mapping[str, int], holding: Holding) -> Mapping[str, Excerpt]:
    """The excerpts of the shared ledgers below `data`, by their paths; of each so many bytes count as `lengths` says.

    They follow from these bytes alone, so they are the same however often they are made.

    Raises:
        OSError: a ledger can't be read.
    """
    tombstones, kept_tombstones = _Read(), set()
    for ordinal, line in _lines(data / TOMBSTONES, lengths.get(TOMBSTONES.as_posix(), 0), tombstones):
        if line.get("recording") in holding.recordings:
            kept_tombstones.add(ordinal)
    anchors = _Anchors(holding, sorted(kept_tombstones))
    for ordinal, line in _lines(data / ANCHORS, lengths.get(ANCHORS.as_posix(), 0), anchors.read):
        anchors.take(ordinal, line)
    kept_anchors = anchors.kept()
    found = {
        TOMBSTONES: tombstones.excerpt(kept_tombstones, anchors.told(kept_anchors)),
        ANCHORS: anchors.read.excerpt(kept_anchors),
    }
    return {path.as_posix(): excerpt for path, excerpt in found.items()}


class _Anchors:
    """Takes in the ledger of anchors, and says which of its lines a package needs."""

    def __init__(self, holding: Holding, tombstones: Sequence[int]) -> None:
        self.read = _Read()
        self._holding = holding
        self._own = {"keys", f"journal:{holding.operation}", *(f"manifest:{one}" for one in holding.recordings)}
        self._tombstones = tombstones
        self._covered = 0
        """How many of the tombstones an anchor tells of."""
        self._signers: set[str] = set()
        self._ordinals: dict[int, int] = {}
        """At which line each anchor stands, the newest last."""
        self._stamps: list[tuple[int, int]] = []
        """Of which anchor, and at which line."""
        self._wanted: list[int] = []
        """Sequences of the anchors that are needed for themselves."""
        self._told: dict[int, int] = {}
        """Of how many tombstones each line tells, where it tells of any."""

    def take(self, ordinal: int, line: Mapping[str, Any]) -> None:
        """Take in the next line."""
        # One that somebody has changed may be of any kind; that it follows nothing is told with the excerpt.
        with suppress(KeyError, TypeError, ValueError, IndexError):
            if line.get("type") == "timestamp":
                self._stamps.append((int(line["of"]), ordinal))
            elif line.get("type") == "anchor":
                self._take_anchor(ordinal, int(line["sequence"]), line["heads"], str(line["signer"]))

    def _take_anchor(self, ordinal: int, sequence: int, heads: Mapping[str, Any], signer: str) -> None:
        buried = int(heads["tombstones"][0]) if "tombstones" in heads else 0
        self._ordinals[sequence] = ordinal
        if buried:
            self._told[ordinal] = buried
        if self._is_wanted(sequence, heads, buried, signer):
            self._wanted.append(sequence)

    def _is_wanted(self, sequence: int, heads: Mapping[str, Any], buried: int, signer: str) -> bool:
        covered = self._covered
        while self._covered < len(self._tombstones) and self._tombstones[self._covered] <= buried:
            self._covered += 1
        is_first_of_its_key = signer not in self._signers
        self._signers.add(signer)
        is_named = sequence in self._holding.named
        return is_first_of_its_key or is_named or self._covered > covered or not self._own.isdisjoint(heads)

    def kept(self) -> set[int]:
        """The lines that go in."""
        self._wanted += list(self._ordinals)[-1:]
        stamps = sorted(one for one in self._stamps if one[0] in self._ordinals)
        begins: dict[int, int] = {}
        for sequence in self._wanted:
            place = bisect_left(stamps, (sequence, 0))
            end = stamps[place][0] if place < len(stamps) else sequence
            begins[end] = min(sequence, begins.get(end, sequence))
        kept = {self._ordinals[one] for one in self._wanted}
        for end, begin in begins.items():
            kept.update(range(self._ordinals[begin], self._ordinals[end] + 1))
        return kept | {ordinal for of, ordinal in stamps if self._ordinals[of] in kept}

    def told(self, kept: Iterable[int]) -> set[int]:
        """Of which tombstones these anchors tell."""
        return {self._told[ordinal] for ordinal in kept if ordinal in self._told}


def _lines(path: Path, length: int, read: _Read) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The lines of the first bytes with their ordinals, each noted in `read`."""
    left = length
    if not length:
        return
    with path.open("rb") as file:
        while left > 0 and (raw := file.readline(left)):
            left -= len(raw)
            fields = parsed(raw) or {}  # of what is no line whoever verifies finds that it follows nothing
            yield read.add(raw, fields.get("previous")), fields

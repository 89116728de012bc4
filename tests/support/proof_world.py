"""A small complete set of evidence with real signatures: recordings of two nodes, journals, anchors, a tombstone, keys.

Its media is noise: nothing that verifies a recording looks into the pictures.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from command_center.evidence.exports.excerpts import Excerpt, Holding, excerpts, named_anchors
from streams.ledger import Chain, Head, Signer
from tests.support.signing import signer

START_MS = 1_800_000_000_000
DAY = "2027-01-15"
LINE_FIELDS = ("previous", "signer", "algorithm", "signature")
"""Which a line gets when it is written."""
KNOWN_ENTRIES = 3
"""How many entries of the audit the first anchor tells of."""


class LedgerWriter:
    """One ledger on the disk, with everything that was written to it."""

    def __init__(self, path: Path, context: str) -> None:
        self.path = path
        self.chain = Chain(context)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    @property
    def head(self) -> Head:
        """Where it stands."""
        return self.chain.head

    def add(self, kind: str, by: Signer | None = None, /, **fields: Any) -> bytes:
        """Append a line; gives it without its LF."""
        line = self.chain.line({"type": kind, **fields}, by)
        with self.path.open("ab") as file:
            file.write(line)
        return line[:-1]


@dataclass
class MadeSegment:
    """A segment's file."""

    number: int
    path: str
    fragments: int


@dataclass
class MadeRecording:
    """A recording, and what was written for it."""

    id: str
    feed: str
    node: str
    ledger: LedgerWriter
    segments: list[MadeSegment] = field(default_factory=list)
    seconds: float = 0.0
    has_closed: bool = False


class ProofWorld:
    """Writes evidence into a data folder, step by step; `whole` makes a set to which nothing is left to do."""

    def __init__(self, data: Path, *, seed: int = 1, fragment_bytes: int = 300, fragments: int = 4) -> None:
        self.data = data
        self.chance = random.Random(seed)
        self.at = START_MS
        self._fragment_bytes = fragment_bytes
        self._fragments = fragments
        self.court = signer("court")
        self.first_key = self.court.id
        self.nodes = {"node-1": signer("node-1"), "node-2": signer("node-2")}
        proof = data / "proof"
        self.keys = LedgerWriter(proof / "keys.jsonl", "keys/1")
        self.anchors = LedgerWriter(proof / "anchors.jsonl", "anchors/1")
        self.tombstones = LedgerWriter(proof / "tombstones.jsonl", "tombstones/1")
        self.journals: dict[str, LedgerWriter] = {}
        self.entries: dict[str, int] = {}
        self.recordings: list[MadeRecording] = []
        self._named: dict[str, LedgerWriter] = {"keys": self.keys, "tombstones": self.tombstones}
        self._anchored: dict[str, Head] = {}
        self._ids = 0
        self.newest_anchor: tuple[int, str] | None = None
        self.anchor_lines: list[bytes] = []
        self.audit_heads: list[tuple[int, str]] = []

    def wait(self, seconds: float) -> int:
        """Let time pass; gives the instant in Unix milliseconds."""
        self.at += round(seconds * 1000)
        return self.at

    # Keys

    def register(self, key: Signer, owner: str, *, replaces: str | None = None, by: Signer | None = None) -> None:
        """Enter a key."""
        fields = {"at": self.wait(0.1), "key": key.id, "public": key.public.hex(), "owner": owner, "replaces": replaces}
        self.keys.add("key", by or self.court, **fields)

    def rotate_court(self) -> None:
        """Put another court's key in the place of the present one."""
        new = signer(f"court after {self.court.id}")
        self.register(new, "court", replaces=self.court.id)
        old, self.court = self.court, new
        self.keys.add("retired", self.court, at=self.wait(0.1), key=old.id)

    # Journals

    def begin_operation(self, operation: str) -> None:
        """Begin an operation's journal."""
        ledger = LedgerWriter(self.data / "proof" / "journals" / f"{operation}.jsonl", "journal/1")
        ledger.add("opened", version=1, operation=operation, court=self.new_id())
        self.journals[operation] = self._named[f"journal:{operation}"] = ledger
        self.entries[operation] = 0

    def note(self, operation: str, kind: str, body: Mapping[str, Any]) -> int:
        """Add an entry with its text; gives its id."""
        self._ids += self.chance.randrange(1, 4)
        salt, text = self.chance.randbytes(16), json.dumps(body, ensure_ascii=False)
        written = {"id": self._ids, "salt": salt.hex(), "body": text}
        with self.bodies(operation).open("ab") as file:
            file.write(json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        digest = hashlib.sha256(salt + text.encode()).hexdigest()
        self.journals[operation].add("entry", id=self._ids, at=self.wait(0.05), kind=kind, digest=digest)
        self.entries[operation] += 1
        return self._ids

    def bodies(self, operation: str) -> Path:
        """The file of a journal's texts."""
        return self.data / "proof" / "journals" / f"{operation}.bodies.jsonl"

    def seal_journal(self, operation: str) -> None:
        """Sign what the journal has."""
        fields = {"at": self.wait(0.05), "entries": self.entries[operation], "anchor": self.newest_anchor}
        self.journals[operation].add("sealed", self.court, **fields)

    # Recordings

    def begin_recording(self, feed: str, node: str) -> MadeRecording:
        """Begin a recording's manifest."""
        identifier = self.new_id()
        ledger = LedgerWriter(self.data / "recordings" / feed / DAY / f"{identifier}.jsonl", "manifest/2")
        started_at = self.wait(0.1)
        ledger.add(
            "opened", version=2, recording=identifier, feed=feed, node=node, started_at=started_at, talk=None
        )  # fmt: skip
        self._named[f"manifest:{identifier}"] = ledger
        recording = MadeRecording(identifier, feed, node, ledger)
        self.recordings.append(recording)
        return recording

    def segment(
        self, recording: MadeRecording, *, lost: int = 0, rest: int = 0, is_sealed: bool = True, reason: str = "start"
    ) -> None:
        """Write a segment. A crash's traces: `lost` fragments have lines and no bytes, `rest` bytes follow the last."""
        number = len(recording.segments) + 1
        path = f"{recording.feed}/{DAY}/{recording.id}-{number:04}.mp4"
        header = self.chance.randbytes(self.chance.randrange(40, 90))
        recording.ledger.add(
            "segment", number=number, path=path, container="mp4", video="H264", audio="opus",
            mime='video/mp4; codecs="avc1.42e01f,opus"', width=1280, height=720, started_at=self.wait(0.01),
            start=round(recording.seconds, 6), header_bytes=len(header), **_hashes(header, "header_"), reason=reason,
        )  # fmt: skip
        made = MadeSegment(number, path, self._fragments)
        recording.segments.append(made)
        whole = _Growing(self.data / "recordings" / path, header)
        for fragment in range(self._fragments):
            self._fragment(recording, made, fragment, whole, is_lost=fragment >= self._fragments - lost)
        seconds = float(self._fragments - lost)
        recording.seconds += seconds
        whole.close(bytes(8) + self.chance.randbytes(rest) if rest else b"")
        if is_sealed:
            recording.ledger.add(
                "sealed", self.nodes[recording.node], segment=number, ended_at=self.at, seconds=seconds,
                bytes=whole.bytes, **whole.hashes(), fragments=self._fragments - lost, device_offset_ms=-12,
                anchor=self.newest_anchor, is_recovered=bool(lost or rest),
            )  # fmt: skip

    def _fragment(
        self, recording: MadeRecording, made: MadeSegment, number: int, whole: _Growing, *, is_lost: bool
    ) -> None:
        data = self.chance.randbytes(self.chance.randrange(self._fragment_bytes // 2, self._fragment_bytes))
        recording.ledger.add(
            "fragment", segment=made.number, number=number, offset=whole.told, length=len(data), **_hashes(data),
            start=float(number), seconds=1.0, at=self.at, is_key=number % 2 == 0,
        )  # fmt: skip
        whole.told += len(data)
        self.wait(1.0)
        if not is_lost:
            whole.add(data)

    def gap(self, recording: MadeRecording, kind: str = "network", seconds: float = 0.5) -> None:
        """Declare that something is missing."""
        since = self.at
        recording.ledger.add("gap", kind=kind, track="video", since=since, until=self.wait(seconds), packets=7)

    def close_recording(self, recording: MadeRecording, reason: str = "ended", *, is_recovered: bool = False) -> None:
        """Complete a recording."""
        recording.ledger.add(
            "closed", self.nodes[recording.node], reason=reason, ended_at=self.at, seconds=recording.seconds,
            segments=len(recording.segments), is_recovered=is_recovered,
        )  # fmt: skip
        recording.has_closed = True

    def tell_of(self, operation: str, recording: MadeRecording) -> None:
        """Note the recording as the journal does: its head, as of a segment or of its end."""
        head = recording.ledger.head
        told = {"recording": recording.id, "feed": recording.feed, "lines": head.lines, "head": head.hash}
        if recording.has_closed:
            self.note(operation, "recording", {**told, "reason": "ended"})
        else:
            self.note(operation, "segment", {**told, "number": len(recording.segments), "seconds": 4.0})

    # Tombstones and anchors

    def delete(self, recording: MadeRecording, numbers: Sequence[int], operation: str) -> None:
        """Have two people delete segments."""
        head, proposed_at = recording.ledger.head, self.wait(1)
        self.tombstones.add(
            "tombstone", self.court, at=self.wait(1), recording=recording.id, operation=operation, feed=recording.feed,
            segments=list(numbers), manifest=[head.lines, head.hash], **{"class": "C"}, reason="保存期限届满",
            proposed_by=self.new_id(), proposed_at=proposed_at, approved_by=self.new_id(),
        )  # fmt: skip
        for number in numbers:
            (self.data / "recordings" / recording.segments[number - 1].path).unlink()

    def anchor(self) -> None:
        """Anchor whatever has moved."""
        moved = {
            name: ledger.head
            for name, ledger in self._named.items()
            if ledger.head.lines and ledger.head != self._anchored.get(name)
        }
        self._anchored |= moved
        sequence = len(self.anchor_lines) + 1
        entries = KNOWN_ENTRIES + sequence
        heads: dict[str, list[Any]] = {name: [head.lines, head.hash] for name, head in moved.items()}
        heads["audit"] = [entries, hashlib.sha256(str(entries).encode()).hexdigest()]
        line = self.anchors.add("anchor", self.court, sequence=sequence, at=self.wait(1), heads=heads)
        self.anchor_lines.append(line)
        self.newest_anchor = (sequence, hashlib.sha256(line).hexdigest())

    def new_id(self) -> str:
        """Some id."""
        return str(UUID(bytes=self.chance.randbytes(16), version=4))


class _Growing:
    """A segment's file while it is written; `told` counts what the manifest tells of."""

    def __init__(self, path: Path, header: bytes) -> None:
        self._file = path.open("wb")
        self._file.write(header)
        self._sha256 = hashlib.sha256(header)
        self._sm3 = hashlib.new("sm3", header) if HAS_SM3 else None
        self.bytes = self.told = len(header)

    def add(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        if self._sm3 is not None:
            self._sm3.update(data)
        self.bytes += len(data)

    def hashes(self) -> dict[str, str | None]:
        return {"sha256": self._sha256.hexdigest(), "sm3": None if self._sm3 is None else self._sm3.hexdigest()}

    def close(self, rest: bytes) -> None:
        self._file.write(rest)
        self._file.close()


HAS_SM3 = "sm3" in hashlib.algorithms_available


def _hashes(data: bytes, prefix: str = "") -> dict[str, str | None]:
    sm3 = hashlib.new("sm3", data).hexdigest() if HAS_SM3 else None
    return {f"{prefix}sha256": hashlib.sha256(data).hexdigest(), f"{prefix}sm3": sm3}


def whole(data: Path, *, seed: int = 1, stamp: Callable[[ProofWorld], None] | None = None) -> ProofWorld:
    """A set in which everything is closed, signed and anchored.

    Two operations; three recordings of two nodes with eight segments, of which one was recovered after a power cut and
    one deleted; the court's key was changed in between. `stamp` may add time stamps after the first anchor.
    """
    world = ProofWorld(data, seed=seed)
    world.register(world.court, "court")
    for node, key in world.nodes.items():
        world.register(key, f"node:{node}")
    first, second = world.new_id(), world.new_id()
    for operation in (first, second):
        world.begin_operation(operation)
        world.note(operation, "operation", {"state": "running", "name": "春雷行动"})
    world.anchor()
    if stamp is not None:
        stamp(world)
    one = world.begin_recording("feed-1", "node-1")
    two = world.begin_recording("feed-2", "node-2")
    world.segment(one)
    world.tell_of(first, one)
    world.segment(two)
    world.tell_of(first, two)
    world.gap(one)
    world.note(first, "instruction", {"text": "守住后门", "to": "officer-1"})
    world.anchor()
    world.segment(one, reason="codec")
    world.tell_of(first, one)
    world.segment(two, lost=1, rest=33)
    world.tell_of(first, two)
    world.close_recording(two, "node", is_recovered=True)
    world.tell_of(first, two)
    world.seal_journal(first)
    world.rotate_court()
    world.anchor()
    world.segment(one)
    world.tell_of(first, one)
    world.close_recording(one)
    world.tell_of(first, one)
    world.note(first, "positions", {"points": [[40.84, 111.7], [40.85, 111.71]]})
    three = world.begin_recording("feed-3", "node-1")
    for _ in range(3):
        world.segment(three)
        world.tell_of(second, three)
    world.close_recording(three)
    world.tell_of(second, three)
    world.anchor()
    world.delete(three, [2], second)
    world.note(second, "deleted", {"recording": three.id, "segments": [2]})
    for operation in (first, second):
        world.seal_journal(operation)
    world.anchor()
    return world


def with_open_end(data: Path, *, seed: int = 1) -> ProofWorld:
    """The whole set, and a recording that is under way with a journal that isn't sealed."""
    world = whole(data, seed=seed)
    operation = next(iter(world.journals))
    recording = world.begin_recording("feed-4", "node-1")
    world.segment(recording)
    world.tell_of(operation, recording)
    world.segment(recording, is_sealed=False)
    return world


def package(world: ProofWorld, folder: Path, *, left_out: int = 1, is_excerpt: bool = False) -> Path:
    """A package of the first operation, without the first segments of its first recording and without one text.

    `is_excerpt`: with excerpts of the ledgers that all operations share, as they are made now; else with all of them.
    """
    operation, recordings = next(iter(world.journals)), world.recordings[:2]
    proof = folder / "proof"
    (proof / "journals").mkdir(parents=True)
    shared = _excerpts(world, operation, recordings) if is_excerpt else {}
    for ledger in (world.keys, world.anchors, world.tombstones):
        path = ledger.path.relative_to(world.data).as_posix()
        data = ledger.path.read_bytes()
        ranges = shared[path].ranges if path in shared else ((0, len(data)),)
        if ranges:
            (folder / path).write_bytes(b"".join(data[first : first + length] for first, length in ranges))
    shutil.copy(world.journals[operation].path, proof / "journals")
    kept: list[bytes] = []
    withheld: list[bytes] = []
    for line in world.bodies(operation).read_bytes().splitlines(keepends=True):
        is_withheld = "守住后门" in json.loads(line)["body"]
        (withheld if is_withheld else kept).append(line)
    (proof / "journals" / world.bodies(operation).name).write_bytes(b"".join(kept))
    for recording in recordings:
        target = folder / "recordings" / recording.feed / DAY
        target.mkdir(parents=True)
        shutil.copy(recording.ledger.path, target)
        for segment in recording.segments:
            media = world.data / "recordings" / segment.path
            if media.exists() and (recording is not recordings[0] or segment.number > left_out):
                shutil.copy(media, target)
    (folder / "watch").mkdir()
    (folder / "watch" / "feed-1.mp4").write_bytes(world.chance.randbytes(500))
    (folder / "report.html").write_text("<p>报告</p>", encoding="utf-8")
    fields = {
        "type": "package", "version": 1, "operation": operation, "made_at": world.wait(5), "since": START_MS,
        "until": world.at, "feeds": [one.feed for one in recordings], "files": {},
        "withheld": [json.loads(each)["id"] for each in withheld],
        "left_out": {recordings[0].id: list(range(1, left_out + 1))},
    }  # fmt: skip
    if is_excerpt:
        fields["excerpts"] = {path: list(one.left_out) for path, one in shared.items() if one.left_out}
    list_files(folder, fields, world.court)
    return folder


def _excerpts(world: ProofWorld, operation: str, recordings: Sequence[MadeRecording]) -> Mapping[str, Excerpt]:
    ledgers = (world.anchors.path, world.tombstones.path)
    sealed = [world.journals[operation].path, *(one.ledger.path for one in recordings)]
    holding = Holding(
        operation=operation,
        recordings=frozenset(one.id for one in recordings),
        named=named_anchors(path.read_bytes() for path in sealed),
    )
    lengths = {path.relative_to(world.data).as_posix(): path.stat().st_size for path in ledgers}
    return excerpts(world.data, lengths, holding)


def list_files(folder: Path, fields: Mapping[str, Any], by: Signer) -> None:
    """Write a package's signed list of the files that are there now, with these other fields."""
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "package.json"
    }
    own = {name: value for name, value in fields.items() if name not in LINE_FIELDS}
    (folder / "package.json").write_bytes(Chain("package/1").line({**own, "files": files}, by))


def zipped(folder: Path) -> Path:
    """A package's ZIP beside its folder, in the one way in which courts write it; here by Python's own means."""
    target = folder.with_suffix(".zip")
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(paths, key=lambda name: (name != "package.json", name)):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            info.flag_bits = 0x0800
            archive.writestr(info, (folder / name).read_bytes())
    # That names are UTF-8 is said of every one, which Python does only where it must.
    data = bytearray(target.read_bytes())
    with zipfile.ZipFile(target) as archive:
        at = archive.start_dir
        for info in archive.infolist():
            data[info.header_offset + 7] |= 0x08
            data[at + 9] |= 0x08
            at += 46 + len(info.orig_filename.encode())
    target.write_bytes(data)
    return target

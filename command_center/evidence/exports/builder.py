"""Builds one package, step by step: whatever a step has finished stays finished, however the process ends."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from command_center.clock import Clock, now
from command_center.evidence.exports import package, pictures, texts, tracks
from command_center.evidence.exports.excerpts import (
    ANCHORS,
    KEYS,
    TOMBSTONES,
    Excerpt,
    Holding,
    excerpts,
    named_anchors,
)
from command_center.evidence.exports.findings import Findings
from command_center.evidence.exports.footage import Footage, footage_of
from command_center.evidence.exports.gathering import Places, bodies_path, gather, journal_path, whole_length
from command_center.evidence.exports.originals import Digest, Originals, digest_of
from command_center.evidence.exports.package import Entry
from command_center.evidence.exports.plan import (
    PACKAGE_FILE,
    PLAN_FILE,
    CameraPart,
    Plan,
    RecordingPart,
    SegmentPart,
    Wanted,
    write_whole,
)
from streams.ledger import Signer
from streams.recording.manifest import read_manifest

logger = logging.getLogger(__name__)

RESULT_FILE = "result.json"
PIECES_FOLDER = "pieces"
DIGESTS_FOLDER = "digests"
AWAIT_STEP_SECONDS = 1.0
VERIFIER = files("command_center.evidence") / "verifier.py"
Progress = Callable[[int, int], None]
"""Told how many units are done, of how many; of none while anchors are awaited."""


class NoRoom(RuntimeError):
    """The disk hasn't the room that the export needs beside what must stay free."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished package."""

    bytes: int
    sha256: str


class Builder:
    """Builds the package of one export in its work folder."""

    def __init__(
        self,
        places: Places,
        originals: Originals,
        signer: Callable[[], Signer],
        *,
        reserve_bytes: int,
        patience_seconds: float = 0.0,
        clock: Clock = now,
    ) -> None:
        """`patience_seconds`: how long it waits for anchors of what goes in."""
        self._places = places
        self._originals = originals
        self._signer = signer
        self._reserve = reserve_bytes
        self._patience = patience_seconds
        self._clock = clock

    def build(self, wanted: Wanted, find: Callable[[], Findings], progress: Progress) -> Result:
        """Do whatever is left to be done.

        Raises:
            NoRoom, OriginalMissing, Unsteady, NotFound, StoreAway, OSError.
        """
        work = self._places.work
        if (result := _read_result(work)) is not None:
            return result
        work.mkdir(parents=True, exist_ok=True)
        plan = self._plan(wanted, find, progress)
        self._check_room(plan.estimated_bytes - _size_of(work))
        units = _Units(progress, len(list(_segments(plan))) + len(plan.cameras) * (plan.pieces + 1) + 2)
        originals = self._digests(plan, units)
        for number, camera in enumerate(plan.cameras):
            self._make_copy(plan, number, camera, units)
        result = self._pack(plan, originals)
        units.add()
        write_whole(work / RESULT_FILE, json.dumps(asdict(result)).encode())
        for folder in (PIECES_FOLDER, DIGESTS_FOLDER, "watch", "manifests"):
            shutil.rmtree(work / folder, ignore_errors=True)
        self._places.bodies.unlink(missing_ok=True)
        units.add()
        return result

    def _plan(self, wanted: Wanted, find: Callable[[], Findings], progress: Progress) -> Plan:
        path = self._places.work / PLAN_FILE
        with suppress(FileNotFoundError, ValidationError):
            return Plan.model_validate_json(path.read_bytes())
        plan = self._gathered(wanted, find, progress)
        write_whole(path, plan.model_dump_json().encode())
        return plan

    def _gathered(self, wanted: Wanted, find: Callable[[], Findings], progress: Progress) -> Plan:
        """A plan of what anchors tell of, each a minute; what still has none when patience ends goes in without."""
        until, found = time.monotonic() + self._patience, find()
        noted = found.noted
        while True:
            before = whole_length(self._places.data / ANCHORS)
            plan = gather(wanted, found, self._places, self._originals)
            if not plan.unanchored or not self._await_anchor(before, until, progress):
                break
            found = find()
            found.noted = noted  # what is noted meanwhile isn't waited for: an operation that lives never ends
        if plan.unanchored:
            logger.warning("export %s: no anchor yet of %s", wanted.job, " ".join(plan.unanchored))
        return plan

    def _await_anchor(self, length: int, until: float, progress: Progress) -> bool:
        """Whether the anchors have grown beyond `length` bytes in time."""
        while time.monotonic() < until:
            progress(0, 0)
            if whole_length(self._places.data / ANCHORS) != length:
                return True
            time.sleep(AWAIT_STEP_SECONDS)
        return False

    def _digests(self, plan: Plan, units: _Units) -> dict[str, Digest]:
        """What each original comes to, read once and remembered."""
        folder = self._places.work / DIGESTS_FOLDER
        folder.mkdir(exist_ok=True)
        found: dict[str, Digest] = {}
        for part, segment in _segments(plan):
            path = folder / f"{part.id}-{segment.number:04}.json"
            if not path.exists():
                digest = digest_of(self._originals.chunks(segment.path, segment.bytes))
                write_whole(path, json.dumps(asdict(digest)).encode())
            found[segment.path] = Digest(**json.loads(path.read_bytes()))
            units.add()
        return found

    def _make_copy(self, plan: Plan, number: int, camera: CameraPart, units: _Units) -> None:
        work = self._places.work
        path = work / camera.file
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = work / PIECES_FOLDER / f"{number:02}"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            sources = list(self._footage(camera))
            for piece in range(plan.pieces):
                self._check_room(0)
                pictures.make_piece(plan, camera, piece, self._originals, sources, folder)
                units.add()
            pictures.join(plan, folder, path)
        units.reach(len(list(_segments(plan))) + (number + 1) * (plan.pieces + 1))
        shutil.rmtree(folder, ignore_errors=True)

    def _footage(self, camera: CameraPart) -> Iterator[Footage]:
        for part in camera.recordings:
            manifest = read_manifest(self._places.manifest(part))
            counted = {segment.number: segment.bytes for segment in part.segments}
            for segment in manifest.segments if manifest is not None else ():
                if segment.line.number in counted:
                    footage = footage_of(segment, counted[segment.line.number])
                    if footage is not None:
                        yield footage

    def _pack(self, plan: Plan, originals: dict[str, Digest]) -> Result:
        signer = self._signer()
        made_at, lengths = plan.wanted.at, {ledger.path: ledger.bytes for ledger in plan.ledgers}
        registered = {key.id: key.at for key in plan.keys}
        if signer.id in registered:
            made_at = max(made_at, registered[signer.id])  # it may have been changed while an anchor was awaited
        else:
            # The court's key was changed meanwhile: the package is of now, and its ledger of keys too.
            made_at = round(self._clock().timestamp() * 1000)
            lengths[KEYS.as_posix()] = whole_length(self._places.data / KEYS)
        shared = excerpts(self._places.data, lengths, self._holding(plan, lengths))
        entries = list(self._entries(plan, originals, lengths, shared))
        entries.append(package.data_entry("READ-ME.txt", texts.read_me(plan, signer.id).encode()))
        report = texts.report(plan, {one.name: one.digest for one in entries}, signer.id)
        entries.append(package.data_entry("report.html", report.encode()))
        index = package.index_line(plan, entries, shared, made_at, signer)
        entries.append(package.data_entry(package.INDEX_FILE, index))
        path = self._places.work / PACKAGE_FILE
        self._check_room(sum(entry.digest.bytes for entry in entries))
        package.write_zip(path, entries)
        whole = package.file_entry(PACKAGE_FILE, path).digest
        return Result(whole.bytes, whole.sha256)

    def _holding(self, plan: Plan, lengths: Mapping[str, int]) -> Holding:
        journal, parts = journal_path(plan.wanted.operation), _recordings(plan)
        manifests = (self._places.manifest(part).read_bytes() for part in parts)
        length = lengths.get(journal.as_posix(), 0)
        sealed = (self._places.data / journal).read_bytes()[:length] if length else b""
        return Holding(
            operation=str(plan.wanted.operation),
            recordings=frozenset(str(part.id) for part in parts),
            named=named_anchors((sealed, *manifests)),
        )

    def _entries(
        self, plan: Plan, originals: dict[str, Digest], lengths: Mapping[str, int], shared: Mapping[str, Excerpt]
    ) -> Iterator[Entry]:
        """Every file but those that tell of the others."""
        journal = journal_path(plan.wanted.operation).as_posix()
        for name in (journal, KEYS.as_posix()):
            if lengths.get(name):
                yield package.prefix_entry(name, self._places.data / name, lengths[name])
        for path in (ANCHORS, TOMBSTONES):
            if (excerpt := shared[path.as_posix()]).ranges:
                yield package.ranges_entry(path.as_posix(), self._places.data / path, excerpt.ranges)
        if self._places.bodies.stat().st_size:
            yield package.file_entry(bodies_path(plan.wanted.operation).as_posix(), self._places.bodies)
        for part in _recordings(plan):
            yield package.file_entry(f"recordings/{part.manifest}", self._places.manifest(part))
        for _, segment in _segments(plan):
            read = partial(self._originals.chunks, segment.path, segment.bytes)
            yield Entry(f"recordings/{segment.path}", originals[segment.path], read)
        for camera in plan.cameras:
            yield package.file_entry(camera.file, self._places.work / camera.file)
        if any(camera.track for camera in plan.cameras):
            yield package.data_entry("track.gpx", tracks.gpx(plan).encode())
            yield package.data_entry("track.geojson", tracks.geojson(plan).encode())
        yield package.data_entry("verify.py", VERIFIER.read_bytes())

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self._places.work).free
        if free < max(0, needed) + self._reserve:
            raise NoRoom(f"{free} bytes are free, {needed} needed beside the reserve")


class _Units:
    """Counts what is done, and tells of it."""

    def __init__(self, progress: Progress, whole: int) -> None:
        self._progress = progress
        self._whole = whole
        self._done = 0
        progress(0, whole)

    def add(self) -> None:
        """One more."""
        self.reach(self._done + 1)

    def reach(self, done: int) -> None:
        """So many, if it was less."""
        if done > self._done:
            self._done = min(done, self._whole)
            self._progress(self._done, self._whole)


def _recordings(plan: Plan) -> Sequence[RecordingPart]:
    return [part for camera in plan.cameras for part in camera.recordings]


def _segments(plan: Plan) -> Iterator[tuple[RecordingPart, SegmentPart]]:
    return ((part, segment) for part in _recordings(plan) for segment in part.segments)


def _read_result(work: Path) -> Result | None:
    with suppress(FileNotFoundError, ValueError, TypeError):
        return Result(**json.loads((work / RESULT_FILE).read_bytes()))
    return None


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

"""Decides what an export is made of: which originals, how much of each ledger, which words; masked from here on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from command_center.evidence.exports import lanes, telling
from command_center.evidence.exports.anchored import count_lines, is_awaited, length_of, told_lines
from command_center.evidence.exports.excerpts import ANCHORS, KEYS, PROOF, TOMBSTONES
from command_center.evidence.exports.findings import Findings, FoundEntry, FoundFeed
from command_center.evidence.exports.masks import Masks, person
from command_center.evidence.exports.originals import Originals
from command_center.evidence.exports.plan import (
    VOICE,
    CameraPart,
    CustodyPart,
    DeletionPart,
    EventPart,
    InstructionPart,
    KeyPart,
    LedgerPart,
    PlacePart,
    Plan,
    Receipt,
    RecordingPart,
    SegmentPart,
    SpanPart,
    Wanted,
    write_whole,
)
from command_center.operations.records import InstructionRecord, to_ms
from command_center.translations import catalogue, translate
from streams.ledger import line_hash
from streams.recording.manifest import Manifest, Segment, read_manifest

LANGUAGE = "zh"
MANIFESTS_FOLDER = "manifests"
BODIES_FILE = "bodies.jsonl"
SNAPSHOT_TRIES = 10
LARGEST_SIDE = 1280
SMALLEST_SIZE = (640, 360)
BITS_A_PIXEL = 0.08
PIXELS_RATE = 25
SOUND_BYTES = 96_000 + 8_000
"""A second of sound, as it is kept until it is coded, and then."""
TOLD_KINDS = frozenset({"alarm", "asset", "camera", "talk", "escalated", "operation", "deleted"})
"""Kinds of the journal's entries that the report lists; instructions have a list of their own."""
MAX_EVENTS = 5_000


class Unsteady(RuntimeError):
    """The ledgers grew faster than they could be read together; try again later."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie: the installation's data, and the work folder of this export."""

    data: Path
    work: Path

    def manifest(self, recording: RecordingPart) -> Path:
        """The copy of a manifest as it was when the plan was made."""
        return self.work / MANIFESTS_FOLDER / f"{recording.id}.jsonl"

    @property
    def bodies(self) -> Path:
        """The journal's bodies, without those that are withheld."""
        return self.work / BODIES_FILE


def journal_path(operation: object) -> Path:
    """An operation's journal, below the data folder and in the package."""
    return PROOF / "journals" / f"{operation}.jsonl"


def bodies_path(operation: object) -> Path:
    """What its entries say."""
    return PROOF / "journals" / f"{operation}.bodies.jsonl"


def gather(wanted: Wanted, found: Findings, places: Places, originals: Originals) -> Plan:
    """Make the plan, and lay beside it what would change otherwise.

    Raises:
        Unsteady: the ledgers didn't hold still.
        OSError, StoreAway: something can't be read now.
    """
    masks = Masks(found.names) if wanted.is_masked else None
    (places.work / MANIFESTS_FOLDER).mkdir(parents=True, exist_ok=True)
    cameras, ledgers, unanchored = _together(wanted, found, places, originals, masks)
    lengths = {ledger.path: ledger.bytes for ledger in ledgers}
    journal = list(_journal(places.data, wanted, lengths.get(journal_path(wanted.operation).as_posix(), 0)))
    withheld = _lay_bodies(places, wanted, journal, masks)
    return Plan(
        wanted=wanted,
        court=found.court.name_zh,
        name=_shown(found.operation.name_zh, masks),
        case_number=found.operation.case_number,
        sites=tuple(_shown(f"{site.ordinal} {site.name_zh} · {site.district_zh}", masks) for site in found.sites),
        cameras=cameras,
        ledgers=ledgers,
        withheld=withheld,
        instructions=tuple(_instruction(one, masks) for one in found.instructions),
        events=tuple(_events(wanted, journal, frozenset(withheld), found.called, masks)),
        custody=tuple(_custody(one, masks) for one in found.custody),
        keys=tuple(_keys(places.data, {part.node for one in cameras for part in one.recordings})),
        unanchored=unanchored,
        estimated_bytes=_estimate(wanted, cameras, ledgers),
    )


def _together(
    wanted: Wanted, found: Findings, places: Places, originals: Originals, masks: Masks | None
) -> tuple[tuple[CameraPart, ...], tuple[LedgerPart, ...], tuple[str, ...]]:
    """Manifests and ledgers of one moment: no anchor came while they were read, so all that it vouches for is here.

    Beside them, which of them wait for an anchor.
    """
    for _ in range(SNAPSHOT_TRIES):
        before = whole_length(places.data / ANCHORS)
        cameras = tuple(
            _camera(number, one, found, wanted, places, originals, masks) for number, one in enumerate(found.feeds, 1)
        )
        told = told_lines(places.data / ANCHORS, before)
        lengths = {path: whole_length(places.data / path) for path in (TOMBSTONES, KEYS)}
        lengths[ANCHORS] = before
        journal = journal_path(wanted.operation)
        lengths[journal], is_whole = _journal_length(places.data / journal, told, wanted, found)
        unanchored = [] if is_whole else [journal.stem]
        for name, path in (("keys", KEYS), ("tombstones", TOMBSTONES)):
            if count_lines(places.data / path, lengths[path]) > told.get(name, 0):
                unanchored.append(name)
        parts = [part for camera in cameras for part in camera.recordings]
        unanchored += [
            str(part.id) for part in parts if is_awaited(places.manifest(part), told.get(f"manifest:{part.id}", 0))
        ]
        if whole_length(places.data / ANCHORS) == before:
            ledgers = (LedgerPart(path=path.as_posix(), bytes=length) for path, length in lengths.items() if length)
            return cameras, tuple(ledgers), tuple(unanchored)
    raise Unsteady


def _journal_length(path: Path, told: Mapping[str, int], wanted: Wanted, found: Findings) -> tuple[int, bool]:
    """How much of the journal goes in, and whether that is all that was noted before the export began.

    It grows as long as the operation lives; so it ends with the newest line that an anchor tells of, if that is late
    enough.
    """
    whole = whole_length(path)
    anchored = length_of(path, told.get(f"journal:{wanted.operation}", 0)) if whole else 0
    last = max((line["id"] for line, _ in _lines(path, anchored) if line.get("type") == "entry"), default=0)
    is_whole = last >= found.noted if found.noted else anchored == whole
    return (anchored, True) if is_whole else (whole, False)


def whole_length(path: Path) -> int:
    """How many bytes of a ledger are whole lines."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while end:
            begin = max(0, end - 4096)
            file.seek(begin)
            place = file.read(end - begin).rfind(b"\n")
            if place >= 0:
                return begin + place + 1
            end = begin
    return 0


def _camera(
    number: int,
    feed: FoundFeed,
    found: Findings,
    wanted: Wanted,
    places: Places,
    originals: Originals,
    masks: Masks | None,
) -> CameraPart:
    pairs = [
        pair
        for path in feed.manifests
        if (pair := _recording(path, feed, wanted, places, originals, found.called)) is not None
    ]
    manifests = [manifest for manifest, _ in pairs]
    width, height = _size(manifests)
    told = tuple(
        PlacePart(since=since, name=_shown(f"{site.name_zh} · {site.district_zh}", masks)) for since, site in feed.sites
    )
    voice = PlacePart(since=wanted.since, name=translate("export.voice", LANGUAGE))
    ending = f"site-{feed.sites[0][1].ordinal}" if feed.sites else VOICE
    return CameraPart(
        feed=feed.name,
        file=f"watch/{number:02}-{ending}.mp4",
        is_voice=feed.name == VOICE,
        places=told or (voice,),
        officer="、".join(map(person, feed.officer.split("、"))) if wanted.is_masked else feed.officer,
        width=width,
        height=height,
        recordings=tuple(part for _, part in pairs),
        spans=tuple(
            lanes.spans(
                manifests,
                wanted.since,
                wanted.until,
                is_voice=feed.name == VOICE,
                gone=[time for pair in pairs for time in _gone(*pair)],
            )
        ),
        track=feed.fixes,
    )


def _recording(
    path: str,
    feed: FoundFeed,
    wanted: Wanted,
    places: Places,
    originals: Originals,
    called: Mapping[str, str],
) -> tuple[Manifest, RecordingPart] | None:
    """A recording of which something is in the span; its manifest is copied, since it may grow."""
    source = originals.manifest(path)
    if source is None:
        return None
    raw = source.read_bytes()
    raw = raw[: raw.rfind(b"\n") + 1]
    copy = places.work / MANIFESTS_FOLDER / source.name
    write_whole(copy, raw)
    manifest = read_manifest(copy)
    if manifest is None:
        return None
    inside = [one for one in manifest.segments if _is_within(one, wanted)]
    if not inside:
        return None
    there = {one.line.number: originals.size(one.line.path) for one in inside}
    gone = [one.line.number for one in inside if (there[one.line.number] or 0) < one.bytes]
    # Read only now: a tombstone stands before the first file goes.
    stone = _tombstone(places.data, manifest.opened.recording) if gone else None
    deleted = tuple(number for number in gone if stone is not None and number in stone[0]["segments"])
    return manifest, RecordingPart(
        id=manifest.opened.recording,
        feed=manifest.opened.feed,
        node=manifest.opened.node,
        manifest=path,
        segments=tuple(_segment(one) for one in inside if (there[one.line.number] or 0) >= one.bytes),
        left_out=tuple(one.line.number for one in manifest.segments if one not in inside),
        missing=tuple(number for number in gone if number not in deleted),
        deleted=deleted,
        deletion=_deletion(*stone, called, is_masked=wanted.is_masked) if stone is not None and deleted else None,
    )


def _tombstone(data: Path, recording: UUID) -> tuple[dict[str, Any], bytes] | None:
    """The line that says that two people had this recording deleted, where there is one."""
    stones = (one for one in _lines(data / TOMBSTONES) if one[0].get("recording") == str(recording))
    return next(stones, None)


def _deletion(line: Mapping[str, Any], raw: bytes, called: Mapping[str, str], *, is_masked: bool) -> DeletionPart:
    proposed, approved = (called.get(line[name], line[name]) for name in ("proposed_by", "approved_by"))
    return DeletionPart(
        at=line["at"],
        proposed_by=person(proposed) if is_masked and line["proposed_by"] in called else proposed,
        approved_by=person(approved) if is_masked and line["approved_by"] in called else approved,
        tombstone=line_hash(raw.rstrip(b"\n")),
    )


def _gone(manifest: Manifest, part: RecordingPart) -> Iterator[SpanPart]:
    """When that was which the segments held that were deleted or are missing."""
    for segment in manifest.segments:
        if segment.line.number in (*part.missing, *part.deleted) and segment.fragments:
            last = segment.fragments[-1]
            since, until = segment.fragments[0].at, last.at + round(last.seconds * 1000)
            if segment.line.number in part.deleted:
                yield SpanPart(kind="deleted", since=since, until=until, deletion=part.deletion)
            else:
                yield SpanPart(kind="missing", since=since, until=until)


def _is_within(segment: Segment, wanted: Wanted) -> bool:
    if not segment.fragments:
        return wanted.since <= segment.line.started_at < wanted.until
    last = segment.fragments[-1]
    return segment.fragments[0].at < wanted.until and last.at + last.seconds * 1000 > wanted.since


def _segment(segment: Segment) -> SegmentPart:
    sealed = segment.sealed
    return SegmentPart(
        number=segment.line.number,
        path=segment.line.path,
        bytes=segment.bytes if sealed is None else sealed.bytes,
        sha256=None if sealed is None else sealed.sha256,
    )


def _size(manifests: Sequence[Manifest]) -> tuple[int, int]:
    """The size of the pictures that take most of the time, at most LARGEST_SIDE wide or high."""
    seconds: dict[tuple[int, int], float] = {}
    for segment in (one for manifest in manifests for one in manifest.segments):
        if segment.line.width and segment.line.height:
            size = (segment.line.width, segment.line.height)
            seconds[size] = seconds.get(size, 0.0) + segment.seconds
    width, height = max(seconds, key=lambda size: (seconds[size], size), default=SMALLEST_SIZE)
    scale = min(1.0, LARGEST_SIDE / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


@dataclass(frozen=True, slots=True)
class _Noted:
    """An entry of the journal, with its body and the line that holds it."""

    id: int
    at: int
    kind: str
    body: str
    line: bytes


def _journal(data: Path, wanted: Wanted, length: int) -> Iterator[_Noted]:
    """The entries in the journal's first bytes whose body is there, in their order."""
    lines = (line for line, _ in _lines(data / journal_path(wanted.operation), length))
    heads: dict[int, dict[str, Any]] = {line["id"]: line for line in lines if line.get("type") == "entry"}
    for line, raw in _lines(data / bodies_path(wanted.operation)):
        head = heads.get(line.get("id", -1))
        if head is not None:
            yield _Noted(head["id"], head["at"], head["kind"], str(line["body"]), raw)


def _lines(path: Path, length: int | None = None) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The whole lines of a file, or of its first `length` bytes."""
    if not path.exists():
        return
    with path.open("rb") as file:
        read = 0
        for raw in file:
            read += len(raw)
            if not raw.endswith(b"\n") or (length is not None and read > length):
                return
            line = json.loads(raw)
            if isinstance(line, dict):
                yield line, raw


def _lay_bodies(places: Places, wanted: Wanted, journal: Sequence[_Noted], masks: Masks | None) -> tuple[int, ...]:
    """Write down the bodies that may be given away; the ids of the others are returned.

    Withheld is what was outside the span, and, unless nothing is masked, what holds personal data.
    """
    kept: list[bytes] = []
    withheld: list[int] = []
    for entry in journal:
        is_inside = wanted.since <= entry.at < wanted.until
        if is_inside and (masks is None or not masks.holds_personal_data(entry.body)):
            kept.append(entry.line)
        else:
            withheld.append(entry.id)
    write_whole(places.bodies, b"".join(kept))
    return tuple(withheld)


def _instruction(one: InstructionRecord, masks: Masks | None) -> InstructionPart:
    return InstructionPart(
        number=one.number,
        at=to_ms(one.issued_at),
        priority=one.priority.value,
        target=_shown(one.target_zh, masks) if one.target_zh else translate("export.report.everybody", LANGUAGE),
        sender=_person(one.sender, masks),
        text=_shown(one.text, masks),
        receipts=tuple(
            Receipt(
                officer=_person(each.officer, masks),
                state=each.state,
                reason=_shown(each.reason, masks),
                sent_at=to_ms(each.sent_at),
                delivered_at=to_ms(each.delivered_at) if each.delivered_at else None,
                seen_at=to_ms(each.seen_at) if each.seen_at else None,
                answered_at=to_ms(each.answered_at) if each.answered_at else None,
                done_at=to_ms(each.done_at) if each.done_at else None,
                escalated_at=to_ms(each.escalated_at) if each.escalated_at else None,
            )
            for each in one.deliveries
        ),
    )


def _events(
    wanted: Wanted,
    journal: Iterable[_Noted],
    withheld: frozenset[int],
    called: Mapping[str, str],
    masks: Masks | None,
) -> Iterator[EventPart]:
    told = [one for one in journal if one.kind in TOLD_KINDS and wanted.since <= one.at < wanted.until]
    for entry in told[:MAX_EVENTS]:
        facts = telling.facts(entry.kind, _object(entry), called, lambda text: _shown(text, masks))
        yield EventPart(id=entry.id, at=entry.at, kind=entry.kind, is_withheld=entry.id in withheld, facts=tuple(facts))


def _object(entry: _Noted) -> dict[str, Any]:
    body = json.loads(entry.body)
    return body if isinstance(body, dict) else {}


def _custody(found: FoundEntry, masks: Masks | None) -> CustodyPart:
    action, details = f"audit.action.{found.entry.action}", found.details
    purpose = f"purpose.{details.get('purpose', '')}"
    return CustodyPart(
        sequence=found.entry.sequence,
        at=to_ms(found.entry.at),
        who=_person(found.who, masks),
        action=translate(action, LANGUAGE) if action in catalogue(LANGUAGE) else found.entry.action,
        purpose=translate(purpose, LANGUAGE) if purpose in catalogue(LANGUAGE) else "",
        subject=f"{found.entry.subject_type} {found.entry.subject_id}",
    )


def _keys(data: Path, nodes: Set[str]) -> Iterator[KeyPart]:
    """The court's, and those of the nodes whose recordings go in."""
    owners = {"court", *(f"node:{node}" for node in nodes)}
    for line, _ in _lines(data / KEYS):
        if line.get("type") == "key" and line.get("owner") in owners:
            yield KeyPart(id=str(line["key"]), owner=str(line["owner"]), at=int(line["at"]))


def _shown(text: str, masks: Masks | None) -> str:
    return text if masks is None else masks.text(text)


def _person(name: str, masks: Masks | None) -> str:
    return name if masks is None else person(name)


def _estimate(wanted: Wanted, cameras: Sequence[CameraPart], ledgers: Sequence[LedgerPart]) -> int:
    """How much room the export takes at its largest: the copies and their pieces, and the package with all."""
    seconds = (wanted.until - wanted.since) / 1000
    copies = [round(seconds * one.width * one.height * PIXELS_RATE * BITS_A_PIXEL / 8) for one in cameras]
    originals = sum(segment.bytes for one in cameras for part in one.recordings for segment in part.segments)
    pieces = max(copies, default=0) + round(seconds * SOUND_BYTES)
    return originals + 2 * sum(copies) + pieces + 2 * sum(one.bytes for one in ledgers)

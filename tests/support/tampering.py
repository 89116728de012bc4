"""Seeded tamperings with a whole set of evidence: what somebody might do who can write everything but has no key.

`Evidence` holds the set's files; a tampering changes some of them in memory, `applied` brings them to the disk for as
long as they are looked at.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.ledger import FIRST, SIGNATURE_MARK, Signer, line_hash, signed_bytes
from tests.support.proof_world import ProofWorld, whole
from tests.support.signing import signer

FOREIGN = signer("somebody else")
"""A key that no court has entered."""
CONTEXTS = {
    "keys.jsonl": "keys/1",
    "anchors.jsonl": "anchors/1",
    "tombstones.jsonl": "tombstones/1",
}


@dataclass(frozen=True)
class Layout:
    """Where the pieces of a segment's file lie: its header first; what follows the last doesn't count."""

    path: str
    pieces: tuple[tuple[int, int], ...]
    is_recovered: bool

    @property
    def length(self) -> int:
        """How many bytes count."""
        return self.pieces[-1][1]


@dataclass
class Evidence:
    """A set's files, by their paths below the data folder."""

    data: Path
    files: dict[str, bytes]
    segments: list[Layout]
    now: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, world: ProofWorld) -> Evidence:
        """Those of a world."""
        files = {
            path.relative_to(world.data).as_posix(): path.read_bytes()
            for path in sorted(world.data.rglob("*"))
            if path.is_file()
        }
        segments = [
            layout
            for path, data in files.items()
            if path.startswith("recordings/") and path.endswith(".jsonl")
            for layout in _layouts(data)
            if layout.path in files
        ]
        return cls(world.data, files, segments, dict(files))

    @property
    def ledgers(self) -> list[str]:
        """Every file of lines."""
        return [path for path in self.files if path.endswith(".jsonl")]

    @property
    def chains(self) -> list[str]:
        """Every ledger."""
        return [path for path in self.ledgers if not path.endswith(".bodies.jsonl")]

    @property
    def manifests(self) -> list[str]:
        """Every manifest."""
        return [path for path in self.ledgers if path.startswith("recordings/")]

    @property
    def journals(self) -> list[str]:
        """Every journal."""
        return [path for path in self.chains if path.startswith("proof/journals/")]

    @property
    def bodies(self) -> list[str]:
        """Every journal's texts."""
        return [path for path in self.ledgers if path.endswith(".bodies.jsonl")]

    def lines(self, path: str) -> list[bytes]:
        """A ledger's lines, without their LF."""
        return self.now[path].split(b"\n")[:-1]

    def put(self, path: str, lines: list[bytes]) -> None:
        """Put lines in a ledger's place."""
        self.now[path] = b"".join(line + b"\n" for line in lines)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The files as they are now on the disk; afterwards as they were."""
        changed = {path for path in self.files.keys() | self.now.keys() if self.files.get(path) != self.now.get(path)}
        try:
            _write(self.data, {path: self.now.get(path) for path in changed})
            yield
        finally:
            _write(self.data, {path: self.files.get(path) for path in changed})
            self.now = dict(self.files)


def _write(data: Path, files: Mapping[str, bytes | None]) -> None:
    for path, content in files.items():
        if content is None:
            (data / path).unlink(missing_ok=True)
        else:
            (data / path).parent.mkdir(parents=True, exist_ok=True)
            (data / path).write_bytes(content)


def _layouts(manifest: bytes) -> Iterator[Layout]:
    lines = [json.loads(line) for line in manifest.splitlines()]
    seals = {line["segment"]: line for line in lines if line["type"] == "sealed"}
    for segment in (line for line in lines if line["type"] == "segment"):
        seal = seals[segment["number"]]
        fragments = [line for line in lines if line["type"] == "fragment" and line["segment"] == segment["number"]]
        pieces = [(0, segment["header_bytes"])]
        pieces += [(one["offset"], one["offset"] + one["length"]) for one in fragments[: seal["fragments"]]]
        yield Layout(f"recordings/{segment['path']}", tuple(pieces), seal["is_recovered"])


def context_of(path: str) -> str:
    """What is signed before a line of this ledger."""
    if path.startswith("recordings/"):
        return "manifest/2"
    return CONTEXTS.get(path.rpartition("/")[2], "journal/1")


def rechained(lines: list[bytes], start: int, context: str, by: Signer | None = None, *, names: bool = True) -> None:
    """Make the lines follow each other again from `start` on, in their place.

    Signatures are made anew by `by`, who also puts the own name there where `names`; without `by` they stay.
    """
    previous = line_hash(lines[start - 1]) if start else FIRST
    for at in range(start, len(lines)):
        fields = json.loads(lines[at])
        signature = fields.pop("signature", None)
        fields["previous"] = previous
        if signature is not None and by is not None and names:
            fields["signer"] = by.id
        lines[at] = _dumped(fields)
        if signature is not None:
            if by is not None:
                signature = by.sign(signed_bytes(context, lines[at]))
            lines[at] = lines[at][:-1] + SIGNATURE_MARK + signature.encode() + b'"}'
        previous = line_hash(lines[at])


def _dumped(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def edited(line: bytes, chance: random.Random) -> bytes:
    """The line with one field changed, not one that holds the chain together."""
    fields = json.loads(line)
    names = [name for name in fields if name not in ("previous", "signature", "algorithm", "signer", "type")]
    name = chance.choice(names)
    fields[name] = _other(fields[name], chance)
    return _dumped(fields)


def _other(value: object, chance: random.Random) -> object:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 7))
    if isinstance(value, float):
        return value + 0.25
    if isinstance(value, str):
        at = chance.randrange(len(value) + 1)
        return value[:at] + "0" + value[at + 1 :] if value[at : at + 1] != "0" else value[:at] + "1" + value[at + 1 :]
    if isinstance(value, list):
        return value[:-1] if value else [1]
    assert isinstance(value, dict)
    name = chance.choice(list(value))
    return {**value, name: _other(value[name], chance)}


Tampering = Callable[[Evidence, random.Random], None]
"""Changes some of the files; every one leaves something else than there was."""
KINDS: dict[str, Tampering] = {}


def _kind(tampering: Tampering) -> Tampering:
    KINDS[tampering.__name__.strip("_").replace("_", " ")] = tampering
    return tampering


def tamper(evidence: Evidence, chance: random.Random, kind: str) -> None:
    """Do one thing of this kind that changes something."""
    while evidence.now == evidence.files:
        KINDS[kind](evidence, chance)


def _flipped(data: bytes, at: int, chance: random.Random) -> bytes:
    new = data[at] ^ (1 << chance.randrange(8)) if chance.random() < 0.5 else chance.randrange(256)
    return data[:at] + bytes([new]) + data[at + 1 :]


# Media


@_kind
def byte_flipped_in_media(evidence: Evidence, chance: random.Random) -> None:
    segment = chance.choice(evidence.segments)
    data = evidence.now[segment.path]
    evidence.now[segment.path] = _flipped(data, chance.randrange(segment.length), chance)


@_kind
def fragment_removed(evidence: Evidence, chance: random.Random) -> None:
    segment = chance.choice(evidence.segments)
    begin, end = chance.choice(segment.pieces)
    data = evidence.now[segment.path]
    padding = bytes(end - begin) if chance.random() < 0.3 else b""
    evidence.now[segment.path] = data[:begin] + data[end:] + padding


@_kind
def fragments_reordered(evidence: Evidence, chance: random.Random) -> None:
    segment = chance.choice(evidence.segments)
    data = evidence.now[segment.path]
    pieces = [data[begin:end] for begin, end in segment.pieces]
    order = pieces[1:]
    chance.shuffle(order)
    evidence.now[segment.path] = b"".join([pieces[0], *order]) + data[segment.length :]


@_kind
def fragment_replaced(evidence: Evidence, chance: random.Random) -> None:
    """By another valid one, of the same file or another."""
    segment, other = chance.choice(evidence.segments), chance.choice(evidence.segments)
    (begin, end), (first, last) = chance.choice(segment.pieces[1:]), chance.choice(other.pieces[1:])
    data = evidence.now[segment.path]
    evidence.now[segment.path] = data[:begin] + evidence.files[other.path][first:last] + data[end:]


@_kind
def fragment_added(evidence: Evidence, chance: random.Random) -> None:
    """At the end of a file that no crash has left."""
    segment = chance.choice([one for one in evidence.segments if not one.is_recovered])
    begin, end = chance.choice(segment.pieces)
    evidence.now[segment.path] += evidence.files[segment.path][begin:end]


@_kind
def segment_cut(evidence: Evidence, chance: random.Random) -> None:
    segment = chance.choice(evidence.segments)
    evidence.now[segment.path] = evidence.now[segment.path][: chance.randrange(segment.length)]


@_kind
def segment_removed(evidence: Evidence, chance: random.Random) -> None:
    del evidence.now[chance.choice(evidence.segments).path]


@_kind
def segments_swapped(evidence: Evidence, chance: random.Random) -> None:
    one, other = chance.sample(evidence.segments, 2)
    evidence.now[one.path], evidence.now[other.path] = evidence.files[other.path], evidence.files[one.path]


@_kind
def segment_replaced(evidence: Evidence, chance: random.Random) -> None:
    one, other = chance.sample(evidence.segments, 2)
    evidence.now[one.path] = evidence.files[other.path]


# Lines


@_kind
def byte_flipped_in_a_ledger(evidence: Evidence, chance: random.Random) -> None:
    paths = evidence.ledgers
    path = chance.choices(paths, [len(evidence.files[each]) for each in paths])[0]
    evidence.now[path] = _flipped(evidence.now[path], chance.randrange(len(evidence.now[path])), chance)


@_kind
def byte_added_or_taken_in_a_ledger(evidence: Evidence, chance: random.Random) -> None:
    path = chance.choice(evidence.ledgers)
    data = evidence.now[path]
    at = chance.randrange(len(data))
    added = chance.choice((b"", b" ", b"\n", b"0", b"\t", b"\r"))
    evidence.now[path] = data[:at] + added + data[at + (not added) :]


@_kind
def line_edited(evidence: Evidence, chance: random.Random) -> None:
    path = chance.choice(evidence.ledgers)
    lines = evidence.lines(path)
    at = chance.randrange(len(lines))
    fields = json.loads(lines[at])
    line = json.loads(edited(lines[at], chance))
    evidence.put(path, [*lines[:at], _dumped({name: line[name] for name in fields}), *lines[at + 1 :]])


@_kind
def line_removed(evidence: Evidence, chance: random.Random) -> None:
    path = chance.choice(evidence.ledgers)
    lines = evidence.lines(path)
    del lines[chance.randrange(len(lines))]
    evidence.put(path, lines)


@_kind
def lines_swapped(evidence: Evidence, chance: random.Random) -> None:
    path = chance.choice([path for path in evidence.chains if len(evidence.lines(path)) > 1])
    lines = evidence.lines(path)
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    evidence.put(path, lines)


@_kind
def line_put_in(evidence: Evidence, chance: random.Random) -> None:
    """One of the same ledger again, or of another."""
    path, other = chance.choice(evidence.chains), chance.choice(evidence.chains)
    lines = evidence.lines(path)
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(evidence.lines(other)))
    evidence.put(path, lines)


@_kind
def rehashed_without_the_key(evidence: Evidence, chance: random.Random) -> None:
    """A line edited or taken out, and all that follow made to follow again, with the signatures as they were."""
    _rewritten(evidence, chance, None)


@_kind
def resigned_by_a_foreign_key(evidence: Evidence, chance: random.Random) -> None:
    """The same, with the rest signed anew by a key of one's own, under its own name or the right one's."""
    _rewritten(evidence, chance, FOREIGN)


def _rewritten(evidence: Evidence, chance: random.Random, by: Signer | None) -> None:
    path = chance.choice(evidence.chains)
    lines = evidence.lines(path)
    at = chance.randrange(len(lines))
    if chance.random() < 0.3 and len(lines) > 1:
        del lines[at]
        at = min(at, len(lines) - 1)
    else:
        signature = json.loads(lines[at]).get("signature")
        fields = json.loads(edited(lines[at], chance))
        fields.pop("signature", None)
        lines[at] = _dumped(fields if signature is None else {**fields, "signature": signature})
    rechained(lines, at, context_of(path), by, names=chance.random() < 0.7)
    evidence.put(path, lines)


@_kind
def signature_moved(evidence: Evidence, chance: random.Random) -> None:
    """From another line to this one."""
    signed = [
        (path, at) for path in evidence.chains for at, line in enumerate(evidence.lines(path)) if SIGNATURE_MARK in line
    ]
    (path, at), (other, there) = chance.sample(signed, 2)
    lines = evidence.lines(path)
    signature = evidence.lines(other)[there].rpartition(SIGNATURE_MARK)[2]
    lines[at] = lines[at].rpartition(SIGNATURE_MARK)[0] + SIGNATURE_MARK + signature
    evidence.put(path, lines)


@_kind
def signature_written_otherwise(evidence: Evidence, chance: random.Random) -> None:
    """The same bytes in another base64, or with what decoders pass over."""
    path = chance.choice(evidence.chains)
    lines = evidence.lines(path)
    at = max(at for at, line in enumerate(lines) if SIGNATURE_MARK in line)
    before, _, rest = lines[at].rpartition(SIGNATURE_MARK)
    text = rest[:-2]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(text[-3:-2])
    same = [alphabet[each : each + 1] for each in range(last & ~15, (last & ~15) + 16) if each != last]
    other = chance.choice([text[:-3] + chance.choice(same) + text[-2:], text + b"=", text[:-2]])
    lines[at] = before + SIGNATURE_MARK + other + b'"}'
    evidence.put(path, lines)


@_kind
def tail_cut(evidence: Evidence, chance: random.Random) -> None:
    path = chance.choice(evidence.ledgers)
    lines = evidence.lines(path)
    evidence.put(path, lines[: chance.randrange(len(lines))])


@_kind
def ledger_removed(evidence: Evidence, chance: random.Random) -> None:
    del evidence.now[chance.choice(evidence.ledgers)]


@_kind
def recording_removed(evidence: Evidence, chance: random.Random) -> None:
    """With everything that lies beside its manifest."""
    stem = chance.choice(evidence.manifests).removesuffix(".jsonl")
    for path in [path for path in evidence.now if path.startswith(stem)]:
        del evidence.now[path]


@_kind
def ledgers_swapped(evidence: Evidence, chance: random.Random) -> None:
    paths = chance.choice((evidence.manifests, evidence.journals, evidence.bodies))
    one, other = chance.sample(paths, 2)
    evidence.now[one], evidence.now[other] = evidence.files[other], evidence.files[one]


@_kind
def recording_moved(evidence: Evidence, chance: random.Random) -> None:
    """To another feed, with its files: the pictures of one officer would be another's."""
    one, other = chance.sample(evidence.manifests, 2)
    stem, folder = one.removesuffix(".jsonl"), other.rpartition("/")[0]
    if stem.rpartition("/")[0] == folder:
        return
    for path in [path for path in evidence.now if path.startswith(stem)]:
        evidence.now[f"{folder}/{path.rpartition('/')[2]}"] = evidence.now.pop(path)


@_kind
def manifest_of_version_1(evidence: Evidence, chance: random.Random) -> None:
    """A manifest made into one that needs no chain and no signature."""
    path = chance.choice(evidence.manifests)
    lines = [json.loads(line) for line in evidence.lines(path)]
    begin = next(line for line in lines if line["type"] == "segment")
    lines[0] = {**begin, **lines[0], "version": 1}
    kept = [line for line in lines if line["type"] != "segment"]
    if chance.random() < 0.5:
        kept = [{name: line[name] for name in line if name != "previous"} for line in kept]
    evidence.put(path, [_dumped(line) for line in kept])


# Texts


@_kind
def text_edited(evidence: Evidence, chance: random.Random) -> None:
    path = chance.choice(evidence.bodies)
    lines = evidence.lines(path)
    at = chance.randrange(len(lines))
    fields = json.loads(lines[at])
    name = chance.choice(("body", "salt", "id"))
    if name == "salt":
        fields["salt"] = chance.choice((fields["salt"].upper(), chance.randbytes(16).hex(), fields["salt"] + " "))
    else:
        fields[name] = _other(fields[name], chance)
    lines[at] = _dumped(fields)
    evidence.put(path, lines)


@_kind
def text_put_in(evidence: Evidence, chance: random.Random) -> None:
    """Another text under an entry's number, before or after its own."""
    path = chance.choice(evidence.bodies)
    lines = evidence.lines(path)
    at = chance.randrange(len(lines))
    fields = json.loads(lines[at])
    lines.insert(at + chance.randrange(2), _dumped({**fields, "body": fields["body"] + " "}))
    evidence.put(path, lines)


# Anchors, keys, tombstones


@_kind
def anchor_rewritten(evidence: Evidence, chance: random.Random) -> None:
    """A manifest cut, and the anchors that tell of it made to fit, signed by a foreign key or not at all."""
    path = chance.choice(evidence.manifests)
    name = f"manifest:{path.rpartition('/')[2].removesuffix('.jsonl')}"
    lines = evidence.lines(path)
    lines = lines[: chance.randrange(1, len(lines))]
    evidence.put(path, lines)
    anchors = evidence.lines("proof/anchors.jsonl")
    for at, line in enumerate(anchors):
        fields = json.loads(line)
        heads = fields.get("heads", {})
        if heads.get(name, [0])[0] > len(lines):
            heads[name] = [len(lines), line_hash(lines[-1])]
            anchors[at] = _dumped(fields)
    rechained(anchors, 0, "anchors/1", chance.choice((None, FOREIGN)))
    evidence.put("proof/anchors.jsonl", anchors)


@_kind
def anchors_cut_with_what_they_tell(evidence: Evidence, chance: random.Random) -> None:
    """All of it put back to an earlier anchor: every ledger ends where that one says."""
    anchors = evidence.lines("proof/anchors.jsonl")
    anchors = anchors[: chance.randrange(1, len(anchors))]
    heads: dict[str, list[Any]] = {}
    for line in anchors:
        heads |= json.loads(line).get("heads", {})
    evidence.put("proof/anchors.jsonl", anchors)
    for path in evidence.chains:
        stem = path.rpartition("/")[2].removesuffix(".jsonl")
        kind = {"recordings": "manifest:", "journals": "journal:"}.get(
            path.split("/")[-2 if "journals" in path else 0], ""
        )
        head = heads.get(f"{kind}{stem}")
        if path == "proof/anchors.jsonl":
            continue
        if head is not None:
            evidence.put(path, evidence.lines(path)[: head[0]])
        elif path.startswith("recordings/"):
            for each in [each for each in evidence.now if each.startswith(path.removesuffix(".jsonl"))]:
                del evidence.now[each]
        else:
            evidence.now[path] = b""


@_kind
def key_ring_extended(evidence: Evidence, chance: random.Random) -> None:
    """By a foreign key, as the court's or a node's; then a manifest is signed anew with it."""
    keys = evidence.lines("proof/keys.jsonl")
    court = json.loads(keys[0])["key"]
    fields = {
        "type": "key", "at": json.loads(keys[-1])["at"] + 10, "key": FOREIGN.id, "public": FOREIGN.public.hex(),
        "owner": chance.choice(("court", "node:node-1", "node:node-2")), "replaces": None,
        "previous": line_hash(keys[-1]), "signer": chance.choice((FOREIGN.id, court)), "algorithm": "Ed25519",
    }  # fmt: skip
    data = _dumped(fields)
    signature = FOREIGN.sign(signed_bytes("keys/1", data)).encode()
    evidence.put("proof/keys.jsonl", [*keys, data[:-1] + SIGNATURE_MARK + signature + b'"}'])
    if chance.random() < 0.5:
        path = chance.choice(evidence.manifests)
        lines = evidence.lines(path)
        rechained(lines, 0, "manifest/2", FOREIGN)
        evidence.put(path, lines)


@_kind
def key_ring_begun_anew(evidence: Evidence, chance: random.Random) -> None:
    """Every ledger signed anew by foreign keys that a key ring of one's own names, as a court would have done it."""
    court, nodes = FOREIGN, {f"node-{number}": signer(f"foreign node {number}") for number in (1, 2)}
    keys = evidence.lines("proof/keys.jsonl")[: 1 + len(nodes)]
    for at, (key, owner) in enumerate([(court, "court"), *((key, f"node:{node}") for node, key in nodes.items())]):
        keys[at] = _dumped({**json.loads(keys[at]), "key": key.id, "public": key.public.hex(), "owner": owner})
    rechained(keys, 0, "keys/1", court)
    evidence.put("proof/keys.jsonl", keys)
    heads = {"keys": keys}
    for path in evidence.chains:
        if path in ("proof/keys.jsonl", "proof/anchors.jsonl"):
            continue
        lines = evidence.lines(path)
        by = nodes[json.loads(lines[0])["node"]] if path in evidence.manifests else court
        unanchored = [_dumped(_without_anchor(json.loads(line))) for line in lines]
        rechained(unanchored, 0, context_of(path), by)
        evidence.put(path, unanchored)
        stem = path.rpartition("/")[2].removesuffix(".jsonl")
        kind = "manifest:" if path in evidence.manifests else "journal:" if path in evidence.journals else ""
        heads[f"{kind}{stem}"] = unanchored
    anchors = evidence.lines("proof/anchors.jsonl")
    last = json.loads(anchors[-1])
    told = {name: [len(lines), line_hash(lines[-1])] for name, lines in heads.items() if lines}
    anchors = [_dumped({**last, "sequence": 1, "heads": told})]
    rechained(anchors, 0, "anchors/1", court)
    evidence.put("proof/anchors.jsonl", anchors)
    for path in evidence.journals:
        # What the journal tells of manifests no longer fits; whoever makes everything anew leaves that out.
        _without_tales(evidence, path, court)


def _without_anchor(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "anchor": None} if "anchor" in fields else fields


def _without_tales(evidence: Evidence, path: str, court: Signer) -> None:
    lines = [line for line in evidence.lines(path) if json.loads(line).get("kind") not in ("segment", "recording")]
    entries = 0
    for at, line in enumerate(lines):
        fields = json.loads(line)
        entries += fields["type"] == "entry"
        if fields["type"] == "sealed":
            lines[at] = _dumped({**fields, "entries": entries})
    rechained(lines, 0, "journal/1", court)
    evidence.put(path, lines)
    ids = {json.loads(line).get("id") for line in lines}
    bodies = path.replace(".jsonl", ".bodies.jsonl")
    evidence.put(bodies, [line for line in evidence.lines(bodies) if json.loads(line)["id"] in ids])
    anchors = evidence.lines("proof/anchors.jsonl")
    stem = path.rpartition("/")[2].removesuffix(".jsonl")
    last = json.loads(anchors[0])
    last["heads"][f"journal:{stem}"] = [len(lines), line_hash(lines[-1])]
    anchors[0] = _dumped(last)
    rechained(anchors, 0, "anchors/1", court)
    evidence.put("proof/anchors.jsonl", anchors)


@_kind
def tombstone_forged(evidence: Evidence, chance: random.Random) -> None:
    """A segment taken away, and a tombstone for it written by somebody else than the court."""
    manifest = chance.choice([path for path in evidence.manifests if evidence.lines(path)])
    lines = evidence.lines(manifest)
    opened = json.loads(lines[0])
    numbers = [json.loads(line)["number"] for line in lines if b'"type":"segment"' in line]
    number = chance.choice(numbers)
    for path in [path for path in evidence.now if path.startswith(f"{manifest.removesuffix('.jsonl')}-{number:04}")]:
        del evidence.now[path]
    tombstones = evidence.lines("proof/tombstones.jsonl")
    known = json.loads(tombstones[-1])
    known |= {
        "recording": opened["recording"], "feed": opened["feed"], "segments": [number],
        "manifest": [len(lines), line_hash(lines[-1])],
    }  # fmt: skip
    by, names = chance.choice(((None, True), (FOREIGN, True), (FOREIGN, False)))
    if chance.random() < 0.3:
        tombstones[-1] = _dumped(known)
        rechained(tombstones, len(tombstones) - 1, "tombstones/1", by, names=names)
    else:
        tombstones.append(_dumped(known))
        rechained(tombstones, len(tombstones) - 1, "tombstones/1", by, names=names)
    evidence.put("proof/tombstones.jsonl", tombstones)


def untouched(data: Path) -> tuple[ProofWorld, Evidence]:
    """A whole set, and its files."""
    world = whole(data)
    return world, Evidence.of(world)

"""The ledgers of an installation, made by hand by what is written of their formats: keys, a journal, anchors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from streams.ledger import Chain, Head, Signer, head_of, make_signer

COURT_KEY = "court-signing.pem"


@dataclass(frozen=True)
class Noted:
    """One thing for the journal."""

    id: int
    at: int
    kind: str
    body: Mapping[str, Any]


def lay_keys(data: Path, nodes: Mapping[str, Signer], at: int) -> Signer:
    """Make the court's key, and write it and those of these nodes into the ledger of keys."""
    court = make_signer(data / "keys" / COURT_KEY)
    chain = Chain("keys/1")
    owners = [("court", court), *((f"node:{node}", signer) for node, signer in nodes.items())]
    lines = [
        chain.line(
            {"type": "key", "at": at, "key": key.id, "public": key.public.hex(), "owner": owner, "replaces": None},
            court,
        )
        for owner, key in owners
    ]
    _write(data / "proof" / "keys.jsonl", lines)
    return court


def lay_journal(data: Path, court: Signer, operation: UUID, entries: Sequence[Noted], until: int) -> None:
    """Write an operation's journal, sealed at its end, and its bodies."""
    chain, lines, bodies = Chain("journal/1"), [], []
    lines.append(chain.line({"type": "opened", "version": 1, "operation": str(operation), "court": "court"}))
    for entry in entries:
        body = json.dumps(entry.body, ensure_ascii=False, separators=(",", ":"))
        salt = hashlib.sha256(f"{operation} {entry.id}".encode()).digest()[:16]
        digest = hashlib.sha256(salt + body.encode()).hexdigest()
        lines.append(
            chain.line({"type": "entry", "id": entry.id, "at": entry.at, "kind": entry.kind, "digest": digest})
        )
        line = {"id": entry.id, "salt": salt.hex(), "body": body}
        bodies.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    lines.append(chain.line({"type": "sealed", "at": until, "entries": len(entries), "anchor": None}, court))
    _write(data / "proof" / "journals" / f"{operation}.jsonl", lines)
    _write(data / "proof" / "journals" / f"{operation}.bodies.jsonl", bodies)


def lay_anchor(data: Path, court: Signer, operation: UUID, manifests: Sequence[Path], at: int) -> None:
    """Write the first anchor: over the keys, this journal and these manifests."""
    heads = {
        "keys": head_of(data / "proof" / "keys.jsonl"),
        f"journal:{operation}": head_of(data / "proof" / "journals" / f"{operation}.jsonl"),
        **{f"manifest:{path.stem}": head_of(path) for path in manifests},
    }
    line = {"type": "anchor", "sequence": 1, "at": at, "heads": {name: _pair(head) for name, head in heads.items()}}
    _write(data / "proof" / "anchors.jsonl", [Chain("anchors/1").line(line, court)])


def _pair(head: Head) -> list[Any]:
    return [head.lines, head.hash]


def _write(path: Path, lines: Sequence[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))

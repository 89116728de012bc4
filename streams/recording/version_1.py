"""Manifests of version 1, which had one file a recording, no chain and no signature, read as those of today."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

_GAPS = {"loss": "network", "silence": "network", "queue": "disk_slow", "disk": "disk_failed"}

Line = TypeVar("Line")


def is_of_version_1(first: bytes) -> bool:
    """Whether a manifest's first line says so."""
    try:
        opened = json.loads(first)
    except ValueError:
        return False
    return isinstance(opened, dict) and opened.get("version") == 1


class Version1(Generic[Line]):
    """Turns each line of a manifest of version 1 into those that would stand there today; `read` makes a line."""

    def __init__(self, read: Callable[[dict[str, Any]], Line]) -> None:
        self._read = read
        self._ends: list[int] = []

    def __call__(self, raw: bytes) -> Iterator[Line]:
        """Today's lines for one of then; ValueError, KeyError or TypeError where it can't be read."""
        old = json.loads(raw)
        match old["type"]:
            case "opened":
                yield self._read(old)
                yield self._read({**old, "type": "segment", "number": 1, "start": 0.0})
            case "gap":
                yield self._read({**old, "kind": _GAPS[old["kind"]]})
            case "closed":
                kept = sum(end <= old["bytes"] for end in self._ends)
                yield self._read({**old, "type": "sealed", "segment": 1, "fragments": kept})
                yield self._read({**old, "segments": 1})
            case _:
                self._ends.append(old["offset"] + old["length"])
                yield self._read(old)


def close(root: Path, path: Path) -> None:
    """Complete one that a crash left open before the program was renewed, in the way of then.

    Raises:
        OSError, ValueError: it can't be read or written.
    """
    lines = [json.loads(raw) for raw in path.read_bytes().splitlines() if raw.endswith(b"}")]
    opened, fragments = lines[0], [line for line in lines if line["type"] == "fragment"]
    whole = hashlib.sha256()
    kept: list[dict[str, Any]] = []
    with (root / opened["path"]).open("rb") as file:
        whole.update(file.read(opened["header_bytes"]))
        for line in fragments:
            data = file.read(line["length"])
            if hashlib.sha256(data).hexdigest() != line["sha256"]:
                break
            whole.update(data)
            kept.append(line)
    last = kept[-1] if kept else None
    closed = {
        "type": "closed",
        "reason": "node",
        "ended_at": opened["started_at"] if last is None else last["at"] + int(last["seconds"] * 1000),
        "seconds": 0.0 if last is None else round(last["start"] + last["seconds"], 3),
        "bytes": opened["header_bytes"] if last is None else last["offset"] + last["length"],
        "sha256": whole.hexdigest(),
    }
    with path.open("ab") as file:
        file.write(b"\n" + json.dumps(closed, separators=(",", ":")).encode() + b"\n")  # the last line may be torn
        file.flush()
        os.fsync(file.fileno())

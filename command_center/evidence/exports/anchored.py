"""How far anchors tell of the ledgers that go into a package: what they don't tell of yet, nobody can prove."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from streams.recording.version_1 import is_of_version_1


def told_lines(anchors: Path, length: int) -> Mapping[str, int]:
    """Of how many lines of each ledger the anchors in the first `length` bytes tell.

    Raises:
        OSError: they can't be read.
    """
    told: dict[str, int] = {}
    if not length:
        return told
    with anchors.open("rb") as file:
        while length > 0 and (raw := file.readline(length)):
            length -= len(raw)
            told |= {name: head[0] for name, head in _heads(raw).items()}
    return told


def length_of(path: Path, lines: int) -> int:
    """How many bytes the first `lines` lines of a ledger have.

    Raises:
        OSError: it can't be read.
    """
    if not lines:
        return 0
    with path.open("rb") as file:
        return sum(len(raw) for _, raw in zip(range(lines), file, strict=False))


def count_lines(path: Path, length: int) -> int:
    """How many lines the first `length` bytes of a ledger have.

    Raises:
        OSError: it can't be read.
    """
    if not length:
        return 0
    with path.open("rb") as file:
        return file.read(length).count(b"\n")


def is_awaited(manifest: Path, told: int) -> bool:
    """Whether a manifest is complete and only lacks its anchor. One of version 1 never gets any.

    Raises:
        OSError: it can't be read.
    """
    lines = manifest.read_bytes().splitlines()
    if not lines or is_of_version_1(lines[0]):
        return False
    return b'"type":"closed"' in lines[-1] and len(lines) > told


def _heads(raw: bytes) -> Mapping[str, tuple[int, str]]:
    """Of an anchor's line; none of any other, nor of one that somebody has changed, which the verifier tells."""
    try:
        line = json.loads(raw)
        return {name: (int(head[0]), str(head[1])) for name, head in line["heads"].items()}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}

"""The package itself: its signed list of files, and a ZIP whose every byte follows from the files in it.

Files are stored, not compressed, in the order of their names after `package.json`, without dates; so a changed byte
anywhere is a changed file, or no longer the one way in which the ZIP can be written. Verifiers rely on that.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from command_center.evidence.exports.excerpts import Excerpt
from command_center.evidence.exports.originals import Digest, OriginalMissing, digest_of
from command_center.evidence.exports.plan import Plan, keep_whole
from streams.ledger import Chain, Signer

CONTEXT = "package/1"
INDEX_FILE = "package.json"
CHUNK_BYTES = 1 << 20
FIRST_DAY = 0x21
"""1 January 1980, which is no date at all in a ZIP."""
UTF8_NAME = 0x0800
UNIX_FILE = 0o100644 << 16
LARGE = 0xFFFFFFFF
MANY = 0xFFFF
PLAIN, ZIP64 = 20, 45
"""Versions of the format: without and with lengths of 64 bits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the package: what its bytes come to, and how they are read."""

    name: str
    digest: Digest
    open: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Placed:
    name: bytes
    size: int
    crc: int
    offset: int


def file_entry(name: str, path: Path) -> Entry:
    """A file of the work folder as an entry.

    Raises:
        OSError: it can't be read.
    """
    return Entry(name, digest_of(_chunks(path)), lambda: _chunks(path))


def data_entry(name: str, data: bytes) -> Entry:
    """Bytes that are at hand as an entry."""
    return Entry(name, digest_of([data]), lambda: [data])


def prefix_entry(name: str, path: Path, length: int) -> Entry:
    """The first bytes of a file that grows as an entry.

    Raises:
        OriginalMissing: there aren't so many.
        OSError: it can't be read.
    """
    digest = digest_of(_chunks(path, length))
    if digest.bytes != length:
        raise OriginalMissing(name)
    return Entry(name, digest, lambda: _chunks(path, length))


def ranges_entry(name: str, path: Path, ranges: Sequence[tuple[int, int]]) -> Entry:
    """Pieces of a file that grows (first byte, how many) as an entry.

    Raises:
        OriginalMissing: there aren't so many.
        OSError: it can't be read.
    """

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            for first, length in ranges:
                file.seek(first)
                yield file.read(length)

    digest = digest_of(pieces())
    if digest.bytes != sum(length for _, length in ranges):
        raise OriginalMissing(name)
    return Entry(name, digest, pieces)


def index_line(
    plan: Plan, entries: Sequence[Entry], excerpts: Mapping[str, Excerpt], made_at: int, signer: Signer
) -> bytes:
    """The signed line that `package.json` is."""
    parts = [part for camera in plan.cameras for part in camera.recordings]
    fields: Mapping[str, object] = {
        "type": "package",
        "version": 1,
        "operation": str(plan.wanted.operation),
        "made_at": made_at,
        "since": plan.wanted.since,
        "until": plan.wanted.until,
        "feeds": list(plan.wanted.feeds),
        "is_masked": plan.wanted.is_masked,
        "files": {
            entry.name: {"bytes": entry.digest.bytes, "sha256": entry.digest.sha256}
            for entry in sorted(entries, key=lambda one: one.name)
        },
        "withheld": list(plan.withheld),
        "left_out": {str(part.id): list(part.left_out) for part in parts if part.left_out},
        "missing": {str(part.id): list(part.missing) for part in parts if part.missing},
        "deleted": {
            str(part.id): {"segments": list(part.deleted), "tombstone": part.deletion.tombstone}
            for part in parts
            if part.deletion is not None
        },
        "excerpts": {path: list(one.left_out) for path, one in sorted(excerpts.items()) if one.left_out},
    }
    return Chain(CONTEXT).line(fields, signer)


def write_zip(path: Path, entries: Sequence[Entry]) -> None:
    """Write the ZIP; it is there whole or not at all.

    Raises:
        OriginalMissing: a file isn't any more what it was.
        OSError: it can't be written.
    """
    draft = path.with_name(path.name + ".part")
    ordered = sorted(entries, key=lambda one: (one.name != INDEX_FILE, one.name))
    with draft.open("wb") as file:
        placed = [_write_file(file, entry) for entry in ordered]
        _write_directory(file, placed)
    keep_whole(draft, path)


def _write_file(file: BinaryIO, entry: Entry) -> _Placed:
    placed = _Placed(entry.name.encode(), entry.digest.bytes, entry.digest.crc, file.tell())
    file.write(local_header(placed.name, placed.size, placed.crc))
    size, crc = 0, 0
    for chunk in entry.open():
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        file.write(chunk)
    if (size, crc) != (placed.size, placed.crc):
        raise OriginalMissing(entry.name)
    return placed


def local_header(name: bytes, size: int, crc: int) -> bytes:
    """What stands before a file's bytes. Source: PKWARE APPNOTE 4.3.7, 4.5.3."""
    is_large = size >= LARGE
    extra = struct.pack("<HHQQ", 1, 16, size, size) if is_large else b""
    shown = LARGE if is_large else size
    return (
        struct.pack(
            "<4s5H3I2H", b"PK\x03\x04", ZIP64 if is_large else PLAIN, UTF8_NAME, 0, 0, FIRST_DAY, crc, shown, shown,
            len(name), len(extra),
        )
        + name
        + extra
    )  # fmt: skip


def _write_directory(file: BinaryIO, placed: Sequence[_Placed]) -> None:
    """The list of files at the end. Source: PKWARE APPNOTE 4.3.12, 4.3.14–16."""
    start = file.tell()
    file.writelines(_listed(one) for one in placed)
    size, count = file.tell() - start, len(placed)
    if start >= LARGE or size >= LARGE or count >= MANY:
        record = file.tell()
        file.write(struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 3 << 8 | ZIP64, ZIP64, 0, 0, count, count, size, start))
        file.write(struct.pack("<4sIQI", b"PK\x06\x07", 0, record, 1))
    shown = min(count, MANY)
    file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, shown, shown, min(size, LARGE), min(start, LARGE), 0))


def _listed(one: _Placed) -> bytes:
    lengths = [one.size, one.size] if one.size >= LARGE else []
    lengths += [one.offset] if one.offset >= LARGE else []
    extra = struct.pack(f"<HH{len(lengths)}Q", 1, 8 * len(lengths), *lengths) if lengths else b""
    version, shown = ZIP64 if lengths else PLAIN, min(one.size, LARGE)
    return (
        struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 3 << 8 | version, version, UTF8_NAME, 0, 0, FIRST_DAY, one.crc, shown, shown,
            len(one.name), len(extra), 0, 0, 0, UNIX_FILE, min(one.offset, LARGE),
        )
        + one.name
        + extra
    )  # fmt: skip


def _chunks(path: Path, length: int | None = None) -> Iterator[bytes]:
    left = path.stat().st_size if length is None else length
    with path.open("rb") as file:
        while left and (chunk := file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

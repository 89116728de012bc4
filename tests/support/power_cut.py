"""A disk whose power may be cut: what was written and not synced is lost, kept, or kept in part, as a seed draws it.

The real file system does the work meanwhile; this notes each call that changes something below one folder. A name
lasts once its folder was synced, a file's bytes once the file was; each write since then may have reached the disk or
not, whatever came before or after it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Contents:
    """A file's bytes that last, and the writes since: where, and what (nothing: it was cut off there)."""

    lasting: bytes = b""
    since: list[tuple[int, bytes]] = field(default_factory=list)

    def copy(self) -> Contents:
        """As it is now."""
        return Contents(self.lasting, list(self.since))

    def after(self, chance: random.Random) -> bytes:
        """What a cut leaves of it."""
        data = bytearray(self.lasting)
        for place, written in self.since:
            if chance.random() < 0.5:
                _apply(data, place, written)
        return bytes(data)

    def sync(self) -> None:
        """All of it lasts from now on."""
        data = bytearray(self.lasting)
        for place, written in self.since:
            _apply(data, place, written)
        self.lasting, self.since = bytes(data), []


@dataclass
class Remains:
    """What a cut may leave: the folders and names that last, and the names that may."""

    folders: set[Path]
    lasting: dict[Path, Contents]
    present: dict[Path, Contents]

    def lay_out(self, root: Path, target: Path, chance: random.Random) -> None:
        """Write it below `target` as it stood below `root`."""
        names = dict(self.lasting)
        for path in self.present.keys() - self.lasting.keys():
            if chance.random() < 0.5:
                names[path] = self.present[path]
        for path, contents in names.items():
            if path.parent in self.folders:
                place = target / path.relative_to(root)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(contents.after(chance))


class Disk:
    """What is known of the files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = {root}
        self._lasting: dict[Path, Contents] = {}
        self._present: dict[Path, Contents] = {}
        self._descriptors: dict[int, Path] = {}
        self._files: dict[int, Contents] = {}

    def cut(self) -> Remains:
        """What is left if the power goes now."""
        copies = {id(one): one.copy() for one in (*self._lasting.values(), *self._present.values())}
        return Remains(
            set(self._folders),
            {path: copies[id(one)] for path, one in self._lasting.items()},
            {path: copies[id(one)] for path, one in self._present.items()},
        )

    @contextmanager
    def watched(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Note what is done while the body runs."""
        with patch.context() as calls:
            for name in ("write", "pwrite", "open", "ftruncate", "fsync", "fdatasync", "rename", "unlink"):
                calls.setattr(os, name, self._noting(getattr(os, name), getattr(self, f"note_{name}")))
            yield

    @staticmethod
    def _noting(call: Any, note: Any) -> Any:
        def noted(*arguments: Any, **options: Any) -> Any:
            result = call(*arguments, **options)
            note(result, *arguments)
            return result

        return noted

    def note_open(self, descriptor: int, path: Any, flags: int = 0, *_: Any) -> None:
        place = Path(path)
        if not place.is_relative_to(self._root):
            return
        self._descriptors[descriptor] = place
        if not place.is_dir():
            contents = self._present.setdefault(place, Contents())
            if flags & os.O_TRUNC:
                contents.since.append((0, b""))
            self._files[descriptor] = contents

    def note_write(self, written: int, descriptor: int, data: Any) -> None:
        if descriptor in self._files:
            end = os.fstat(descriptor).st_size  # every file here is written at its end
            self._files[descriptor].since.append((end - written, bytes(data[:written])))

    def note_pwrite(self, written: int, descriptor: int, data: Any, place: int) -> None:
        if descriptor in self._files:
            self._files[descriptor].since.append((place, bytes(data[:written])))

    def note_ftruncate(self, _: None, descriptor: int, length: int) -> None:
        if descriptor in self._files:
            self._files[descriptor].since.append((length, b""))

    def note_fdatasync(self, _: None, descriptor: int) -> None:
        if descriptor in self._files:
            self._files[descriptor].sync()

    def note_fsync(self, _: None, descriptor: int) -> None:
        if descriptor in self._files:
            self._files[descriptor].sync()
            return
        folder = self._descriptors.get(descriptor)
        if folder is None:
            return
        self._folders |= {each for each in folder.iterdir() if each.is_dir()}
        here = {path: one for path, one in self._present.items() if path.parent == folder}
        self._lasting = {path: one for path, one in self._lasting.items() if path.parent != folder} | here

    def note_rename(self, _: None, source: Any, target: Any) -> None:
        if Path(source) in self._present:
            self._present[Path(target)] = self._present.pop(Path(source))

    def note_unlink(self, _: None, path: Any, *_more: Any) -> None:
        self._present.pop(Path(path), None)


def _apply(data: bytearray, place: int, written: bytes) -> None:
    if not written:
        del data[place:]
        return
    if len(data) < place:
        data.extend(bytes(place - len(data)))
    data[place : place + len(written)] = written

"""A package holds what was asked for, and proves it where nothing of the project is."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from streams.ledger import is_signed_by
from tests.command_center.evidence.exports.conftest import Case

SAMPLES = 16
"""Changed bytes of the ZIP that are tried here; the soak tries a thousand."""


def verify(folder: Path, *arguments: str, with_library: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a package's own verifier where nothing else is; without the library it has OpenSSL's program alone."""
    flags = ["-I"] if with_library else ["-I", "-S"]
    return subprocess.run(
        [sys.executable, *flags, "verify.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def unpacked(case: Case, folder: Path) -> Path:
    """The package's ZIP in a folder of its own, with its verifier taken out beside it."""
    path = await asyncio.to_thread(case.build, case.wanted())
    folder.mkdir()
    with zipfile.ZipFile(path) as archive:
        (folder / "verify.py").write_bytes(archive.read("verify.py"))
    return Path(shutil.copy(path, folder / "package.zip"))


async def test_a_package_is_a_signed_list_of_all_its_files(case: Case) -> None:
    path = await asyncio.to_thread(case.build, case.wanted())
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        line = archive.read("package.json")
    index = json.loads(line)
    assert is_signed_by(line.removesuffix(b"\n"), "package/1", case.signer().public)
    assert set(index["files"]) == set(names) - {"package.json"}
    assert names == ["package.json", *sorted(index["files"])]
    assert {"report.html", "track.gpx", "track.geojson", "verify.py", "READ-ME.txt"} <= set(names)
    assert {"watch/01-site-1.mp4", "watch/02-site-2.mp4"} <= set(names)
    assert sum(name.endswith((".mp4", ".webm")) and name.startswith("recordings/") for name in names) == 5


async def test_originals_go_in_as_they_are_and_segments_outside_the_span_are_named(case: Case) -> None:
    path = await asyncio.to_thread(case.build, case.wanted(2.0, begins=0.5, feeds=("feed-1",)))
    with zipfile.ZipFile(path) as archive:
        index = json.loads(archive.read("package.json"))
        recordings = [name for name in archive.namelist() if name.startswith("recordings/")]
        for name in recordings:
            assert archive.read(name) == (case.data / name).read_bytes()
    first = case.manifests[0].stem
    assert sorted(Path(name).name for name in recordings) == [
        f"{first}-0001.mp4",
        f"{first}-0002.mp4",
        f"{first}.jsonl",
    ]
    path = await asyncio.to_thread(case.build, case.wanted(1.0, begins=0.5, feeds=("feed-1",)), "shorter")
    with zipfile.ZipFile(path) as archive:
        index = json.loads(archive.read("package.json"))
        assert (
            f"recordings/{case.manifests[0].parent.relative_to(case.world.root)}/{first}-0002.mp4"
            not in archive.namelist()
        )
    assert index["left_out"] == {first: [2]}


@pytest.mark.parametrize("with_library", [True, False])
async def test_it_verifies_where_nothing_of_the_project_is(case: Case, tmp_path: Path, with_library: bool) -> None:
    if not with_library and shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    folder = tmp_path / "elsewhere"
    await unpacked(case, folder)
    trust = ("--trust", case.signer().id)
    told = await asyncio.to_thread(verify, folder, "package.zip", *trust, with_library=with_library)
    assert told.returncode == 0, told.stdout + told.stderr
    with zipfile.ZipFile(folder / "package.zip") as archive:
        archive.extractall(folder / "whole")
    told = await asyncio.to_thread(verify, folder / "whole", *trust, with_library=with_library)
    assert told.returncode == 0, told.stdout + told.stderr
    told = await asyncio.to_thread(verify, folder / "whole", with_library=with_library)
    assert told.returncode == 4, told.stdout + told.stderr


async def test_one_changed_byte_anywhere_is_found(case: Case, tmp_path: Path) -> None:
    """Of files in the unpacked folder and of the ZIP as it lies, its own headers too."""
    folder = tmp_path / "elsewhere"
    package = await unpacked(case, folder)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder / "whole")
        infos = archive.infolist()
    chance = random.Random(4)
    files = [folder / "whole" / info.filename for info in infos]
    assert await asyncio.to_thread(undetected, folder / "whole", files, chance, each=1) == []
    assert (
        await asyncio.to_thread(undetected, folder, [package], chance, each=SAMPLES, arguments=("package.zip",)) == []
    )


def undetected(
    folder: Path, files: list[Path], chance: random.Random, *, each: int, arguments: tuple[str, ...] = ()
) -> list[tuple[str, int]]:
    """Where a changed byte wasn't found: file and place."""
    # The verifier that came along may be the changed file: an examiner brings his own.
    own = folder / "own"
    own.mkdir(exist_ok=True)
    shutil.copy(folder / "verify.py", own / "verify.py")
    missed = []
    for path in files:
        whole = path.read_bytes()
        for _ in range(each):
            place = chance.randrange(len(whole))
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
            told = verify(own, *(str(folder / one) for one in arguments or (".",)))
            if told.returncode not in {1, 3}:
                missed.append((path.name, place))
        path.write_bytes(whole)
    return missed

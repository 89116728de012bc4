"""The verifier as others get it: one file, on a machine that has nothing else of ours."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_center.evidence import verifier
from tests.support.proof_world import ProofWorld, package, whole

SOURCE = Path(verifier.__file__)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProofWorld, Path]:
    """A package with the verifier in it, as `package.json` lists it."""
    folder = tmp_path_factory.mktemp("alone")
    world = whole(folder / "data")
    (folder / "package").mkdir()
    shutil.copy(SOURCE, folder / "package" / "verify.py")
    return world, package(world, folder / "package")


def run(folder: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[bytes]:
    """Run `verify.py` as whoever got the package does, somewhere else, without our environment."""
    command = [sys.executable, "-I", str(folder / "verify.py"), *arguments]
    environment = {"PATH": path, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    return subprocess.run(command, capture_output=True, cwd="/", env=environment, timeout=50, check=False)


def test_it_verifies_the_package_in_which_it_lies(packed: tuple[ProofWorld, Path]) -> None:
    world, folder = packed
    done = run(folder, "--trust", world.first_key)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"WHOLE" in run(folder, "--language", "en").stdout
    assert json.loads(run(folder, "--json", "--sm3").stdout)["exit_code"] == 4


def test_exit_codes_tell_a_machine(packed: tuple[ProofWorld, Path], tmp_path: Path) -> None:
    world, folder = packed
    assert world.newest_anchor is not None
    sequence, digest = world.newest_anchor
    one = world.recordings[0].ledger.path
    whole_copy, part = tmp_path / "whole", tmp_path / "part"
    for copy, pattern in ((whole_copy, f"{one.stem}*"), (part, one.name)):
        copy.mkdir()
        for file in one.parent.glob(pattern):
            shutil.copy(file, copy)
    codes = {
        0: [("--trust", world.first_key), ("--trust", world.first_key, str(world.data))],
        1: [("--trust", "0" * 16), ("--anchor", f"{sequence + 1}:{digest}", str(world.data)), (str(part / one.name),)],
        2: [(str(whole_copy / one.name),), ("--trust", world.first_key, "--anchor", f"{sequence + 1}:{digest}")],
        3: [("/nowhere",), ("--trust", "x"), ("--anchor", "1:2"), ("--strange",), ("--authority", "/nowhere")],
        4: [(), ("--anchor", f"{sequence}:{digest}"), (str(world.data),)],
    }
    for code, calls in codes.items():
        for arguments in calls:
            done = run(folder, *arguments)
            assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert b"4 whole in itself" in b" ".join(run(folder, "--help").stdout.split())


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported - sys.stdlib_module_names == {"cryptography"}


def test_it_uses_nothing_that_python_3_9_lacks() -> None:
    """As far as names tell: what came later and lies near at hand."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))
    later = {"StrEnum", "UTC", "file_digest", "pairwise", "batched", "bit_count", "TypeAlias", "Self", "assert_never"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
    keywords = {
        word.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        for word in node.keywords
        if node.func.id in ("dataclass", "zip", "field")
    }
    assert not used & later
    assert not keywords & {"slots", "kw_only", "strict"}
    annotations = "from __future__ import annotations"
    assert annotations in SOURCE.read_text(encoding="utf-8")


def test_every_finding_has_its_words_and_every_word_its_use() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    for code, (_, zh, en) in verifier.CODES.items():
        assert zh
        assert en
        if not code.startswith(("database-", "audit-")):
            assert source.count(f'"{code}"') >= 2, code
    for zh, en in [*verifier.LABELS.values(), *verifier.REASONS.values(), *verifier.SOURCES.values()]:
        assert zh
        assert en

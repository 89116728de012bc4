"""What one module of the screens takes from another, that one gives: a browser tells only when the page is opened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import command_center

STATIC = Path(command_center.__file__).parent / "screens" / "static"
MODULES = sorted(STATIC.rglob("*.js"))
TAKEN = re.compile(r'import\s*\{([^}]*)\}\s*from\s*"(\./[^"]+)"')
GIVEN = re.compile(r"^export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)", re.MULTILINE)
GIVEN_AGAIN = re.compile(r"^export\s*\{([^}]*)\}", re.MULTILINE)


def names_in(listed: str, place: int) -> set[str]:
    """The names of `a, b as c`: as they are given (0) or taken (-1)."""
    return {part.split(" as ")[place].strip() for part in listed.split(",") if part.strip()}


def given_by(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    again = [names_in(listed, -1) for listed in GIVEN_AGAIN.findall(text)]
    return set(GIVEN.findall(text)).union(*again)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_name_that_is_taken_is_given(path: Path) -> None:
    for listed, other in TAKEN.findall(path.read_text(encoding="utf-8")):
        target = (path.parent / other).resolve()
        assert target.exists(), other
        assert names_in(listed, 0) <= given_by(target), other

"""The strip between the asset pages: only pages that exist and that the reader may open."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import dash
import pytest

from command_center.accounts.permissions import Role
from command_center.screens import pages
from command_center.screens.components.asset_nav import asset_nav
from tests.command_center.screens.test_pages import signed_in, text_of


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dash, "page_registry", {"one": {"path": "/assets"}, "other": {"path": "/audit"}})


def test_only_pages_that_are_registered_are_linked_and_the_present_one_is_marked() -> None:
    with signed_in(Role.JUDGE):
        text = text_of(asset_nav("assets"))
    assert '"/assets"' in text
    assert '"aria-current": "page"' in text
    assert '"/assets/terms"' not in text


def test_who_may_not_open_a_page_gets_no_link_to_it() -> None:
    with signed_in(Role.OFFICER):
        assert '"/assets"' not in text_of(asset_nav("assets"))


PAGES = Path(pages.__file__).parent
BELOW = re.compile(r'path="/assets\b')
ASSET_PAGES = sorted(path for path in PAGES.glob("*.py") if BELOW.search(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", ASSET_PAGES, ids=lambda path: path.stem)
def test_every_page_about_assets_carries_the_strip(path: Path) -> None:
    page = importlib.import_module(f"{pages.__name__}.{path.stem}")
    with signed_in(Role.JUDGE):
        assert '"asset-nav"' in text_of(page.layout())

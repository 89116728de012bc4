"""The strip between the asset pages: only pages that exist and that the reader may open."""

from __future__ import annotations

import dash
import pytest

from command_center.accounts.permissions import Role
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

"""The officer's page has every word in both languages, for whatever the centre may tell it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import field_agent
from assets.proposal_states import ProposalState
from assets.proposed_things import PROPOSABLE
from assets.terms import AssetKind
from assets.views import Standing
from command_center.api.asset_duty_views import Outcome
from command_center.translations import LANGUAGES, catalogue

PAGE = Path(field_agent.__file__).parent / "page"
PARAMETER = re.compile(r"\{(\w+)\}")
USED = re.compile(r"""\bsay\(\s*["']([a-z][a-z0-9_.-]+)["']|data-word="([^"]+)\"""")
FAMILIES = {
    "standing": list(Standing),
    "kind": list(AssetKind),
    "control": sorted({action for actions in PROPOSABLE.values() for action in actions}),
    "proposal": list(ProposalState),
    "answer": list(Outcome),
    "propose.number": list(AssetKind),
    "propose.bad": list(AssetKind),
    "assets.news": ["taken_up", "declined"],
}
"""Keys that the page puts together from a code of the centre's."""


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((PAGE / "words" / f"{language}.json").read_text(encoding="utf-8"))
    return found


def test_both_languages_have_the_same_keys_and_parameters() -> None:
    zh, en = words("zh"), words("en")
    assert zh.keys() == en.keys()
    assert {key: set(PARAMETER.findall(text)) for key, text in zh.items()} == {
        key: set(PARAMETER.findall(text)) for key, text in en.items()
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_every_code_of_the_centres_has_words(family: str) -> None:
    assert {f"{family}.{code}" for code in FAMILIES[family]} <= words("zh").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_state_is_called_on_the_phone_as_at_the_centre(language: str) -> None:
    centre, phone = catalogue(language), words(language)
    called = {one: centre["asset.state.waiting.rank" if one == "waiting" else f"asset.state.{one}"] for one in Standing}
    assert {one: phone[f"standing.{one}"] for one in Standing} == called


def test_every_word_that_the_page_uses_is_there() -> None:
    files = [PAGE / "index.html", *PAGE.glob("*.js")]
    used = {key for path in files for pair in USED.findall(path.read_text(encoding="utf-8")) for key in pair if key}
    assert len(used) > 80
    assert used - words("zh").keys() == set()


def test_the_service_worker_keeps_every_file_of_the_page() -> None:
    kept = set(re.findall(r'"/field/([^"]+)"', (PAGE / "worker.js").read_text(encoding="utf-8")))
    files = {str(path.relative_to(PAGE)) for path in PAGE.rglob("*") if path.is_file()}
    assert kept == files - {"index.html", "worker.js"}

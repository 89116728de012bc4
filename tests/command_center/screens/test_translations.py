"""Every word in both languages, and every key that the screens use in the catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import command_center
from assets.case_intake import ClaimKind
from assets.case_intake import Role as CaseRole
from assets.sanctions.checks import CheckCode, Outcome
from assets.sanctions.deeds import Deed
from assets.sanctions.grounds import DeletionGround, Ground, Performance, SanctionKind, Security, ServiceManner
from assets.sanctions.states import SanctionState
from assets.sanctions.taking import EXPIRED, PROPOSED
from assets.term_keys import Show
from assets.term_table import Severity
from assets.views import Standing
from command_center.accounts.permissions import Role
from command_center.screens.components.assets_words import SETTLED
from command_center.screens.components.instructions import PHRASES
from command_center.translations import LANGUAGES, catalogue, language_of, translate
from streams.recording.manifest import GapKind

SCREENS = Path(command_center.__file__).parent / "screens"
PARAMETER = re.compile(r"\{(\w+)\}")
USED = re.compile(r"""\bsay\(\s*["']([a-z][a-z0-9_.-]+)["']""")
HEADS = (
    "whole",
    "deleted",
    "unproven",
    "unreadable",
    "nothing",
    "gone",
    "broken",
    "proof",
    "failed",
    "waiting",
    "running",
    "stopped",
)
SPAN_STATES = (
    "proven", "signed", "anchored", "open", "unproven", "broken", "missing", "unreadable", "deleted", "left_out",
)  # fmt: skip
FAMILIES = {
    "tile.phase": ("waiting", "connecting", "live", "stale", "lost", "paused", "ended"),
    "tile.cause": ("network", "camera", "officer", "revoked", "node", "node-back", "screen", "bandwidth"),
    "tile.layer": ("low", "middle", "high", "none"),
    "tile.trouble": ("none", "layer", "bandwidth", "loss", "far", "uneven", "few"),
    "connection": ("connecting", "connected", "silent", "broken"),
    "part": ("agents", "bank", "hub", "media", "paying", "proof", "registry", "space", "storage", "web", "worker"),
    "system": ("running", "away", "silent", "behind"),
    "part.state": ("running", "restarting", "stopped", "away", "unknown", "low", "critical", "faulty"),
    "priority": ("routine", "urgent", "critical"),
    "delivery": ("sent", "delivered", "seen", "accepted", "refused", "done", "offline", "overdue"),
    "step": ("officer", "sent", "delivered", "seen", "answered", "done", "state"),
    "timeline.kind": ("covered", *get_args(GapKind)),
    "wall.count": ("critical", "serious", "caution", "normal", "standby", "off"),
    "phrase": tuple(str(number) for number in range(1, PHRASES + 1)),
    "role": tuple(role.value for role in Role),
    **dict.fromkeys(("review.verdict.head", "review.verdict.short"), HEADS),
    "review.verdict.part": SPAN_STATES,
    "review.verdict.since": ("grown", "deleted", "missing"),
    "asset.answers.state": ("under_way", *(state.value for state in SETTLED)),
    "asset.state": (*Standing, "waiting.rank", "objected.clock", "objected.late"),
    "term.severity": tuple(Severity),
    "term.show": tuple(Show),
    "term.count": ("lapsed", "alarms", "within.7", "within.30", "within.60", "effective"),
    "case.role": tuple(CaseRole),
    "case.claim.kind": tuple(ClaimKind),
    "case.entry": ("registered", "person-added", "role-changed", "person-corrected", "claim-added", "claim-changed"),
    "sanction.kind": tuple(SanctionKind),
    "sanction.state": tuple(SanctionState),
    "sanction.ground": tuple(Ground),
    "sanction.performance": tuple(Performance),
    "sanction.security": tuple(one.value or "unknown" for one in Security),
    "sanction.deletion": tuple(DeletionGround),
    "sanction.manner": tuple(ServiceManner),
    "sanction.outcome": tuple(Outcome),
    "sanction.check": tuple(CheckCode),
    "sanction.deed": tuple(Deed),
    "sanction.step": (PROPOSED, EXPIRED, *Deed),
    "review.verdict.sum": ("serious", "caution", "standby", "off", "normal"),
}
"""Keys that the screens put together from a code."""


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("zh").keys() == catalogue("en").keys()


def test_both_languages_name_the_same_parameters() -> None:
    for key, chinese in catalogue("zh").items():
        assert set(PARAMETER.findall(chinese)) == set(PARAMETER.findall(catalogue("en")[key])), key


def test_english_texts_hold_no_chinese_but_case_numbers_laws_and_the_other_languages_name() -> None:
    meant = re.compile(r"（[^）]+）内\d+执\S*号(之一)?|法释〔\d+〕\d+号|^中文$")
    wrong = {key: text for key, text in catalogue("en").items() if re.search(r"[\u4e00-\u9fff]", meant.sub("", text))}
    assert not wrong


@pytest.mark.parametrize("path", sorted([*SCREENS.rglob("*.py"), *SCREENS.rglob("*.js")]), ids=lambda path: path.name)
def test_every_key_that_a_file_says_is_known(path: Path) -> None:
    missing = {key for key in USED.findall(path.read_text(encoding="utf-8")) if key not in catalogue("zh")}
    assert not missing


@pytest.mark.parametrize("family", FAMILIES)
def test_every_member_of_a_family_has_words(family: str) -> None:
    for language in LANGUAGES:
        assert {f"{family}.{member}" for member in FAMILIES[family]} <= catalogue(language).keys()


def test_every_refusal_that_a_service_makes_has_words() -> None:
    made = re.compile(r'(?:NotSignedIn|NotPermitted|NotFound|Conflict|Invalid|TooMany|Unavailable)\(\s*"([a-z-]+)"')
    folders = [SCREENS.parent / name for name in ("accounts", "api", "evidence", "live", "operations")]
    codes = {code for folder in folders for path in folder.rglob("*.py") for code in made.findall(path.read_text())}
    assert codes
    assert not {code for code in codes if f"error.{code}" not in catalogue("zh")}


def test_parameters_are_filled_in() -> None:
    assert translate("map.count", "en", count=5) == "5 located"


def test_an_unknown_key_shows_itself_and_an_unknown_language_is_chinese() -> None:
    assert translate("no.such.key", "zh") == "no.such.key"
    assert language_of("fr") == "zh"
    assert translate("page.sign-in", "fr") == "登录"

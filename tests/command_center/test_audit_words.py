"""Every action, subject and detail that anything writes into the audit has words in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import assets
import command_center
from assets.documents import Action
from assets.history import TOLD_BY_THE_REQUEST
from assets.measures import MeasureChange
from assets.requests import RequestState
from assets.sanctions.deeds import Deed
from assets.sanctions.taking import EXPIRED, PROPOSED
from command_center.translations import LANGUAGES, catalogue
from streams.protocol import ReceiptState

ROOTS = [Path(package.__path__[0]) for package in (assets, command_center)]
REACHED = [state for state in RequestState if state not in {"draft", "approved", "sealed"}]
"""The others are steps to the sending, which has an entry of its own."""
WRITING = {"record", "AuditNote"}
"""What is called to write one entry, or to have it written with others."""
PUT_TOGETHER = {
    "instruction.{}": [f"instruction.{state}" for state in ReceiptState],
    "asset.{}.sent": [f"asset.{action}.sent" for action in Action if action is not Action.LIFT_MARK],
    "asset.{}.{}": [
        f"asset.{action}.{state}"
        for action in Action
        for state in (("declined", "withdrawn") if action is Action.LIFT_MARK else REACHED)
    ],
    "sanction.{}": [f"sanction.{step}" for step in (PROPOSED, EXPIRED, *Deed)],
    "asset.measure.{}": [f"asset.measure.{change}" for change in MeasureChange if change not in TOLD_BY_THE_REQUEST],
}
"""Codes with a part that is known only when they are written."""


@cache
def trees() -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for root in ROOTS for path in sorted(root.rglob("*.py"))]


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return (each for each in ast.walk(node) if isinstance(each, ast.Call))


def handed_on(call: ast.Call) -> bool:
    """Whether a function passes its own `action` to the audit, so that its callers name it."""
    return any(word.arg == "action" and isinstance(word.value, ast.Name) for word in call.keywords)


def helpers_of(tree: ast.Module) -> set[str]:
    """Functions that pass on to the audit the action that they are given."""
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef)
        and any(name_of(call) in WRITING and handed_on(call) for call in calls(function))
    }


def codes_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from codes_in(node.body)
        yield from codes_in(node.orelse)


@cache
def written() -> dict[str, set[str]]:
    """What calls of the audit say: their actions, and the types of their subjects."""
    found: dict[str, set[str]] = {"action": set(), "subject_type": set()}
    shared = {name for tree in trees() for name in helpers_of(tree) if not name.startswith("_")}
    for tree in trees():
        records = [call for call in calls(tree) if name_of(call) in WRITING and call.keywords]
        for call in records:
            for word in call.keywords:
                if word.arg in found:
                    found[word.arg].update(codes_in(word.value))
        passing_on = helpers_of(tree) | shared
        for call in calls(tree):
            if name_of(call) in passing_on:
                values = [*call.args, *(word.value for word in call.keywords)]
                found["action"].update(code for value in values for code in codes_in(value) if "." in code)
    return found


@cache
def detail_names() -> set[str]:
    """The names of the details in calls of the audit, and of what a helper is given beside."""
    return {
        key.value
        for tree in trees()
        for call in calls(tree)
        if name_of(call) in WRITING
        for word in call.keywords
        if word.arg == "details" and isinstance(word.value, ast.Dict)
        for key in word.value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def actions() -> set[str]:
    codes = written()["action"]
    return {one for code in codes for one in (PUT_TOGETHER[code] if "{}" in code else [code])}


def test_the_search_finds_what_is_known_to_be_written() -> None:
    known = {"session.began", "feed.published", "feed.viewed", "feed.revoked", "operation.officer-removed"}
    known |= {"user.sessions_ended", "instruction.done", "asset.freeze.no_answer", "audit.read"}
    assert known <= actions()
    assert {"user", "asset_request"} <= written()["subject_type"]
    assert {"ruling", "program", "officer"} <= detail_names()


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_is_written_has_words(language: str) -> None:
    wanted = {f"audit.action.{code}" for code in actions()}
    wanted |= {f"audit.subject.{kind}" for kind in written()["subject_type"]}
    wanted |= {f"audit.detail.{name}" for name in detail_names()}
    assert not wanted - catalogue(language).keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_actions_are_told_in_the_same_words(language: str) -> None:
    words = [text for key, text in catalogue(language).items() if key.startswith("audit.action.")]
    assert len(words) == len(set(words))


def test_the_choice_offers_no_action_that_nothing_writes() -> None:
    offered = {key.removeprefix("audit.action.") for key in catalogue("zh") if key.startswith("audit.action.")}
    assert offered == actions()

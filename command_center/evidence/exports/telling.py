"""Puts what a journal's entry says into words: who and where instead of ids, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from command_center.translations import catalogue, translate

LANGUAGE = "zh"
UNTOLD = frozenset({"salt", "hash", "sha256", "head", "what", "case", "heard", "told_at", "tombstone"})
"""What says nothing to a reader, or is said otherwise."""
WHAT = {
    "alarm": "review.alarm.{}",
    "asset": "audit.action.asset.{}",
    "camera": "audit.action.feed.{}",
    "operation": "audit.action.operation.{}",
    "talk": "audit.action.talk.{}",
}
"""By the kind of an entry, the words for its `what`."""
VALUES = ("export.value.{}", "asset.gateway.{}", "priority.{}")


def facts(
    kind: str, body: Mapping[str, Any], called: Mapping[str, str], shown: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Label and value of each thing that an entry of this kind says; `called` are the names of ids.

    What is named by an id that nobody knows is left out. `shown` gives each text as it may be shown; what the body
    holds as a number (an amount, an instant) is none of a person.
    """
    what = body.get("what")
    if isinstance(what, str):
        words = _worded(f"export.what.{kind}.{what}", what)
        yield translate("export.fact.what", LANGUAGE), _worded(WHAT.get(kind, "{}").format(what), words)
    for name, value in body.items():
        if name not in UNTOLD:
            text = "、".join(_values(value, called, shown))
            if text:
                yield _label(name), text


def _label(name: str) -> str:
    return _worded(f"export.fact.{name}", _worded(f"audit.detail.{name}", name))


def _values(value: Any, called: Mapping[str, str], shown: Callable[[str], str]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _values(one, called, shown)
    elif isinstance(value, list):
        for one in value:
            yield from _values(one, called, shown)
    elif isinstance(value, str) and _is_id(value):
        if value in called:
            yield shown(called[value])
    elif value is not None and value != "":
        text = str(value)
        otherwise = shown(text) if isinstance(value, str) else text
        yield next((_worded(key.format(text), text) for key in VALUES if _knows(key.format(text))), otherwise)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _worded(key: str, otherwise: str) -> str:
    return translate(key, LANGUAGE) if _knows(key) else otherwise


def _knows(key: str) -> bool:
    return key in catalogue(LANGUAGE)

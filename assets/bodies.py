"""A body as bytes and back: JSON or XML, by what was agreed with a gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

DEEPEST = 12
"""How far elements may stand inside each other."""
MOST_ELEMENTS = 200_000
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class BodyFormat(StrEnum):
    """What a gateway speaks."""

    JSON = "json"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """For `Content-Type`."""
        return f"application/{self.value}; charset=utf-8"


class BadBody(Exception):
    """The bytes are no body of this format."""


def write(body: Mapping[str, Any], form: BodyFormat) -> bytes:
    """`body` as bytes. In XML a list's entries are `item` elements, and the list says that it is one."""
    if form is BodyFormat.JSON:
        return json.dumps(body, ensure_ascii=False).encode()
    return f'<?xml version="1.0" encoding="UTF-8"?><body>{_elements(body)}</body>'.encode()


def read(content: bytes, form: BodyFormat) -> dict[str, Any]:
    """The body that `content` holds.

    Raises:
        BadBody: it isn't one, has a document type or entities, or is too deep.
    """
    return _read_json(content) if form is BodyFormat.JSON else _Reader().read(content)


def _read_json(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise BadBody("json") from exc
    if not isinstance(body, dict):
        raise BadBody("json")
    _require_clean(body, DEEPEST)
    return body


def _require_clean(value: Any, depth: int) -> None:
    """Refuse text that no database keeps (NUL, half a pair), and what is nested beyond all need."""
    if isinstance(value, str):
        if _legal(value) != value:
            raise BadBody("characters")
    elif isinstance(value, dict | list):
        if depth == 0:
            raise BadBody("size")
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _require_clean(inner, depth - 1)


def _elements(body: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in body.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, list | tuple):
        return f'<{name} type="list">{"".join(_element("item", one) for one in value)}</{name}>'
    return f"<{name}>{escape(_legal(str(value)))}</{name}>"


def _legal(text: str) -> str:
    """Without the characters that XML can't carry."""
    return _ILLEGAL.sub("", text)


class _Reader:
    """Builds a body from expat's events; a document type, and with it every entity, ends the reading."""

    def __init__(self) -> None:
        self._open: list[tuple[str, Any, list[str]]] = []
        self._count = 0
        self._root: Any = None

    def read(self, content: bytes) -> dict[str, Any]:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError, LookupError) as exc:
            raise BadBody("xml") from exc
        if not isinstance(self._root, dict):
            raise BadBody("xml")
        return self._root

    def _refuse(self, *_: Any) -> None:
        raise BadBody("doctype")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MOST_ELEMENTS:
            raise BadBody("size")
        self._open.append((name, [] if attributes.get("type") == "list" else {}, []))

    def _text(self, data: str) -> None:
        if self._open:
            self._open[-1][2].append(data)

    def _end(self, _: str) -> None:
        name, inner, texts = self._open.pop()
        is_leaf = isinstance(inner, dict) and not inner and bool(self._open)
        value: Any = "".join(texts) if is_leaf else inner
        if not is_leaf and "".join(texts).strip():
            raise BadBody("mixed")
        if not self._open:
            self._root = value
        elif isinstance(self._open[-1][1], list):
            self._open[-1][1].append(value)
        elif name in self._open[-1][1]:
            raise BadBody("twice")
        else:
            self._open[-1][1][name] = value

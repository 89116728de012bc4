"""How what somebody types is held against what is kept: words in one normal form, and pages of what was found."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

Row = TypeVar("Row")
_BRACKETS = str.maketrans({"(": "（", ")": "）", "[": "（", "]": "）", "〔": "（", "〕": "）"})


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which row a page begins."""

    value: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """One page. It may hold fewer rows than were asked for although there are more: `after` is what counts."""

    items: list[Row]
    after: Place | None


def words_of(text: str) -> list[str]:
    """The words of `text`, each of which has to be found."""
    return normal(text).split()


def normal(text: str) -> str:
    """As numbers are kept: half-width letters and digits, in capitals, with the brackets that case numbers have."""
    return unicodedata.normalize("NFKC", text).strip().upper().translate(_BRACKETS)


def holds(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    """Whether a column holds a word of `words_of`."""
    # Most words have no letters of two sizes, and PostgreSQL takes longer over a text's capitals than to search it.
    is_cased = word.upper() != word.lower()
    return (func.upper(column) if is_cased else column).contains(word, autoescape=True)

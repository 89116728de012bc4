"""The text of each paper, from the forms beside this file; the words are fixed by law and never translated.

Source: 法释〔2013〕20号 §3; terms: 解释 §485.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from assets import formats
from assets.capitals import amount_in_capitals
from assets.documents import Action, Document
from assets.tables import AssetRequest

_FOLDER = Path(__file__).parent
_RULINGS = (Document.RULING, Document.RELEASE_RULING)


@dataclass(frozen=True, slots=True)
class Draft:
    """One paper before it is sealed."""

    document: Document
    number: str
    content: str


def drafts(request: AssetRequest, today: date) -> list[Draft]:
    """Every paper that this request needs, in its order; the request's wording is fixed already."""
    fields = _fields(request, today)
    written = []
    for ordinal, document in enumerate(map(Document, request.documents), 1):
        number = _number(request, document, ordinal)
        written.append(Draft(document, number, _form(document).substitute(fields, number=number)))
    return written


def _number(request: AssetRequest, document: Document, ordinal: int) -> str:
    if document in _RULINGS:
        return request.ruling_number
    if document is Document.WORK_CARD:
        return str(request.particulars["head"]["work_card"])
    return f"{request.number}-{ordinal}"


def _fields(request: AssetRequest, today: date) -> dict[str, str]:
    head: Mapping[str, str] = request.particulars["head"]
    subject: Mapping[str, Any] = request.particulars["subject"]
    fields = {
        "court": head["court_name"],
        "case_number": head["case_number"],
        "judge": head["judge"],
        "work_card": head["work_card"],
        "duty_card": head["duty_card"],
        "request": request.number,
        "ruling": request.ruling_number,
        "addressee": _addressee(request.gateway),
        "subject": str(subject["name"]),
        "id_label": _words()["firm" if subject["is_firm"] else "person"],
        "id_number": str(subject["id_number"]),
        "today": _day(today),
    }
    fields = {name: _on_one_line(text) for name, text in fields.items()}
    return fields | {"clause": _clause(request, fields) if request.is_control else ""}


def _clause(request: AssetRequest, fields: Mapping[str, str]) -> str:
    words, particulars = _words(), request.particulars
    original = particulars.get("original") or {"number": "", "case_number": ""}
    kinds: Mapping[str, str] = words["kinds"]
    parts = {
        "subject": fields["subject"],
        "thing": _filled(
            words["thing" if particulars["description"].strip() else "thing_alone"],
            kind=kinds.get(particulars.get("kind", ""), kinds["other_right"]),
            reference=_on_one_line(particulars["reference"]),
            description=_on_one_line(particulars["description"]),
        ),
        "amount": _amount(request.amount_cents),
        "term": _term(request),
        "payee": _payee(request.payee),
        "original": _filled(
            words["original"], original_number=original["number"], original_case=original["case_number"]
        ),
    }
    return _filled(words["actions"][Action(request.action).value], **parts)


def _amount(cents: int | None) -> str:
    if cents is None:
        return str(_words()["whole"])
    return _filled(_words()["amount"], yuan=formats.amount_text(cents), capitals=amount_in_capitals(cents))


def _addressee(gateway: str) -> str:
    known: Mapping[str, str] = _words()["addressees"]
    return known.get(gateway) or _filled(_words()["addressee"], gateway=gateway)


def _term(request: AssetRequest) -> str:
    if request.starts_on is None or request.ends_on is None:
        return ""
    return _filled(_words()["term"], starts=_day(request.starts_on), ends=_day(request.ends_on))


def _payee(payee: Mapping[str, str]) -> str:
    if not payee:
        return ""
    return _filled(
        _words()["payee"],
        payee_name=payee["name"],
        payee_account=payee["account"],
        payee_bank=payee["bank"],
        payee_code=payee["bank_code"],
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _filled(text: str, **fields: str) -> str:
    return Template(text).substitute(fields)


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads((_FOLDER / "clauses.json").read_text(encoding="utf-8"))
    return words


@cache
def _form(document: Document) -> Template:
    return Template((_FOLDER / f"{document.value}.txt").read_text(encoding="utf-8"))

"""What the audit says that a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from command_center.evidence.verifier import (
    ANCHORS_PATH,
    CODES,
    JOURNALS_PATH,
    KEPT_OF_A_CODE,
    KEYS_PATH,
    MEDIA_SUFFIXES,
    RECORDINGS_PATH,
    TOMBSTONES_PATH,
    Finding,
    Grade,
    Report,
)
from command_center.translations import translate

About = Literal["recording", "proof"]
"""The recording's own files and manifest, or the ledgers that it shares with others."""


class EvidenceVerdict(StrEnum):
    """What was found, in one word."""

    WHOLE = "whole"
    """Everything is here, unchanged and proven."""
    UNPROVEN = "unproven"
    """Nothing speaks against it, but not all of it is proven (yet)."""
    BROKEN = "broken"
    """Something was changed, removed or forged."""


_OF_GRADE = {
    Grade.NOTE: EvidenceVerdict.WHOLE,
    Grade.UNPROVEN: EvidenceVerdict.UNPROVEN,
    Grade.BROKEN: EvidenceVerdict.BROKEN,
}


_LEDGERS = {
    KEYS_PATH: "keys",
    ANCHORS_PATH: "anchors",
    TOMBSTONES_PATH: "tombstones",
    JOURNALS_PATH: "journal",
    RECORDINGS_PATH: "manifest",
}
"""What ledgers are called, the one first on which the others rest: what is wrong there is the cause of more."""
_AWAITED = ("tail-unsigned", "not-anchored")
"""What a ledger that grows lacks for about a minute."""
_SETTLED = ("proven", "deleted", "left_out")


@dataclass(frozen=True, slots=True)
class SaidFinding:
    """What was found `count` times, in words; `weight` is broken, unproven or note."""

    weight: str
    words: str
    count: int
    about: About


def verdict_of(report: Report) -> EvidenceVerdict:
    """The report's gravest finding, as a verdict."""
    return _OF_GRADE[report.grade]


def recording_verdict(report: Report) -> EvidenceVerdict:
    """What the report of one recording says of that recording alone.

    While its operation lives the end of the journal isn't signed yet, which takes nothing from a recording that is
    closed and anchored. Anything broken counts, wherever it is: the recording may rest on it.
    """
    if report.grade is not Grade.UNPROVEN:
        return verdict_of(report)
    spans = [span.state for one in report.recordings for span in one.spans]
    is_settled = bool(spans) and all(state in _SETTLED for state in spans)
    own = [one for one in report.findings if one.grade is Grade.UNPROVEN and _about(one) == "recording"]
    # Of what was found too often to be kept nobody can tell any more whose it was.
    lost = [
        code for code, found in report.counts.items() if found > KEPT_OF_A_CODE and CODES[code][0] is Grade.UNPROVEN
    ]
    return EvidenceVerdict.WHOLE if is_settled and not own and not lost else EvidenceVerdict.UNPROVEN


def verdict_details(report: Report, verdict: EvidenceVerdict | None = None) -> Mapping[str, str | int]:
    """What the audit holds of a report; without a `verdict` of its own, that of its gravest finding."""
    return {"verdict": (verdict or verdict_of(report)).value, "findings": sum(report.counts.values())}


def said_findings(report: Report, language: str, operation: str) -> tuple[SaidFinding, ...]:
    """The findings of one recording's report in words, the gravest first, those that read alike told once.

    A ledger is told by what it is, not by its file; `operation` is the name of the recording's.
    """
    said: dict[tuple[str, SaidFinding], int] = {}
    for finding in report.findings:
        one = SaidFinding(finding.grade.name.lower(), _words(finding, language, operation), 1, _about(finding))
        said[finding.code, one] = said.get((finding.code, one), 0) + 1
    for code, found in report.counts.items():
        if found > KEPT_OF_A_CODE:
            alike = [one for each, one in said if each == code]
            rest = replace(alike[-1], words=translate("review.verdict.found.rest", language))
            one = alike[0] if len(alike) == 1 else rest
            said[code, one] = said.get((code, one), 0) + found - KEPT_OF_A_CODE
    places = {code: number for number, code in enumerate(_by_cause(report))}
    order = sorted(said, key=lambda each: (-CODES[each[0]][0], places[each[0]]))
    return tuple(replace(one, count=said[code, one]) for code, one in order)


def _by_cause(report: Report) -> list[str]:
    """The codes of what was found, those of a ledger on which others rest before theirs."""
    names = list(_LEDGERS.values())
    ranked = sorted(report.findings, key=lambda finding: names.index(_ledger(finding)))
    return list(dict.fromkeys(finding.code for finding in ranked))


def _words(finding: Finding, language: str, operation: str) -> str:
    if finding.code == "database-extra":
        return translate("review.verdict.found.gone", language)
    sentence = replace(finding, where="").said(language)
    # Of a media file the words tell the segment's number.
    if not finding.where or finding.where.endswith(MEDIA_SUFFIXES):
        return sentence
    ledger = translate(f"review.verdict.ledger.{_ledger(finding)}", language, operation=operation)
    if finding.code in _AWAITED and _about(finding) == "proof":
        key = f"review.verdict.found.{finding.code}"
        return translate(key, language, ledger=ledger, lines=str(finding.values["lines"]))
    return translate("review.verdict.found", language, ledger=ledger, words=sentence)


def _about(finding: Finding) -> About:
    return "recording" if finding.code == "database-extra" or _ledger(finding) == "manifest" else "proof"


def _ledger(finding: Finding) -> str:
    """Where it was found; what is of no file concerns them all, and so first of all the keys."""
    return next((name for path, name in _LEDGERS.items() if finding.where.startswith(path)), "keys")

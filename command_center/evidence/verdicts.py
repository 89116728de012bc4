"""What the audit says that a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath

from command_center.evidence.verifier import MEDIA_SUFFIXES, Grade, Report


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


@dataclass(frozen=True, slots=True)
class SaidFinding:
    """One thing that was found, in words; `weight` is broken, unproven or note."""

    weight: str
    words: str


def verdict_of(report: Report) -> EvidenceVerdict:
    """The report's gravest finding, as a verdict."""
    return _OF_GRADE[report.grade]


def verdict_details(report: Report) -> Mapping[str, str | int]:
    """What the audit holds of a report."""
    return {"verdict": verdict_of(report).value, "findings": sum(report.counts.values())}


def said_findings(report: Report, language: str) -> tuple[SaidFinding, ...]:
    """The findings of one recording's report in words, without the folders in which its files lie."""
    chosen = []
    for finding in report.findings:
        name = PurePosixPath(finding.where).name
        # Of a media file the words tell the segment's number.
        is_media = name.endswith(MEDIA_SUFFIXES)
        told = replace(finding, where="" if is_media else name)
        chosen.append(SaidFinding(finding.grade.name.lower(), told.said(language)))
    return tuple(chosen)

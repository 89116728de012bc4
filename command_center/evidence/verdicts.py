"""What the audit says that a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from command_center.evidence.verifier import Grade, Report


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


def verdict_of(report: Report) -> EvidenceVerdict:
    """The report's gravest finding, as a verdict."""
    return _OF_GRADE[report.grade]


def verdict_details(report: Report) -> Mapping[str, str | int]:
    """What the audit holds of a report."""
    return {"verdict": verdict_of(report).value, "findings": sum(report.counts.values())}

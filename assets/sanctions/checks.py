"""Why not: what bars a sanction, looked at before anybody proposes or decides one.

A check that fails bars the sanction. One for which there is no data is told as that, and never taken for passed: the
one who decides has to say of each that they know.

Source: 法释〔2017〕7号.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from assets import formats
from assets.errors import BadFormat
from assets.guard import Cover
from assets.sanctions.grounds import Ground, SanctionKind, Security
from assets.tables import Person

ADULT_YEARS = 18
LISTING_RULES = "法释〔2017〕7号"


class CheckCode(StrEnum):
    """What is looked at."""

    UNDER_ENFORCEMENT = "under_enforcement"
    NOT_MINOR = "not_minor"
    NO_ADEQUATE_SECURITY = "no_adequate_security"
    ASSETS_DO_NOT_SUFFICE = "assets_do_not_suffice"
    NOT_PERFORMED = "not_performed"
    LIMIT_BEFORE = "limit_before"
    """Only somebody under a limit can break it."""


class Outcome(StrEnum):
    """What came of it."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Check:
    """One check with what it rests on; `evidence` fills the parameters of its words."""

    code: CheckCode
    outcome: Outcome
    evidence: dict[str, str | int]
    source: str = LISTING_RULES

    def as_json(self) -> dict[str, Any]:
        """As it is kept with a decision."""
        return {"code": self.code, "outcome": self.outcome, "evidence": self.evidence, "source": self.source}


def check_of_json(kept: dict[str, Any]) -> Check:
    """A check that was kept with a decision."""
    return Check(CheckCode(kept["code"]), Outcome(kept["outcome"]), dict(kept["evidence"]), kept["source"])


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be looked at: a sanction that stands, or one that somebody thinks of."""

    kind: SanctionKind
    person: Person
    ground: Ground | None
    security: Security
    cover: Cover
    today: date
    received_cents: int | None
    """What was paid in for the case; None where no account is kept for it."""
    limit_served_on: date | None
    """Since when a limit on this person in this case has been known to them."""


def run_checks(question: Question) -> list[Check]:
    """Look at everything; in the order in which the screen shows it."""
    return [
        _under_enforcement(question),
        _not_minor(question),
        _no_adequate_security(question),
        _assets_do_not_suffice(question),
        _not_performed(question),
        _limit_before(question),
    ]


def failing(checks: list[Check]) -> list[Check]:
    """Those that bar the sanction."""
    return [check for check in checks if check.outcome is Outcome.FAIL]


def without_data(checks: list[Check]) -> list[Check]:
    """Those that nobody can answer from the records."""
    return [check for check in checks if check.outcome is Outcome.NO_DATA]


def _under_enforcement(question: Question) -> Check:
    outcome = Outcome.PASS if question.person.role == "under_enforcement" else Outcome.FAIL
    return Check(CheckCode.UNDER_ENFORCEMENT, outcome, {})


def _not_minor(question: Question) -> Check:
    code = CheckCode.NOT_MINOR
    if question.person.is_firm or question.kind is SanctionKind.LIMIT:
        return Check(code, Outcome.NOT_APPLICABLE, {})
    try:
        age = formats.age_on(question.person.id_number, question.today)
    except BadFormat:
        return Check(code, Outcome.NO_DATA, {})
    return Check(code, Outcome.PASS if age >= ADULT_YEARS else Outcome.FAIL, {"age": age})


def _no_adequate_security(question: Question) -> Check:
    code = CheckCode.NO_ADEQUATE_SECURITY
    if question.kind is SanctionKind.LIMIT:
        return Check(code, Outcome.NOT_APPLICABLE, {})
    if question.security is Security.UNKNOWN:
        return Check(code, Outcome.NO_DATA, {})
    outcome = Outcome.FAIL if question.security is Security.ADEQUATE else Outcome.PASS
    return Check(code, outcome, {"security": question.security.value})


def _assets_do_not_suffice(question: Question) -> Check:
    code, cover = CheckCode.ASSETS_DO_NOT_SUFFICE, question.cover
    if question.kind is SanctionKind.LIMIT:
        return Check(code, Outcome.NOT_APPLICABLE, {})
    evidence: dict[str, str | int] = {
        "cover_cents": cover.covered_cents,
        "claim_cents": cover.claim_cents,
        "unvalued": cover.unvalued,
    }
    if cover.claim_cents <= 0:
        return Check(code, Outcome.NO_DATA, evidence)
    if cover.covered_cents >= cover.claim_cents:
        return Check(code, Outcome.FAIL, evidence)
    # What has no value on record may make up the rest.
    return Check(code, Outcome.NO_DATA if cover.unvalued else Outcome.PASS, evidence)


def _not_performed(question: Question) -> Check:
    code, received = CheckCode.NOT_PERFORMED, question.received_cents
    if received is None:
        return Check(code, Outcome.NO_DATA, {})
    evidence: dict[str, str | int] = {"received_cents": received, "claim_cents": question.cover.claim_cents}
    # Interest and fees may still be owed: that the money reaches the claim doesn't yet say that all was performed.
    return Check(code, Outcome.NO_DATA if received >= question.cover.claim_cents else Outcome.PASS, evidence)


def _limit_before(question: Question) -> Check:
    code = CheckCode.LIMIT_BEFORE
    if question.ground is not Ground.LIMIT_BROKEN:
        return Check(code, Outcome.NOT_APPLICABLE, {})
    if question.limit_served_on is None:
        # Another case's limit, or one on paper, may have been broken.
        return Check(code, Outcome.NO_DATA, {})
    return Check(code, Outcome.PASS, {"served_on": question.limit_served_on.isoformat()})

"""What a sanction rests on, how long it lasts, and what ends it early.

Source: 法释〔2017〕7号.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from assets.errors import BadFormat
from assets.terms import last_day


class SanctionKind(StrEnum):
    """The two sanctions."""

    LISTING = "listing"
    """Entry in the list of judgment defaulters (失信被执行人名单)."""
    LIMIT = "limit"
    """The consumption limit (限制消费令)."""


class Ground(StrEnum):
    """Why somebody is listed: the six grounds. A consumption limit needs none of them."""

    REFUSES = "refuses"
    RESISTS = "resists"
    EVADES = "evades"
    REPORTING = "reporting"
    LIMIT_BROKEN = "limit_broken"
    SETTLEMENT_BROKEN = "settlement_broken"

    @property
    def has_term(self) -> bool:
        """Whether a listing on this ground ends by itself; the first ground has no fixed term."""
        return self is not Ground.REFUSES


OFFICIAL_GROUNDS: dict[Ground, str] = {
    Ground.REFUSES: "有履行能力而拒不履行生效法律文书确定义务",
    Ground.RESISTS: "以伪造证据、暴力、威胁等方法妨碍、抗拒执行",
    Ground.EVADES: "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行",
    Ground.REPORTING: "违反财产报告制度",
    Ground.LIMIT_BROKEN: "违反限制消费令",
    Ground.SETTLEMENT_BROKEN: "无正当理由拒不履行执行和解协议",
}
"""As they stand in a publication; never translated there."""


class Performance(StrEnum):
    """How far the duty was performed."""

    NONE = "none"
    PARTLY = "partly"


OFFICIAL_PERFORMANCE: dict[Performance, str] = {Performance.NONE: "全部未履行", Performance.PARTLY: "部分未履行"}
"""As it stands in a publication."""


class Security(StrEnum):
    """What the judge states about security for the claim; without a statement nobody knows."""

    UNKNOWN = ""
    NONE = "none"
    INADEQUATE = "inadequate"
    ADEQUATE = "adequate"


class DeletionGround(StrEnum):
    """Why a sanction has to go before its term is over, or without any."""

    PERFORMED = "performed"
    SETTLEMENT_PERFORMED = "settlement_performed"
    CREDITOR_CONSENTS = "creditor_consents"
    NOTHING_TO_ENFORCE = "nothing_to_enforce"
    STAYED = "stayed"
    NOT_ENFORCEABLE = "not_enforceable"
    ENDED = "ended"


class ServiceManner(StrEnum):
    """How a decision reached its addressee."""

    DIRECT = "direct"
    LEFT = "left"
    POST = "post"
    ELECTRONIC = "electronic"
    ENTRUSTED = "entrusted"
    PUBLIC_NOTICE = "public_notice"


TERM_YEARS = 2
MOST_EXTRA_YEARS = 3
DELETION_WORKING_DAYS = 3


def check_extension(ground: Ground, extra_years: int, reason: str) -> None:
    """Refuse a longer term than the law has, or one without its reason.

    Raises:
        BadFormat: of `sanction-term`, with `why` "fixed-term-only", "too-long" or "reason".
    """
    if not extra_years:
        return
    if not ground.has_term:
        raise BadFormat("sanction-term", "fixed-term-only")
    if not 1 <= extra_years <= MOST_EXTRA_YEARS:
        raise BadFormat("sanction-term", "too-long")
    if not reason.strip():
        raise BadFormat("sanction-term", "reason")


def listing_ends_on(ground: Ground, extra_years: int, published_on: date) -> date | None:
    """The last day of a listing that is published on this day; None where it has no fixed term.

    That the term begins on the day of publication is practice; its last day is counted as every term's.
    """
    return last_day(published_on, TERM_YEARS + extra_years) if ground.has_term else None

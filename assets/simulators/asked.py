"""What every simulated bank and registry looks at in an order before it acts: its papers and its term."""

from __future__ import annotations

from datetime import date

from assets.errors import BadFormat
from assets.simulators.conduct import Refused
from assets.terms import AssetKind, check_term
from assets.wire import read_day


def require_notice(papers: str) -> None:
    """Refuse a query that comes without any paper. Source: 法释〔2013〕20号 §3."""
    if not papers:
        raise Refused("缺少协助查询通知书")


def require_ruling(ruling: str, papers: str) -> None:
    """Refuse an order without its ruling. Source: 法释〔2013〕20号 §3."""
    if not ruling or "裁定书" not in papers:
        raise Refused("缺少执行裁定书")


def term_of(kind: AssetKind, first_day: str, last_day: str) -> tuple[date, date]:
    """The term that is asked for; one that is missing or too long is refused."""
    try:
        first, last = read_day(first_day), read_day(last_day)
    except ValueError as exc:
        raise Refused("期限格式有误") from exc
    if first is None or last is None:
        raise Refused("缺少期限")
    try:
        check_term(kind, first, last)
    except BadFormat as exc:
        raise Refused("期限超过法定上限") from exc
    return first, last

"""The strip below the assets' headline: what is unknown, what is under way, which alarms are open, what lapses next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import html

from assets.term_table import Severity, TermCounts, TermPage, TermRow
from assets.views import CaseView, Standing
from command_center.screens.words import say

SEVERITY_MARKS = {
    Severity.LAPSED: "critical",
    Severity.LAST_DAY: "critical",
    Severity.NEAR: "serious",
    Severity.SOON: "caution",
    Severity.AHEAD: "standby",
    Severity.FAR: "normal",
}
LISTED_TERMS = 2


def strip(view: CaseView, terms: TermPage, counts: TermCounts) -> list[Any]:
    """The strip of one case; what isn't there isn't shown, but for the way to the case's own page."""
    return [
        *_unknown(view),
        *_progress(view),
        *_alarms(view, counts),
        *(_term(row) for row in terms.rows),
        *_cut(view),
        html.A(say("asset.strip.page"), href=f"/assets?{urlencode({'case': view.head.id})}", className="assets-page"),
    ]


def _unknown(view: CaseView) -> list[Any]:
    count = sum(one.assets for one in view.standings if one.standing is Standing.UNKNOWN)
    if not count:
        return []
    words = say("asset.strip.unknown", count=count)
    return [html.Strong(words, className="mark mark-caution assets-unknown", title=say("asset.strip.unknown.why"))]


def _progress(view: CaseView) -> list[Any]:
    if view.progress is None:
        return []
    done, total = view.progress.answered, view.progress.total
    words = say("asset.strip.progress", done=done, total=total)
    return [html.Span([words, html.Progress(value=str(done), max=str(total))], className="assets-progress")]


def _alarms(view: CaseView, counts: TermCounts) -> list[Any]:
    if not counts.alarms:
        return []
    link = f"/assets/terms?{urlencode({'show': 'alarms', 'case': view.head.number})}"
    mark = "critical" if counts.lapsed else "serious"
    return [
        html.A(say("asset.strip.alarms", count=counts.alarms), href=link, className=f"mark mark-{mark} assets-alarms")
    ]


def _term(row: TermRow) -> Any:
    words = say("asset.strip.term", date=row.ends_on.isoformat(), days=row.days_left, asset=row.reference)
    title = "\n".join([f"{row.person} · {row.description}", say("asset.term.rule")])
    return html.Span(words, className=f"mark mark-{SEVERITY_MARKS[row.severity]} assets-term", title=title)


def _cut(view: CaseView) -> list[Any]:
    if view.assets_total <= len(view.assets):
        return []
    return [html.Small(say("asset.strip.cut", shown=len(view.assets), total=view.assets_total))]

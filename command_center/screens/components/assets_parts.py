"""The parts of the assets panel, drawn from one view of a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash import html

from assets.requests import RequestState
from assets.standings import UNMEASURED, UNTOLD
from assets.terms import AssetKind
from assets.views import AnswerCount, AssetView, CaseView, PersonView, RequestView, Standing
from command_center.asset_looks import COLOURS, STANDINGS, Look
from command_center.clock import SHANGHAI
from command_center.screens.components import assets_words as words
from command_center.screens.shell import attributes
from command_center.screens.words import say

ASK = "assets-ask"
"""`type` of the buttons that query; the others of their id are `person` and `gateway`."""
EVERY_GATEWAY = "*"

GROUPS: dict[str, frozenset[Standing]] = {
    "controlled": frozenset({Standing.CONTROLLED, Standing.PARTLY, Standing.EMPTY, Standing.PRE_REGISTERED}),
    "waiting": frozenset({Standing.WAITING}),
    "intended": frozenset({Standing.INTENDED, Standing.DRAFTED}),
    "unknown": frozenset({Standing.UNKNOWN, Standing.UNCONFIRMED}),
    "objected": frozenset({Standing.OBJECTED}),
}
"""The chart's groups; everything else is not controlled."""
GROUP_LOOK = {
    # Told apart by colour and by pattern.
    "controlled": (Look.NORMAL, ""),
    "waiting": (Look.STANDBY, "/"),
    "intended": (Look.OFF, "."),
    "unknown": (Look.CAUTION, "+"),
    "objected": (Look.SERIOUS, "\\"),
    "none": (Look.PLAIN, "x"),
}
FREE = frozenset({Standing.NONE, Standing.NOT_CONTROLLED, Standing.RELEASED, Standing.LAPSED})
"""Only these may be controlled anew."""
MOST_COLUMNS = 4
"""More institutions than these are summed up instead of standing side by side."""
MOST_MISSING = 6
"""How many of those that failed or haven't answered are named for one person."""
MOST_TICKS = 12
MISSING = frozenset(
    {
        RequestState.FAILED,
        RequestState.NO_ANSWER,
        RequestState.RETURNED,
        RequestState.OBJECTED,
        RequestState.SENT,
        RequestState.ACCEPTED,
    }
)
"""Queries that told nothing yet, or failed to."""
KNOWING = frozenset({RequestState.ANSWERED, RequestState.CHECKED, RequestState.NOTHING_FOUND})
"""The states of a query that tells something of a person; a failed one tells nothing."""


def headline(view: CaseView, now: datetime) -> list[Any]:
    """Money really held against the claim, what was taken, and what doesn't count; no figure before anything is known.

    What is ordered or waits is counted in assets, apart: it holds nothing.
    """
    claim, held = view.head.claim_cents, view.controlled_cents
    share = f" · {min(100.0, 100 * held / claim):.1f}%" if claim else ""
    is_known = _is_anything_known(view)
    told = {
        "seized": _count(view, *GROUPS["controlled"], kind=AssetKind.REAL_ESTATE),
        "waiting": _count(view, Standing.WAITING),
        "intended": _count(view, *GROUPS["intended"]),
    }
    objected = _count(view, *GROUPS["objected"])
    return [
        _figure("controlled", f"{words.money(held)}{share}" if is_known else None, is_first=True),
        *([_figure("transferred", words.money(view.transferred_cents))] if view.transferred_cents else []),
        _figure("claim", words.claim_money(claim)),
        *(_figure(name, str(count) if is_known else None) for name, count in told.items()),
        *([_figure("objected", str(objected))] if objected else []),
        _figure("asked", _last_answer(view, now)),
    ]


def _last_answer(view: CaseView, now: datetime) -> str:
    """When somebody last answered, who, and to what."""
    last = view.last_answer
    if last is None:
        return say("asset.headline.never")
    what = say(f"asset.action.{last.action}")
    return say("asset.headline.last", time=words.moment(last.at, now), who=words.gateway_name(last.gateway), what=what)


def _count(view: CaseView, *standings: Standing, kind: AssetKind | None = None) -> int:
    return sum(one.assets for one in view.standings if one.standing in standings and kind in (None, one.kind))


def _is_anything_known(view: CaseView) -> bool:
    """Whether an institution has answered or a measure was ordered: before, a zero would claim what nobody knows."""
    return (
        any(RequestState(one.state) in KNOWING for one in view.answer_counts)
        or view.described_at is not None
        or any(one.standing not in UNMEASURED for one in view.standings)
    )


def refreshed(now: datetime, version: int) -> Any:
    """When the panel was read, and up to which numbered change: what `assets_age.js` goes by."""
    told = attributes(data_at=str(round(now.timestamp() * 1000)), data_version=str(version))
    return html.Span(id="assets-refreshed", hidden=True, **told)


def _figure(name: str, value: str | None, *, is_first: bool = False) -> Any:
    """One figure with its name; without a value a dash that says why."""
    if value is None:
        value, title = "—", say("asset.headline.unknown")
    else:
        title = ""
    return html.Div(
        className="assets-figure is-first" if is_first else "assets-figure",
        title=title,
        children=[html.Span(say(f"asset.headline.{name}")), html.B(value, id=f"assets-{name}")],
    )


def answers(view: CaseView, gateways: tuple[str, ...], now: datetime, *, may_query: bool) -> Any:
    """Who answered what about whom: one button each, which asks (again); of very many a sum and who is missing."""
    title = say("asset.answers.simulated" if view.head.is_demonstration else "asset.answers.title")
    if len(gateways) > MOST_COLUMNS:
        return answer_sums(view, now, title, may_query=may_query)
    latest = {(answer.person_id, answer.gateway): answer for answer in view.answers}
    heads = [say("asset.person"), *[say(f"asset.gateway.{name}") for name in gateways], ""]
    rows = [
        html.Tr(
            [
                html.Td(person.name, title=f"{person.name} {person.id_number}"),
                *[
                    html.Td(_answer(person, name, latest.get((person.id, name)), now, may_query=may_query))
                    for name in gateways
                ],
                html.Td(_ask_everywhere(person)) if may_query else None,
            ]
        )
        for person in view.persons
        if person.is_under_enforcement
    ]
    return html.Table(
        [html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(rows)],
        title=title,
        **attributes(aria_label=title),
    )


def answer_sums(view: CaseView, now: datetime, title: str, *, may_query: bool) -> Any:
    """Of each person how many institutions said what, and under it those that failed or haven't answered."""
    rows = []
    for person in view.persons:
        if not person.is_under_enforcement:
            continue
        counts = [one for one in view.answer_counts if one.person_id == person.id]
        sums = _sums(counts) or [
            html.Span(say("asset.request.never"), className="mark mark-plain", **attributes(data_state="never"))
        ]
        rows.append(
            html.Tr(
                [
                    html.Td(person.name, title=f"{person.name} {person.id_number}"),
                    html.Td(sums, className="assets-sums"),
                    html.Td(_ask_everywhere(person)) if may_query else None,
                ]
            )
        )
        missing = [one for one in view.answers if one.person_id == person.id and one.state in MISSING]
        total = sum(one.count for one in counts if one.state in MISSING)
        if total:
            rows.append(html.Tr(_missing(person, missing, total, now, may_query=may_query), className="assets-missing"))
    heads = [say("asset.person"), say("asset.answers.sums"), ""]
    return html.Table(
        [html.Thead(html.Tr([html.Th(head) for head in heads])), html.Tbody(rows)],
        className="assets-summed",
        title=title,
        **attributes(aria_label=title),
    )


def _sums(counts: list[AnswerCount]) -> list[Any]:
    """How many said what, what is missing first; everything that is still on its way is one."""
    of: dict[str, int] = dict.fromkeys([*(state.value for state in words.SETTLED), words.ON_ITS_WAY], 0)
    for one in counts:
        of[words.sum_state(one.state)] += one.count
    return [
        html.Span(
            say("asset.answers.sum", word=say(f"asset.answers.state.{state}"), count=count),
            className=f"mark mark-{words.sum_look(state)}",
            **attributes(data_state=state),
        )
        for state, count in of.items()
        if count
    ]


def _missing(person: PersonView, missing: list[RequestView], total: int, now: datetime, *, may_query: bool) -> Any:
    shown = missing[:MOST_MISSING]
    chips: list[Any] = [
        html.Span([words.gateway_name(one.gateway), " ", _answer(person, one.gateway, one, now, may_query=may_query)])
        for one in shown
    ]
    if total > len(shown):
        chips.append(html.Small(say("asset.answers.more", count=total - len(shown))))
    return html.Td(chips, colSpan=3)


def _answer(person: PersonView, gateway: str, answer: RequestView | None, now: datetime, *, may_query: bool) -> Any:
    word = words.answer_word(answer)
    notes = [say("asset.action.query.one", gateway=words.gateway_name(gateway), word=word)]
    if answer is not None and answer.attempts:
        notes.append(say("asset.attempts", count=answer.attempts))
    if answer is not None and answer.reason:
        notes.append(answer.reason)
    when = (answer.answered_at or answer.sent_at) if answer else None
    notes += [words.moment(when, now)] if when else []
    told = {
        "children": [
            html.Span(word, className=f"mark mark-{words.answer_look(answer)}"),
            html.Small(words.short_moment(when, now)),
        ],
        "title": "\n".join(notes),
        **attributes(data_state=answer.state if answer else "never"),
    }
    if not may_query:
        return html.Span(**told)
    return html.Button(id={"type": ASK, "person": str(person.id), "gateway": gateway}, **told)


def _ask_everywhere(person: PersonView) -> Any:
    return html.Button(
        say("asset.action.query"),
        id={"type": ASK, "person": str(person.id), "gateway": EVERY_GATEWAY},
        title=say("asset.action.query.all", name=person.name),
    )


def rows(view: CaseView, now: datetime) -> list[dict[str, Any]]:
    """The table's rows, outcomes that are unknown first; what can be controlled comes with the action that does it."""
    names = {person.id: person.name for person in view.persons}
    kinds = list(AssetKind)
    people = [person.id for person in view.persons]
    ordered = sorted(
        view.assets,
        key=lambda one: (
            one.standing is not Standing.UNKNOWN,
            people.index(one.person_id),
            kinds.index(AssetKind(one.kind)),
            one.reference,
        ),
    )
    court = view.head.acting_court
    barred = say("error.not-own-court", court=court) if court else ""
    return [_row(asset, names[asset.person_id], now) | {"barred": barred} for asset in ordered]


def _row(asset: AssetView, person: str, now: datetime) -> dict[str, Any]:
    kind = AssetKind(asset.kind)
    action = words.ACTION_OF_KIND.get(kind) if asset.gateway else None
    told = [asset.reference, asset.description]
    if kind is AssetKind.REAL_ESTATE:
        told.reverse()  # people know a flat by its address
    return {
        "id": str(asset.id),
        "person": person,
        "kind": say(f"asset.kind.{asset.kind}"),
        "description": " ".join(told),
        "description_full": "\n".join(
            [person, say(f"asset.kind.{asset.kind}"), " ".join(told), *_known_since(asset, now)]
        ),
        "value": asset.value_cents,
        "controlled": asset.controlled_cents
        if asset.asked_cents is not None and asset.standing not in UNTOLD
        else None,
        "state": words.standing_word(asset, now.astimezone(SHANGHAI).date()),
        "mark": STANDINGS[asset.standing],
        "note": words.standing_note(asset),
        "answered": words.short_moment(asset.heard_at, now),
        "answered_full": words.moment(asset.heard_at, now),
        "action": action.value if action else "",
        "is_free": asset.standing in FREE,
        "is_unknown": asset.standing is Standing.UNKNOWN,
        "asset_kind": asset.kind,
    }


def _known_since(asset: AssetView, now: datetime) -> list[str]:
    when = words.moment(asset.answered_at, now)
    return [say("asset.described", time=when)] if when else []


def money_chart(view: CaseView) -> dict[str, Any]:
    """One bar as long as the claim: money really held, money taken, the rest; what waits counts nothing."""
    claim, held = view.head.claim_cents, view.controlled_cents
    taken = view.transferred_cents
    missing = max(claim - held - taken, 0)
    parts = (
        ("held", min(held, claim) if claim else held, words.money(held), COLOURS[Look.NORMAL]),
        ("transferred", min(taken, claim) if claim else taken, words.money(taken), COLOURS[Look.OFF]),
        ("open", missing, words.money(missing), "#1b3149"),
    )
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(f"asset.money.{name}"),
            "y": [""],
            "x": [cents / 100],
            "customdata": [told],
            "marker": {"color": colour},
            "hovertemplate": "%{customdata}<extra>%{fullData.name}</extra>",
        }
        for name, cents, told, colour in parts
    ]
    return {
        "data": bars,
        "layout": {
            **_chart_layout(),
            "bargap": 0,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "xaxis": {"visible": False, "fixedrange": True, "range": [0, max(claim, held + taken, 1) / 100]},
            "yaxis": {"visible": False, "fixedrange": True},
        },
    }


def chart(view: CaseView) -> dict[str, Any]:
    """Bars by class of asset: how many are controlled, waiting, intended, not controlled."""
    kinds = [kind for kind in AssetKind if any(one.kind == kind for one in view.standings)]
    counts = {name: [0] * len(kinds) for name in GROUP_LOOK}
    for one in view.standings:
        name = next((name for name, standings in GROUPS.items() if one.standing in standings), "none")
        counts[name][kinds.index(AssetKind(one.kind))] += one.assets
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(f"asset.chart.{name}"),
            "y": [say(f"asset.kind.{kind}") for kind in kinds],
            "x": counts[name],
            "text": [str(count) if count else "" for count in counts[name]],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": "#e3ecf6" if look is Look.PLAIN else "#07111d", "size": 13},
            "marker": {
                "color": COLOURS[look],
                "pattern": {"shape": pattern, "fgcolor": "#07111d", "fillmode": "overlay", "size": 5, "solidity": 0.2},
            },
            "hovertemplate": "%{y} · %{x}<extra>%{fullData.name}</extra>",
        }
        for name, (look, pattern) in GROUP_LOOK.items()
    ]
    layout = _chart_layout()
    if max((sum(column) for column in zip(*counts.values(), strict=True)), default=0) > MOST_TICKS:
        del layout["xaxis"]["dtick"]  # a line for each asset would be a grey plane
    return {"data": bars, "layout": layout}


def blank_layout() -> dict[str, Any]:
    """A chart without axes, for when there is nothing to draw."""
    return {**_chart_layout(), "xaxis": {"visible": False}, "yaxis": {"visible": False}}


def _chart_layout() -> dict[str, Any]:
    return {
        "barmode": "stack",
        "bargap": 0.35,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#a9bbcf", "size": 12, "family": "Noto Sans SC, Noto Sans CJK SC, sans-serif"},
        "margin": {"l": 8, "r": 12, "t": 6, "b": 8},
        "showlegend": False,
        "xaxis": {
            "gridcolor": "#22384f",
            "zeroline": False,
            "dtick": 1,
            "automargin": True,
            "fixedrange": True,
            "tickformat": "d",
        },
        "yaxis": {"automargin": True, "fixedrange": True, "autorange": "reversed", "ticksuffix": " "},
        "hoverlabel": {"bgcolor": "#14263a", "font": {"color": "#e3ecf6"}},
    }

"""States, amounts and times of assets as a screen writes them: a shape and colour by name, and the words."""

from __future__ import annotations

from datetime import datetime

from assets.documents import Action
from assets.requests import RequestState
from assets.terms import AssetKind
from assets.views import AssetView, RequestView, Standing
from command_center.clock import SHANGHAI
from command_center.screens.words import knows, say

ANSWER_MARKS = {
    RequestState.ANSWERED: "normal",
    RequestState.CHECKED: "normal",
    RequestState.NOTHING_FOUND: "standby",
    RequestState.NO_ANSWER: "caution",
    RequestState.FAILED: "serious",
    RequestState.RETURNED: "serious",
    RequestState.OBJECTED: "serious",
}
"""The shape and colour of an answer; what isn't here is still under way."""
UNDER_WAY = "off"
ON_ITS_WAY = "under_way"
"""What isn't among them, where it is counted."""
NEVER_ASKED = "plain"

STANDING_MARKS = {
    Standing.CONTROLLED: "normal",
    Standing.PARTLY: "caution",
    Standing.EMPTY: "caution",
    Standing.UNCONFIRMED: "caution",
    # Never the colour of what is controlled: a waiting measure holds nothing.
    Standing.WAITING: "standby",
    Standing.INTENDED: "off",
    Standing.UNKNOWN: "caution",
    Standing.NOT_CONTROLLED: "serious",
    Standing.PRE_REGISTERED: "normal",
    Standing.LAPSED: "critical",
    Standing.TRANSFERRED: "off",
    Standing.VOID: "off",
    Standing.RELEASED: "off",
    Standing.CLUE: "plain",
    Standing.NONE: "plain",
}

ACTION_OF_KIND = {AssetKind.BANK_ACCOUNT: Action.FREEZE, AssetKind.REAL_ESTATE: Action.SEIZE}


def gateway_name(name: str) -> str:
    """What a bank or registry is called; one of very many by its own name."""
    return say(f"asset.gateway.{name}") if knows(f"asset.gateway.{name}") else name


def sum_state(state: str) -> str:
    """Under which word a query is counted: what is still on its way counts as one."""
    return state if RequestState(state) in ANSWER_MARKS else ON_ITS_WAY


def sum_mark(state: str) -> str:
    """The mark of what is counted under this word."""
    return UNDER_WAY if state == ON_ITS_WAY else ANSWER_MARKS[RequestState(state)]


def answer_mark(answer: RequestView | None) -> str:
    """The mark of a query's state."""
    return NEVER_ASKED if answer is None else ANSWER_MARKS.get(RequestState(answer.state), UNDER_WAY)


def answer_word(answer: RequestView | None) -> str:
    """What a gateway said, in a word."""
    return say("asset.request.never") if answer is None else say(f"asset.request.{answer.state}", count=answer.found)


def standing_word(asset: AssetView) -> str:
    """How far an asset is under control, in a word."""
    if asset.standing in (Standing.CONTROLLED, Standing.WAITING):
        action = ACTION_OF_KIND.get(AssetKind(asset.kind), Action.SEIZE)
        return say(f"asset.standing.{asset.standing}.{action}", rank=asset.rank)
    return say(f"asset.standing.{asset.standing}")


def standing_note(asset: AssetView) -> str:
    """What stands behind the word: term, receipt, reason, what others have on it."""
    notes = []
    if asset.starts_on and asset.ends_on:
        notes.append(term(asset.starts_on.isoformat(), asset.ends_on.isoformat()))
    if asset.standing is Standing.WAITING:
        notes.append(say("asset.term.waiting"))
    if asset.receipt_number:
        notes.append(say("asset.receipt", number=asset.receipt_number))
    if asset.reason:
        notes.append(asset.reason)
    for one in asset.encumbrances:
        amount = money(one["amount_cents"]) if one["amount_cents"] is not None else ""
        notes.append(say(f"asset.encumbrance.{one['kind']}", holder=one["holder"], amount=amount))
    return "\n".join(notes)


def term(start: str, end: str) -> str:
    """A term with the rule by which its last day was counted."""
    return say("asset.term", start=start, end=end, rule=say("asset.term.rule"))


def figure(cents: int) -> str:
    """Cents as yuan with separators and two places."""
    sign, rest = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{rest // 100:,}.{rest % 100:02d}"


def money(cents: int) -> str:
    """An amount with its currency."""
    return say("asset.money", amount=figure(cents))


def moment(instant: datetime | None, now: datetime) -> str:
    """A time in China: of today without its day, in 24 hours."""
    if instant is None:
        return ""
    local, today = instant.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%m-%d %H:%M}"


def short_moment(instant: datetime | None, now: datetime) -> str:
    """The same where there is little room: hour and minute of today, else the day."""
    return moment(instant, now)[:5]

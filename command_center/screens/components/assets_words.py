"""States, amounts and times of assets as a screen writes them: a shape and colour by name, and the words."""

from __future__ import annotations

from datetime import date, datetime

from assets.documents import Action
from assets.requests import RequestState
from assets.terms import AssetKind
from assets.views import AssetView, RequestView, Standing
from command_center.asset_looks import NEVER_ASKED, REQUESTS, Look
from command_center.clock import SHANGHAI
from command_center.screens.words import knows, say

SETTLED = (
    RequestState.ANSWERED,
    RequestState.CHECKED,
    RequestState.NOTHING_FOUND,
    RequestState.NO_ANSWER,
    RequestState.FAILED,
    RequestState.RETURNED,
    RequestState.OBJECTED,
)
"""The states of a query that are counted one by one, in this order; what isn't here is still under way."""
ON_ITS_WAY = "under_way"
"""What isn't among them, where it is counted."""

ACTION_OF_KIND = {AssetKind.BANK_ACCOUNT: Action.FREEZE, AssetKind.REAL_ESTATE: Action.SEIZE}


def gateway_name(name: str) -> str:
    """What a bank or registry is called; one of very many by its own name."""
    return say(f"asset.gateway.{name}") if knows(f"asset.gateway.{name}") else name


def sum_state(state: str) -> str:
    """Under which word a query is counted: what is still on its way counts as one."""
    return state if state in SETTLED else ON_ITS_WAY


def sum_look(state: str) -> Look:
    """The look of what is counted under this word."""
    return REQUESTS[RequestState.SENT if state == ON_ITS_WAY else state]


def answer_look(answer: RequestView | None) -> Look:
    """The look of a query's state."""
    return REQUESTS[NEVER_ASKED if answer is None else answer.state]


def answer_word(answer: RequestView | None) -> str:
    """What a gateway said, in a word."""
    return say("asset.request.never") if answer is None else say(f"asset.request.{answer.state}", count=answer.found)


def standing_word(asset: AssetView, today: date) -> str:
    """How far an asset is under control, in a word; of an objection how long the court has to answer it."""
    if asset.standing is Standing.WAITING:
        return say("asset.state.waiting.rank", rank=asset.rank)
    if asset.standing is Standing.OBJECTED and asset.answer_by is not None:
        days = (asset.answer_by - today).days
        return say("asset.state.objected.clock" if days >= 0 else "asset.state.objected.late", days=abs(days))
    return say(f"asset.state.{asset.standing}")


def standing_note(asset: AssetView) -> str:
    """What stands behind the word: term, receipt, reason, what others have on it."""
    notes = []
    if asset.starts_on and asset.ends_on:
        notes.append(term(asset.starts_on.isoformat(), asset.ends_on.isoformat()))
    if asset.standing is Standing.WAITING:
        notes.append(say("asset.term.waiting"))
    if asset.answer_by is not None:
        notes.append(say("asset.objection.due", day=asset.answer_by.isoformat()))
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


def claim_money(cents: int) -> str:
    """The claim of a case; nobody has entered one yet where there is none."""
    return money(cents) if cents else say("asset.claim.none")


def moment(instant: datetime | None, now: datetime) -> str:
    """A time in China: of today without its day, in 24 hours."""
    if instant is None:
        return ""
    local, today = instant.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%m-%d %H:%M}"


def short_moment(instant: datetime | None, now: datetime) -> str:
    """The same where there is little room: hour and minute of today, else the day."""
    return moment(instant, now)[:5]

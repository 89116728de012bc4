"""What a simulated registry of things does with an order: it seizes, renews, releases, passes a title on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from assets.documents import Action
from assets.simulators.asked import term_of
from assets.simulators.conduct import Conduct, Refused
from assets.simulators.lines import FICTIONAL_COURT, Hold, HoldState, Scripted
from assets.simulators.manners import Trouble
from assets.simulators.people import EarlierSeizure
from assets.terms import AssetKind
from assets.wire import day_text, read_day

FICTIONAL_UNTIL = date(2028, 6, 30)


@dataclass(frozen=True, slots=True)
class TitleOrder:
    """One order, whatever its fields are called."""

    number: str
    court: str
    case_number: str
    ruling: str
    papers: str
    first_day: str
    last_day: str
    original: str
    original_case: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done."""

    first_day: str = ""
    last_day: str = ""
    before: tuple[Hold, ...] = ()
    """What stands before it: it waits."""
    undone: str = ""
    """Why nothing was done."""


class Titles:
    """The logic over the book for one kind of things."""

    def __init__(self, conduct: Conduct, kind: AssetKind) -> None:
        self._conduct = conduct
        self._ledger = conduct.ledger
        self._lines = conduct.ledger.lines
        self._kind = kind

    def settle(self, reference: str, earlier: Iterable[EarlierSeizure]) -> list[Hold]:
        """Bring the thing's line up to today, and give it."""
        self._lines.script(
            reference, (Scripted(one.court, one.ruling, 0, read_day(one.until) or FICTIONAL_UNTIL) for one in earlier)
        )
        self._lines.settle(reference, self._conduct.today(), _nothing)
        return self._lines.standing(reference)

    def is_gone(self, reference: str) -> bool:
        """Whether its title was passed on."""
        return self._ledger.is_gone(reference)

    def carry_out(self, action: Action, reference: str, order: TitleOrder, manner: Trouble) -> Deed:
        """Do what is asked, where it can be done now."""
        if action.is_first:
            return self._seize(reference, order, manner)
        changes = {Action.RENEW: self._renew, Action.RELEASE: self._release, Action.TRANSFER: self._transfer}
        return changes[action](reference, order)

    def _seize(self, reference: str, order: TitleOrder, manner: Trouble) -> Deed:
        """Seize it, or stand in line."""
        first, last = term_of(self._kind, order.first_day, order.last_day)
        if manner.kind == "waiting" and not self._lines.standing(reference):
            until = max(FICTIONAL_UNTIL, self._conduct.today())
            self._lines.script(reference, (Scripted(FICTIONAL_COURT, "", 0, until),))
        before = self._lines.standing(reference)
        if any((hold.court, hold.case_number) == (order.court, order.case_number) for hold in before):
            raise Refused("本案已查封该财产")
        hold = Hold(
            number=order.number,
            reference=reference,
            court=order.court,
            case_number=order.case_number,
            state=HoldState.WAITING,
            asked_cents=0,
            cents=0,
            first_day=first,
            last_day=last,
            is_scripted=False,
        )
        self._lines.place(hold, 0)
        return Deed(before=tuple(before)) if before else Deed(day_text(first), day_text(last))

    def _renew(self, reference: str, order: TitleOrder) -> Deed:
        """Have it last longer."""
        hold = self._original(reference, order)
        if hold.state is not HoldState.IN_FORCE:
            raise Refused("原查封未生效，不能续封")
        first, last = term_of(self._kind, order.first_day, order.last_day)
        if last < hold.last_day:
            raise Refused("续封期限早于原期限")
        self._lines.prolong(hold, last)
        return Deed(day_text(first), day_text(last))

    def _release(self, reference: str, order: TitleOrder) -> Deed:
        """Give it back, or leave the line."""
        hold = self._original(reference, order)
        if hold.state not in (HoldState.IN_FORCE, HoldState.WAITING):
            return Deed(undone=_ENDED.get(hold.state, "原查封已失效"))
        self._lines.end(hold, HoldState.RELEASED, self._conduct.today(), _nothing)
        return Deed()

    def _transfer(self, reference: str, order: TitleOrder) -> Deed:
        """Pass its title on; nobody who waits gets anything."""
        hold = self._original(reference, order)
        if hold.state is not HoldState.IN_FORCE:
            return Deed(undone="仍在轮候，未生效" if hold.state is HoldState.WAITING else _ENDED.get(hold.state, ""))
        self._ledger.move(order.number, reference, 0, order.receiver)
        self._lines.empty(reference)
        self._lines.end(hold, HoldState.TRANSFERRED, self._conduct.today(), _nothing)
        return Deed()

    def _original(self, reference: str, order: TitleOrder) -> Hold:
        if not order.original:
            raise Refused("缺少原查封单号")
        hold = self._lines.find(order.original)
        if hold is None or hold.reference != reference or hold.case_number != order.original_case:
            raise Refused("原查封不存在")
        if hold.state is HoldState.LAPSED:
            raise Refused("原查封已到期失效")
        return hold


_ENDED: Mapping[HoldState, str] = {
    HoldState.RELEASED: "原查封已解除",
    HoldState.TRANSFERRED: "产权已过户",
    HoldState.VOID: "财产已处分，轮候不再生效",
}


def _nothing() -> int:
    return 0

"""The other side in memory: accounts, houses and vehicles with the lines of controls on them, by the rules of a bank.

It is what a measure's records are held against, so it shares no code with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from assets.documents import Action
from assets.errors import GatewayRefused, GatewayTrouble
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, FoundAsset, QueryAnswer, QueryOrder
from assets.terms import AssetKind, china_day


@dataclass
class Held:
    """One control in a line."""

    number: str
    case_number: str
    asked: int | None
    days: tuple[date, date]
    """As ordered: while it waits its term hasn't begun."""
    cents: int = 0
    is_waiting: bool = False
    is_over: bool = False


@dataclass
class Thing:
    """An account, a unit or a vehicle."""

    reference: str
    owner: str
    kind: AssetKind = AssetKind.BANK_ACCOUNT
    balance: int = 0
    priority: int = 0
    special: str = ""
    is_title_registered: bool = False
    line: list[Held] = field(default_factory=list)

    @property
    def standing(self) -> list[Held]:
        """Who holds it and who waits, in order."""
        return [one for one in self.line if not one.is_over]


class LineKeeper:
    """A gateway that carries out everything, and the same number once."""

    def __init__(self, name: str, clock: Callable[[], datetime]) -> None:
        self.name = name
        self.actions = frozenset(action for action in Action if action.is_control)
        self.things: dict[str, Thing] = {}
        self.orders: list[ControlOrder] = []
        self.queries: list[QueryOrder] = []
        self.troubles: list[GatewayTrouble] = []
        """What befalls the next answers, after the deed."""
        self.refusal = ""
        """With which words the next order is refused, before any deed."""
        self._clock = clock
        self._receipts: dict[str, ControlReceipt] = {}

    async def close(self) -> None:
        """It has no connections."""

    def add(self, thing: Thing) -> Thing:
        """Have it keep one more thing."""
        self.things[thing.reference] = thing
        return thing

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """What this person has, with everything that stands on it."""
        self.queries.append(order)
        for thing in self.things.values():
            self._pass_time(thing)
        self._fail()
        owned = [one for one in self.things.values() if one.owner == order.subject.id_number]
        return QueryAnswer(tuple(self._found(one) for one in owned), self._clock())

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Carry it out, once."""
        self.orders.append(order)
        if self.refusal:
            words, self.refusal = self.refusal, ""
            raise GatewayRefused(self.name, words)
        if order.head.number not in self._receipts:
            thing = self.things[order.reference]
            self._pass_time(thing)
            self._receipts[order.head.number] = self._do(thing, order)
        self._fail()
        return self._receipts[order.head.number]

    def settle(self) -> None:
        """Let every term that is over end."""
        for thing in self.things.values():
            self._pass_time(thing)

    @property
    def _today(self) -> date:
        return china_day(self._clock())

    def _fail(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    def _do(self, thing: Thing, order: ControlOrder) -> ControlReceipt:
        if order.action.is_first:
            return self._place(thing, order)
        if order.original is None:
            raise GatewayRefused(self.name, "no original order")
        named = [one for one in thing.line if one.number == order.original.number]
        if not named:
            raise GatewayRefused(self.name, "no such order")
        held = named[0]
        if held.is_over:
            return self._receipt(thing, held, reason="it is over")
        return {
            Action.RENEW: self._renew,
            Action.PART_RELEASE: self._part_release,
            Action.RELEASE: self._release,
            Action.TRANSFER: self._transfer,
        }[order.action](thing, held, order)

    def _place(self, thing: Thing, order: ControlOrder) -> ControlReceipt:
        assert order.starts_on is not None
        assert order.ends_on is not None
        before = len(thing.standing)
        held = Held(order.head.number, order.head.case_number, order.amount_cents, (order.starts_on, order.ends_on))
        thing.line.append(held)
        held.is_waiting = before > 0
        if not before:
            self._fill(thing, held)
        return self._receipt(thing, held, rank=before)

    def _renew(self, thing: Thing, held: Held, order: ControlOrder) -> ControlReceipt:
        assert order.ends_on is not None
        if held.is_waiting:
            return self._receipt(thing, held, reason="it waits")
        held.days = (held.days[0], order.ends_on)
        return self._receipt(thing, held)

    def _part_release(self, thing: Thing, held: Held, order: ControlOrder) -> ControlReceipt:
        held.cents -= order.amount_cents or 0
        return self._receipt(thing, held)

    def _release(self, thing: Thing, held: Held, order: ControlOrder) -> ControlReceipt:
        self._end(thing, held, self._today)
        return self._receipt(thing, held, is_done=True)

    def _transfer(self, thing: Thing, held: Held, order: ControlOrder) -> ControlReceipt:
        moved = order.amount_cents or 0
        assert moved <= held.cents <= thing.balance
        held.cents -= moved
        thing.balance -= moved
        is_title = thing.kind is not AssetKind.BANK_ACCOUNT
        if is_title or not thing.balance:
            for one in thing.standing:
                one.is_over = True
        elif not held.cents:
            self._end(thing, held, self._today)
        return self._receipt(thing, held, is_done=True, moved=moved)

    def _end(self, thing: Thing, held: Held, day: date) -> None:
        held.is_over, held.cents = True, 0
        if not held.is_waiting and thing.standing:
            following = thing.standing[0]
            length = (following.days[1] + timedelta(days=1)).year - following.days[0].year
            following.is_waiting = False
            following.days = (day, _last_day(day, length))
            self._fill(thing, following)

    def _fill(self, thing: Thing, held: Held) -> None:
        room = max(0, thing.balance - thing.priority)
        held.cents = room if held.asked is None else min(held.asked, room)

    def _pass_time(self, thing: Thing) -> None:
        while thing.standing and thing.standing[0].days[1] < self._today:
            self._end(thing, thing.standing[0], thing.standing[0].days[1] + timedelta(days=1))

    def _receipt(
        self, thing: Thing, held: Held, *, rank: int = 0, reason: str = "", is_done: bool = False, moved: int = 0
    ) -> ControlReceipt:
        return ControlReceipt(
            is_registered=not reason,
            waiting_rank=rank,
            controlled_cents=held.cents,
            over_cents=0 if rank or held.asked is None or is_done else held.asked - held.cents,
            starts_on=None if held.is_waiting else held.days[0],
            ends_on=None if held.is_waiting else held.days[1],
            reason=reason,
            receipt_number=f"HZ{held.number}",
            balance_cents=thing.balance,
            transferred_cents=moved,
        )

    def _found(self, thing: Thing) -> FoundAsset:
        is_money = thing.kind is AssetKind.BANK_ACCOUNT
        holds = [
            Encumbrance(
                kind="freeze" if is_money else "seizure",
                holder="court",
                amount_cents=one.cents if is_money else None,
                until=None if one.is_waiting else one.days[1],
                case_number=one.case_number,
                order_number=one.number,
                rank=rank,
            )
            for rank, one in enumerate(thing.standing)
        ]
        rights = [Encumbrance("priority", "somebody", thing.priority, None)] if thing.priority else []
        return FoundAsset(
            kind=thing.kind,
            reference=thing.reference,
            description="thing",
            value_cents=thing.balance if is_money else None,
            available_cents=max(0, thing.balance - thing.priority - sum(one.cents for one in thing.standing)),
            encumbrances=(*holds, *rights),
            special=thing.special,
            is_title_registered=thing.is_title_registered,
        )


def _last_day(start: date, years: int) -> date:
    try:
        return start.replace(year=start.year + years) - timedelta(days=1)
    except ValueError:
        return date(start.year + years, 2, 27)

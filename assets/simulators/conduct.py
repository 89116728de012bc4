"""How a simulated service behaves around an answer: late, silent, broken, garbled, refusing, or plainly."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import Request, Response

from assets import bodies
from assets.simulators.ledger import Ledger
from assets.simulators.manners import BEFORE_THE_DEED, Trouble, draw
from assets.simulators.talk import BadRequest, Talk, form_of
from assets.terms import SHANGHAI, china_day

SLOW_FACTOR = 3.0
MOST_SECONDS = 5.0
"""How long one of many banks takes at most."""
REMEMBERED = 300
"""How many of the newest requests the control page shows."""
PLAIN = Trouble(kind="plain")
NOT_PERMITTED_REASON = "模拟拒绝（虚构）"


class Refused(Exception):
    """It won't do that; `args[0]` says why."""


class NotYet(Exception):
    """It will, but something else has to be done first."""


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of request: which of its fields say what, and what is done about it."""

    name: str
    number: str
    person: str
    reference: str
    """The field that names the account or unit; empty for a query."""
    scripted: Callable[[dict[str, Any]], Trouble | None]
    """What the script has the one who is asked about, or the thing, do."""
    do: Callable[[dict[str, Any], Trouble], dict[str, Any]]
    """Acts, and gives the answer; raises `Refused` or `NotYet`. Called once for a control's number."""
    contrary: Callable[[dict[str, Any]], dict[str, Any]]
    """The contrary of an answer."""
    original: str = ""
    """The field that names the order which began what this changes."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One request as the control page shows it."""

    at: str
    service: str
    number: str
    person_end: str
    manner: str
    times: int


@dataclass(slots=True)
class Rule:
    """A manner that was picked for everybody, or for one person."""

    manner: Trouble
    requests: int | None = None
    """For so many further numbers; for all without."""


class Conduct:
    """What the services of one simulator share: its book, the delay, the seeded chance and the manners picked."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        delay_seconds: float,
        seed: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        talk: Talk | None = None,
        paying_url: str = "",
    ) -> None:
        self.ledger = ledger
        self.paying_url = paying_url
        """Where the bank answers that keeps the courts' main accounts; empty where there is none."""
        self.transferred: Callable[[], None] = lambda: None
        """Told when money is to be handed on to it."""
        self.delay_seconds = delay_seconds
        self.seed = seed
        self.days_ahead = 0
        self.most_seconds = MOST_SECONDS
        self.room_of: Callable[[str], int] = lambda _: 0
        """How much a control of this account could hold; a bank says it."""
        self.talk = talk or Talk()
        self.noted: deque[Noted] = deque(maxlen=REMEMBERED)
        self.everybody: Rule | None = None
        self.persons: dict[str, Rule] = {}
        self._clock = clock
        self._random = random.Random(seed)

    def now(self) -> datetime:
        """The simulator's own time, which its page can set ahead by days."""
        return self._clock() + timedelta(days=self.days_ahead)

    def today(self) -> date:
        """The calendar day in China by that time."""
        return china_day(self.now())

    def stamp(self) -> str:
        """The present time as messages carry it."""
        return f"{self.now().astimezone(SHANGHAI):%Y%m%d%H%M%S}"

    def behave(self, manner: Trouble | None, *, person: str = "", requests: int | None = None) -> None:
        """Answer so from now on: to everybody or about one person, for ever or for the next `requests` numbers."""
        rule = Rule(manner, requests) if manner is not None else None
        if not person:
            self.everybody = rule
        elif rule is None:
            self.persons.pop(person, None)
        else:
            self.persons[person] = rule

    def reseed(self, seed: int) -> None:
        """Begin anew with another chance."""
        self.seed = seed
        self._random = random.Random(seed)

    async def serve(self, request: Request, service: Service, *, is_numbered: bool = False) -> Response:
        """Answer one request in the manner that is due; one of many numbered banks takes a time of its own."""
        try:
            asked = await self.talk.read(request)
            number, person = str(asked[service.number]), str(asked[service.person])
        except (BadRequest, KeyError) as exc:
            return self.talk.respond(request, {"cwdm": "03", "cwxx": str(exc)}, 400)
        times = self.ledger.count_asking(number)
        manner = self._manner(service, asked, number, person, times)
        self.noted.append(Noted(self.stamp(), service.name, number, person[-4:], manner.kind, times))
        if manner.kind == "late":
            await _until_the_caller_gives_up(request)
        else:
            await self._delay(manner, is_numbered=is_numbered)
        if manner.kind in BEFORE_THE_DEED - {"late"}:
            return self._undone(request, service, asked, manner)
        try:
            body = self._done(service, asked, number, manner)
        except Refused as refused:
            return self._refusal(request, service, number, str(refused))
        except NotYet:
            return self.talk.respond(request, {service.number: number}, 202)
        return await self._told(request, service, body, manner, times)

    async def take_in(self, request: Request, take: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        """Take something in that goes before a request, and answer at once."""
        try:
            return self.talk.respond(request, take(await self.talk.read(request)))
        except (BadRequest, KeyError, TypeError, ValueError) as exc:
            return self.talk.respond(request, {"cwdm": "03", "cwxx": type(exc).__name__}, 400)

    def _manner(self, service: Service, asked: dict[str, Any], number: str, person: str, times: int) -> Trouble:
        manner = self.ledger.manner_of(number)
        if manner is None:
            manner = self._picked(service, asked, number, person) or service.scripted(asked) or PLAIN
        return PLAIN if manner.times is not None and times > manner.times else manner

    def _picked(self, service: Service, asked: dict[str, Any], number: str, person: str) -> Trouble | None:
        rule = self.persons.get(person) or self.everybody
        if rule is None:
            return None
        manner = rule.manner
        if manner.kind == "mixed":
            what = f"{service.name}/{person}/{asked.get(service.reference, '')}"
            manner = draw(self.seed, f"{what}/{self.ledger.count_draw(what)}")
            self.ledger.settle_manner(number, manner)
        if rule.requests is not None:
            rule.requests -= 1
            self.ledger.settle_manner(number, manner)
            if rule.requests == 0:
                self.behave(None, person=person if person in self.persons else "")
        return manner

    async def _delay(self, manner: Trouble, *, is_numbered: bool) -> None:
        if is_numbered:
            seconds = self._random.uniform(0, self.most_seconds)
        else:
            seconds = self.delay_seconds * self._random.uniform(0.6, 1.4)
        await asyncio.sleep(seconds * (SLOW_FACTOR if manner.kind == "slow" else 1.0))

    def _undone(self, request: Request, service: Service, asked: dict[str, Any], manner: Trouble) -> Response:
        number = str(asked[service.number])
        if manner.kind == "broken":
            return self._server_error(request)
        if manner.kind == "accepted":
            if original := asked.get(service.original):
                self.ledger.await_transfer(number, str(original))
            return self.talk.respond(request, {service.number: number}, 202)
        code = "02" if manner.kind == "objects" else "01"
        return self._refusal(request, service, number, manner.reason or NOT_PERMITTED_REASON, code)

    def _done(self, service: Service, asked: dict[str, Any], number: str, manner: Trouble) -> dict[str, Any]:
        if not service.reference:
            return service.do(asked, manner)
        first = self.ledger.receipt(number)
        if first is not None:
            if first[0] != asked:
                raise Refused("请求单号重复")
            return first[1]
        # One transaction, so that a killed simulator has either acted and knows its receipt, or done nothing.
        with self.ledger.transaction():
            body = service.do(asked, manner)
            self.ledger.keep(number, asked, body)
        return body

    async def _told(
        self, request: Request, service: Service, body: dict[str, Any], manner: Trouble, times: int
    ) -> Response:
        # The trouble comes after the deed: a bank may have acted although no answer arrives.
        if manner.kind in ("silent", "late"):
            await _until_the_caller_gives_up(request)
            return Response(status_code=499)
        if manner.kind == "reset":
            request.scope["extensions"]["abort"]()
            return Response(status_code=499)
        if manner.kind == "server-error":
            return self._server_error(request)
        if manner.kind == "garbage":
            return self._garbage(request, service, body)
        if manner.kind == "twice":
            return self.talk.respond_bytes(request, bodies.write(body, form_of(request)) * 2)
        if manner.kind == "contradicts" and times > 1:
            body = service.contrary(body)
        return self.talk.respond(request, body)

    def _server_error(self, request: Request) -> Response:
        return self.talk.respond(request, {"message": "internal error"}, self._random.choice((500, 502, 503)))

    def _garbage(self, request: Request, service: Service, body: dict[str, Any]) -> Response:
        form = form_of(request)
        text = bodies.write(body, form)
        nonsense = (
            text[: len(text) // 2],
            b"<html><body>Gateway</body></html>",
            b"",
            b"[]",
            bodies.write({**body, service.number: "X"}, form),
        )
        return self.talk.respond_bytes(request, self._random.choice(nonsense))

    def _refusal(self, request: Request, service: Service, number: str, reason: str, code: str = "01") -> Response:
        return self.talk.respond(request, {"cwdm": code, "cwxx": reason, service.number: number}, 422)


async def _until_the_caller_gives_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""Sends what waits to be sent, a bounded number at once, and asks again for what stayed unanswered.

The database is the queue: a request is committed as "sent" before anything leaves, so one that a crash cut off is found
there by another process, or at the next start, and asked again with the same number and the same words. Each gateway
has a bound of its own, so that one that is slow holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from assets.answers import Answers
from assets.audit import Records
from assets.claims import CLAIM_SECONDS, Claims
from assets.errors import GatewayBusy, GatewayTrouble, GatewayUnreachable, PaperTampered
from assets.gateway import Gateway, QueryOrder
from assets.identifiers import new_id
from assets.papers.sealing import Sealed, Sealing
from assets.telling import Telling
from assets.wording import order_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the database is looked at without a wake: what another process committed, and what is due again."""
REST_SECONDS = 5.0
"""How long a request rests after something of our own went wrong with it."""
LONGEST_ASKING_SECONDS = CLAIM_SECONDS - 5.0
"""Nothing is asked for longer than it is claimed, whatever a gateway's own time-outs are."""
FAREWELL_SECONDS = 2.0
_AWAY = (SQLAlchemyError, OSError)
"""What a database says that is away, or a folder of keys."""


_Answer = TypeVar("_Answer")


class Sender:
    """The one who talks to the gateways; `run` it for as long as the process lives."""

    def __init__(
        self,
        records: Records,
        gateways: Mapping[str, Gateway],
        answers: Answers,
        clock: Callable[[], datetime],
        sealing: Sealing,
        telling: Telling,
        *,
        at_once: int,
        at_once_each: int,
    ) -> None:
        self._records = records
        self._gateways = gateways
        self._answers = answers
        self._sealing = sealing
        self._telling = telling
        self._claims = Claims(records, clock, new_id().hex)
        self._at_once = at_once
        self._at_once_each = at_once_each
        self._asking: dict[UUID, str] = {}
        self._awake = asyncio.Event()
        self._has_left_some = False
        """Something is due that was left when it was last looked for: what ends makes room for it."""

    def wake(self) -> None:
        """Say that there is something to send."""
        self._awake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._telling.run(), name="telling")
                await self._send(group)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._give_back(list(self._asking))
            self._asking.clear()

    async def send_due(self) -> int:
        """Ask once what is due now, one after the other; how many it were."""
        sealed, _ = await self._take_up()
        for one in sealed:
            await self._ask(one)
        return len(sealed)

    async def _send(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._awake.clear()
            try:
                sealed, is_all = await self._take_up()
            except _AWAY:  # the sender outlives a database that is away for a while; what was claimed runs out
                logger.exception("could not take up what is to be sent")
                sealed, is_all = [], True
            for one in sealed:
                group.create_task(self._ask(one), name=f"ask {one.request.id}")
            if is_all:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._awake.wait()

    async def _take_up(self) -> tuple[list[Sealed], bool]:
        """Have in hand what is due and there is room for; and whether nothing else is due."""
        busy = Counter(self._asking.values())
        room = {name: self._at_once_each - busy[name] for name in self._gateways}
        free = self._at_once - len(self._asking)
        self._has_left_some = free <= 0 or any(left <= 0 for left in room.values())
        taken = await self._claims.take(room, free, self._asking)
        self._has_left_some |= not taken.is_all or taken.is_passed_over
        sealed = await self._sealing.sealed(self._records, taken.ids) if taken.ids else []
        for one in sealed:
            self._asking[one.request.id] = one.request.gateway
        return sealed, taken.is_all

    async def _give_back(self, ids: Sequence[UUID]) -> None:
        try:
            await self._claims.give_back(ids)
        except _AWAY:  # then the claims run out by themselves
            logger.exception("could not give back what isn't asked")

    async def _ask(self, sealed: Sealed) -> None:
        request_id = sealed.request.id
        try:
            await self._asked(sealed)
        except Exception:  # the end of one request's task: its trouble must not end the others
            logger.exception("request %s could not be asked or its answer kept", request_id)
            await asyncio.sleep(REST_SECONDS)
            await self._give_back([request_id])
        # Where this is cancelled, it stays in hand: `run` gives it back.
        del self._asking[request_id]
        if self._has_left_some:
            self._awake.set()

    async def _asked(self, sealed: Sealed) -> None:
        request = sealed.request
        gateway = self._gateways[request.gateway]
        try:
            order = order_of(request, self._sealing.verified(sealed))
            if isinstance(order, QueryOrder):
                await self._answers.query_answered(request.id, await _in_time(gateway, gateway.query(order)))
            else:
                await self._answers.control_answered(request.id, await _in_time(gateway, gateway.control(order)))
        except PaperTampered as exc:
            logger.error("request %s isn't sent: %s", request.id, exc)
            await self._answers.unsendable(request.id, exc)
        except GatewayBusy as busy:
            await self._answers.postponed(request.id, busy.seconds)
        except GatewayTrouble as trouble:
            logger.info("request %s: %s from %s", request.id, trouble.code, trouble.gateway)
            await self._answers.troubled(request.id, trouble)


async def _in_time(gateway: Gateway, asking: Awaitable[_Answer]) -> _Answer:
    try:
        async with asyncio.timeout(LONGEST_ASKING_SECONDS):
            return await asking
    except TimeoutError as exc:
        raise GatewayUnreachable(gateway.name, "TimeoutError") from exc

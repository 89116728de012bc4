"""Sends what waits to be sent, a bounded number at once, and asks again for what stayed unanswered.

The database is the queue: a request is committed as "sent" before anything leaves, so one that a crash cut off is found
there at the next start and asked again with the same number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from assets.answers import Answers
from assets.audit import Records
from assets.documents import Action, Document
from assets.errors import GatewayTrouble
from assets.gateway import ControlOrder, Gateway, Letterhead, QueryOrder, Subject
from assets.requests import AWAITED
from assets.tables import AssetRequest, Case, Person

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the database is looked at without a wake: what another process committed, and what is due again."""
REST_SECONDS = 5.0
"""How long a request rests after something of our own went wrong with it."""


class Sender:
    """The one who talks to the gateways; `run` it for as long as the process lives."""

    def __init__(
        self,
        records: Records,
        gateways: Mapping[str, Gateway],
        answers: Answers,
        clock: Callable[[], datetime],
        *,
        at_once: int,
    ) -> None:
        self._records = records
        self._gateways = gateways
        self._answers = answers
        self._clock = clock
        self._at_once = at_once
        self._asking: set[UUID] = set()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to send."""
        self._awake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._awake.clear()
                for request_id in await self._due():
                    self._asking.add(request_id)
                    group.create_task(self._ask(request_id), name=f"ask {request_id}")
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._awake.wait()
                except TimeoutError:
                    continue

    async def _due(self) -> list[UUID]:
        free = self._at_once - len(self._asking)
        if free <= 0:
            return []
        query = (
            select(AssetRequest.id)
            .where(
                AssetRequest.state.in_([state.value for state in AWAITED]),
                AssetRequest.next_ask_at <= self._clock(),
                AssetRequest.gateway.in_(self._gateways),
                AssetRequest.id.not_in(self._asking),
            )
            .order_by(AssetRequest.next_ask_at)
            .limit(free)
        )
        try:
            async with self._records.read() as session:
                return list(await session.scalars(query))
        except Exception:  # the sender outlives a database that is away for a while
            logger.exception("could not look for requests to send")
            return []

    async def _ask(self, request_id: UUID) -> None:
        try:
            order = await self._order(request_id)
            gateway = self._gateways[order[0]]
            try:
                if isinstance(order[1], QueryOrder):
                    await self._answers.query_answered(request_id, await gateway.query(order[1]))
                else:
                    await self._answers.control_answered(request_id, await gateway.control(order[1]))
            except GatewayTrouble as trouble:
                logger.info("request %s: %s from %s", request_id, trouble.code, trouble.gateway)
                await self._answers.troubled(request_id, trouble)
        except Exception:  # one request's trouble must not end the others
            logger.exception("request %s could not be asked or its answer kept", request_id)
            await asyncio.sleep(REST_SECONDS)
        finally:
            self._asking.discard(request_id)
            self._awake.set()

    async def _order(self, request_id: UUID) -> tuple[str, QueryOrder | ControlOrder]:
        async with self._records.read() as session:
            request = await session.get_one(AssetRequest, request_id)
            case = await session.get_one(Case, request.case_id)
            person = await session.get_one(Person, request.person_id)
        head = Letterhead(
            number=request.number,
            case_number=case.number,
            court_code=case.court_code,
            court_name=case.court_name,
            judge=case.judge_name,
            work_card=case.work_card,
            duty_card=case.duty_card,
            documents=tuple(Document(one) for one in request.documents),
        )
        subject = Subject(person.name, person.is_firm, person.id_number)
        if not request.is_control:
            return request.gateway, QueryOrder(head, subject)
        if request.starts_on is None or request.ends_on is None:
            raise ValueError(f"control {request.number} has no term")
        return request.gateway, ControlOrder(
            head=head,
            subject=subject,
            action=Action(request.action),
            reference=request.particulars["reference"],
            description=request.particulars["description"],
            ruling_number=request.ruling_number,
            amount_cents=request.amount_cents,
            starts_on=request.starts_on,
            ends_on=request.ends_on,
            details=request.particulars["details"],
        )

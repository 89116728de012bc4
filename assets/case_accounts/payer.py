"""Sends payment orders to the bank and asks again for what stayed unanswered, always with the same number.

The database is the queue: an order is committed as sent before it leaves, so one that a crash cut off is found there
and asked again. The bank pays a number once, and its answer is booked once, so two processes may do this at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import select

from assets.case_accounts.bank import PayingBank
from assets.case_accounts.books import Books
from assets.case_accounts.settling import Settling
from assets.case_accounts.states import OPEN_PAYMENTS
from assets.case_accounts.tables import Payment
from assets.errors import GatewayTrouble

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the database is looked at without a wake."""
AT_ONCE = 8
REST_SECONDS = 5.0
"""How long an order rests after something of our own went wrong with it."""


class Payer:
    """The one who talks to the bank about payments; `run` it for as long as the process lives."""

    def __init__(
        self, books: Books, settling: Settling, bank: PayingBank, changed: Callable[[UUID | None], Awaitable[None]]
    ) -> None:
        self._books = books
        self._settling = settling
        self._bank = bank
        self._changed = changed
        self._asking: set[UUID] = set()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to pay."""
        self._awake.set()

    async def run(self) -> None:
        """Pay until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._awake.clear()
                try:
                    due = await self._due()
                except Exception:  # the payer outlives a database that is away for a while, and looks again later
                    logger.exception("could not look for payments to send")
                    due = []
                for payment_id in due:
                    self._asking.add(payment_id)
                    group.create_task(self._one(payment_id), name=f"pay {payment_id}")
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._awake.wait()
                except TimeoutError:
                    continue

    async def pay(self, payment_id: UUID) -> None:
        """Ask the bank once for one order, and book what it says."""
        order = await self._settling.send(payment_id)
        if order is None:
            return
        try:
            receipt = await self._bank.pay(order)
        except GatewayTrouble as trouble:
            logger.info("payment %s: %s from %s", order.number, trouble.code, trouble.gateway)
            await self._settling.troubled(payment_id, trouble)
        else:
            await self._settling.answered(payment_id, receipt)

    async def _due(self) -> list[UUID]:
        free = AT_ONCE - len(self._asking)
        if free <= 0:
            return []
        query = (
            select(Payment.id)
            .where(
                Payment.state.in_([state.value for state in OPEN_PAYMENTS]),
                Payment.next_ask_at <= self._books.clock(),
                Payment.id.not_in(self._asking),
            )
            .order_by(Payment.next_ask_at)
            .limit(free)
        )
        async with self._books.records.read() as session:
            return list(await session.scalars(query))

    async def _one(self, payment_id: UUID) -> None:
        try:
            await self.pay(payment_id)
            async with self._books.records.read() as session:
                case_id = (await session.get_one(Payment, payment_id)).case_id
            await self._changed(case_id)
        except Exception:  # one order's trouble must not end the others
            logger.exception("payment %s could not be sent or its answer booked", payment_id)
            await asyncio.sleep(REST_SECONDS)
        finally:
            self._asking.discard(payment_id)
            self._awake.set()

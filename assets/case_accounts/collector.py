"""Reads the bank's statements again and again: what came in is taken in, what went out settles orders."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from assets.case_accounts.accounts import locked_main, open_missing
from assets.case_accounts.bank import PayingBank
from assets.case_accounts.books import Books
from assets.case_accounts.discrepancies import Discrepancies
from assets.case_accounts.intake import Intake
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.settling import Settling
from assets.case_accounts.states import PaymentState
from assets.case_accounts.tables import Payment
from assets.errors import GatewayTrouble
from assets.terms import china_day

logger = logging.getLogger(__name__)

FIRST_DAYS = 62
"""How far back the first statement of an account reaches."""
AGAIN_DAYS = 3
"""How far before the last reading each one begins: a bank may enter something late."""


class Collector:
    """`run` it for as long as the process lives; run twice at once, nothing is taken in twice."""

    def __init__(
        self,
        books: Books,
        intake: Intake,
        settling: Settling,
        discrepancies: Discrepancies,
        bank: PayingBank,
        changed: Callable[[UUID | None], Awaitable[None]],
        *,
        every_seconds: float,
    ) -> None:
        self._books = books
        self._intake = intake
        self._settling = settling
        self._discrepancies = discrepancies
        self._bank = bank
        self._changed = changed
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self.read_all()
            except Exception:  # the reader outlives a database that is away for a while; each reading begins anew
                logger.exception("statements could not be read")
            await asyncio.sleep(self._every_seconds)

    async def read_all(self) -> int:
        """Read the statement of every main account once; how many arrivals were new."""
        async with self._books.records.read() as session:
            main_ids = list(await session.scalars(select(MainAccount.id).order_by(MainAccount.id)))
        taken = 0
        for main_id in main_ids:
            taken += await self._supervised(main_id)
        if taken:
            await self._changed(None)
        return taken

    async def _supervised(self, main_id: UUID) -> int:
        """Read one statement for the round; whatever befalls it keeps no other court from its money."""
        try:
            return await self.read(main_id)
        except GatewayTrouble as trouble:
            logger.info("main account %s: %s from %s", main_id, trouble.code, trouble.gateway)
        except Exception:  # the next round reads it again
            logger.exception("the statement of main account %s could not be taken in", main_id)
        return 0

    async def read(self, main_id: UUID) -> int:
        """Read one statement; how many arrivals were new.

        Raises:
            GatewayTrouble: the bank gave none.
        """
        async with self._books.records.write() as session:
            main = await locked_main(session, main_id)
            await open_missing(session, main, self._books.clock())
        today = self._books.today()
        days = AGAIN_DAYS if main.read_at else FIRST_DAYS
        since = min(china_day(main.read_at or self._books.clock()), today) - timedelta(days=days)
        statement = await self._bank.statement(main.number, since, today)
        taken = await self._intake.take(main_id, statement.movements)
        unpaid = await self._unpaid(main_id, {one.order_number for one in statement.movements})
        for movement in statement.movements:
            if movement.order_number in unpaid:
                await self._settling.seen_on_statement(main_id, movement)
        await self._discrepancies.note(main_id, statement)
        async with self._books.records.write() as session:
            (await locked_main(session, main_id)).read_at = self._books.clock()
        return taken

    async def _unpaid(self, main_id: UUID, numbers: set[str]) -> set[str]:
        """Those of the orders that the books don't have as paid."""
        query = select(Payment.number).where(
            Payment.main_id == main_id, Payment.number.in_(numbers), Payment.state != PaymentState.PAID.value
        )
        async with self._books.records.read() as session:
            return set(await session.scalars(query))

"""Money that left the main account by the bank's statement and isn't what was ordered, until somebody explains it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.accounts import locked_main, locked_of_own_main
from assets.case_accounts.bank import Movement, Statement
from assets.case_accounts.books import Books
from assets.case_accounts.states import DiscrepancyCode, PaymentState
from assets.case_accounts.tables import Discrepancy, Payment
from assets.case_accounts.trail import earlier_deed, keep_deed
from assets.errors import Conflict
from assets.identifiers import new_id
from assets.orders import require
from assets.terms import china_day


class Discrepancies:
    """Notes each movement once, however often it is read, and closes what somebody has explained."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def note(self, main_id: UUID, statement: Statement) -> int:
        """Keep what of a statement isn't as it was ordered, once what it settles is booked; how many were new.

        Where only the serial differs, the books show the bank's from then on.
        """
        async with self._books.records.read() as session:
            wrong = await self._wrong(session, main_id, statement)
        if not wrong:
            return 0
        async with self._books.records.write() as session:
            main = await locked_main(session, main_id)
            found = await self._wrong(session, main_id, statement)  # another process may have noted them meanwhile
            session.add_all(found)
            await session.flush()
            for one in found:
                if one.code == DiscrepancyCode.SERIAL and one.payment_id is not None:
                    (await session.get_one(Payment, one.payment_id)).bank_serial = one.bank_serial
                await self._books.record_deed(
                    session,
                    "case_money.discrepancy",
                    ("money_discrepancy", one.id),
                    court_id=main.court_id,
                    actor_id=None,
                    serial=one.bank_serial,
                    kind=one.code,
                )
        return len(found)

    async def close(self, actor: Actor, discrepancy_id: UUID, *, reason: str, idempotency_key: UUID) -> UUID:
        """Say what explains one; gives its id.

        Raises:
            NotPermitted, NotFound.
            Conflict: it is closed already.
        """
        require(actor.may_approve_money)
        what = (discrepancy_id, reason)
        async with self._books.records.write() as session:
            found, main = await locked_of_own_main(session, actor, Discrepancy, discrepancy_id, "no-such-discrepancy")
            if await earlier_deed(session, idempotency_key, "close_discrepancy", actor, *what):
                return discrepancy_id
            if found.closed_at is not None:
                raise Conflict("discrepancy-closed")
            found.closed_by, found.closed_at, found.close_reason = actor.user_id, self._books.clock(), reason
            await keep_deed(
                session, self._books.clock(), idempotency_key, "close_discrepancy", actor, discrepancy_id, *what
            )
            await self._books.record_deed(
                session,
                "case_money.discrepancy_closed",
                ("money_discrepancy", discrepancy_id),
                court_id=main.court_id,
                actor_id=actor.user_id,
                serial=found.bank_serial,
            )
        return discrepancy_id

    async def _wrong(self, session: AsyncSession, main_id: UUID, statement: Statement) -> list[Discrepancy]:
        by_serial = {one.serial: one for one in statement.movements if one.cents < 0}
        if not by_serial:
            return []
        under = _by_order(by_serial.values())
        known = select(Discrepancy.bank_serial).where(
            Discrepancy.main_id == main_id, Discrepancy.bank_serial.in_(by_serial)
        )
        for serial in await session.scalars(known):
            del by_serial[serial]
        orders = select(Payment).where(
            Payment.main_id == main_id, Payment.number.in_({one.order_number for one in by_serial.values()})
        )
        by_number = {one.number: one for one in await session.scalars(orders)}
        found = []
        for movement in by_serial.values():
            payment = by_number.get(movement.order_number)
            code = discrepancy_of(movement, payment, under, statement.since)
            if code is not None:
                found.append(self._row(main_id, movement, payment, code))
        return found

    def _row(self, main_id: UUID, movement: Movement, payment: Payment | None, code: DiscrepancyCode) -> Discrepancy:
        return Discrepancy(
            id=new_id(),
            main_id=main_id,
            payment_id=payment.id if payment else None,
            code=code.value,
            bank_serial=movement.serial,
            order_number=movement.order_number,
            bank_cents=movement.cents,
            ordered_cents=-payment.cents if payment else 0,
            moved_at=movement.at,
            seen_at=self._books.clock(),
        )


def discrepancy_of(
    movement: Movement, payment: Payment | None, under: Mapping[str, Sequence[str]], since: date
) -> DiscrepancyCode | None:
    """What is wrong with money that left; None where it is the payment that was ordered.

    `under` are all serials of the statement by their order's number, `since` is when it begins.
    """
    if payment is None:
        return DiscrepancyCode.NOT_ORDERED
    if movement.cents != -payment.cents:
        return DiscrepancyCode.ORDER_AMOUNT
    if payment.state != PaymentState.PAID or payment.bank_serial == movement.serial:
        return None
    # Before the order nothing left under its number: a statement that begins no later shows all that did.
    shows_all, serials = since <= china_day(payment.ordered_at), under[payment.number]
    is_payment = shows_all and payment.bank_serial not in serials and movement.serial == serials[0]
    return DiscrepancyCode.SERIAL if is_payment else DiscrepancyCode.PAID_TWICE


def _by_order(movements: Iterable[Movement]) -> Mapping[str, Sequence[str]]:
    serials: defaultdict[str, list[str]] = defaultdict(list)
    for one in movements:
        serials[one.order_number].append(one.serial)
    return serials

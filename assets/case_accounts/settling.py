"""What becomes of a payment order: each answer of the bank is booked once, whoever brings it and however often."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.accounts import balances, locked_main
from assets.case_accounts.bank import Movement, PayOrder, PayReceipt
from assets.case_accounts.books import Books
from assets.case_accounts.ledger import Line, moving
from assets.case_accounts.ledger_tables import MainAccount, SubAccount
from assets.case_accounts.states import (
    IN_DOUBT,
    OPEN_PAYMENTS,
    PAID_AFTER_REFUSAL,
    AccountKind,
    ArrivalState,
    Outcome,
    PaymentPurpose,
    PaymentState,
    PostingKind,
)
from assets.case_accounts.tables import Arrival, CourtFeeRefund, Notice, Payment, Proposal
from assets.case_accounts.trail import NoticeFacts, NoticeWords
from assets.errors import Conflict, GatewayAccepted, GatewayBusy, GatewayObjected, GatewayRefused, GatewayTrouble
from assets.identifiers import new_id
from assets.masks import masked_account
from assets.tables import Case
from assets.terms import SHANGHAI, china_day

LONGEST_REST_SECONDS = 3600.0
WORKING_SECONDS = 30.0
"""When to ask again for an order that the bank is working on."""


class Settling:
    """Books what is sent and what is answered, each in a transaction of its own."""

    def __init__(self, books: Books, notice_words: NoticeWords) -> None:
        self._books = books
        self._notice_words = notice_words

    async def send(self, payment_id: UUID) -> PayOrder | None:
        """Note that an order leaves now, and give it; None where it is settled already.

        It is committed before anything leaves: after a crash it is found as sent, and asked again by its number.
        """
        async with self._books.records.write() as session:
            payment, main = await self._locked(session, payment_id)
            if PaymentState(payment.state) not in OPEN_PAYMENTS:
                return None
            if payment.state == PaymentState.ORDERED:
                payment.move_to(PaymentState.SENT)
                payment.sent_at = self._books.clock()
            payment.attempts += 1
            payment.next_ask_at = self._books.clock() + timedelta(seconds=self._rest(payment))
            case_number, sub_number = await _case_numbers(session, payment)
            return PayOrder(
                number=payment.number,
                main_number=main.number,
                sub_number=sub_number,
                case_number=case_number,
                payee_name=payment.payee_name,
                payee_account=payment.payee_account,
                payee_bank_code=payment.payee_bank_code,
                cents=payment.cents,
                purpose=PaymentPurpose(payment.purpose),
            )

    async def answered(self, payment_id: UUID, receipt: PayReceipt) -> None:
        """Book the bank's definite answer; a second one changes nothing.

        That it has paid counts after a refusal too: the papers or an answer before may have said no meanwhile.
        """
        async with self._books.records.write() as session:
            payment, main = await self._locked(session, payment_id)
            if receipt.is_paid and payment.state != PaymentState.PAID:
                payment.receipt_number = receipt.receipt_number
                await self._paid_after_all(session, main, payment, receipt.bank_serial, receipt.paid_at)
            elif PaymentState(payment.state) in OPEN_PAYMENTS:
                await self._refused(session, main, payment, receipt.reason)

    async def troubled(self, payment_id: UUID, trouble: GatewayTrouble) -> None:
        """Note that there is no definite answer; it is asked again with the same number.

        Where the order may have left, its outcome is unknown.
        """
        async with self._books.records.write() as session:
            payment, main = await self._locked(session, payment_id)
            if PaymentState(payment.state) not in OPEN_PAYMENTS:
                return
            if isinstance(trouble, GatewayRefused | GatewayObjected) and payment.attempts == 1:
                # The very first asking wasn't taken, so nothing can have been paid under this number.
                await self._refused(session, main, payment, trouble.reason)
                return
            payment.trouble, payment.reason = trouble.code, trouble.reason[:500]
            if isinstance(trouble, GatewayBusy):
                self._not_sent(payment, trouble.seconds)
            elif isinstance(trouble, GatewayAccepted):
                payment.next_ask_at = self._books.clock() + timedelta(seconds=WORKING_SECONDS)
            elif payment.state == PaymentState.SENT:
                payment.move_to(PaymentState.UNKNOWN)
                await self._books.record_deed(session, "case_money.unknown", **_about(main, payment))

    async def by_papers(self, session: AsyncSession, main: MainAccount, proposal: Proposal) -> None:
        """Settle a payment in doubt as the bank's papers say, in the transaction of the approval, on a locked `main`.

        Raises:
            Conflict: it is settled meanwhile, or the serial is that of another payment.
        """
        content = proposal.content
        payment = await session.get_one(Payment, UUID(content["payment_id"]), populate_existing=True)
        if PaymentState(payment.state) not in IN_DOUBT:
            raise Conflict("payment-settled", number=payment.number)
        if content["outcome"] == Outcome.PAID:
            await require_free_serial(session, main, content["bank_serial"])
            payment.bank_serial = content["bank_serial"]
            payment.paid_at = datetime.combine(date.fromisoformat(content["paid_on"]), time(), SHANGHAI).astimezone(UTC)
            await self._paid(session, main, payment)
        else:
            await self._refused(session, main, payment, content["note"])

    async def seen_on_statement(self, main_id: UUID, movement: Movement) -> None:
        """The bank's statement shows an order as paid: that settles it, whatever was answered or not."""
        async with self._books.records.write() as session:
            query = select(Payment.id).where(Payment.number == movement.order_number, Payment.main_id == main_id)
            payment_id = (await session.scalars(query)).one_or_none()
            if payment_id is None:
                return
            payment, main = await self._locked(session, payment_id)
            # Another amount is no settlement: it stands among the discrepancies.
            if payment.state != PaymentState.PAID and movement.cents == -payment.cents:
                await self._paid_after_all(session, main, payment, movement.serial, movement.at)

    async def _paid_after_all(
        self, session: AsyncSession, main: MainAccount, payment: Payment, serial: str, at: datetime | None
    ) -> None:
        payment.bank_serial, payment.paid_at = serial, at
        if payment.state != PaymentState.REFUSED:
            await self._paid(session, main, payment)
        elif await self._is_still_there(session, main, payment):
            await self._take_again(session, payment)
            await self._paid(session, main, payment, PaymentPurpose(payment.purpose).comes_from)
        elif payment.trouble != PAID_AFTER_REFUSAL:
            payment.trouble = PAID_AFTER_REFUSAL
            await self._books.record_deed(session, "case_money.contradicted", **_about(main, payment))

    async def _is_still_there(self, session: AsyncSession, main: MainAccount, payment: Payment) -> bool:
        """Whether the money of a refused order lies where it went back to, and hasn't been ordered again."""
        if payment.purpose == PaymentPurpose.RETURN and not (await self._arrival(session, payment)).is_waiting:
            return False
        if payment.purpose == PaymentPurpose.COURT_FEE:
            content = (await session.get_one(Proposal, payment.proposal_id)).content
            again = select(CourtFeeRefund.id).where(CourtFeeRefund.arrival_id == UUID(content["arrival_id"]))
            if (await session.scalars(again)).first() is not None:
                return False  # what lies there is of another fee
        place = PaymentPurpose(payment.purpose).comes_from
        return (await balances(session, payment.case_id or main.id))[place] >= payment.cents

    async def _arrival(self, session: AsyncSession, payment: Payment) -> Arrival:
        """What goes back to its payer by this order."""
        content = (await session.get_one(Proposal, payment.proposal_id)).content
        return await session.get_one(Arrival, UUID(content["arrival_id"]), populate_existing=True)

    async def _take_again(self, session: AsyncSession, payment: Payment) -> None:
        """A court fee or an arrival that did go back after all must not go back once more."""
        if payment.purpose == PaymentPurpose.RETURN:
            (await self._arrival(session, payment)).state = ArrivalState.RETURNED.value
        if payment.purpose != PaymentPurpose.COURT_FEE:
            return
        proposal = await session.get_one(Proposal, payment.proposal_id)
        content = proposal.content
        session.add(
            CourtFeeRefund(
                id=new_id(),
                arrival_id=UUID(content["arrival_id"]),
                case_id=proposal.of_case,
                payment_id=payment.id,
                effective_on=date.fromisoformat(content["effective_on"]),
                due_on=date.fromisoformat(content["due_on"]),
            )
        )

    async def _paid(
        self, session: AsyncSession, main: MainAccount, payment: Payment, place: AccountKind = AccountKind.PAYING
    ) -> None:
        self._settle(payment, PaymentState.PAID)
        purpose = PaymentPurpose(payment.purpose)
        await self._post(
            session,
            main,
            payment,
            PostingKind.PAYMENT,
            moving(payment.cents, place, purpose.ends_in, payment.case_id),
            bank_cents=-payment.cents,
        )
        if purpose is not PaymentPurpose.FEE and payment.case_id is not None:
            session.add(await self._notice(session, payment, payment.case_id))
        await self._books.record_deed(session, "case_money.paid", **_about(main, payment))

    async def _refused(self, session: AsyncSession, main: MainAccount, payment: Payment, reason: str) -> None:
        self._settle(payment, PaymentState.REFUSED)
        payment.trouble, payment.reason = "", reason[:500]
        purpose = PaymentPurpose(payment.purpose)
        lines = moving(payment.cents, AccountKind.PAYING, purpose.comes_from, payment.case_id)
        await self._post(session, main, payment, PostingKind.RETURN, lines)
        # The fee didn't go back, so it may be proposed again.
        await session.execute(delete(CourtFeeRefund).where(CourtFeeRefund.payment_id == payment.id))
        if purpose is PaymentPurpose.RETURN:
            (await self._arrival(session, payment)).state = ArrivalState.WAITING.value
        await self._books.record_deed(session, "case_money.refused", **_about(main, payment))

    def _not_sent(self, payment: Payment, seconds: float) -> None:
        """This time nothing left; where nothing ever had, the order is as it was."""
        payment.attempts -= 1
        payment.next_ask_at = self._books.clock() + timedelta(seconds=seconds)
        if payment.attempts == 0 and payment.state == PaymentState.SENT:
            payment.move_to(PaymentState.ORDERED)

    def _settle(self, payment: Payment, state: PaymentState) -> None:
        if payment.state == PaymentState.ORDERED:
            payment.move_to(PaymentState.SENT)
        payment.move_to(state)
        payment.answered_at, payment.next_ask_at, payment.trouble = self._books.clock(), None, ""

    async def _post(
        self,
        session: AsyncSession,
        main: MainAccount,
        payment: Payment,
        kind: PostingKind,
        lines: tuple[Line, ...],
        bank_cents: int = 0,
    ) -> None:
        await self._books.ledger.post(
            session, main, kind, lines, cause_id=payment.id, case_id=payment.case_id, bank_cents=bank_cents
        )

    async def _notice(self, session: AsyncSession, payment: Payment, case_id: UUID) -> Notice:
        case = await session.get_one(Case, case_id)
        facts = NoticeFacts(
            court_name=case.court_name,
            case_number=case.number,
            cents=payment.cents,
            account=masked_account(payment.payee_account),
            paid_on=china_day(self._books.clock()),
            receipt_number=payment.receipt_number or payment.bank_serial,
        )
        return Notice(
            id=new_id(),
            case_id=case_id,
            payment_id=payment.id,
            text=self._notice_words(facts)[:500],
            created_at=self._books.clock(),
        )

    async def _locked(self, session: AsyncSession, payment_id: UUID) -> tuple[Payment, MainAccount]:
        payment = await session.get_one(Payment, payment_id)
        main = await locked_main(session, payment.main_id)
        await session.refresh(payment)
        return payment, main

    def _rest(self, payment: Payment) -> float:
        doublings = min(payment.attempts - 1, 10)
        return float(min(LONGEST_REST_SECONDS, self._books.practice.chase_seconds * 2**doublings))


def _about(main: MainAccount, payment: Payment) -> dict[str, Any]:
    """What the audit is told of an answer of the bank."""
    return {
        "subject": ("money_payment", payment.id),
        "court_id": main.court_id,
        "actor_id": None,
        "number": payment.number,
        "case": str(payment.case_id) if payment.case_id else None,
    }


async def _case_numbers(session: AsyncSession, payment: Payment) -> tuple[str, str]:
    """The number of a payment's case and of its sub-account; empty where it is of no case."""
    if payment.case_id is None:
        return "", ""
    case = await session.get_one(Case, payment.case_id)
    sub = (await session.scalars(select(SubAccount).where(SubAccount.case_id == case.id))).one()
    return case.number, sub.number


async def require_free_serial(session: AsyncSession, main: MainAccount, serial: str) -> None:
    """Refuse a serial of the bank under which the books have another payment.

    Raises:
        Conflict: they have.
    """
    query = select(Payment.id).where(Payment.main_id == main.id, Payment.bank_serial == serial)
    if (await session.scalars(query.limit(1))).first() is not None:
        raise Conflict("bank-serial-used")

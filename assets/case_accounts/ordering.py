"""What an approval sets going: payment orders, holds, and the posting that sets their money apart."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.books import Books
from assets.case_accounts.ledger import Line, moving
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.premises import require_unchanged
from assets.case_accounts.states import AccountKind, ArrivalState, PaymentPurpose, PaymentState, PostingKind
from assets.case_accounts.tables import Arrival, CourtFeeRefund, Hold, Payee, Payment, Proposal
from assets.errors import Conflict
from assets.identifiers import new_id
from assets.tables import Person


class Ordering:
    """Writes orders in the transaction of the approval, on a locked main account."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def distribute(self, session: AsyncSession, main: MainAccount, actor_id: UUID, proposal: Proposal) -> None:
        """Order the payments and holds of an approved distribution, as it was proposed."""
        content = proposal.content
        await require_unchanged(session, proposal)
        as_of = date.fromisoformat(content["as_of"])
        orders, held = list[Payment](), 0
        if content["fee"]["cents"]:
            orders.append(self._fee_payment(main, proposal, content["fee"]["cents"], as_of))
        for claim in content["claims"]:
            if claim["cents"] and claim["hold_reason"]:
                session.add(self._hold(proposal, claim, as_of))
                held += claim["cents"]
            elif claim["cents"]:
                orders.append(await self._claim_payment(session, main, proposal, claim, as_of))
        if content["rest_cents"]:
            orders.append(await self._rest_payment(session, main, proposal, content, as_of))
        session.add_all(orders)
        ordered = sum(order.cents for order in orders)
        lines = [Line(AccountKind.UNDISTRIBUTED, -(ordered + held), proposal.of_case)]
        lines += [Line(AccountKind.PAYING, ordered, proposal.of_case)] * bool(ordered)
        lines += [Line(AccountKind.HELD, held, proposal.of_case)] * bool(held)
        await session.flush()
        await self._books.ledger.post(
            session,
            main,
            PostingKind.ORDER,
            lines,
            cause_id=proposal.id,
            case_id=proposal.of_case,
            actor_id=actor_id,
        )

    async def refund(self, session: AsyncSession, main: MainAccount, actor_id: UUID, proposal: Proposal) -> None:
        """Order that a court fee goes back to the account that it came from."""
        content = proposal.content
        arrival = await session.get_one(Arrival, UUID(content["arrival_id"]))
        effective_on, due_on = (date.fromisoformat(content[name]) for name in ("effective_on", "due_on"))
        payment = self._payment(
            main, proposal, PaymentPurpose.COURT_FEE, proposal.cents, self._books.today(),
            name=arrival.payer_name, account=arrival.payer_account,
        )  # fmt: skip
        session.add(payment)
        await session.flush()
        session.add(
            CourtFeeRefund(
                id=new_id(),
                arrival_id=arrival.id,
                case_id=proposal.of_case,
                payment_id=payment.id,
                effective_on=effective_on,
                due_on=due_on,
            )
        )
        try:
            await session.flush()
        except IntegrityError as exc:  # the database's own word that it goes back already
            raise Conflict("fee-refunded") from exc
        lines = moving(payment.cents, AccountKind.PREPAID, AccountKind.PAYING, proposal.of_case)
        await self._books.ledger.post(
            session,
            main,
            PostingKind.ORDER,
            lines,
            cause_id=proposal.id,
            case_id=proposal.of_case,
            actor_id=actor_id,
        )

    async def send_back(self, session: AsyncSession, main: MainAccount, actor_id: UUID, proposal: Proposal) -> None:
        """Order that an arrival which is for no case goes back to the account that it came from.

        Raises:
            Conflict: it is some case's meanwhile, or goes back already.
        """
        arrival = await session.get_one(Arrival, UUID(proposal.content["arrival_id"]), populate_existing=True)
        arrival.require_waiting()
        arrival.state = ArrivalState.RETURNED.value
        session.add(
            self._payment(
                main,
                proposal,
                PaymentPurpose.RETURN,
                proposal.cents,
                self._books.today(),
                name=arrival.payer_name,
                account=arrival.payer_account,
            )
        )
        lines = moving(proposal.cents, AccountKind.UNCLAIMED, AccountKind.PAYING, None)
        await session.flush()
        await self._books.ledger.post(
            session, main, PostingKind.ORDER, lines, cause_id=proposal.id, case_id=None, actor_id=actor_id
        )

    def _fee_payment(self, main: MainAccount, proposal: Proposal, cents: int, as_of: date) -> Payment:
        return self._payment(
            main, proposal, PaymentPurpose.FEE, cents, as_of,
            name=main.fee_holder, account=main.fee_number, bank_code=main.fee_bank_code,
        )  # fmt: skip

    async def _claim_payment(
        self, session: AsyncSession, main: MainAccount, proposal: Proposal, claim: dict[str, Any], as_of: date
    ) -> Payment:
        payee = await session.get_one(Payee, UUID(claim["payee_id"]))
        payment = await self._to_payee(session, main, proposal, PaymentPurpose.CLAIM, claim["cents"], payee, as_of)
        payment.claim_id = UUID(claim["claim_id"])
        return payment

    async def _rest_payment(
        self, session: AsyncSession, main: MainAccount, proposal: Proposal, content: dict[str, Any], as_of: date
    ) -> Payment:
        payee = await session.get_one(Payee, UUID(content["rest_payee_id"]))
        return await self._to_payee(session, main, proposal, PaymentPurpose.REST, content["rest_cents"], payee, as_of)

    async def _to_payee(
        self,
        session: AsyncSession,
        main: MainAccount,
        proposal: Proposal,
        purpose: PaymentPurpose,
        cents: int,
        payee: Payee,
        as_of: date,
    ) -> Payment:
        person = await session.get_one(Person, payee.person_id)
        payment = self._payment(
            main, proposal, purpose, cents, as_of,
            name=person.name, account=payee.account_number, bank_code=payee.bank_code,
        )  # fmt: skip
        payment.person_id = person.id
        return payment

    def _payment(
        self,
        main: MainAccount,
        proposal: Proposal,
        purpose: PaymentPurpose,
        cents: int,
        as_of: date,
        *,
        name: str,
        account: str,
        bank_code: str = "",
    ) -> Payment:
        payment_id, number = self._books.numbered("FK")
        return Payment(
            id=payment_id,
            number=number,
            main_id=main.id,
            case_id=proposal.case_id,
            proposal_id=proposal.id,
            purpose=purpose.value,
            payee_name=name,
            payee_account=account,
            payee_bank_code=bank_code,
            cents=cents,
            credited_on=as_of,
            state=PaymentState.ORDERED.value,
            ordered_at=self._books.clock(),
            next_ask_at=self._books.clock(),
        )

    def _hold(self, proposal: Proposal, claim: dict[str, Any], as_of: date) -> Hold:
        return Hold(
            id=new_id(),
            case_id=proposal.of_case,
            proposal_id=proposal.id,
            claim_id=UUID(claim["claim_id"]),
            person_id=UUID(claim["person_id"]),
            cents=claim["cents"],
            reason=claim["hold_reason"],
            credited_on=as_of,
            held_at=self._books.clock(),
        )

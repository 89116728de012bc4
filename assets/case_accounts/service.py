"""The money of cases: one service, every call made for an `Actor`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from assets.audit import Actor, Records
from assets.case_accounts.accounts import locked_payment, main_of, require_own_main
from assets.case_accounts.bank import PayingBank
from assets.case_accounts.books import Books
from assets.case_accounts.collector import Collector
from assets.case_accounts.deciding import Deciding
from assets.case_accounts.discrepancies import Discrepancies
from assets.case_accounts.intake import Intake
from assets.case_accounts.ledger import Ledger
from assets.case_accounts.opening import NewMain, open_main
from assets.case_accounts.payer import Payer
from assets.case_accounts.practice import Practice
from assets.case_accounts.proposing import Ground, Papers, Proposing
from assets.case_accounts.reading import PostingView, Reading
from assets.case_accounts.reconciliation import Reconciliation, Reconciling
from assets.case_accounts.settling import Settling
from assets.case_accounts.states import OPEN_PAYMENTS, ArrivalPurpose, PaymentState
from assets.case_accounts.tables import Proposal
from assets.case_accounts.trail import MoneyTrail, NoticeWords
from assets.case_accounts.views import (
    AccountLine,
    AccountView,
    ArrivalView,
    DiscrepancyView,
    MainView,
    OfNoCase,
    PaymentView,
    ProposalView,
)
from assets.errors import Conflict
from assets.orders import require

COLLECT_SECONDS = 20.0
"""How often the bank's statement is read."""

Changed = Callable[[UUID | None], Awaitable[None]]
"""Told which case changed; None where it may be any."""


class CaseAccounts:
    """One account a case. `run` reads statements and pays for as long as the process lives."""

    def __init__(
        self,
        records: Records,
        bank: PayingBank,
        trail: MoneyTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        notice_words: NoticeWords,
        *,
        practice: Practice | None = None,
        collect_seconds: float = COLLECT_SECONDS,
    ) -> None:
        self.books = Books(records, Ledger(clock), trail, clock, practice or Practice())
        self._bank = bank
        self._changed = changed
        self.intake = Intake(self.books)
        self.settling = Settling(self.books, notice_words)
        self.payer = Payer(self.books, self.settling, bank, changed)
        self._discrepancies = Discrepancies(self.books)
        self.collector = Collector(
            self.books, self.intake, self.settling, self._discrepancies, bank, changed, every_seconds=collect_seconds
        )
        self._proposing = Proposing(self.books)
        self._deciding = Deciding(self.books, self.settling)
        self._reading = Reading(self.books)
        self._reconciling = Reconciling(self.books, bank)

    async def run(self) -> None:
        """Read statements and pay until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.collector.run(), name="read statements")
            group.create_task(self.payer.run(), name="pay")

    async def close(self) -> None:
        """Give back the bank's connections; call it after `run` has ended."""
        await self._bank.close()

    async def open_main(self, actor: Actor, court_id: UUID, account: NewMain, *, idempotency_key: UUID) -> UUID:
        """Open the main account of a court, with a sub-account for each of its cases; gives its id.

        Raises:
            Conflict: the court has one.
        """
        main_id = await open_main(self.books, actor, court_id, account, idempotency_key=idempotency_key)
        await self._changed(None)
        return main_id

    async def mains(self, actor: Actor) -> list[MainView]:
        """The main accounts of the actor's courts."""
        return await self._reading.mains(actor)

    async def accounts(
        self, actor: Actor, *, open_only: bool = True, after: str = "", limit: int = 100
    ) -> list[AccountLine]:
        """The cases' accounts: those with money in them, the most urgent first, or all by number."""
        return await self._reading.accounts(actor, open_only=open_only, after=after, limit=limit)

    async def account(self, actor: Actor, case_id: UUID) -> AccountView:
        """All of one case's account."""
        return await self._reading.account(actor, case_id)

    async def of_no_case(self, actor: Actor) -> OfNoCase:
        """What waits to be claimed, and what is proposed and ordered about money of no case."""
        return await self._reading.of_no_case(actor)

    async def discrepancies(self, actor: Actor, *, open_only: bool = True) -> list[DiscrepancyView]:
        """What left the main accounts and isn't what was ordered."""
        return await self._reading.discrepancies(actor, open_only=open_only)

    async def close_discrepancy(
        self, actor: Actor, discrepancy_id: UUID, *, reason: str, idempotency_key: UUID
    ) -> UUID:
        """Say what explains a discrepancy; gives its id."""
        done = await self._discrepancies.close(actor, discrepancy_id, reason=reason, idempotency_key=idempotency_key)
        await self._changed(None)
        return done

    async def postings(self, actor: Actor, case_id: UUID) -> list[PostingView]:
        """The postings of a case."""
        return await self._reading.postings(actor, case_id)

    async def reconciliation(self, actor: Actor, court_id: UUID, year: int, month: int) -> Reconciliation:
        """A month of a court's money, held against the bank's statement."""
        return await self._reconciling.month(actor, court_id, year, month)

    async def refresh(self, actor: Actor, court_id: UUID) -> int:
        """Read the bank's statement of a court now; how many arrivals were new.

        Raises:
            GatewayTrouble: the bank gave none.
        """
        require(actor.may_handle_money)
        require_own_main(actor, court_id, "no-main-account")
        async with self.books.records.read() as session:
            main = await main_of(session, court_id)
        taken = await self.collector.read(main.id)
        await self._changed(None)
        return taken

    async def claim(
        self, actor: Actor, arrival_id: UUID, *, case_id: UUID, purpose: ArrivalPurpose, idempotency_key: UUID
    ) -> ArrivalView:
        """Say which case a waiting arrival is for."""
        await self.intake.claim(actor, arrival_id, case_id=case_id, purpose=purpose, idempotency_key=idempotency_key)
        await self._changed(case_id)
        return await self._reading.arrival(arrival_id)

    async def unmatch(self, actor: Actor, arrival_id: UUID, *, reason: str, idempotency_key: UUID) -> ArrivalView:
        """Say that an arrival isn't for the case that it was matched to."""
        case_id = await self.intake.unmatch(actor, arrival_id, reason=reason, idempotency_key=idempotency_key)
        await self._changed(case_id)
        return await self._reading.arrival(arrival_id)

    async def preview(
        self, actor: Actor, case_id: UUID, *, as_of: date | None = None, ranks: Mapping[UUID, int] | None = None
    ) -> dict[str, Any]:
        """What a distribution would come to now."""
        return await self._proposing.preview(actor, case_id, as_of=as_of, ranks=ranks or {})

    async def name_payee(
        self,
        actor: Actor,
        case_id: UUID,
        *,
        person_id: UUID,
        account_number: str,
        bank_name: str,
        bank_code: str,
        idempotency_key: UUID,
    ) -> AccountView:
        """Note the account where a person of the case gets their money."""
        await self._proposing.payee(
            actor,
            case_id,
            person_id=person_id,
            number=account_number,
            bank_name=bank_name,
            bank_code=bank_code,
            idempotency_key=idempotency_key,
        )
        return await self.account(actor, case_id)

    async def propose_distribution(
        self,
        actor: Actor,
        case_id: UUID,
        *,
        idempotency_key: UUID,
        as_of: date | None = None,
        ranks: Mapping[UUID, int] | None = None,
        holds: Mapping[UUID, str] | None = None,
        rest_person_id: UUID | None = None,
    ) -> ProposalView:
        """Propose to distribute all that lies undistributed in a case's account."""
        proposal_id = await self._proposing.distribution(
            actor,
            case_id,
            as_of=as_of,
            ranks=ranks or {},
            holds=holds or {},
            rest_person_id=rest_person_id,
            idempotency_key=idempotency_key,
        )
        return await self._proposal(proposal_id)

    async def propose_deferral(
        self, actor: Actor, case_id: UUID, *, ground: Ground, note: str, idempotency_key: UUID
    ) -> ProposalView:
        """Propose to pay out later, with a ground."""
        proposal_id = await self._proposing.deferral(
            actor, case_id, ground=ground, note=note, idempotency_key=idempotency_key
        )
        return await self._proposal(proposal_id)

    async def propose_fee_refund(
        self, actor: Actor, arrival_id: UUID, *, effective_on: date, idempotency_key: UUID
    ) -> ProposalView:
        """Propose to give a court fee back to where it came from."""
        proposal_id = await self._proposing.fee_refund(
            actor, arrival_id, effective_on=effective_on, idempotency_key=idempotency_key
        )
        return await self._proposal(proposal_id)

    async def propose_return(self, actor: Actor, arrival_id: UUID, *, note: str, idempotency_key: UUID) -> ProposalView:
        """Propose to send an arrival that is for no case back to its payer."""
        proposal_id = await self._proposing.send_back(actor, arrival_id, note=note, idempotency_key=idempotency_key)
        return await self._proposal(proposal_id)

    async def propose_settlement(
        self, actor: Actor, payment_id: UUID, papers: Papers, *, idempotency_key: UUID
    ) -> ProposalView:
        """Propose to settle a payment in doubt by the bank's papers."""
        proposal_id = await self._proposing.settlement(actor, payment_id, papers, idempotency_key=idempotency_key)
        return await self._proposal(proposal_id)

    async def approve(self, actor: Actor, proposal_id: UUID, *, idempotency_key: UUID) -> ProposalView:
        """Approve what somebody else proposed; its payments go out in the background."""
        await self._deciding.approve(actor, proposal_id, idempotency_key=idempotency_key)
        self.payer.wake()
        return await self._proposal(proposal_id)

    async def reject(self, actor: Actor, proposal_id: UUID, *, reason: str, idempotency_key: UUID) -> ProposalView:
        """Say no to what somebody else proposed."""
        await self._deciding.reject(actor, proposal_id, reason=reason, idempotency_key=idempotency_key)
        return await self._proposal(proposal_id)

    async def withdraw(self, actor: Actor, proposal_id: UUID, *, reason: str, idempotency_key: UUID) -> ProposalView:
        """Take back a proposal that nobody has decided on."""
        await self._deciding.withdraw(actor, proposal_id, reason=reason, idempotency_key=idempotency_key)
        return await self._proposal(proposal_id)

    async def end_deferral(
        self, actor: Actor, proposal_id: UUID, *, ended_on: date, idempotency_key: UUID
    ) -> ProposalView:
        """Say that the ground of a deferral has ended."""
        await self._deciding.end_deferral(actor, proposal_id, ended_on=ended_on, idempotency_key=idempotency_key)
        return await self._proposal(proposal_id)

    async def release(self, actor: Actor, hold_id: UUID, *, reason: str, idempotency_key: UUID) -> UUID:
        """Put what was held back to what is to be distributed; gives the hold's id."""
        return await self._deciding.release(actor, hold_id, reason=reason, idempotency_key=idempotency_key)

    async def ask_again(self, actor: Actor, payment_id: UUID) -> PaymentView:
        """Ask the bank now what became of an order, with its own number.

        Raises:
            Conflict: it is settled.
        """
        require(actor.may_handle_money or actor.may_approve_money)
        async with self.books.records.write() as session:
            payment, _ = await locked_payment(session, actor, payment_id)
            if PaymentState(payment.state) not in OPEN_PAYMENTS:
                raise Conflict("payment-settled", number=payment.number)
            payment.next_ask_at = self.books.clock()
        self.payer.wake()
        return await self._reading.payment(payment_id)

    async def _proposal(self, proposal_id: UUID) -> ProposalView:
        async with self.books.records.read() as session:
            case_id = (await session.get_one(Proposal, proposal_id)).case_id
        await self._changed(case_id)
        return await self._reading.proposal(proposal_id)

"""What somebody proposes to be done with a case's money; nothing moves before another has approved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.audit import Actor
from assets.case_accounts.accounts import locked_arrival, locked_payment, main_of, seen_courts, sub_account
from assets.case_accounts.books import Books
from assets.case_accounts.computing import Computation, compute
from assets.case_accounts.content import Destinations, content_of
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.opening import account_number
from assets.case_accounts.practice import FEE_REFUND_DAYS
from assets.case_accounts.premises import premises_of
from assets.case_accounts.settling import require_free_serial
from assets.case_accounts.states import IN_DOUBT, ArrivalPurpose, Outcome, PaymentState, ProposalKind, ProposalState
from assets.case_accounts.tables import Arrival, CourtFeeRefund, Payee, Payment, Proposal
from assets.case_accounts.trail import earlier_deed, keep_deed
from assets.case_accounts.untouched import waits_about
from assets.errors import BadFormat, Conflict, NotFound
from assets.identifiers import new_id
from assets.orders import case_of, require, require_own_court
from assets.tables import Case, Person
from assets.terms import china_day


class Ground(StrEnum):
    """Why money isn't paid out in its time; the list is practice."""

    CREDITOR_UNREACHABLE = "creditor-unreachable"
    OBJECTION = "objection"
    DISTRIBUTION_DISPUTE = "distribution-dispute"
    OTHERS_CLAIM = "others-claim"
    SETTLEMENT = "settlement"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Papers:
    """What the bank has given about a payment: its serial and day where it paid, its words where it didn't."""

    outcome: Outcome
    note: str
    bank_serial: str = ""
    paid_on: date | None = None


class Proposing:
    """Proposals of the judge of a case."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def preview(
        self, actor: Actor, case_id: UUID, *, as_of: date | None, ranks: Mapping[UUID, int]
    ) -> dict[str, Any]:
        """What a distribution would come to now; nothing is written."""
        require(actor.may_handle_money or actor.may_approve_money)
        async with self._books.records.read() as session:
            await case_of(session, actor, case_id)
            computation = await self._computed(session, case_id, as_of, ranks)
            where = Destinations(await payees_of(session, case_id), {})
            return content_of(computation, self._books.practice, where)

    async def distribution(
        self,
        actor: Actor,
        case_id: UUID,
        *,
        as_of: date | None,
        ranks: Mapping[UUID, int],
        holds: Mapping[UUID, str],
        rest_person_id: UUID | None,
        idempotency_key: UUID,
    ) -> UUID:
        """Propose to distribute all that lies undistributed; gives the proposal's id.

        Raises:
            Conflict: another is open, nothing is there, or an account that money would go to isn't known.
        """
        require(actor.may_handle_money)
        what = (case_id, as_of, sorted(ranks.items()), sorted(holds.items()), rest_person_id)
        async with self._books.records.write() as session:
            _, main = await self._case(session, actor, case_id)
            if known := await earlier_deed(session, idempotency_key, "distribution", actor, *what):
                return known
            await _require_none_open(session, case_id, ProposalKind.DISTRIBUTION, ProposalState.PROPOSED)
            computation = await self._computed(session, case_id, as_of, ranks)
            where = Destinations(await payees_of(session, case_id), holds, rest_person_id)
            paid = await _require_destinations(session, case_id, computation, where)
            content = content_of(computation, self._books.practice, where)
            content["premises"] = await premises_of(session, case_id, paid)
            proposal = self._proposal(actor, main, case_id, ProposalKind.DISTRIBUTION, computation.pot_cents, content)
            return await self._kept(session, actor, main, proposal, "distribution", idempotency_key, what)

    async def deferral(self, actor: Actor, case_id: UUID, *, ground: Ground, note: str, idempotency_key: UUID) -> UUID:
        """Propose to pay out later, with a ground; gives the proposal's id."""
        require(actor.may_handle_money)
        what = (case_id, ground.value, note)
        async with self._books.records.write() as session:
            _, main = await self._case(session, actor, case_id)
            if known := await earlier_deed(session, idempotency_key, "deferral", actor, *what):
                return known
            await _require_none_open(
                session, case_id, ProposalKind.DEFERRAL, ProposalState.PROPOSED, ProposalState.APPROVED
            )
            content = {"ground": ground.value, "note": note}
            proposal = self._proposal(actor, main, case_id, ProposalKind.DEFERRAL, 0, content)
            return await self._kept(session, actor, main, proposal, "deferral", idempotency_key, what)

    async def fee_refund(self, actor: Actor, arrival_id: UUID, *, effective_on: date, idempotency_key: UUID) -> UUID:
        """Propose to give a court fee back to the account that it came from; gives the proposal's id.

        Raises:
            Conflict: it goes back already, is no court fee, or was taken from its case meanwhile.
        """
        require(actor.may_handle_money)
        what = (arrival_id, effective_on)
        async with self._books.records.write() as session:
            arrival = await session.get(Arrival, arrival_id)
            if arrival is None or arrival.case_id is None:
                raise NotFound("no-such-arrival")
            case, main = await self._case(session, actor, arrival.case_id, missing="no-such-arrival")
            if known := await earlier_deed(session, idempotency_key, "fee_refund", actor, *what):
                return known
            await session.refresh(arrival)
            if arrival.case_id != case.id:  # while the lock was waited for
                raise Conflict("arrival-not-matched")
            await self._require_refundable(session, arrival, effective_on)
            sub = await sub_account(session, main, case.id, self._books.clock())
            sub.effective_on = effective_on
            content = {
                "arrival_id": str(arrival.id),
                "effective_on": effective_on.isoformat(),
                "due_on": (effective_on + timedelta(days=FEE_REFUND_DAYS)).isoformat(),
            }
            proposal = self._proposal(actor, main, case.id, ProposalKind.FEE_REFUND, arrival.cents, content)
            return await self._kept(session, actor, main, proposal, "fee_refund", idempotency_key, what)

    async def send_back(self, actor: Actor, arrival_id: UUID, *, note: str, idempotency_key: UUID) -> UUID:
        """Propose that an arrival which is for no case goes back to the account that it came from.

        Gives the proposal's id.

        Raises:
            Conflict: it is some case's, goes back already, or its payer's account isn't known.
        """
        require(actor.may_handle_money)
        what = (arrival_id, note)
        async with self._books.records.write() as session:
            arrival, main = await locked_arrival(session, actor, arrival_id)
            if known := await earlier_deed(session, idempotency_key, "return", actor, *what):
                return known
            arrival.require_waiting()
            if not arrival.payer_account:
                raise Conflict("payer-unknown")
            await _require_none_about(session, main.id, ProposalKind.RETURN, "arrival_id", arrival.id)
            content = {"arrival_id": str(arrival.id), "serial": arrival.bank_serial, "note": note}
            proposal = self._proposal(actor, main, None, ProposalKind.RETURN, arrival.cents, content)
            return await self._kept(session, actor, main, proposal, "return", idempotency_key, what)

    async def settlement(self, actor: Actor, payment_id: UUID, papers: Papers, *, idempotency_key: UUID) -> UUID:
        """Propose to settle a payment in doubt by what the bank has given on paper; gives the proposal's id.

        Raises:
            BadFormat: the day lies in the future, or before the order.
            Conflict: it is settled, or the serial is that of another payment.
        """
        require(actor.may_handle_money)
        what = (payment_id, papers.outcome.value, papers.bank_serial, papers.paid_on, papers.note)
        async with self._books.records.write() as session:
            payment, main = await locked_payment(session, actor, payment_id)
            if known := await earlier_deed(session, idempotency_key, "settlement", actor, *what):
                return known
            if PaymentState(payment.state) not in IN_DOUBT:
                raise Conflict("payment-settled", number=payment.number)
            await self._require_complete(session, main, payment, papers)
            await _require_none_about(session, main.id, ProposalKind.SETTLEMENT, "payment_id", payment.id)
            content = {
                "payment_id": str(payment.id),
                "number": payment.number,
                "outcome": papers.outcome.value,
                "bank_serial": papers.bank_serial,
                "paid_on": papers.paid_on.isoformat() if papers.paid_on else None,
                "note": papers.note,
            }
            proposal = self._proposal(actor, main, payment.case_id, ProposalKind.SETTLEMENT, payment.cents, content)
            return await self._kept(session, actor, main, proposal, "settlement", idempotency_key, what)

    async def _require_complete(
        self, session: AsyncSession, main: MainAccount, payment: Payment, papers: Papers
    ) -> None:
        if papers.outcome is Outcome.NOT_EXECUTED:
            return
        if not papers.bank_serial:
            raise BadFormat("bank-serial", "missing")
        if papers.paid_on is None or papers.paid_on < china_day(payment.ordered_at):
            raise BadFormat("paid-on", "before-order")
        if papers.paid_on > self._books.today():
            raise BadFormat("paid-on", "future")
        await require_free_serial(session, main, papers.bank_serial)

    async def payee(
        self,
        actor: Actor,
        case_id: UUID,
        *,
        person_id: UUID,
        number: str,
        bank_name: str,
        bank_code: str,
        idempotency_key: UUID,
    ) -> UUID:
        """Note the account where a person of the case gets their money; gives the row's id."""
        require(actor.may_handle_money)
        what = (case_id, person_id, number, bank_name, bank_code)
        async with self._books.records.write() as session:
            case, _ = await self._case(session, actor, case_id)
            if known := await earlier_deed(session, idempotency_key, "payee", actor, *what):
                return known
            person = await session.get(Person, person_id)
            if person is None or person.case_id != case_id:
                raise NotFound("no-such-person")
            payee = Payee(
                id=new_id(),
                case_id=case_id,
                person_id=person_id,
                account_number=_payee_number(number, is_firm=person.is_firm),
                bank_name=bank_name.strip(),
                bank_code=formats.bank_code(bank_code) if bank_code.strip() else "",
                named_by=actor.user_id,
                named_at=self._books.clock(),
            )
            session.add(payee)
            await keep_deed(session, self._books.clock(), idempotency_key, "payee", actor, payee.id, *what)
            await self._books.record_deed(
                session,
                "case_money.payee_named",
                ("case_payee", payee.id),
                court_id=case.court_id,
                actor_id=actor.user_id,
                case=str(case_id),
                person=str(person_id),
            )
            return payee.id

    async def _case(
        self, session: AsyncSession, actor: Actor, case_id: UUID, *, missing: str = "no-such-case"
    ) -> tuple[Case, MainAccount]:
        """The case and, locked, the main account of its court."""
        case = await session.get(Case, case_id)
        if case is None or case.court_id not in seen_courts(actor):
            raise NotFound(missing)
        require_own_court(actor, case)
        return case, await main_of(session, case.court_id, lock=True)

    async def _computed(
        self, session: AsyncSession, case_id: UUID, as_of: date | None, ranks: Mapping[UUID, int]
    ) -> Computation:
        return await compute(
            session, case_id, today=self._books.today(), practice=self._books.practice, as_of=as_of, ranks=ranks
        )

    def _proposal(
        self,
        actor: Actor,
        main: MainAccount,
        case_id: UUID | None,
        kind: ProposalKind,
        cents: int,
        content: dict[str, Any],
    ) -> Proposal:
        return Proposal(
            id=new_id(),
            main_id=main.id,
            case_id=case_id,
            kind=kind.value,
            state=ProposalState.PROPOSED.value,
            cents=cents,
            content=content,
            proposed_by=actor.user_id,
            proposed_at=self._books.clock(),
        )

    async def _kept(
        self,
        session: AsyncSession,
        actor: Actor,
        main: MainAccount,
        proposal: Proposal,
        deed: str,
        key: UUID,
        what: tuple[object, ...],
    ) -> UUID:
        session.add(proposal)
        await keep_deed(session, self._books.clock(), key, deed, actor, proposal.id, *what)
        await self._books.record_deed(
            session,
            "case_money.proposed",
            ("money_proposal", proposal.id),
            court_id=main.court_id,
            actor_id=actor.user_id,
            kind=proposal.kind,
            case=str(proposal.case_id) if proposal.case_id else None,
        )
        return proposal.id

    async def _require_refundable(self, session: AsyncSession, arrival: Arrival, effective_on: date) -> None:
        if arrival.purpose != ArrivalPurpose.COURT_FEE:
            raise Conflict("no-court-fee")
        if effective_on > self._books.today():
            raise BadFormat("effective-on", "future")
        query = select(CourtFeeRefund.id).where(CourtFeeRefund.arrival_id == arrival.id)
        if (await session.scalars(query)).first() is not None:
            raise Conflict("fee-refunded")
        await _require_none_about(session, arrival.main_id, ProposalKind.FEE_REFUND, "arrival_id", arrival.id)


async def payees_of(session: AsyncSession, case_id: UUID) -> dict[UUID, UUID]:
    """The account that counts for each person of a case: the newest."""
    query = select(Payee.person_id, Payee.id).where(Payee.case_id == case_id).order_by(Payee.named_at, Payee.id)
    return {row.person_id: row.id for row in await session.execute(query)}


async def _require_none_open(session: AsyncSession, case_id: UUID, kind: ProposalKind, *states: ProposalState) -> None:
    query = select(Proposal.id).where(
        Proposal.case_id == case_id, Proposal.kind == kind.value, Proposal.state.in_([one.value for one in states])
    )
    if (await session.scalars(query)).first() is not None:
        raise Conflict("proposal-open")


async def _require_none_about(
    session: AsyncSession, main_id: UUID, kind: ProposalKind, name: str, subject_id: UUID
) -> None:
    if await waits_about(session, main_id, kind, name, subject_id):
        raise Conflict("proposal-open")


async def _require_destinations(
    session: AsyncSession, case_id: UUID, computation: Computation, where: Destinations
) -> set[UUID]:
    """Who is to be paid; a distribution with money that wouldn't know where to go is refused."""
    shares = {claim.claim_id: claim for claim in computation.claims}
    if set(where.holds) - set(shares):
        raise NotFound("no-such-claim")
    paid = [claim for claim in computation.claims if claim.cents and claim.claim_id not in where.holds]
    wanted = {claim.creditor_id for claim in paid}
    if computation.distribution.rest_cents:
        wanted.add(await _rest_person(session, case_id, where.rest_person_id))
    if missing := sorted(wanted - set(where.payees)):
        raise Conflict("payee-missing", person=str(missing[0]), count=len(missing))
    return wanted


async def _rest_person(session: AsyncSession, case_id: UUID, person_id: UUID | None) -> UUID:
    person = await session.get(Person, person_id) if person_id else None
    if person is None or person.case_id != case_id or person.role != "under_enforcement":
        raise Conflict("rest-needs-debtor")
    return person.id


def _payee_number(text: str, *, is_firm: bool) -> str:
    """A person's card has a check digit; a passbook's or firm's number has none."""
    number = account_number(text)
    is_card = not is_firm and number.startswith("62") and len(number) >= 16
    return formats.bank_card(number) if is_card else number

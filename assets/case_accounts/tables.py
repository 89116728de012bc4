"""What arrives, what is proposed and decided, what is paid, held, refunded and told."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assets.case_accounts import states
from assets.case_accounts.states import ArrivalState, PaymentState, ProposalState
from assets.errors import Conflict, IllegalTransition, NotFound
from assets.identifiers import new_id
from assets.tables import Base

logger = logging.getLogger(__name__)


class Arrival(Base):
    """Money that came into the main account; the bank's serial makes a second notice of it the same arrival."""

    __tablename__ = "case_arrivals"
    __table_args__ = (
        UniqueConstraint("main_id", "bank_serial"),
        Index("ix_case_arrivals_main_state", "main_id", "state"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"))
    bank_serial: Mapped[str] = mapped_column(String(64))
    cents: Mapped[int] = mapped_column(BigInteger)
    payer_name: Mapped[str] = mapped_column(String(200))
    payer_account: Mapped[str] = mapped_column(String(64))
    remark: Mapped[str] = mapped_column(String(300))
    sub_number: Mapped[str] = mapped_column(String(64))
    """The sub-account that the payer named; empty where none."""
    arrived_at: Mapped[datetime]
    notified_at: Mapped[datetime]
    """When the court learnt of it: the days to pay out count from here."""
    purpose: Mapped[str] = mapped_column(String(16))
    """A value of `ArrivalPurpose`."""
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    """A value of `ArrivalState`."""
    matched_by: Mapped[str] = mapped_column(String(16), default="")
    """sub-account, case-number, judge"""
    claimed_by: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    receipt_number: Mapped[str] = mapped_column(String(32), unique=True)

    @property
    def is_waiting(self) -> bool:
        """Whether nobody knows yet which case it is for."""
        return self.state == ArrivalState.WAITING

    def require_waiting(self) -> None:
        """Refuse what can only be done with money of no case.

        Raises:
            Conflict: it is some case's, or goes back to its payer.
        """
        if not self.is_waiting:
            raise Conflict("arrival-returned" if self.state == ArrivalState.RETURNED else "arrival-claimed")


class Proposal(Base):
    """What one person proposes and another decides; `content` holds what was proposed, as it was computed then."""

    __tablename__ = "money_proposals"
    __table_args__ = (Index("ix_money_proposals_case_kind", "case_id", "kind", "state"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"))
    """None where it is about money of no case."""
    kind: Mapped[str] = mapped_column(String(16))
    """A value of `ProposalKind`."""
    state: Mapped[str] = mapped_column(String(16), default=ProposalState.PROPOSED.value)
    """A value of `ProposalState`; changed by `move_to` only."""
    cents: Mapped[int] = mapped_column(BigInteger, default=0)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(300), default="")
    ended_on: Mapped[date | None]
    """Of a deferral: the day on which its ground ended."""

    @property
    def of_case(self) -> UUID:
        """The case, of a kind that always has one."""
        if self.case_id is None:
            raise NotFound("no-such-case")
        return self.case_id

    def move_to(self, new: ProposalState) -> None:
        """The only place that changes `state`."""
        old = ProposalState(self.state)
        if new not in states.NEXT_PROPOSAL[old]:
            raise IllegalTransition(self.id, old, new)
        logger.info("proposal %s: %s -> %s", self.id, old.value, new.value)
        self.state = new.value


class Payment(Base):
    """One payment order to the bank; asked again, it keeps its number."""

    __tablename__ = "money_payments"
    __table_args__ = (Index("ix_money_payments_state_due", "state", "next_ask_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"), index=True)
    """None where it was money of no case."""
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("money_proposals.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    """A value of `PaymentPurpose`."""
    claim_id: Mapped[UUID | None] = mapped_column(index=True)
    person_id: Mapped[UUID | None]
    payee_name: Mapped[str] = mapped_column(String(200))
    payee_account: Mapped[str] = mapped_column(String(64))
    payee_bank_code: Mapped[str] = mapped_column(String(12), default="")
    cents: Mapped[int] = mapped_column(BigInteger)
    credited_on: Mapped[date]
    """The day on which it lowers the debt."""
    state: Mapped[str] = mapped_column(String(16), default=PaymentState.ORDERED.value)
    """A value of `PaymentState`; changed by `move_to` only."""
    ordered_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    """By the bank's clock."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_ask_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(String(32), default="")
    """The code of the last trouble."""
    reason: Mapped[str] = mapped_column(String(500), default="")
    """The bank's own words."""
    receipt_number: Mapped[str] = mapped_column(String(64), default="")
    bank_serial: Mapped[str] = mapped_column(String(64), default="")

    def move_to(self, new: PaymentState) -> None:
        """The only place that changes `state`."""
        old = PaymentState(self.state)
        if new not in states.NEXT_PAYMENT[old]:
            raise IllegalTransition(self.number, old, new)
        logger.info("payment %s: %s -> %s", self.number, old.value, new.value)
        self.state = new.value


class Discrepancy(Base):
    """Money that left by the bank's statement and isn't what was ordered, until somebody explains it."""

    __tablename__ = "money_discrepancies"
    __table_args__ = (UniqueConstraint("main_id", "bank_serial"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("money_payments.id"))
    code: Mapped[str] = mapped_column(String(24))
    """A value of `DiscrepancyCode`."""
    bank_serial: Mapped[str] = mapped_column(String(64))
    order_number: Mapped[str] = mapped_column(String(32))
    """As the statement has it; empty where it names none."""
    bank_cents: Mapped[int] = mapped_column(BigInteger)
    """As on the statement: negative for what went out."""
    ordered_cents: Mapped[int] = mapped_column(BigInteger)
    """The same of the order; none is 0."""
    moved_at: Mapped[datetime]
    """By the bank's clock."""
    seen_at: Mapped[datetime]
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str] = mapped_column(String(300), default="")


class Hold(Base):
    """A share that is kept back, with its reason."""

    __tablename__ = "money_holds"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("money_proposals.id"))
    claim_id: Mapped[UUID] = mapped_column(index=True)
    person_id: Mapped[UUID]
    cents: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300))
    credited_on: Mapped[date]
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[UUID | None]
    release_reason: Mapped[str] = mapped_column(String(300), default="")


class CourtFeeRefund(Base):
    """A court fee that goes back to who paid it in advance: once, which the database itself keeps."""

    __tablename__ = "court_fee_refunds"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    arrival_id: Mapped[UUID] = mapped_column(ForeignKey("case_arrivals.id"), unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("money_payments.id"), unique=True)
    effective_on: Mapped[date]
    due_on: Mapped[date]


class Payee(Base):
    """Where a person of the case gets their money; never changed: the newest of a person counts from then on."""

    __tablename__ = "case_payees"
    __table_args__ = (Index("ix_case_payees_case_person", "case_id", "person_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"))
    account_number: Mapped[str] = mapped_column(String(64))
    bank_name: Mapped[str] = mapped_column(String(100))
    bank_code: Mapped[str] = mapped_column(String(12))
    named_by: Mapped[UUID | None]
    named_at: Mapped[datetime]


class Notice(Base):
    """A short message that should go to a payee; nothing sends it, so it is never shown as sent."""

    __tablename__ = "money_notices"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("money_payments.id"), unique=True)
    text: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default="not_sent")


class Deed(Base):
    """What one press of a button did: pressed again with the same key, it gives the same."""

    __tablename__ = "money_deeds"
    idempotency_key: Mapped[UUID] = mapped_column(primary_key=True)
    deed: Mapped[str] = mapped_column(String(32))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """A hash of who asked for what."""
    subject_id: Mapped[UUID]
    at: Mapped[datetime]

"""What a screen sees of the money of cases: plain values, names and accounts masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from assets.case_accounts.deadlines import Deadline
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.premises import Change
from assets.case_accounts.states import AccountKind, PaymentPurpose
from assets.case_accounts.tables import Arrival, Discrepancy, Hold, Notice, Payee, Payment, Proposal
from assets.masks import masked_account, masked_holder, masked_name, masked_words
from assets.tables import Person


@dataclass(frozen=True, slots=True)
class MainView:
    """A court's main account. `read_at` is when the bank's statement was last read."""

    id: UUID
    court_id: UUID
    number: str
    bank_name: str
    balance_cents: int
    unclaimed_cents: int
    opened_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the money of a case is: received = all the others together."""

    received_cents: int
    undistributed_cents: int
    prepaid_cents: int
    held_cents: int
    paying_cents: int
    paid_cents: int
    refunded_cents: int
    fees_cents: int


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One case in the list."""

    case_id: UUID
    case_number: str
    court_id: UUID
    sub_number: str
    debtors: tuple[str, ...]
    judge_name: str
    is_demonstration: bool
    places: Places
    payout: Deadline
    fee_refund: Deadline
    unknown_payments: int
    """Those whose outcome nobody knows, or that the bank says both of."""
    waiting_proposals: int


@dataclass(frozen=True, slots=True)
class ArrivalView:
    """One arrival."""

    id: UUID
    main_id: UUID
    bank_serial: str
    cents: int
    payer_name: str
    payer_account: str
    remark: str
    sub_number: str
    arrived_at: datetime
    notified_at: datetime
    purpose: str
    case_id: UUID | None
    state: str
    matched_by: str
    claimed_by: UUID | None
    claimed_at: datetime | None
    receipt_number: str
    is_refunded: bool


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One proposal; `content` is that of its kind."""

    id: UUID
    main_id: UUID
    case_id: UUID | None
    kind: str
    state: str
    cents: int
    content: dict[str, Any]
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str
    ended_on: date | None
    changes: tuple[Change, ...]
    """Of a distribution that waits: what isn't as it was computed from, so that it can't be approved."""


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment order and what became of it."""

    id: UUID
    main_id: UUID
    number: str
    proposal_id: UUID
    purpose: str
    person_id: UUID | None
    payee_name: str
    payee_account: str
    cents: int
    state: str
    ordered_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    attempts: int
    next_ask_at: datetime | None
    trouble: str
    reason: str
    receipt_number: str
    bank_serial: str


@dataclass(frozen=True, slots=True)
class HoldView:
    """One amount that is or was held."""

    id: UUID
    person_id: UUID
    cents: int
    reason: str
    held_at: datetime
    released_at: datetime | None
    release_reason: str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One message that nothing sends."""

    id: UUID
    payment_id: UUID
    text: str
    created_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class DiscrepancyView:
    """Money that left the main account and isn't what was ordered; amounts are negative for what went out."""

    id: UUID
    main_id: UUID
    case_id: UUID | None
    code: str
    bank_serial: str
    order_number: str
    bank_cents: int
    ordered_cents: int
    moved_at: datetime
    seen_at: datetime
    closed_by: UUID | None
    closed_at: datetime | None
    close_reason: str


@dataclass(frozen=True, slots=True)
class ReturnedView:
    """Money of no case that the bank has paid back to its payer, by whose word; `id` is its payment's."""

    id: UUID
    main_id: UUID
    arrival_serial: str
    bank_serial: str
    payer_name: str
    payer_account: str
    cents: int
    paid_at: datetime | None
    note: str
    proposed_by: UUID
    proposed_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfNoCase:
    """The money of no case: what waits, what is proposed about it, and what of it goes back."""

    arrivals: tuple[ArrivalView, ...]
    proposals: tuple[ProposalView, ...]
    payments: tuple[PaymentView, ...]
    """Those that the bank hasn't answered for good."""
    returned: tuple[ReturnedView, ...]
    """What went back, the newest first; so many of them at the most."""
    returned_before: int
    """How many more went back before those."""


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person of the case, and the account that they get money on."""

    id: UUID
    name: str
    role: str
    payee_account: str
    payee_bank: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """All of one case's account."""

    line: AccountLine
    acting_court: str
    """The court that acts in it, where the reader may only look; else empty."""
    effective_on: date | None
    persons: tuple[PersonLine, ...]
    arrivals: tuple[ArrivalView, ...]
    proposals: tuple[ProposalView, ...]
    payments: tuple[PaymentView, ...]
    holds: tuple[HoldView, ...]
    notices: tuple[NoticeView, ...]


def main_view(main: MainAccount, unclaimed_cents: int) -> MainView:
    """A main account; its number is the court's own and no secret."""
    return MainView(
        id=main.id,
        court_id=main.court_id,
        number=main.number,
        bank_name=main.bank_name,
        balance_cents=main.balance_cents,
        unclaimed_cents=unclaimed_cents,
        opened_at=main.opened_at,
        read_at=main.read_at,
    )


def places(found: Mapping[AccountKind, int]) -> Places:
    """Balances as a view."""
    return Places(
        **{f"{kind.value}_cents": found.get(kind, 0) for kind in AccountKind if kind != AccountKind.UNCLAIMED}
    )


def arrival_view(arrival: Arrival, names: Iterable[str] = (), *, is_refunded: bool = False) -> ArrivalView:
    """An arrival; a payer that could be a person is masked, and so are the `names` in the remark."""
    return ArrivalView(
        id=arrival.id,
        main_id=arrival.main_id,
        bank_serial=arrival.bank_serial,
        cents=arrival.cents,
        payer_name=masked_holder(arrival.payer_name),
        payer_account=masked_account(arrival.payer_account),
        remark=masked_words(arrival.remark, [arrival.payer_name, *names]),
        sub_number=arrival.sub_number,
        arrived_at=arrival.arrived_at,
        notified_at=arrival.notified_at,
        purpose=arrival.purpose,
        case_id=arrival.case_id,
        state=arrival.state,
        matched_by=arrival.matched_by,
        claimed_by=arrival.claimed_by,
        claimed_at=arrival.claimed_at,
        receipt_number=arrival.receipt_number,
        is_refunded=is_refunded,
    )


def proposal_view(proposal: Proposal, names: Sequence[str] = (), changes: Sequence[Change] = ()) -> ProposalView:
    """A proposal, without the `names` in what somebody wrote freely; with the accounts that it was proposed for."""
    content = deepcopy(proposal.content)
    if (premises := content.pop("premises", None)) is not None:
        content["payees"] = {
            person_id: {"payee_account": masked_account(one["account"]), "payee_bank": one["bank"]}
            for person_id, one in premises["payees"].items()
        }
    if "note" in content:
        content["note"] = masked_words(content["note"], names)
    for claim in content.get("claims", ()):
        claim["hold_reason"] = masked_words(claim["hold_reason"], names)
    return ProposalView(
        id=proposal.id,
        main_id=proposal.main_id,
        case_id=proposal.case_id,
        kind=proposal.kind,
        state=proposal.state,
        cents=proposal.cents,
        content=content,
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        reason=masked_words(proposal.reason, names),
        ended_on=proposal.ended_on,
        changes=tuple(changes),
    )


def payment_view(payment: Payment, names: Iterable[str] = ()) -> PaymentView:
    """A payment order; the holder of the court's own fee account has nothing to hide."""
    is_own = payment.purpose == PaymentPurpose.FEE
    return PaymentView(
        id=payment.id,
        main_id=payment.main_id,
        number=payment.number,
        proposal_id=payment.proposal_id,
        purpose=payment.purpose,
        person_id=payment.person_id,
        payee_name=payment.payee_name if is_own else masked_holder(payment.payee_name),
        payee_account=masked_account(payment.payee_account),
        cents=payment.cents,
        state=payment.state,
        ordered_at=payment.ordered_at,
        sent_at=payment.sent_at,
        answered_at=payment.answered_at,
        attempts=payment.attempts,
        next_ask_at=payment.next_ask_at,
        trouble=payment.trouble,
        reason=masked_words(payment.reason, [payment.payee_name, *names]),
        receipt_number=payment.receipt_number,
        bank_serial=payment.bank_serial,
    )


def returned_view(payment: Payment, proposal: Proposal) -> ReturnedView:
    """What went back to its payer."""
    return ReturnedView(
        id=payment.id,
        main_id=payment.main_id,
        arrival_serial=proposal.content["serial"],
        bank_serial=payment.bank_serial,
        payer_name=masked_holder(payment.payee_name),
        payer_account=masked_account(payment.payee_account),
        cents=payment.cents,
        paid_at=payment.paid_at,
        note=masked_words(proposal.content["note"], [payment.payee_name]),
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        approved_by=proposal.decided_by,
        approved_at=proposal.decided_at,
    )


def hold_view(hold: Hold, names: Sequence[str] = ()) -> HoldView:
    """A hold."""
    return HoldView(
        id=hold.id,
        person_id=hold.person_id,
        cents=hold.cents,
        reason=masked_words(hold.reason, names),
        held_at=hold.held_at,
        released_at=hold.released_at,
        release_reason=masked_words(hold.release_reason, names),
    )


def notice_view(notice: Notice) -> NoticeView:
    """A notice."""
    return NoticeView(notice.id, notice.payment_id, notice.text, notice.created_at, notice.state)


def discrepancy_view(found: Discrepancy, order: Payment | None, names: Iterable[str] = ()) -> DiscrepancyView:
    """A discrepancy, with the case of its order, without the `names` in what explains it."""
    return DiscrepancyView(
        id=found.id,
        main_id=found.main_id,
        case_id=order.case_id if order else None,
        code=found.code,
        bank_serial=found.bank_serial,
        order_number=found.order_number,
        bank_cents=found.bank_cents,
        ordered_cents=found.ordered_cents,
        moved_at=found.moved_at,
        seen_at=found.seen_at,
        closed_by=found.closed_by,
        closed_at=found.closed_at,
        close_reason=masked_words(found.close_reason, [order.payee_name, *names] if order else names),
    )


def person_line(person: Person, payee: Payee | None) -> PersonLine:
    """A person of the case."""
    return PersonLine(
        id=person.id,
        name=masked_name(person.name, is_firm=person.is_firm),
        role=person.role,
        payee_account=masked_account(payee.account_number) if payee else "",
        payee_bank=payee.bank_name if payee else "",
    )

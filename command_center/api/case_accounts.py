"""`/api/assets/accounts`: one account a case, from what arrives to what is paid out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assets.case_accounts.opening import NewMain
from assets.case_accounts.proposing import Ground, Papers
from assets.case_accounts.reading import PostingView
from assets.case_accounts.reconciliation import Reconciliation
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.states import ArrivalPurpose, Outcome
from assets.case_accounts.views import (
    AccountLine,
    AccountView,
    ArrivalView,
    DiscrepancyView,
    MainView,
    PaymentView,
    ProposalView,
    ReturnedView,
)
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountNames
from command_center.api.reasons import LONGEST_REASON, Reason
from command_center.asset_access import actor_of, refusals
from command_center.money_workbook import MEDIA_TYPE, workbook
from streams.protocol import PLAIN_TEXT

PAGE = 100
LARGEST_PAGE = 500
MOST_CLAIMS = 500
Month = Annotated[str, Parameter(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), Field(pattern=PLAIN_TEXT)]
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=64)]
BankCode = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)]
Serial = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), Field(pattern=PLAIN_TEXT)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_REASON), Field(pattern=PLAIN_TEXT)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DeedBody(_Body):
    """One press of a button."""

    idempotency_key: UUID


class ReasonBody(DeedBody):
    """One press of a button, and why."""

    reason: Reason


class MainBody(DeedBody):
    """The account of a court at its bank, and where its fees go to."""

    court_id: UUID
    number: Number
    bank_name: Words = Field(min_length=1)
    fee_holder: Words = Field(min_length=1)
    fee_number: Number
    fee_bank_code: BankCode = ""


class ClaimBody(DeedBody):
    """Which case a waiting arrival is for, and as what."""

    case_id: UUID
    purpose: ArrivalPurpose = ArrivalPurpose.ENFORCEMENT


class PayeeBody(DeedBody):
    """Where a person of the case gets their money."""

    person_id: UUID
    account_number: Number
    bank_name: Words = Field(min_length=1)
    bank_code: BankCode = ""


class PreviewBody(_Body):
    """What to compute: for which day, and in which order claims that come first stand among themselves."""

    as_of: date | None = None
    ranks: dict[UUID, Annotated[int, Field(ge=0, le=1000)]] = Field(default_factory=dict, max_length=MOST_CLAIMS)


class DistributionBody(PreviewBody):
    """A distribution to be approved: which shares are held and why, and who gets what remains."""

    holds: dict[UUID, Reason] = Field(default_factory=dict, max_length=MOST_CLAIMS)
    rest_person_id: UUID | None = None
    idempotency_key: UUID


class DeferralBody(DeedBody):
    """Why the money is to be paid out later."""

    ground: Ground
    note: Note = ""


class FeeRefundBody(DeedBody):
    """When the document became effective whose court fee goes back."""

    effective_on: date


class SettlementBody(DeedBody):
    """What the bank's papers say of a payment: its serial and day where it paid, its words where it didn't."""

    outcome: Outcome
    bank_serial: Serial = ""
    paid_on: date | None = None
    note: Reason


class EndBody(DeedBody):
    """When the ground of a deferral ended."""

    ended_on: date


class Mains(BaseModel):
    """The main accounts of one's courts."""

    items: list[MainView]


class Accounts(BaseModel):
    """The accounts of cases; `next` is the cursor of the page after."""

    items: list[AccountLine]
    next: str | None


class Arrivals(BaseModel):
    """What waits to be claimed; what is proposed, ordered and done about money of no case, and by whom.

    `returned` is what went back to payers, the newest first; `returned_before` says how many more there are.
    """

    items: list[ArrivalView]
    proposals: list[ProposalView]
    payments: list[PaymentView]
    returned: list[ReturnedView]
    returned_before: int
    people: dict[UUID, str]


class Discrepancies(BaseModel):
    """What left the main accounts and isn't what was ordered, the newest first."""

    items: list[DiscrepancyView]


class Account(BaseModel):
    """One case's account, and what the people are called who did something to it."""

    account: AccountView
    people: dict[UUID, str]


class Postings(BaseModel):
    """The postings of a case: the books, line by line."""

    items: list[PostingView]


class Report(BaseModel):
    """A month of a court's money; `agrees` only where the bank's figures are known and the same."""

    report: Reconciliation
    agrees: bool


class Taken(BaseModel):
    """How many arrivals were new on the statement."""

    arrivals: int


class Made(BaseModel):
    """The id of what was made or done."""

    id: UUID


def router(money: CaseAccounts, names: AccountNames) -> APIRouter:
    """The routes of the money of cases."""
    routes = APIRouter(prefix="/api/assets/accounts", tags=["case accounts"])
    _add_lists(routes, money, names)
    _add_reports(routes, money)
    _add_account(routes, money, names)
    _add_claiming(routes, money)
    _add_settling(routes, money)
    _add_proposing(routes, money)
    _add_deciding(routes, money)
    return routes


def _add_lists(routes: APIRouter, money: CaseAccounts, names: AccountNames) -> None:
    @routes.get("", summary="Cases with money, the most urgent first; or all cases by number")
    async def listed(
        open_only: bool = True,
        cursor: Annotated[str, Parameter(max_length=64, pattern=PLAIN_TEXT)] = "",
        limit: Annotated[int, Parameter(ge=1, le=LARGEST_PAGE)] = PAGE,
    ) -> Accounts:
        with refusals():
            found = await money.accounts(actor_of(signed_in()), open_only=open_only, after=cursor, limit=limit)
        is_full = len(found) == limit and not open_only
        return Accounts(items=found, next=found[-1].case_number if is_full else None)

    @routes.get("/mains", summary="The main accounts of one's courts")
    async def mains() -> Mains:
        with refusals():
            return Mains(items=await money.mains(actor_of(signed_in())))

    @routes.post("/mains", status_code=201, summary="Open the main account of a court")
    async def open_main(body: MainBody) -> Made:
        account = NewMain(body.number, body.bank_name, body.fee_holder, body.fee_number, body.fee_bank_code)
        with refusals():
            made = await money.open_main(
                actor_of(signed_in()), body.court_id, account, idempotency_key=body.idempotency_key
            )
        return Made(id=made)

    @routes.post("/mains/{court_id}/refresh", summary="Read the bank's statement now")
    async def refresh(court_id: UUID) -> Taken:
        with refusals():
            return Taken(arrivals=await money.refresh(actor_of(signed_in()), court_id))

    @routes.get("/unclaimed", summary="What waits to be claimed, the oldest first")
    async def unclaimed() -> Arrivals:
        with refusals():
            found = await money.of_no_case(actor_of(signed_in()))
        return Arrivals(
            items=list(found.arrivals),
            proposals=list(found.proposals),
            payments=list(found.payments),
            returned=list(found.returned),
            returned_before=found.returned_before,
            people=await _named(
                names,
                {one.proposed_by for one in found.proposals}
                | {one.proposed_by for one in found.returned}
                | {one.approved_by for one in found.returned if one.approved_by is not None},
            ),
        )

    @routes.get("/discrepancies", summary="What left the main accounts and isn't what was ordered, the newest first")
    async def discrepancies(open_only: bool = True) -> Discrepancies:
        with refusals():
            return Discrepancies(items=await money.discrepancies(actor_of(signed_in()), open_only=open_only))


def _add_reports(routes: APIRouter, money: CaseAccounts) -> None:
    async def report_of(court_id: UUID, month: str) -> Reconciliation:
        year, _, number = month.partition("-")
        with refusals():
            return await money.reconciliation(actor_of(signed_in()), court_id, int(year), int(number))

    @routes.get("/reconciliation", summary="A month per case and together, held against the bank's statement")
    async def reconciliation(court_id: UUID, month: Month) -> Report:
        found = await report_of(court_id, month)
        return Report(report=found, agrees=found.agrees)

    @routes.get(
        "/reconciliation.xlsx",
        summary="The same as a workbook",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {}}}},
    )
    async def reconciliation_workbook(court_id: UUID, month: Month) -> Response:
        content = await asyncio.to_thread(workbook, await report_of(court_id, month), signed_in().language)
        named = {"content-disposition": f'attachment; filename="reconciliation-{month}.xlsx"'}
        return Response(content, media_type=MEDIA_TYPE, headers=named)


def _add_account(routes: APIRouter, money: CaseAccounts, names: AccountNames) -> None:
    @routes.get("/cases/{case_id}", summary="All of one case's account")
    async def account(case_id: UUID) -> Account:
        with refusals():
            view = await money.account(actor_of(signed_in()), case_id)
        return Account(account=view, people=await _named(names, _people(view)))

    @routes.get("/cases/{case_id}/postings", summary="The postings of a case, the oldest first")
    async def postings(case_id: UUID) -> Postings:
        with refusals():
            return Postings(items=await money.postings(actor_of(signed_in()), case_id))


async def _named(names: AccountNames, user_ids: set[UUID]) -> dict[UUID, str]:
    return {user_id: one.display_name for user_id, one in (await names.of(user_ids)).items()}


def _people(view: AccountView) -> set[UUID]:
    found: Iterable[UUID | None] = (
        *(one.claimed_by for one in view.arrivals),
        *(one.proposed_by for one in view.proposals),
        *(one.decided_by for one in view.proposals),
    )
    return {one for one in found if one is not None}


def _add_claiming(routes: APIRouter, money: CaseAccounts) -> None:
    @routes.post("/arrivals/{arrival_id}/claim", summary="Say which case a waiting arrival is for")
    async def claim(arrival_id: UUID, body: ClaimBody) -> ArrivalView:
        with refusals():
            return await money.claim(
                actor_of(signed_in()),
                arrival_id,
                case_id=body.case_id,
                purpose=body.purpose,
                idempotency_key=body.idempotency_key,
            )

    @routes.post("/arrivals/{arrival_id}/fee-refund", status_code=201, summary="Propose to give a court fee back")
    async def fee_refund(arrival_id: UUID, body: FeeRefundBody) -> ProposalView:
        with refusals():
            return await money.propose_fee_refund(
                actor_of(signed_in()),
                arrival_id,
                effective_on=body.effective_on,
                idempotency_key=body.idempotency_key,
            )

    @routes.post("/arrivals/{arrival_id}/unmatch", summary="Say that an arrival isn't for the case that has it")
    async def unmatch(arrival_id: UUID, body: ReasonBody) -> ArrivalView:
        with refusals():
            return await money.unmatch(
                actor_of(signed_in()), arrival_id, reason=body.reason, idempotency_key=body.idempotency_key
            )

    @routes.post("/arrivals/{arrival_id}/return", status_code=201, summary="Propose to send it back to its payer")
    async def send_back(arrival_id: UUID, body: ReasonBody) -> ProposalView:
        with refusals():
            return await money.propose_return(
                actor_of(signed_in()), arrival_id, note=body.reason, idempotency_key=body.idempotency_key
            )


def _add_settling(routes: APIRouter, money: CaseAccounts) -> None:
    @routes.post("/payments/{payment_id}/ask", status_code=202, summary="Ask the bank now what became of an order")
    async def ask(payment_id: UUID) -> PaymentView:
        with refusals():
            return await money.ask_again(actor_of(signed_in()), payment_id)

    @routes.post(
        "/payments/{payment_id}/settlement",
        status_code=201,
        summary="Propose to settle a payment in doubt by the bank's papers",
    )
    async def settlement(payment_id: UUID, body: SettlementBody) -> ProposalView:
        papers = Papers(body.outcome, body.note, body.bank_serial, body.paid_on)
        with refusals():
            return await money.propose_settlement(
                actor_of(signed_in()), payment_id, papers, idempotency_key=body.idempotency_key
            )

    @routes.post("/discrepancies/{discrepancy_id}/close", summary="Say what explains a discrepancy")
    async def close(discrepancy_id: UUID, body: ReasonBody) -> Made:
        with refusals():
            done = await money.close_discrepancy(
                actor_of(signed_in()), discrepancy_id, reason=body.reason, idempotency_key=body.idempotency_key
            )
        return Made(id=done)


def _add_proposing(routes: APIRouter, money: CaseAccounts) -> None:
    @routes.post("/cases/{case_id}/preview", summary="What a distribution would come to; nothing is written")
    async def preview(case_id: UUID, body: PreviewBody) -> dict[str, Any]:
        with refusals():
            return await money.preview(actor_of(signed_in()), case_id, as_of=body.as_of, ranks=body.ranks)

    @routes.post("/cases/{case_id}/payees", status_code=201, summary="Note where a person gets their money")
    async def payee(case_id: UUID, body: PayeeBody) -> AccountView:
        with refusals():
            return await money.name_payee(
                actor_of(signed_in()),
                case_id,
                person_id=body.person_id,
                account_number=body.account_number,
                bank_name=body.bank_name,
                bank_code=body.bank_code,
                idempotency_key=body.idempotency_key,
            )

    @routes.post("/cases/{case_id}/distributions", status_code=201, summary="Propose to distribute what is there")
    async def distribution(case_id: UUID, body: DistributionBody) -> ProposalView:
        with refusals():
            return await money.propose_distribution(
                actor_of(signed_in()),
                case_id,
                as_of=body.as_of,
                ranks=body.ranks,
                holds=body.holds,
                rest_person_id=body.rest_person_id,
                idempotency_key=body.idempotency_key,
            )

    @routes.post("/cases/{case_id}/deferrals", status_code=201, summary="Propose to pay out later, with a ground")
    async def deferral(case_id: UUID, body: DeferralBody) -> ProposalView:
        with refusals():
            return await money.propose_deferral(
                actor_of(signed_in()),
                case_id,
                ground=body.ground,
                note=body.note,
                idempotency_key=body.idempotency_key,
            )


def _add_deciding(routes: APIRouter, money: CaseAccounts) -> None:
    @routes.post("/proposals/{proposal_id}/approve", summary="Approve what somebody else proposed")
    async def approve(proposal_id: UUID, body: DeedBody) -> ProposalView:
        with refusals():
            return await money.approve(actor_of(signed_in()), proposal_id, idempotency_key=body.idempotency_key)

    @routes.post("/proposals/{proposal_id}/reject", summary="Say no to what somebody else proposed")
    async def reject(proposal_id: UUID, body: ReasonBody) -> ProposalView:
        with refusals():
            return await money.reject(
                actor_of(signed_in()), proposal_id, reason=body.reason, idempotency_key=body.idempotency_key
            )

    @routes.post("/proposals/{proposal_id}/withdraw", summary="Take back what nobody has decided on")
    async def withdraw(proposal_id: UUID, body: ReasonBody) -> ProposalView:
        with refusals():
            return await money.withdraw(
                actor_of(signed_in()), proposal_id, reason=body.reason, idempotency_key=body.idempotency_key
            )

    @routes.post("/proposals/{proposal_id}/end", summary="Say that the ground of a deferral has ended")
    async def end(proposal_id: UUID, body: EndBody) -> ProposalView:
        with refusals():
            return await money.end_deferral(
                actor_of(signed_in()), proposal_id, ended_on=body.ended_on, idempotency_key=body.idempotency_key
            )

    @routes.post("/holds/{hold_id}/release", summary="Put what was held back to what is to be distributed")
    async def release(hold_id: UUID, body: ReasonBody) -> Made:
        with refusals():
            done = await money.release(
                actor_of(signed_in()), hold_id, reason=body.reason, idempotency_key=body.idempotency_key
            )
        return Made(id=done)

"""What the second person decides, and what ends a deferral or a hold."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.accounts import locked_of_own_main, main_of, seen_courts
from assets.case_accounts.books import Books
from assets.case_accounts.ledger import moving
from assets.case_accounts.ledger_tables import MainAccount, SubAccount
from assets.case_accounts.ordering import Ordering
from assets.case_accounts.settling import Settling
from assets.case_accounts.states import AccountKind, PostingKind, ProposalKind, ProposalState
from assets.case_accounts.tables import Hold, Proposal
from assets.case_accounts.trail import earlier_deed, keep_deed
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted
from assets.orders import require, require_own_court
from assets.tables import Case
from assets.terms import china_day


class Deciding:
    """Decisions on proposals. Approving one writes its orders and its posting, all of it or nothing."""

    def __init__(self, books: Books, settling: Settling) -> None:
        self._books = books
        self._ordering = Ordering(books)
        self._settling = settling

    async def approve(self, actor: Actor, proposal_id: UUID, *, idempotency_key: UUID) -> UUID:
        """Approve what somebody else proposed; gives the proposal's id.

        Raises:
            NotPermitted: it is the actor's own proposal, or they may not approve.
            Conflict: it is decided already, or what it was computed from has changed.
            PostingRefused: the money isn't there any more.
        """
        require(actor.may_approve_money)
        async with self._books.records.write() as session:
            proposal, main = await self._proposal(session, actor, proposal_id)
            if await earlier_deed(session, idempotency_key, "approve", actor, proposal_id):
                return proposal_id
            if actor.user_id == proposal.proposed_by:
                raise NotPermitted("second-person-needed")
            self._decide(actor, proposal, ProposalState.APPROVED, "")
            await self._carry_out(session, main, actor, proposal)
            await keep_deed(session, self._books.clock(), idempotency_key, "approve", actor, proposal_id, proposal_id)
            await self._books.record_deed(session, "case_money.approved", **_about(actor, main, proposal))
        return proposal_id

    async def reject(self, actor: Actor, proposal_id: UUID, *, reason: str, idempotency_key: UUID) -> UUID:
        """Say no to what somebody else proposed, and why."""
        require(actor.may_approve_money)
        return await self._close(actor, proposal_id, ProposalState.REJECTED, reason, idempotency_key)

    async def withdraw(self, actor: Actor, proposal_id: UUID, *, reason: str, idempotency_key: UUID) -> UUID:
        """Take back one's own proposal that nobody has decided on; an approver rejects another's."""
        require(actor.may_handle_money)
        return await self._close(actor, proposal_id, ProposalState.WITHDRAWN, reason, idempotency_key)

    async def end_deferral(self, actor: Actor, proposal_id: UUID, *, ended_on: date, idempotency_key: UUID) -> UUID:
        """Say that the ground of a deferral has ended, and when: the days to pay out run again.

        Raises:
            BadFormat: that day lies in the future, or before the deferral was approved.
            Conflict: it is no deferral in force.
        """
        require(actor.may_handle_money or actor.may_approve_money)
        async with self._books.records.write() as session:
            proposal, main = await self._proposal(session, actor, proposal_id)
            if await earlier_deed(session, idempotency_key, "end_deferral", actor, proposal_id, ended_on):
                return proposal_id
            if proposal.kind != ProposalKind.DEFERRAL:
                raise Conflict("no-deferral")
            if ended_on > self._books.today():
                raise BadFormat("ended-on", "future")
            if proposal.decided_at is not None and ended_on < china_day(proposal.decided_at):
                raise BadFormat("ended-on", "before-approval")
            proposal.move_to(ProposalState.ENDED)
            proposal.ended_on = ended_on
            await keep_deed(
                session, self._books.clock(), idempotency_key, "end_deferral", actor, proposal_id, proposal_id, ended_on
            )
            await self._books.record_deed(session, "case_money.deferral_ended", **_about(actor, main, proposal))
        return proposal_id

    async def release(self, actor: Actor, hold_id: UUID, *, reason: str, idempotency_key: UUID) -> UUID:
        """Put what was held back to what is to be distributed; paying it out needs a proposal and an approval."""
        require(actor.may_handle_money)
        async with self._books.records.write() as session:
            hold = await session.get(Hold, hold_id)
            if hold is None:
                raise NotFound("no-such-hold")
            case, main = await self._case(session, actor, hold.case_id, "no-such-hold")
            await session.refresh(hold)
            if await earlier_deed(session, idempotency_key, "release", actor, hold_id, reason):
                return hold_id
            if hold.released_at is not None:
                raise Conflict("hold-released")
            hold.released_at, hold.released_by = self._books.clock(), actor.user_id
            hold.release_reason = reason
            lines = moving(hold.cents, AccountKind.HELD, AccountKind.UNDISTRIBUTED, case.id)
            await self._books.ledger.post(
                session,
                main,
                PostingKind.RELEASE,
                lines,
                cause_id=hold.id,
                case_id=case.id,
                actor_id=actor.user_id,
            )
            await keep_deed(session, self._books.clock(), idempotency_key, "release", actor, hold_id, hold_id, reason)
            await self._books.record_deed(
                session,
                "case_money.released",
                ("money_hold", hold.id),
                court_id=case.court_id,
                actor_id=actor.user_id,
                case=str(case.id),
            )
        return hold_id

    async def _close(self, actor: Actor, proposal_id: UUID, state: ProposalState, reason: str, key: UUID) -> UUID:
        async with self._books.records.write() as session:
            proposal, main = await self._proposal(session, actor, proposal_id)
            if await earlier_deed(session, key, state.value, actor, proposal_id, reason):
                return proposal_id
            if state is ProposalState.REJECTED and actor.user_id == proposal.proposed_by:
                raise NotPermitted("second-person-needed")
            if state is ProposalState.WITHDRAWN and actor.user_id != proposal.proposed_by:
                raise NotPermitted("only-the-proposer")
            self._decide(actor, proposal, state, reason)
            if proposal.kind == ProposalKind.FEE_REFUND:
                await self._forget_effectiveness(session, proposal)
            await keep_deed(session, self._books.clock(), key, state.value, actor, proposal_id, proposal_id, reason)
            await self._books.record_deed(
                session,
                "case_money.rejected" if state is ProposalState.REJECTED else "case_money.withdrawn",
                **_about(actor, main, proposal),
            )
        return proposal_id

    async def _forget_effectiveness(self, session: AsyncSession, closed: Proposal) -> None:
        """The day that a closed proposal named counts no more: only what still stands says when it became effective."""
        query = select(Proposal).where(
            Proposal.case_id == closed.case_id,
            Proposal.kind == ProposalKind.FEE_REFUND.value,
            Proposal.state.in_([ProposalState.PROPOSED.value, ProposalState.APPROVED.value]),
            Proposal.id != closed.id,
        )
        last = (await session.scalars(query.order_by(Proposal.id.desc()).limit(1))).one_or_none()
        sub = (await session.scalars(select(SubAccount).where(SubAccount.case_id == closed.case_id))).one()
        sub.effective_on = date.fromisoformat(last.content["effective_on"]) if last else None

    def _decide(self, actor: Actor, proposal: Proposal, state: ProposalState, reason: str) -> None:
        if proposal.state != ProposalState.PROPOSED:
            raise Conflict("proposal-decided", state=proposal.state)
        proposal.move_to(state)
        proposal.decided_by, proposal.decided_at = actor.user_id, self._books.clock()
        proposal.reason = reason

    async def _carry_out(self, session: AsyncSession, main: MainAccount, actor: Actor, proposal: Proposal) -> None:
        if proposal.kind == ProposalKind.DISTRIBUTION:
            await self._ordering.distribute(session, main, actor.user_id, proposal)
        elif proposal.kind == ProposalKind.FEE_REFUND:
            await self._ordering.refund(session, main, actor.user_id, proposal)
        elif proposal.kind == ProposalKind.RETURN:
            await self._ordering.send_back(session, main, actor.user_id, proposal)
        elif proposal.kind == ProposalKind.SETTLEMENT:
            await self._settling.by_papers(session, main, proposal)

    async def _proposal(self, session: AsyncSession, actor: Actor, proposal_id: UUID) -> tuple[Proposal, MainAccount]:
        return await locked_of_own_main(session, actor, Proposal, proposal_id, "no-such-proposal")

    async def _case(self, session: AsyncSession, actor: Actor, case_id: UUID, missing: str) -> tuple[Case, MainAccount]:
        case = await session.get_one(Case, case_id)
        if case.court_id not in seen_courts(actor):
            raise NotFound(missing)
        require_own_court(actor, case)
        return case, await main_of(session, case.court_id, lock=True)


def _about(actor: Actor, main: MainAccount, proposal: Proposal) -> dict[str, Any]:
    """What the audit is told of a decision."""
    return {
        "subject": ("money_proposal", proposal.id),
        "court_id": main.court_id,
        "actor_id": actor.user_id,
        "kind": proposal.kind,
        "case": str(proposal.case_id) if proposal.case_id else None,
    }

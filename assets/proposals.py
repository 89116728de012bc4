"""What officers on site propose to control, and what judges make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from assets.answers import Changed
from assets.audit import Actor, AuditTrail, Records
from assets.documents import Action
from assets.errors import Conflict, NotFound
from assets.orders import case_of, person_of, require, require_own_court
from assets.proposal_drafts import ProposedControl, draft, is_same
from assets.proposal_records import clue_of, locked, newest, one, require_free
from assets.proposal_states import ProposalState
from assets.proposal_views import ProposalView
from assets.requests import RequestState
from assets.tables import AssetRequest, Case, Proposal
from assets.terms import AssetKind, china_day

_NEVER_SENT = frozenset({RequestState.DECLINED, RequestState.WITHDRAWN})


class Proposals:
    """Made by officers, in the cases of their own operations; declined or taken up by judges."""

    def __init__(
        self,
        records: Records,
        keepers: Mapping[str, AssetKind],
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
    ) -> None:
        self._records = records
        self._keepers = keepers
        """By gateway, what kind of things it keeps."""
        self._audit = audit
        self._clock = clock
        self._changed = changed

    def gateways_for(self, kind: str) -> list[str]:
        """Who could be asked to control a thing of this kind."""
        return [name for name, kept in self._keepers.items() if kept == kind]

    async def propose(self, actor: Actor, wish: ProposedControl) -> ProposalView:
        """Put it before the judges. Repeating the call with the same key gives the first proposal back.

        Raises:
            NotPermitted: the actor proposes nothing.
            NotFound: no such case, asset or person in the actor's operations.
            NotUnderEnforcement: only what is of the person under enforcement. Source: 法释〔2013〕20号 §7.
            BadFormat: a number or an amount that can't be one, or nothing that says what was found.
            Conflict: the thing is controlled or proposed already, can't be controlled so, or the key was used.
        """
        require(actor.may_propose)
        async with self._records.write() as session:
            case = await case_of(session, actor, wish.case_id, lock=True)
            proposal = await draft(session, actor, case, wish, self._clock())
            same = select(Proposal).where(Proposal.idempotency_key == wish.idempotency_key)
            first = (await session.scalars(same)).one_or_none()
            if first is not None:
                if not is_same(first, proposal):
                    raise Conflict("idempotency-key-used")
                return await one(session, first.id, self._today())
            await require_free(session, proposal, self._today())
            session.add(proposal)
            await session.flush()
            await self._note(session, actor, case, proposal, "asset.proposal.made", words=proposal.words)
            view = await one(session, proposal.id, self._today())
        await self._changed(case.id)
        return view

    async def withdraw(self, actor: Actor, proposal_id: UUID) -> ProposalView:
        """Take an own proposal back; done again, it changes nothing.

        Raises:
            Conflict: a judge has decided.
        """
        require(actor.may_propose)
        async with self._records.write() as session:
            case, proposal = await locked(session, actor, proposal_id)
            if proposal.officer_id != actor.user_id:
                raise NotFound("no-such-proposal")
            if proposal.state != ProposalState.WITHDRAWN:
                self._decide(actor, proposal, ProposalState.WITHDRAWN)
                await self._note(session, actor, case, proposal, "asset.proposal.withdrawn")
            view = await one(session, proposal.id, self._today())
        await self._changed(case.id)
        return view

    async def decline(self, actor: Actor, proposal_id: UUID, reason: str) -> ProposalView:
        """Say no, and why; the same again by the same judge changes nothing.

        Raises:
            Conflict: it was decided otherwise.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            case, proposal = await locked(session, actor, proposal_id)
            require_own_court(actor, case)
            is_repeated = (proposal.state, proposal.decided_by, proposal.decision_reason) == (
                ProposalState.DECLINED,
                actor.user_id,
                reason,
            )
            if not is_repeated:
                self._decide(actor, proposal, ProposalState.DECLINED)
                proposal.decision_reason = reason
                await self._note(session, actor, case, proposal, "asset.proposal.declined", reason=reason)
            view = await one(session, proposal.id, self._today())
        await self._changed(case.id)
        return view

    async def take_up(self, actor: Actor, proposal_id: UUID, request_id: UUID) -> ProposalView:
        """Note which order followed it; the same again changes nothing.

        Raises:
            NotFound: no such proposal, or no such order in its case.
            Conflict: it was decided otherwise, or the order is about another asset, or was never sent.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            case, proposal = await locked(session, actor, proposal_id)
            require_own_court(actor, case)
            request = await session.get(AssetRequest, request_id)
            if request is None or request.case_id != case.id or not Action(request.action).is_first:
                raise NotFound("no-such-request")
            if (proposal.state, proposal.request_id) != (ProposalState.TAKEN_UP, request.id):
                _require_answers(request, proposal)
                self._decide(actor, proposal, ProposalState.TAKEN_UP)
                proposal.request_id = request.id
                proposal.asset_id = request.asset_id
                proposal.person_id = request.person_id
                await self._note(session, actor, case, proposal, "asset.proposal.taken-up", number=request.number)
            view = await one(session, proposal.id, self._today())
        await self._changed(case.id)
        return view

    async def record(self, actor: Actor, proposal_id: UUID, person_id: UUID, gateway: str) -> ProposalView:
        """Take what was found on site among the assets of the case, as a clue (线索), so that it can be controlled.

        `gateway` says who keeps it; empty where nobody does that can be asked. Done again, it changes nothing.

        Raises:
            NotFound: no such proposal, person or gateway.
            NotUnderEnforcement: the person isn't the one under enforcement.
            Conflict: it was decided, or the gateway keeps no such things.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            case, proposal = await locked(session, actor, proposal_id)
            require_own_court(actor, case)
            if proposal.asset_id is None:
                _require_open(proposal)
                person = await person_of(session, case, person_id)
                self._require_able(gateway, proposal)
                asset = await clue_of(session, proposal, person, gateway)
                proposal.asset_id, proposal.person_id = asset.id, asset.person_id
                await self._note(session, actor, case, proposal, "asset.proposal.recorded")
            view = await one(session, proposal.id, self._today())
        await self._changed(case.id)
        return view

    async def own(self, actor: Actor) -> list[ProposalView]:
        """The proposals of the actor's own cases, whoever of the operation made them, newest first."""
        require(actor.may_propose)
        return await self._read(actor, true())

    async def open(self, actor: Actor, case_id: UUID | None = None, *, after: UUID | None = None) -> list[ProposalView]:
        """What waits for a judge in the actor's courts, newest first, a page from behind `after`."""
        return await self._of(actor, case_id, Proposal.state == ProposalState.OPEN, after)

    async def ended(
        self, actor: Actor, case_id: UUID | None = None, *, after: UUID | None = None
    ) -> list[ProposalView]:
        """What was decided or withdrawn in the actor's courts, newest first, a page from behind `after`."""
        return await self._of(actor, case_id, Proposal.state != ProposalState.OPEN, after)

    async def open_count(self, actor: Actor, case_id: UUID) -> int:
        """How many proposals of a case wait for a judge."""
        require(actor.may_see)
        count = select(func.count()).where(Proposal.case_id == case_id, Proposal.state == ProposalState.OPEN)
        async with self._records.read() as session:
            await case_of(session, actor, case_id)
            return await session.scalar(count) or 0

    def _require_able(self, gateway: str, proposal: Proposal) -> None:
        if gateway and gateway not in self._keepers:
            raise NotFound("no-such-gateway", gateway=gateway)
        if gateway and self._keepers[gateway] != proposal.kind:
            raise Conflict("not-controllable-so", action=proposal.action, kind=proposal.kind)

    def _today(self) -> date:
        return china_day(self._clock())

    async def _of(
        self, actor: Actor, case_id: UUID | None, wanted: ColumnElement[bool], after: UUID | None
    ) -> list[ProposalView]:
        require(actor.may_see)
        of_case = wanted if case_id is None else wanted & (Proposal.case_id == case_id)
        return await self._read(actor, of_case, after)

    async def _read(self, actor: Actor, wanted: ColumnElement[bool], after: UUID | None = None) -> list[ProposalView]:
        async with self._records.read() as session:
            return await newest(session, actor, wanted, self._today(), after=after)

    def _decide(self, actor: Actor, proposal: Proposal, new: ProposalState) -> None:
        _require_open(proposal)
        proposal.move_to(new)
        proposal.decided_by = actor.user_id
        proposal.decided_at = self._clock()

    async def _note(
        self, session: AsyncSession, actor: Actor, case: Case, proposal: Proposal, action: str, **contents: str
    ) -> None:
        await self._audit.record(
            session,
            actor=actor.user_id,
            court_id=case.court_id,
            action=action,
            subject_type="asset_proposal",
            subject_id=str(proposal.id),
            case_id=case.id,
            details={"operation": str(proposal.operation_id)},
            contents={
                "asset": str(proposal.asset_id) if proposal.asset_id else None,
                "kind": proposal.kind,
                "description": proposal.description,
                "control": proposal.action,
                "amount_cents": proposal.amount_cents,
                **contents,
            },
        )


def _require_open(proposal: Proposal) -> None:
    if proposal.state != ProposalState.OPEN:
        raise Conflict("proposal-decided", state=proposal.state)


def _require_answers(request: AssetRequest, proposal: Proposal) -> None:
    if proposal.asset_id is not None and request.asset_id != proposal.asset_id:
        raise Conflict("other-asset")
    if RequestState(request.state) in _NEVER_SENT:
        raise Conflict("never-sent", number=request.number)

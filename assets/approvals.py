"""What waits for a second person: approve, decline, or take back. Nobody approves what they ordered themselves.

Which actions need one is practice and a setting; what overrides a guard always does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import deeds
from assets.audit import Actor, Records
from assets.documents import Action
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted
from assets.measures import MeasureState
from assets.orders import Orders, case_of, require, visible
from assets.requests import RequestState
from assets.tables import AssetRequest, Case, ControlMeasure
from assets.views import RequestView, request_view

LONGEST_REASON = 500
_NEVER_LEFT = (RequestState.DRAFT.value, RequestState.DECLINED.value, RequestState.WITHDRAWN.value)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request that a second person has to decide on."""

    request: RequestView
    case_number: str
    court_id: UUID
    claim_cents: int
    ordered_by: UUID
    approval: str
    """The ground on which a second person is asked."""
    override_reason: str
    is_outstanding: bool
    """It was sent in an emergency, and the approval comes afterwards."""
    may_decide: bool


class Approvals:
    """The second person's desk."""

    def __init__(
        self,
        records: Records,
        orders: Orders,
        clock: Callable[[], datetime],
        tell: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._records = records
        self._orders = orders
        self._clock = clock
        self._tell = tell

    async def waiting(self, actor: Actor, *, after: UUID | None = None, limit: int = 100) -> list[Waiting]:
        """What waits in the actor's courts, the oldest first: drafts, and what was sent before its approval."""
        require(actor.may_see)
        is_outstanding = and_(AssetRequest.decided_at.is_(None), AssetRequest.state.not_in(_NEVER_LEFT))
        query = (
            select(AssetRequest, Case)
            .join(Case, Case.id == AssetRequest.case_id)
            .where(
                AssetRequest.approval != "",
                or_(AssetRequest.state == RequestState.DRAFT.value, is_outstanding),
                visible(actor),
            )
            .order_by(AssetRequest.id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(AssetRequest.id > after)
        async with self._records.read() as session:
            return [_waiting(actor, request, case) for request, case in await session.execute(query)]

    async def approve(self, actor: Actor, request_id: UUID, key: UUID) -> RequestView:
        """Say yes: a draft is sealed and sent; what was sent in an emergency is confirmed.

        Raises:
            NotPermitted: the actor may not approve, or ordered it.
            NotFound: there is no such request in the actor's courts.
            Conflict: it waits for nobody.
        """
        require(actor.may_approve)
        async with self._records.write() as session:
            case, request = await held(session, actor, request_id)
            if await deeds.is_first(session, _press(key, "approve", request, actor), self._clock()):
                _require_second_person(actor, request)
                self._decide(actor, request)
                is_draft = request.state == RequestState.DRAFT
                if is_draft:
                    request.move_to(RequestState.APPROVED)
                    await self._orders.send(session, case, request, actor)
                await self._orders.enter(session, actor, case, request, "asset.request.approved")
                if is_draft:
                    await self._orders.note(session, actor, case, request)
            view = request_view(request)
        await self._tell(view.case_id)
        return view

    async def decline(self, actor: Actor, request_id: UUID, reason: str, key: UUID) -> RequestView:
        """Say no, and why: a draft never leaves; what was sent already is to be undone by its judge.

        Raises:
            BadFormat: there is no reason.
            NotPermitted, NotFound, Conflict: as in `approve`.
        """
        require(actor.may_approve)
        async with self._records.write() as session:
            case, request = await held(session, actor, request_id)
            reason = _reason(reason)
            if await deeds.is_first(session, _press(key, "decline", request, actor), self._clock()):
                _require_second_person(actor, request)
                self._decide(actor, request, reason)
                if request.state == RequestState.DRAFT:
                    request.move_to(RequestState.DECLINED)
                    await self._drop_measure(session, request, reason)
                    await self._orders.enter(session, actor, case, request, f"asset.{request.action}.{request.state}")
                else:
                    await self._orders.enter(session, actor, case, request, "asset.request.disapproved")
            view = request_view(request)
        await self._tell(view.case_id)
        return view

    async def withdraw(self, actor: Actor, request_id: UUID, key: UUID) -> RequestView:
        """Take back what one ordered, before anybody has decided on it.

        Raises:
            NotPermitted: somebody else ordered it.
            NotFound: there is no such request in the actor's courts.
            Conflict: it isn't a draft any more.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            case, request = await held(session, actor, request_id)
            if await deeds.is_first(session, _press(key, "withdraw", request, actor), self._clock()):
                if request.actor_id != actor.user_id:
                    raise NotPermitted("not-your-order", number=request.number)
                if request.state != RequestState.DRAFT:
                    raise Conflict("not-waiting", number=request.number, state=request.state)
                request.move_to(RequestState.WITHDRAWN)
                await self._drop_measure(session, request, "")
                await self._orders.enter(session, actor, case, request, f"asset.{request.action}.{request.state}")
            view = request_view(request)
        await self._tell(view.case_id)
        return view

    def _decide(self, actor: Actor, request: AssetRequest, reason: str = "") -> None:
        request.decided_by = actor.user_id
        request.decided_at = self._clock()
        request.decision_reason = reason

    async def _drop_measure(self, session: AsyncSession, request: AssetRequest, reason: str) -> None:
        """A measure that was only intended, and never asked for, bars no other."""
        if not Action(request.action).is_first:
            return
        query = select(ControlMeasure).where(ControlMeasure.request_id == request.id)
        measure = (await session.scalars(query)).one_or_none()
        if measure is not None and measure.state == MeasureState.INTENDED:
            measure.move_to(MeasureState.NOT_CONTROLLED)
            measure.reason = reason
            measure.changed_at = measure.ended_at = self._clock()


async def held(session: AsyncSession, actor: Actor, request_id: UUID) -> tuple[Case, AssetRequest]:
    """A request of the actor's courts and its case, locked until the end of the transaction."""
    request = await session.get(AssetRequest, request_id)
    if request is None:
        raise NotFound("no-such-request")
    try:
        case = await case_of(session, actor, request.case_id, lock=True)
    except NotFound as exc:  # nothing is said about another court's request but that there is none
        raise NotFound("no-such-request") from exc
    await session.refresh(request, with_for_update=True)
    return case, request


def _press(key: UUID, what: str, request: AssetRequest, actor: Actor) -> deeds.Press:
    return deeds.Press(key, f"request.{what}", request.id, actor.user_id)


def _reason(text: str) -> str:
    if not text.strip():
        raise BadFormat("reason", "empty")
    return text.strip()[:LONGEST_REASON]


def _require_second_person(actor: Actor, request: AssetRequest) -> None:
    if not request.approval or request.decided_at is not None or request.state in _NEVER_LEFT[1:]:
        raise Conflict("not-waiting", number=request.number, state=request.state)
    if request.actor_id == actor.user_id:
        raise NotPermitted("own-order", number=request.number)


def _waiting(actor: Actor, request: AssetRequest, case: Case) -> Waiting:
    return Waiting(
        request=request_view(request),
        case_number=case.number,
        court_id=case.court_id,
        claim_cents=case.claim_cents,
        ordered_by=request.actor_id,
        approval=request.approval,
        override_reason=request.override_reason,
        is_outstanding=request.state != RequestState.DRAFT,
        may_decide=actor.may_approve and request.actor_id != actor.user_id,
    )

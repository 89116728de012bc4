"""What waits for a second person: approve, decline, or take back. Nobody approves what they ordered themselves.

Which actions need one is practice and a setting; what overrides a guard always does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from assets import deeds
from assets.approval_list import NEVER_LEFT, Waiting, waiting
from assets.audit import Actor, Records
from assets.documents import Action
from assets.effects import Effects
from assets.errors import Conflict, NotPermitted
from assets.liftings import lift
from assets.names import private_names
from assets.orders import Orders, held, reason_of, require
from assets.requests import RequestState
from assets.tables import AssetRequest
from assets.views import RequestView, request_view


class Approvals:
    """The second person's desk."""

    def __init__(
        self,
        records: Records,
        orders: Orders,
        effects: Effects,
        clock: Callable[[], datetime],
        tell: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._records = records
        self._orders = orders
        self._effects = effects
        self._clock = clock
        self._tell = tell

    async def waiting(self, actor: Actor, *, after: UUID | None = None, limit: int = 100) -> list[Waiting]:
        """What waits in the actor's courts, the oldest first, from behind `after`."""
        require(actor.may_see)
        async with self._records.read() as session:
            return await waiting(session, actor, self._orders.today(), after=after, limit=limit)

    async def approve(self, actor: Actor, request_id: UUID, key: UUID) -> RequestView:
        """Say yes: a draft is sealed and sent; what was sent in an emergency is confirmed; a mark is lifted.

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
                goes = request.state == RequestState.DRAFT and request.action != Action.LIFT_MARK
                if request.action == Action.LIFT_MARK:
                    request.move_to(RequestState.APPROVED)
                    await lift(session, request)
                elif goes:
                    await self._effects.require_standing(session, request)
                    request.move_to(RequestState.APPROVED)
                    await self._orders.send(session, case, request, actor)
                await self._orders.enter(session, actor, case, request, "asset.request.approved")
                if goes:
                    await self._orders.note(session, actor, case, request)
            view = request_view(request, await private_names(session, [case.id]))
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
            reason = reason_of(reason)
            if await deeds.is_first(session, _press(key, "decline", request, actor), self._clock()):
                _require_second_person(actor, request)
                self._decide(actor, request, reason)
                if request.state == RequestState.DRAFT:
                    request.move_to(RequestState.DECLINED)
                    await self._effects.refused(session, request, reason)
                    await self._orders.enter(session, actor, case, request, f"asset.{request.action}.{request.state}")
                else:
                    await self._orders.enter(session, actor, case, request, "asset.request.disapproved")
            view = request_view(request, await private_names(session, [case.id]))
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
                await self._effects.refused(session, request, "")
                await self._orders.enter(session, actor, case, request, f"asset.{request.action}.{request.state}")
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view

    def _decide(self, actor: Actor, request: AssetRequest, reason: str = "") -> None:
        request.decided_by = actor.user_id
        request.decided_at = self._clock()
        request.decision_reason = reason


def _press(key: UUID, what: str, request: AssetRequest, actor: Actor) -> deeds.Press:
    return deeds.Press(key, f"request.{what}", request.id, actor.user_id)


def _require_second_person(actor: Actor, request: AssetRequest) -> None:
    if not request.approval or request.decided_at is not None or request.state in NEVER_LEFT[1:]:
        raise Conflict("not-waiting", number=request.number, state=request.state)
    if request.actor_id == actor.user_id:
        raise NotPermitted("own-order", number=request.number)

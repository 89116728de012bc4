"""A judge checks what came back (核收), and with it a request ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from assets import deeds
from assets.audit import Actor, Records
from assets.errors import Conflict
from assets.names import private_names
from assets.orders import Orders, held, require
from assets.requests import CHECKABLE, RequestState
from assets.views import RequestView, request_view


class Checking:
    """Checks answers."""

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

    async def check(self, actor: Actor, request_id: UUID, key: UUID) -> RequestView:
        """Note that the answer was read and found in order.

        Raises:
            NotPermitted: the actor may not ask such a thing.
            NotFound: there is no such request in the actor's courts.
            Conflict: it has no answer that could be checked.
        """
        async with self._records.write() as session:
            case, request = await held(session, actor, request_id)
            require(actor.may_control if request.is_control else actor.may_query)
            press = deeds.Press(key, "request.check", request.id, actor.user_id)
            if await deeds.is_first(session, press, self._clock()):
                if RequestState(request.state) not in CHECKABLE:
                    raise Conflict("not-checkable", number=request.number, state=request.state)
                request.move_to(RequestState.CHECKED)
                request.checked_by, request.checked_at = actor.user_id, self._clock()
                await self._orders.enter(session, actor, case, request, f"asset.{request.action}.{request.state}")
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view

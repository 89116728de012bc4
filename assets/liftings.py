"""Setting aside what a gateway said of an account: a judge asks with a reason, a second person says yes or no.

Until then it stands, and with it that nobody may freeze the account, or only for a reason that a second person knows.
What goes on it is in the requests' own list of approvals, where it is told, decided on and taken back like an order;
nothing of it is sent to anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, Records
from assets.documents import Action
from assets.errors import Conflict
from assets.exemptions import NOT_FREEZABLE, said_of
from assets.names import private_names
from assets.ordering import require_same
from assets.orders import Orders, own_asset_of, reason_of, require
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Person
from assets.views import RequestView, request_view

GROUND = "said-mark"
"""Why a second person has to say yes."""


class Lifting(StrEnum):
    """How far it has come that what a gateway said is set aside."""

    NONE = ""
    ASKED = "asked"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Said:
    """What a gateway said of an account: which, who, when, and whether it is set aside."""

    special: str
    gateway: str
    at: datetime | None
    lifting: Lifting
    is_barring: bool
    """Nobody may freeze such an account; of the others it is only a reason and a second person that are asked for."""


class Liftings:
    """Takes down that somebody wants what a gateway said to be set aside."""

    def __init__(self, records: Records, orders: Orders, tell: Callable[[UUID], Awaitable[None]]) -> None:
        self._records = records
        self._orders = orders
        self._tell = tell

    async def ask(self, actor: Actor, asset_id: UUID, reason: str, key: UUID) -> RequestView:
        """Ask a second person to set aside what the gateway said; repeated with its key it is one request.

        Raises:
            NotPermitted, NotFound: it isn't the actor's to ask.
            BadFormat: there is no reason.
            Conflict: nothing was said, or it is asked already, or the key was used for something else.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            asset, case = await own_asset_of(session, actor, asset_id)
            reason = reason_of(reason)
            request = await self._orders.first_order(session, key)
            if request is not None:
                require_same(request, asset_id=asset.id, action=Action.LIFT_MARK.value, override_reason=reason)
            else:
                if not said_of(asset):
                    raise Conflict("nothing-said")
                if await _waiting(session, asset):
                    raise Conflict("lifting-asked")
                person = await session.get_one(Person, asset.person_id)
                request = self._orders.draft(actor, case, person, Action.LIFT_MARK, asset.gateway, key)
                request.asset_id = asset.id
                request.particulars = {"special": asset.said_special}
                request.approval, request.override_reason = GROUND, reason
                session.add(request)
                await session.flush()
                await self._orders.enter(session, actor, case, request, "asset.request.drafted")
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view


async def lift(session: AsyncSession, request: AssetRequest) -> None:
    """Set aside what the gateway said, a second person having agreed.

    Raises:
        Conflict: the gateway says something else by now.
    """
    asset = await session.get_one(Asset, request.asset_id, populate_existing=True)
    if asset.said_special != request.particulars["special"]:
        raise Conflict("said-otherwise")
    asset.lifting_id = request.id


async def said_about(session: AsyncSession, asset: Asset) -> Said | None:
    """What the gateway said of it, if it said anything."""
    if not asset.said_special:
        return None
    if asset.lifting_id is not None:
        lifting = Lifting.LIFTED
    else:
        lifting = Lifting.ASKED if await _waiting(session, asset) else Lifting.NONE
    is_barring = asset.said_special in NOT_FREEZABLE
    return Said(asset.said_special, asset.gateway, asset.said_special_at, lifting, is_barring)


async def _waiting(session: AsyncSession, asset: Asset) -> bool:
    asked = select(AssetRequest.id).where(
        AssetRequest.asset_id == asset.id,
        AssetRequest.action == Action.LIFT_MARK.value,
        AssetRequest.state == RequestState.DRAFT.value,
    )
    return (await session.scalars(asked.limit(1))).first() is not None

"""What a bank or a registry objects to: the court answers in 15 days, insisting or yielding.

Source: 法释〔2013〕20号 §6. The days are calendar days in China.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import and_, or_, select

from assets import deeds
from assets.audit import Actor, Records
from assets.conditions import apart
from assets.effects import Effects
from assets.errors import Conflict, NotFound
from assets.masks import masked_words
from assets.names import private_names
from assets.orders import Orders, acting_court, held, reason_of, require, visible
from assets.requests import RequestState
from assets.tables import AssetRequest, Case, Objection
from assets.terms import objection_due
from assets.views import RequestView, request_view

LONGEST_WORDS = 500


class ObjectionState(StrEnum):
    """What the court made of it."""

    OPEN = "open"
    MAINTAINED = "maintained"
    """It insists: the request is asked again with its number."""
    YIELDED = "yielded"
    """It takes the request back."""


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """One objection and the request that it was raised to."""

    id: UUID
    request: RequestView
    case_number: str
    raised_at: datetime
    due_on: date
    is_overdue: bool
    words: str
    state: str
    answer: str
    answered_at: datetime | None
    acting_court: str
    """The court that answers it, where the reader may only look; else empty."""


def objection_to(request: AssetRequest, words: str, at: datetime) -> Objection:
    """The objection as it is noted on the day that it came."""
    return Objection(
        request_id=request.id,
        raised_at=at,
        due_on=objection_due(at),
        words=words[:LONGEST_WORDS],
    )


class Objections:
    """The objections of the courts' cases."""

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

    async def listed(
        self,
        actor: Actor,
        *,
        case_id: UUID | None = None,
        only_open: bool = True,
        after: UUID | None = None,
        limit: int = 200,
    ) -> list[ObjectionView]:
        """Objections in the actor's courts, what is due first first, from behind `after`."""
        require(actor.may_see)
        query = (
            select(Objection, AssetRequest, Case)
            .join(AssetRequest, AssetRequest.id == Objection.request_id)
            .join(Case, Case.id == AssetRequest.case_id)
            .where(apart(visible(actor)))
            .order_by(Objection.due_on, Objection.id)
            .limit(limit)
        )
        if only_open:
            query = query.where(Objection.state == ObjectionState.OPEN.value)
        if case_id is not None:
            query = query.where(Case.id == case_id)
        if after is not None:
            due = select(Objection.due_on).where(Objection.id == after).scalar_subquery()
            query = query.where(or_(Objection.due_on > due, and_(Objection.due_on == due, Objection.id > after)))
        today = self._orders.today()
        async with self._records.read() as session:
            rows = list(await session.execute(query))
            names = await private_names(session, {case.id for _, _, case in rows})
            return [
                _view(objection, request, case, today, names, acting_court(actor, case))
                for objection, request, case in rows
            ]

    async def maintain(self, actor: Actor, objection_id: UUID, answer: str, key: UUID) -> RequestView:
        """Insist: the request is asked again, with its own number and papers.

        Raises:
            BadFormat: the answer says nothing.
            NotPermitted, NotFound: as for the request itself.
            Conflict: it was answered already.
        """
        return await self._answered(actor, objection_id, answer, key, ObjectionState.MAINTAINED)

    async def yield_to(self, actor: Actor, objection_id: UUID, answer: str, key: UUID) -> RequestView:
        """Take the request back: it counts as returned, and a measure that it was to begin as never controlled.

        Where it was asked before without an answer that isn't known: the other side is asked how the thing stands.

        Raises: as `maintain`.
        """
        return await self._answered(actor, objection_id, answer, key, ObjectionState.YIELDED)

    async def _answered(
        self, actor: Actor, objection_id: UUID, answer: str, key: UUID, state: ObjectionState
    ) -> RequestView:
        async with self._records.write() as session:
            objection = await session.get(Objection, objection_id)
            if objection is None:
                raise NotFound("no-such-objection")
            case, request = await held(session, actor, objection.request_id)
            require(actor.may_control if request.is_control else actor.may_query)
            await session.refresh(objection, with_for_update=True)
            answer = reason_of(answer, "answer")
            press = deeds.Press(key, f"objection.{state.value}", objection.id, actor.user_id)
            if await deeds.is_first(session, press, self._clock()):
                if objection.state != ObjectionState.OPEN:
                    raise Conflict("objection-answered", state=objection.state)
                objection.state, objection.answer = state.value, answer
                objection.answered_by, objection.answered_at = actor.user_id, self._clock()
                if state is ObjectionState.MAINTAINED:
                    self._orders.go(request)
                    await self._orders.enter(session, actor, case, request, "asset.objection.maintained")
                else:
                    request.move_to(RequestState.RETURNED)
                    await self._effects.taken_back(session, request, answer)
                    await self._orders.enter(session, actor, case, request, "asset.objection.yielded")
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view


def _view(
    objection: Objection, request: AssetRequest, case: Case, today: date, names: Collection[str], acting: str
) -> ObjectionView:
    is_open = objection.state == ObjectionState.OPEN
    return ObjectionView(
        id=objection.id,
        request=request_view(request, names),
        case_number=case.number,
        raised_at=objection.raised_at,
        due_on=objection.due_on,
        is_overdue=is_open and objection.due_on < today,
        words=masked_words(objection.words, names),
        state=objection.state,
        answer=masked_words(objection.answer, names),
        answered_at=objection.answered_at,
        acting_court=acting,
    )

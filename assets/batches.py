"""A batch is everything that one press of a button asked, such as one person at all banks; how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from assets.audit import Actor, Records
from assets.errors import NotFound
from assets.orders import case_of, require
from assets.requests import AWAITED, RequestState
from assets.tables import AssetRequest

LISTED = 50


@dataclass(frozen=True, slots=True)
class BatchView:
    """How far a batch has come."""

    key: UUID
    case_id: UUID
    person_id: UUID
    action: str
    total: int
    by_state: dict[str, int]
    answered: int
    """How many have given whatever answer they will give."""
    started_at: datetime
    last_answer_at: datetime | None
    is_done: bool


@dataclass(frozen=True, slots=True)
class Outstanding:
    """One of a batch who hasn't answered yet."""

    request_id: UUID
    gateway: str
    state: str
    attempts: int
    trouble: str
    sent_at: datetime | None
    next_ask_at: datetime | None
    chases: int


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch, and who hasn't answered."""

    head: BatchView
    outstanding: list[Outstanding]


class Batches:
    """Reads batches."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of_case(self, actor: Actor, case_id: UUID, *, limit: int = LISTED) -> list[BatchView]:
        """The case's batches, the newest first."""
        require(actor.may_see or actor.may_propose)
        started = func.min(AssetRequest.created_at)
        newest = (
            select(AssetRequest.idempotency_key)
            .where(AssetRequest.case_id == case_id)
            .group_by(AssetRequest.idempotency_key)
            .order_by(started.desc())
            .limit(limit)
        )
        async with self._records.read() as session:
            await case_of(session, actor, case_id)
            keys = list(await session.scalars(newest))
            rows = await session.scalars(
                select(AssetRequest).where(AssetRequest.case_id == case_id, AssetRequest.idempotency_key.in_(keys))
            )
            of: dict[UUID, list[AssetRequest]] = {key: [] for key in keys}
            for request in rows:
                of[request.idempotency_key].append(request)
        return [_view(requests) for requests in of.values()]

    async def progress(self, actor: Actor, key: UUID) -> BatchProgress:
        """One batch, and who hasn't answered.

        Raises:
            NotFound: there is no such batch in the actor's courts.
        """
        require(actor.may_see or actor.may_propose)
        query = select(AssetRequest).where(AssetRequest.idempotency_key == key).order_by(AssetRequest.gateway)
        async with self._records.read() as session:
            requests = list(await session.scalars(query))
            if not requests:
                raise NotFound("no-such-batch")
            await case_of(session, actor, requests[0].case_id, missing="no-such-batch")
        return BatchProgress(_view(requests), [_outstanding(one) for one in requests if _is_awaited(one)])


def _is_awaited(request: AssetRequest) -> bool:
    return RequestState(request.state) in AWAITED


def _view(requests: Sequence[AssetRequest]) -> BatchView:
    first = requests[0]
    by_state: dict[str, int] = {}
    for request in requests:
        by_state[request.state] = by_state.get(request.state, 0) + 1
    awaited = sum(map(_is_awaited, requests))
    drafts = by_state.get(RequestState.DRAFT.value, 0)
    return BatchView(
        key=first.idempotency_key,
        case_id=first.case_id,
        person_id=first.person_id,
        action=first.action,
        total=len(requests),
        by_state=by_state,
        answered=len(requests) - awaited - drafts,
        started_at=min(one.created_at for one in requests),
        last_answer_at=max((one.answered_at for one in requests if one.answered_at), default=None),
        is_done=not awaited and not drafts,
    )


def _outstanding(request: AssetRequest) -> Outstanding:
    return Outstanding(
        request_id=request.id,
        gateway=request.gateway,
        state=request.state,
        attempts=request.attempts,
        trouble=request.trouble,
        sent_at=request.sent_at,
        next_ask_at=request.next_ask_at,
        chases=request.chases,
    )

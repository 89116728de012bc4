"""Whose turn it is to ask: of all processes that send, one at a time has a request in hand.

A process that dies leaves its claims to run out; then another goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update

from assets.audit import Records
from assets.requests import AWAITED
from assets.tables import AssetRequest

CLAIM_SECONDS = 30.0
"""How long one process has a request in hand; no asking takes longer."""
_AWAITED = tuple(state.value for state in AWAITED)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was claimed; `is_all`: nothing else is due that there would be room for.

    `is_passed_over`: something is due that this process has in hand still.
    """

    ids: tuple[UUID, ...] = ()
    is_all: bool = True
    is_passed_over: bool = False


class Claims:
    """The claims of one process, which `name` tells from all others."""

    def __init__(self, records: Records, clock: Callable[[], datetime], name: str) -> None:
        self._records = records
        self._clock = clock
        self._name = name

    async def take(self, room: Mapping[str, int], limit: int, in_hand: Collection[UUID] = ()) -> Taken:
        """Claim what is due, `limit` at most, and of each gateway no more than there is `room`.

        What is `in_hand` is left: its answer may be written already while its asking isn't quite over.
        """
        gateways = [name for name, free in room.items() if free > 0]
        if not gateways or limit <= 0:
            return Taken()
        now = self._clock()
        due = (
            select(AssetRequest.id, AssetRequest.gateway)
            .where(AssetRequest.gateway.in_(gateways), _is_due(now))
            .order_by(AssetRequest.next_ask_at)
            .limit(limit + len(in_hand))
        )
        async with self._records.read() as session:
            due_now = list(await session.execute(due))
        found = [(request_id, gateway) for request_id, gateway in due_now if request_id not in in_hand]
        is_passed_over = len(found) < len(due_now)
        chosen = _with_room(found[:limit], room)
        if not chosen:
            return Taken(is_passed_over=is_passed_over)
        claim = (
            update(AssetRequest)
            .where(AssetRequest.id.in_(chosen), _is_due(now))
            .values(claimed_by=self._name, claimed_until=now + timedelta(seconds=CLAIM_SECONDS))
            .returning(AssetRequest.id)
            .execution_options(synchronize_session=False)
        )
        async with self._records.write() as session:
            taken = tuple(await session.scalars(claim))
        return Taken(taken, len(chosen) == len(found) < limit, is_passed_over)

    async def give_back(self, ids: Collection[UUID]) -> None:
        """Let others have what this process won't ask now."""
        if not ids:
            return
        async with self._records.write() as session:
            await session.execute(
                update(AssetRequest)
                .where(AssetRequest.id.in_(ids), AssetRequest.claimed_by == self._name)
                .values(claimed_by="", claimed_until=None)
                .execution_options(synchronize_session=False)
            )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(
        AssetRequest.state.in_(_AWAITED),
        AssetRequest.next_ask_at <= now,
        or_(AssetRequest.claimed_until.is_(None), AssetRequest.claimed_until <= now),
    )


def _with_room(found: Collection[tuple[UUID, str]], room: Mapping[str, int]) -> list[UUID]:
    left = dict(room)
    chosen = []
    for request_id, gateway in found:
        if left[gateway] > 0:
            left[gateway] -= 1
            chosen.append(request_id)
    return chosen

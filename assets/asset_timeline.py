"""The time line of one asset: measures, requests, papers, objections, proposals and alarms in one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, Records
from assets.documents import Action
from assets.masks import masked_words
from assets.measures import MeasureChange
from assets.names import private_names
from assets.orders import asset_of, require
from assets.requests import RequestState
from assets.tables import (
    Asset,
    AssetRequest,
    ControlMeasure,
    MeasureEvent,
    Objection,
    Proposal,
    SealedPaper,
    TermAlarm,
)
from assets.views import RequestView, request_view

MOST_ENTRIES, MOST_ORDERS = 500, 50
"""Of one asset; of what is older the entries are counted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, and by whom: nobody where the law, a clock or the other side did it."""

    at: datetime
    kind: str
    """measure, request, paper, objection, proposal, alarm, answer"""
    what: str
    by: UUID | None = None
    number: str = ""
    """Of the request that it belongs to."""
    action: str = ""
    words: str = ""
    """What somebody said about it, masked."""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """The newest entries of one asset, newest first."""

    entries: list[Entry]
    left_off: int
    orders: list[RequestView]
    """The controls that were ordered of it, newest first: what is under way, what has papers, what is to be checked."""


class Histories:
    """Reads only; every call is made for an `Actor`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of(self, actor: Actor, asset_id: UUID) -> History:
        """The time line of one asset of the actor's courts.

        Raises:
            NotPermitted, NotFound.
        """
        require(actor.may_see)
        async with self._records.read() as session:
            asset = await asset_of(session, actor, asset_id)
            names = await private_names(session, [asset.case_id])
            gathering = _Gathering(session, asset, names)
            requests = await gathering.requests()
            found = await gathering.entries(requests)
        found.sort(key=lambda entry: entry.at, reverse=True)
        orders = [request_view(one, names) for one in requests if one.is_control]
        return History(found[:MOST_ENTRIES], max(0, len(found) - MOST_ENTRIES), orders[:MOST_ORDERS])


class _Gathering:
    """All that the records hold of one asset, table by table."""

    def __init__(self, session: AsyncSession, asset: Asset, names: Sequence[str]) -> None:
        self._session = session
        self._asset = asset
        self._names = names

    async def requests(self) -> list[AssetRequest]:
        """Its controls, and the queries of its person at its gateway: one of them found it; newest first."""
        asset = self._asset
        is_query = (
            (AssetRequest.case_id == asset.case_id)
            & (AssetRequest.action == Action.QUERY.value)
            & (AssetRequest.person_id == asset.person_id)
            & (AssetRequest.gateway == asset.gateway)
        )
        query = select(AssetRequest).where(or_(AssetRequest.asset_id == asset.id, is_query))
        return list(await self._session.scalars(query.order_by(AssetRequest.id.desc())))

    async def entries(self, requests: Sequence[AssetRequest]) -> list[Entry]:
        """All that the records hold of it, in no order."""
        numbers = {request.id: request for request in requests}
        found = [entry for request in requests for entry in self._of_request(request)]
        found += [entry async for entry in self._of_measures(numbers)]
        found += [entry async for entry in self._of_papers(numbers)]
        found += [entry async for entry in self._of_objections(numbers)]
        found += [entry async for entry in self._of_proposals()]
        found += [entry async for entry in self._of_alarms()]
        return found

    def _of_request(self, request: AssetRequest) -> Iterator[Entry]:
        sender = request.actor_id
        steps: list[tuple[datetime | None, str, UUID | None, str]] = [
            (request.created_at, "ordered", sender, request.override_reason),
            (request.decided_at, _decided(request), request.decided_by, request.decision_reason),
            (request.sent_at, "sent", None, ""),
            (request.accepted_at, "accepted", None, ""),
            (request.chased_at, "chased", None, ""),
            (request.answered_at, request.state, None, request.reason),
            (request.checked_at, "checked", request.checked_by, ""),
        ]  # fmt: skip
        details = {"ruling": request.ruling_number, "amount_cents": request.amount_cents, "found": request.found}
        for at, what, by, words in steps:
            if at is None or (what == "sent" and at == request.created_at):
                continue
            told = {name: value for name, value in details.items() if value} if what != "sent" else {}
            yield Entry(at, "request", what, by, request.number, request.action, self._masked(words), told)

    async def _of_measures(self, numbers: dict[UUID, AssetRequest]) -> Any:
        query = (
            select(MeasureEvent, ControlMeasure)
            .join(ControlMeasure, ControlMeasure.id == MeasureEvent.measure_id)
            # That one was ordered its request tells.
            .where(ControlMeasure.asset_id == self._asset.id, MeasureEvent.what != MeasureChange.ORDERED.value)
        )
        for event, measure in await self._session.execute(query):
            request = numbers.get(event.request_id) if event.request_id else None
            yield Entry(
                event.at, "measure", event.what, event.actor_id, request.number if request else "", measure.action,
                details={name: self._told(value) for name, value in event.details.items()},
            )  # fmt: skip

    async def _of_papers(self, numbers: dict[UUID, AssetRequest]) -> Any:
        papers = await self._session.scalars(select(SealedPaper).where(SealedPaper.request_id.in_(numbers)))
        for paper in papers:
            request = numbers[paper.request_id]
            details = {"document": paper.document, "paper": paper.number, "id": str(paper.id)}
            yield Entry(paper.sealed_at, "paper", "sealed", paper.sealed_by, request.number, request.action,
                        details=details)  # fmt: skip
            if paper.delivered_at is not None:
                yield Entry(paper.delivered_at, "paper", "delivered", None, request.number, request.action,
                            details=details)  # fmt: skip

    async def _of_objections(self, numbers: dict[UUID, AssetRequest]) -> Any:
        for one in await self._session.scalars(select(Objection).where(Objection.request_id.in_(numbers))):
            request = numbers[one.request_id]
            due = {"due_on": one.due_on.isoformat()}
            yield Entry(one.raised_at, "objection", "raised", None, request.number, request.action,
                        self._masked(one.words), due)  # fmt: skip
            if one.answered_at is not None:
                yield Entry(one.answered_at, "objection", one.state, one.answered_by, request.number, request.action,
                            self._masked(one.answer))  # fmt: skip

    async def _of_proposals(self) -> Any:
        for one in await self._session.scalars(select(Proposal).where(Proposal.asset_id == self._asset.id)):
            amount = {"amount_cents": one.amount_cents} if one.amount_cents else {}
            yield Entry(one.proposed_at, "proposal", "proposed", one.officer_id, "", one.action,
                        self._masked(one.words), amount)  # fmt: skip
            if one.decided_at is not None:
                yield Entry(one.decided_at, "proposal", one.state, one.decided_by, "", one.action,
                            self._masked(one.decision_reason))  # fmt: skip

    async def _of_alarms(self) -> Any:
        query = (
            select(TermAlarm)
            .join(ControlMeasure, ControlMeasure.id == TermAlarm.measure_id)
            .where(ControlMeasure.asset_id == self._asset.id)
        )
        for one in await self._session.scalars(query):
            details = {"ends_on": one.ends_on.isoformat(), "days": one.days_before}
            yield Entry(one.raised_at, "alarm", "raised", None, details=details)
            if one.acknowledged_at is not None:
                yield Entry(one.acknowledged_at, "alarm", "acknowledged", one.acknowledged_by, details=details)

    def _masked(self, words: str) -> str:
        return masked_words(words, self._names)

    def _told(self, value: Any) -> Any:
        return self._masked(value) if isinstance(value, str) else value


def _decided(request: AssetRequest) -> str:
    """What the second person said; only who says no gives a reason. What had gone in an emergency wasn't stopped."""
    if not request.decision_reason:
        return "approved"
    return "declined" if request.state == RequestState.DECLINED else "disapproved"

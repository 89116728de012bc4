"""What stands on one thing: the line as the records have it, and the lock that lets one writer at a time change it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from assets.documents import Action
from assets.measures import EFFECTIVE, MeasureState
from assets.plots import plot_of
from assets.requests import AWAITED, RequestState
from assets.tables import AssetRequest, ControlLine, ControlMeasure
from assets.terms import AssetKind, china_day

ENDING = frozenset({Action.RELEASE, Action.TRANSFER})
"""What ends a measure, and lets the next one take effect."""
OUTLASTING = frozenset({Action.RENEW, Action.TRANSFER})
"""What keeps a measure from lapsing, if it was carried out by its last day."""
UNSETTLED = AWAITED | {
    RequestState.DRAFT,
    RequestState.APPROVED,
    RequestState.SEALED,
    RequestState.OBJECTED,
    RequestState.FAILED,
}
"""A request that may yet be carried out."""


@dataclass(frozen=True, slots=True)
class Line:
    """The measures of our records on one thing, without those that have ended or were never answered."""

    effective: ControlMeasure | None
    waiting: list[ControlMeasure]
    """In their order."""


def kind_of(line: str) -> AssetKind:
    """What stands in this line."""
    return AssetKind(line.split("/", 2)[1])


async def hold(session: AsyncSession, line: str) -> None:
    """Let nobody else change this line until the transaction ends; call it before its measures are read.

    Land and the houses on it change together, so they share one lock. Whoever locks a case's row does so before this.
    """
    await hold_all(session, {line})


async def hold_all(session: AsyncSession, lines: Collection[str]) -> None:
    """Hold several at once, in an order in which no two wait for each other."""
    if not lines:
        return
    names = sorted({_lock_of(line) for line in lines})
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    await session.execute(insert(ControlLine).on_conflict_do_nothing(), [{"name": name} for name in names])
    held = select(ControlLine.name).where(ControlLine.name.in_(names)).order_by(ControlLine.name)
    await session.execute(held.with_for_update())


def _lock_of(line: str) -> str:
    gateway, kind, reference = line.split("/", 2)
    return f"{gateway}/{kind}/{plot_of(reference)}" if kind == AssetKind.REAL_ESTATE else line


async def read_line(session: AsyncSession, line: str) -> Line:
    """The line as it stands now."""
    found = await session.scalars(
        select(ControlMeasure)
        .where(
            ControlMeasure.line == line,
            ControlMeasure.state.in_([state.value for state in EFFECTIVE | {MeasureState.WAITING}]),
        )
        .order_by(ControlMeasure.rank, ControlMeasure.id)
        .execution_options(populate_existing=True)
    )
    measures = list(found)
    effective = [one for one in measures if one.state != MeasureState.WAITING]
    waiting = [one for one in measures if one.state == MeasureState.WAITING]
    return Line(effective[0] if effective else None, waiting)


_IS_OBJECTED_AND_UNKNOWN = (AssetRequest.state == RequestState.OBJECTED.value) & (AssetRequest.attempts > 0)
"""It objects now; what came of the asking before, which it didn't answer, it doesn't say."""


async def awaits_outcome(session: AsyncSession, measure: ControlMeasure, *, but_for: UUID | None = None) -> bool:
    """Whether a renewal or a transfer was sent by its last day and has no answer yet: it may have been carried out."""
    sent = select(AssetRequest.sent_at).where(
        AssetRequest.measure_id == measure.id,
        AssetRequest.action.in_([action.value for action in OUTLASTING]),
        AssetRequest.state.in_([state.value for state in AWAITED]) | _IS_OBJECTED_AND_UNKNOWN,
    )
    if but_for is not None:
        sent = sent.where(AssetRequest.id != but_for)
    days = [china_day(at) for at in await session.scalars(sent) if at is not None]
    return measure.ends_on is not None and any(day <= measure.ends_on for day in days)


async def unsettled(session: AsyncSession, measure_id: UUID, *, but_for: UUID | None = None) -> set[Action]:
    """What was ordered about this measure and may yet be carried out."""
    ordered = select(AssetRequest.action).where(
        AssetRequest.measure_id == measure_id, AssetRequest.state.in_([state.value for state in UNSETTLED])
    )
    if but_for is not None:
        ordered = ordered.where(AssetRequest.id != but_for)
    return {Action(one) for one in await session.scalars(ordered)}


async def ended_since(session: AsyncSession, measure: ControlMeasure, request: AssetRequest) -> bool:
    """Whether another measure of the line has ended since this request was sent."""
    ended = exists().where(
        ControlMeasure.line == measure.line,
        ControlMeasure.id != measure.id,
        ControlMeasure.ended_at >= request.sent_at,
    )
    return bool(await session.scalar(select(ended)))

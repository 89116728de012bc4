"""What wasn't renewed by its last day is over, and whoever waits behind it takes effect. Source: 查扣冻 §27, §26."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.history import History
from assets.lines import Lines
from assets.measures import EFFECTIVE, STANDING, MeasureState
from assets.requests import AWAITED
from assets.standing import OUTLASTING, hold_all
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person

_EFFECTIVE = [state.value for state in EFFECTIVE]


class Lapses:
    """Ends what is over, some of it at a time; two that do so at once end nothing twice."""

    def __init__(self, lines: Lines, history: History) -> None:
        self._lines = lines
        self._history = history

    async def lapse_due(self, session: AsyncSession, today: date, limit: int) -> list[UUID]:
        """End up to `limit` measures whose last day is past; give the cases in which something changed.

        It writes its own entries in the audit, last. One whose renewal or transfer was sent and has no answer yet
        isn't touched: it may have been carried out.
        """
        over = select(ControlMeasure.id, ControlMeasure.line).where(_is_over(today))
        rows = await session.execute(over.order_by(ControlMeasure.ends_on, ControlMeasure.id).limit(limit))
        due = [(measure_id, line) for measure_id, line in rows]
        if not due:
            return []
        await hold_all(session, {line for _, line in due})
        chapter = self._history.chapter(session)
        ids = [measure_id for measure_id, _ in due]
        busy = await _with_company(session, due)
        ahead = await _read_ahead(session, {line for measure_id, line in due if measure_id in busy})
        # What was read before the lines were held may have changed.
        still = select(ControlMeasure).where(ControlMeasure.id.in_(ids), _is_over(today)).order_by(ControlMeasure.id)
        for measure in list(await session.scalars(still.execution_options(populate_existing=True))):
            if measure.id in busy:
                await self._lines.lapse_overdue(chapter, measure.line, today)
            elif measure.ends_on is not None:
                self._lines.end_alone(chapter, measure, MeasureState.LAPSED, ends_on=measure.ends_on)
        await chapter.close()
        ahead.clear()
        return [*chapter.cases]


def _is_over(today: date) -> ColumnElement[bool]:
    renewal = exists().where(
        AssetRequest.measure_id == ControlMeasure.id,
        AssetRequest.action.in_([action.value for action in OUTLASTING]),
        AssetRequest.state.in_([state.value for state in AWAITED]),
    )
    return and_(
        ControlMeasure.state.in_(_EFFECTIVE),
        ControlMeasure.ends_on < today,
        ControlMeasure.follows_id.is_(None),
        ~renewal,
    )


async def _with_company(session: AsyncSession, due: Sequence[tuple[UUID, str]]) -> set[UUID]:
    """Those of these measures that somebody waits behind, or that something follows.

    Asked by two plain questions: joined into one, a database may go through all measures for each of these.
    """
    lines, ids = {line for _, line in due}, [measure_id for measure_id, _ in due]
    waiting = select(ControlMeasure.line).where(
        ControlMeasure.line.in_(lines), ControlMeasure.state == MeasureState.WAITING.value
    )
    following = select(ControlMeasure.follows_id, ControlMeasure.state).where(ControlMeasure.follows_id.in_(ids))
    waited = set(await session.scalars(waiting))
    followed = {leader for leader, state in await session.execute(following) if MeasureState(state) in STANDING}
    return {measure_id for measure_id, line in due if line in waited or measure_id in followed}


async def _read_ahead(session: AsyncSession, lines: set[str]) -> list[Row[AssetRequest, Case, Asset, Person]]:
    """What will be asked of each that takes effect, read at once: the session knows it as long as this list is kept."""
    if not lines:
        return []
    waiting = (
        select(AssetRequest, Case, Asset, Person)
        .join_from(ControlMeasure, AssetRequest, AssetRequest.id == ControlMeasure.request_id)
        .join(Case, Case.id == ControlMeasure.case_id)
        .join(Asset, Asset.id == ControlMeasure.asset_id)
        .join(Person, Person.id == Asset.person_id)
        .where(ControlMeasure.line.in_(lines), ControlMeasure.state == MeasureState.WAITING.value)
    )
    return list(await session.execute(waiting))

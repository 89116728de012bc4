"""What happened to measures: the time line of each, and the same in the audit where no request's entry tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import AuditNote, AuditTrail
from assets.measures import MeasureChange
from assets.tables import AssetRequest, Case, ControlMeasure, MeasureEvent

Detail = str | int | date | None

_OPEN_DETAILS = ("ends_on", "contradiction", "keeping", "follows")
TOLD_BY_THE_REQUEST = frozenset(
    {
        MeasureChange.ORDERED,
        MeasureChange.TOOK_EFFECT,
        MeasureChange.WAITS,
        MeasureChange.NOT_CONTROLLED,
        MeasureChange.RENEWED,
        MeasureChange.PART_RELEASED,
        MeasureChange.RELEASED,
        MeasureChange.TRANSFERRED,
        MeasureChange.PART_TRANSFERRED,
        MeasureChange.REFUSED,
        MeasureChange.MOVED_UP,
        MeasureChange.MOVED_DOWN,
    }
)
"""The audit has these as the answer of the request that led to them."""


class Chapter:
    """What one transaction does to measures; `close` writes it into the audit, last in the transaction."""

    def __init__(
        self,
        session: AsyncSession,
        audit: AuditTrail,
        at: datetime,
        actor_id: UUID | None,
        after: Chapter | None = None,
    ) -> None:
        self.session = session
        self.at = at
        self._audit = audit
        self._actor_id = actor_id
        self._after = after
        self._to_audit: list[tuple[ControlMeasure, MeasureChange, dict[str, str | int | None]]] = []
        self.queries: list[tuple[Case, AssetRequest]] = []
        """What was sent to have the other side say how a measure stands."""
        self.cases: set[UUID] = set()
        """The cases whose screens have something new to show."""

    def note(
        self, measure: ControlMeasure, change: MeasureChange, *, request_id: UUID | None = None, **details: Detail
    ) -> None:
        """Add one event to a measure's time line, and keep it for the audit."""
        plain = {name: str(value) if isinstance(value, date) else value for name, value in details.items()}
        measure.changed_at = self.at
        self.cases.add(measure.case_id)
        self.session.add(
            MeasureEvent(
                measure_id=measure.id,
                request_id=request_id,
                at=self.at,
                actor_id=self._actor_id,
                what=change.value,
                details=plain,
            )
        )
        if change not in TOLD_BY_THE_REQUEST:
            self._to_audit.append((measure, change, plain))

    async def close(self) -> None:
        """Write into the audit what no request's entry tells of, what came before it first."""
        if self._after is not None:
            await self._after.close()
        notes = [
            AuditNote(
                actor=self._actor_id,
                court_id=measure.court_id,
                action=f"asset.measure.{change}",
                subject_type="control_measure",
                subject_id=str(measure.id),
                case_id=measure.case_id,
                details={"asset": str(measure.asset_id), "state": measure.state, **_open(details)},
                contents=details,
            )
            for measure, change, details in self._to_audit
        ]
        notes += [
            AuditNote(
                actor=None,
                court_id=case.court_id,
                action="asset.query.sent",
                subject_type="asset_request",
                subject_id=str(query.id),
                case_id=case.id,
                details={"number": query.number, "gateway": query.gateway, "person": str(query.person_id)},
            )
            for case, query in self.queries
        ]
        if notes:
            await self._audit.record_all(self.session, notes)
        self._to_audit.clear()
        self.queries.clear()


def _open(details: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """What of an event the audit tells: days and codes, no amounts and nobody's words."""
    return {name: value for name, value in details.items() if name in _OPEN_DETAILS and value}


class History:
    """Opens chapters."""

    def __init__(self, audit: AuditTrail, clock: Callable[[], datetime]) -> None:
        self._audit = audit
        self._clock = clock

    def chapter(self, session: AsyncSession, actor_id: UUID | None = None, *, after: Chapter | None = None) -> Chapter:
        """What one transaction is about to do; without an actor the law or the other side does it."""
        return Chapter(session, self._audit, self._clock(), actor_id, after)

"""What a judge does about an alarm: acknowledge it. It stays where it is, with who did and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from assets import deeds
from assets.answers import Changed
from assets.audit import Actor, AuditTrail, Records
from assets.errors import Conflict, NotFound
from assets.orders import own_case_of, require
from assets.tables import TermAlarm


class TermAlarms:
    """The alarms of the actor's courts."""

    def __init__(self, records: Records, audit: AuditTrail, clock: Callable[[], datetime], changed: Changed) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._changed = changed

    async def acknowledge(self, actor: Actor, alarm_id: UUID, idempotency_key: UUID) -> TermAlarm:
        """Note that the actor has seen it and knows what to do; repeated with the same key it stays one.

        Raises:
            NotPermitted: the actor may not control assets.
            NotFound: no such alarm in the actor's courts.
            Conflict: somebody acknowledged it already, it is closed, or the key was used for another.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            alarm = await session.get(TermAlarm, alarm_id)
            if alarm is None:
                raise NotFound("no-such-alarm")
            case = await own_case_of(session, actor, alarm.case_id, missing="no-such-alarm")
            await session.refresh(alarm, with_for_update=True)
            press = deeds.Press(idempotency_key, "term.acknowledge", alarm.id, actor.user_id)
            if not await deeds.is_first(session, press, self._clock()):
                return alarm
            if alarm.acknowledged_at is not None:
                raise Conflict("alarm-acknowledged")
            if alarm.closed_at is not None:
                raise Conflict("alarm-closed")
            alarm.acknowledged_by, alarm.acknowledged_at = actor.user_id, self._clock()
            await self._audit.record(
                session,
                actor=actor.user_id,
                court_id=case.court_id,
                action="asset.term.acknowledged",
                subject_type="control_measure",
                subject_id=str(alarm.measure_id),
                case_id=alarm.case_id,
                details={"days": alarm.days_before, "ends_on": str(alarm.ends_on)},
            )
        await self._changed(alarm.case_id)
        return alarm

"""On which day an alarm is due: so many days before a term's last day, or the last working day before that.

The distances are practice, not law, and a setting. The last day of a term stays where the law puts it, whatever the
calendar says: on a holiday nobody would see the alarm, so the alarm comes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from assets.holidays import WorkingDays

ALARM_DAYS = (60, 30, 15, 7, 0)
"""How many days before the last day an alarm is raised."""
LAPSED = -1
"""The distance of the alarm that tells of a lapse."""
_FARTHEST = 366 * 3


@dataclass(frozen=True, slots=True)
class AlarmDays:
    """The distances, nearest first, on a calendar of working days."""

    calendar: WorkingDays
    distances: tuple[int, ...] = field(default=tuple(sorted(ALARM_DAYS)))

    def due_on(self, ends_on: date, days_before: int) -> date:
        """The working day on which the alarm of this distance is raised."""
        day = ends_on - timedelta(days=days_before)
        return day if self.calendar.is_working_day(day) else self.calendar.last_working_day_before(day)

    def latest(self, today: date, days_before: int) -> date:
        """The latest last day of a term whose alarm of this distance is due by today."""
        if days_before == LAPSED:
            return today - timedelta(days=1)
        # All days up to the next working day fall back to today, or to a day before.
        return self.calendar.add_working_days(today, 1) + timedelta(days=days_before - 1)

    def bounds(self, today: date) -> tuple[tuple[int, date], ...]:
        """Each distance, that of a lapse first, with the latest last day for which it is due."""
        return tuple((days, self.latest(today, days)) for days in (LAPSED, *self.distances))


def alarm_days(calendar: WorkingDays, distances: Sequence[int] = ALARM_DAYS) -> AlarmDays:
    """The distances in order and each once.

    Raises:
        ValueError: there is none, or one that no term can have.
    """
    ordered = tuple(sorted(set(distances)))
    if not ordered or ordered[0] < 0 or ordered[-1] > _FARTHEST:
        raise ValueError(f"alarms are raised 0 to {_FARTHEST} days before a term's last day")
    return AlarmDays(calendar, ordered)

"""Moments that come in from outside: with their zone, and far enough from the ends of time to be reckoned with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

from command_center.errors import Invalid

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def within_time(value: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        Invalid: it has no zone, or lies before 1970 or after the year 8999.
    """
    if value.tzinfo is None or not EARLIEST <= value < LATEST:
        raise Invalid("time-not-valid")
    return value.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(within_time)]

"""Lists that come in pages: the items, and the cursor that asks for the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from assets.search_words import Place
from command_center.api.moments import within_time
from command_center.errors import Invalid

Item = TypeVar("Item")
LARGEST_NUMBER = 2**31 - 1
"""What the columns of numbers hold; whatever is greater, no database takes as one."""


class Page(BaseModel, Generic[Item]):
    """One page; `next` is given back as `cursor` to get the following one, and null at the end."""

    items: list[Item]
    next: str | None = None


def cursor_of(at: datetime, row_id: UUID) -> str:
    """The cursor behind the row of this time and id."""
    return f"{at.isoformat()}~{row_id}"


def place_of(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The time and id of the row that a cursor stands behind.

    Raises:
        Invalid: it is none of ours.
    """
    if cursor is None:
        return None
    at, _, row_id = cursor.partition("~")
    try:
        instant = datetime.fromisoformat(at.replace(" ", "+"))
        return within_time(instant), UUID(row_id)
    except (ValueError, Invalid) as error:
        raise Invalid("cursor-not-valid") from error


def cursor_to(place: Place | None) -> str | None:
    """The cursor behind the row of this place in a search; none at the end."""
    return None if place is None else f"{place.value}~{place.id}"


def place_in(cursor: str | None) -> Place | None:
    """The place that a cursor of a search stands for.

    Raises:
        Invalid: it is none of ours.
    """
    if cursor is None:
        return None
    value, _, row_id = cursor.rpartition("~")
    try:
        return Place(value, UUID(row_id))
    except ValueError as error:
        raise Invalid("cursor-not-valid") from error

"""Lists that come in pages: the items, and the cursor that asks for the rest."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page; `next` is given back as `cursor` to get the following one, and null at the end."""

    items: list[Item]
    next: str | None = None

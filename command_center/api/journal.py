"""`/api/operations/{id}/journal`: what happened in an operation; `/api/keys`: by whose keys it is proven."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountNames, id_in
from command_center.api.custody import Reviewing
from command_center.evidence.custody import Custody
from command_center.evidence.journal_reading import LARGEST_PAGE, PAGE, JournalReader
from command_center.evidence.keyring import KeyRecord, Keyring
from command_center.journal import JournalKind

_PEOPLE = frozenset({"officer", "sender", "by"})
"""What in a body is the id of an account."""


class JournalItem(BaseModel):
    """One entry; what its body holds, its kind says."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    at: datetime
    kind: JournalKind
    body: dict[str, Any]
    is_sealed: bool


class JournalPage(BaseModel):
    """Entries in their order; `next` is given back as `after` to get those behind, and null at the end.

    `names` are the display names of the accounts that the bodies mention by their ids.
    """

    items: list[JournalItem]
    next: int | None
    names: dict[UUID, str]


class KeyItem(BaseModel):
    """A public key that signs, or signed, evidence; `public` is 32 bytes in hex."""

    id: str
    owner: str
    public: str
    fingerprint: str
    """Its SHA-256; that of the first key is what a court publishes, and whoever verifies compares."""
    since: datetime
    until: datetime | None
    replaces: str | None


class KeysItem(BaseModel):
    """Every key that was ever registered, the first first."""

    keys: list[KeyItem]


def router(reader: JournalReader, names: AccountNames, keyring: Keyring, custody: Custody) -> APIRouter:
    """The routes of journals and keys."""
    routes = APIRouter(tags=["evidence"])

    @routes.get("/api/operations/{operation_id}/journal", summary="What happened, in its order")
    async def listed(
        operation_id: UUID,
        after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE,
        kinds: Annotated[list[JournalKind] | None, Query()] = None,
        review: Reviewing = None,
    ) -> JournalPage:
        await custody.admit(signed_in(), operation_id, review, "journal")
        entries = await reader.of_operation(operation_id, after=after, limit=limit, kinds=kinds or ())
        known = await names.of({one for entry in entries for one in _people_in(entry.body)})
        return JournalPage(
            items=[JournalItem.model_validate(entry) for entry in entries],
            next=entries[-1].id if len(entries) == limit else None,
            names={one: name.display_name for one, name in known.items()},
        )

    @routes.get("/api/keys", summary="The public halves of the keys that sign evidence")
    async def keys() -> KeysItem:
        return KeysItem(keys=[_key_item(record) for record in await asyncio.to_thread(keyring.listed)])

    return routes


def _people_in(value: object) -> Iterator[UUID]:
    if isinstance(value, list):
        for one in value:
            yield from _people_in(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in _PEOPLE and isinstance(one, str) and (found := id_in(one)) is not None:
                yield found
            else:
                yield from _people_in(one)


def _key_item(record: KeyRecord) -> KeyItem:
    return KeyItem(
        id=record.id,
        owner=record.owner,
        public=record.public,
        fingerprint=record.fingerprint,
        since=_instant(record.at),
        until=None if record.retired_at is None else _instant(record.retired_at),
        replaces=record.replaces,
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)

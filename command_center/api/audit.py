"""`/api/audit`: who did or saw what, for the audit administrator."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as Parameter
from pydantic import BaseModel

from command_center.accounts.identity import require
from command_center.accounts.permissions import Permission
from command_center.audit import AuditEntry
from command_center.audit_reading import LARGEST_PAGE, PAGE, AuditReader, Query
from streams.protocol import PLAIN_TEXT


class EntryView(BaseModel):
    """One entry; hashes in hex."""

    sequence: int
    at: datetime
    actor_id: UUID | None
    court_id: UUID | None
    action: str
    subject_type: str
    subject_id: str
    details: dict[str, Any]
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first; `next` is the cursor of the page after."""

    items: list[EntryView]
    next: str | None


class VerdictView(BaseModel):
    """What a check of the whole chain found."""

    entries: int
    anchors: int
    broken_at: int | None
    reason: str
    unreadable_anchors: int


def router(reader: AuditReader) -> APIRouter:
    """The routes of the audit."""
    routes = APIRouter(prefix="/api/audit", tags=["audit"])

    @routes.get("", summary="A page of the audit; reading it is recorded")
    async def page(
        cursor: Annotated[int | None, Parameter(ge=1)] = None,
        limit: Annotated[int, Parameter(ge=1, le=LARGEST_PAGE)] = PAGE,
        action: Annotated[str | None, Parameter(max_length=64, pattern=PLAIN_TEXT)] = None,
        actor: UUID | None = None,
        subject: Annotated[str | None, Parameter(max_length=128, pattern=PLAIN_TEXT)] = None,
    ) -> AuditPage:
        identity = require(Permission.READ_AUDIT)
        query = Query(identity.court_ids, cursor, limit, action, actor, subject)
        entries = await reader.page(identity.user_id, identity.court_id, query)
        return AuditPage(
            items=[_view(entry) for entry in entries],
            next=str(entries[-1].sequence) if len(entries) == limit else None,
        )

    @routes.get("/verdict", summary="Check the whole chain against itself and its anchors")
    async def verdict() -> VerdictView:
        require(Permission.READ_AUDIT)
        found = await reader.verify()
        return VerdictView.model_validate(found, from_attributes=True)

    return routes


def _view(entry: AuditEntry) -> EntryView:
    return EntryView(
        sequence=entry.sequence,
        at=entry.at,
        actor_id=entry.actor_id,
        court_id=entry.court_id,
        action=entry.action,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        details=json.loads(entry.details),
        hash=entry.hash.hex(),
    )

"""`/api/audit`: who did or saw what, for the audit administrator; what of it is of operations, for supervisors too."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as Parameter
from pydantic import BaseModel

from command_center.accounts.identity import Identity, require, signed_in
from command_center.accounts.names import AccountName, AccountNames, id_in
from command_center.accounts.permissions import Permission
from command_center.api.paging import LARGEST_NUMBER
from command_center.audit import AuditEntry
from command_center.audit_reading import LARGEST_PAGE, PAGE, AuditReader, Query
from command_center.evidence.custody import Custody
from streams.protocol import PLAIN_TEXT


class EntryView(BaseModel):
    """One entry; hashes in hex, names where an id is an account's."""

    sequence: int
    at: datetime
    actor_id: UUID | None
    actor_name: str | None
    actor_username: str | None
    court_id: UUID | None
    action: str
    subject_type: str
    subject_id: str
    subject_name: str | None
    details: dict[str, Any]
    officer_name: str | None
    """Of the `officer` in the details."""
    review_note: str | None
    """Where a review began: what its reviewer wrote beside the purpose.

    Only for those who review; the audit itself holds no contents.
    """
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


def router(reader: AuditReader, names: AccountNames, custody: Custody) -> APIRouter:
    """The routes of the audit."""
    routes = APIRouter(prefix="/api/audit", tags=["audit"])

    @routes.get("", summary="A page of the audit; reading it is recorded")
    async def page(
        cursor: Annotated[int | None, Parameter(ge=1, le=LARGEST_NUMBER)] = None,
        limit: Annotated[int, Parameter(ge=1, le=LARGEST_PAGE)] = PAGE,
        action: Annotated[str | None, Parameter(max_length=64, pattern=PLAIN_TEXT)] = None,
        actor: Annotated[
            str | None, Parameter(max_length=100, pattern=PLAIN_TEXT, description="An account's id or name")
        ] = None,
        subject: Annotated[
            str | None, Parameter(max_length=128, pattern=PLAIN_TEXT, description="Its id, or an account's name")
        ] = None,
    ) -> AuditPage:
        identity = _reader()
        actors = None if actor is None else await names.called(actor)
        subjects = None
        if subject is not None:
            subjects = frozenset({subject, *(str(one) for one in await names.called(subject))})
        is_of_operations = not identity.may(Permission.READ_AUDIT)
        query = Query(identity.court_ids, cursor, limit, action, actors, subjects, is_of_operations)
        entries = await reader.page(identity.user_id, identity.court_id, query)
        details = [json.loads(entry.details) for entry in entries]
        mentioned = (_mentioned(entry, each) for entry, each in zip(entries, details, strict=True))
        known = await names.of({one for ids in mentioned for one in ids if one is not None})
        begun = [_review_begun(entry, each) for entry, each in zip(entries, details, strict=True)]
        notes = await custody.notes_of([one for one in begun if one]) if identity.may(Permission.REVIEW) else {}
        return AuditPage(
            items=[
                _view(entry, each, known, notes.get(review) if review else None)
                for entry, each, review in zip(entries, details, begun, strict=True)
            ],
            next=str(entries[-1].sequence) if len(entries) == limit else None,
        )

    @routes.get("/verdict", summary="Check the whole chain against itself and its anchors")
    async def verdict() -> VerdictView:
        require(Permission.READ_AUDIT)
        found = await reader.verify()
        return VerdictView.model_validate(found, from_attributes=True)

    return routes


def _reader() -> Identity:
    identity = signed_in()
    if not identity.may(Permission.READ_AUDIT):
        require(Permission.READ_OPERATION_AUDIT)
    return identity


def _mentioned(entry: AuditEntry, details: dict[str, Any]) -> tuple[UUID | None, UUID | None, UUID | None]:
    """The ids in an entry that may be accounts': the actor's, the subject's and the officer's."""
    subject = id_in(entry.subject_id) if entry.subject_type == "user" else None
    return entry.actor_id, subject, id_in(str(details.get("officer", "")))


def _review_begun(entry: AuditEntry, details: dict[str, Any]) -> UUID | None:
    """The review that the entry tells the beginning of."""
    return id_in(str(details.get("review", ""))) if entry.action == "review.began" else None


def _view(
    entry: AuditEntry, details: dict[str, Any], known: dict[UUID, AccountName], review_note: str | None
) -> EntryView:
    actor, subject, officer = (known.get(one) if one else None for one in _mentioned(entry, details))
    return EntryView(
        sequence=entry.sequence,
        at=entry.at,
        actor_id=entry.actor_id,
        actor_name=actor and actor.display_name,
        actor_username=actor and actor.username,
        court_id=entry.court_id,
        action=entry.action,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        subject_name=subject and subject.display_name,
        details=details,
        officer_name=officer and officer.display_name,
        review_note=review_note,
        hash=entry.hash.hex(),
    )

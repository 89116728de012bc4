"""`/api/operations/{id}/notes` and `/api/notes`: bookmarks and notes of those who review."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.api.moments import Moment
from command_center.api.paging import Page
from command_center.evidence.notes import MAX_TEXT, Notes
from streams.protocol import PLAIN_TEXT

NoteText = Field(default="", max_length=MAX_TEXT, pattern=PLAIN_TEXT)


class NoteItem(BaseModel):
    """One note; `at` is the moment that it is about, and what was withdrawn says when."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    at: datetime
    feed: str | None
    text: str
    author_id: UUID
    author: str
    created_at: datetime
    edited_at: datetime | None
    withdrawn_at: datetime | None


class NoteBody(BaseModel):
    """A note that is to be; without a text it is a bookmark."""

    model_config = ConfigDict(extra="forbid")
    at: Moment
    text: str = NoteText
    feed: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,128}$")


class TextBody(BaseModel):
    """Another text for a note."""

    model_config = ConfigDict(extra="forbid")
    text: str = NoteText


def router(notes: Notes) -> APIRouter:
    """The routes of notes."""
    routes = APIRouter(tags=["notes"])

    @routes.get("/api/operations/{operation_id}/notes", summary="All notes on an operation, by their moment")
    async def listed(operation_id: UUID) -> Page[NoteItem]:
        found = await notes.listed(signed_in(), operation_id)
        return Page(items=[NoteItem.model_validate(one) for one in found])

    @routes.post("/api/operations/{operation_id}/notes", summary="Write a note at a moment", status_code=201)
    async def add(operation_id: UUID, body: NoteBody) -> NoteItem:
        made = await notes.add(signed_in(), operation_id, body.at, body.text, body.feed)
        return NoteItem.model_validate(made)

    @routes.patch("/api/notes/{note_id}", summary="Put another text into one's own note")
    async def edit(note_id: UUID, body: TextBody) -> NoteItem:
        return NoteItem.model_validate(await notes.edit(signed_in(), note_id, body.text))

    @routes.delete("/api/notes/{note_id}", summary="Withdraw one's own note; it stays, as withdrawn")
    async def withdraw(note_id: UUID) -> NoteItem:
        return NoteItem.model_validate(await notes.withdraw(signed_in(), note_id))

    return routes

"""Notes of the review: by whom, changed by nobody else, and never gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from command_center.audit import AuditEntry
from command_center.clock import now
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted
from command_center.evidence import notes as notes_module
from command_center.evidence.notes import MAX_TEXT, Notes
from streams.hub.hub import Hub
from tests.support.world import World, new_world


@pytest.fixture
async def world(tables_url: str, hub: Hub) -> AsyncIterator[World]:
    """Two courts and their operations, on both databases."""
    async with new_world(tables_url, hub) as world:
        yield world


@pytest.fixture
def notes(world: World) -> Notes:
    return Notes(world.database, world.audit)


async def _audited(world: World) -> list[tuple[str, str]]:
    async with world.database.read() as session:
        rows = await session.scalars(
            select(AuditEntry).where(AuditEntry.action.startswith("note.")).order_by(AuditEntry.sequence)
        )
        return [(row.action, json.loads(row.details)["operation"]) for row in rows]


async def test_notes_are_read_by_their_moment_with_their_author(world: World, notes: Notes) -> None:
    judge, commander, at = world.people["judge"], world.people["commander"], now()
    later = await notes.add(judge, world.operation.id, at + timedelta(minutes=1), "the door opens")
    earlier = await notes.add(commander, world.operation.id, at)
    assert await notes.listed(commander, world.operation.id) == [earlier, later]
    assert (later.author, later.text, earlier.text) == (judge.display_name, "the door opens", "")
    assert await _audited(world) == [("note.added", str(world.operation.id))] * 2


async def test_only_its_author_changes_or_withdraws_a_note_and_it_stays(world: World, notes: Notes) -> None:
    judge, commander = world.people["judge"], world.people["commander"]
    note = await notes.add(judge, world.operation.id, now(), "first")
    for attempt in (notes.edit(commander, note.id, "other"), notes.withdraw(commander, note.id)):
        with pytest.raises(NotPermitted):
            await attempt
    edited = await notes.edit(judge, note.id, "second")
    assert edited.text == "second"
    assert edited.edited_at is not None
    withdrawn = await notes.withdraw(judge, note.id)
    assert await notes.withdraw(judge, note.id) == withdrawn
    with pytest.raises(Conflict):
        await notes.edit(judge, note.id, "third")
    assert await notes.listed(commander, world.operation.id) == [withdrawn]
    assert [action for action, _ in await _audited(world)] == ["note.added", "note.edited", "note.withdrawn"]


async def test_what_is_too_long_too_many_or_of_another_operation_is_refused(
    world: World, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, operation = world.people["judge"], world.operation
    feed = await world.operations.feeds.register(world.people["li"], operation.id, operation.sites[0].id, "phone")
    district = world.district_operation
    other = await world.operations.feeds.register(world.people["bao"], district.id, district.sites[0].id, "phone")
    assert (await notes.add(judge, operation.id, now(), "here", feed.name)).feed == feed.name
    with pytest.raises(Invalid):
        await notes.add(judge, operation.id, now(), "there", other.name)
    with pytest.raises(Invalid):
        await notes.add(judge, operation.id, now(), "x" * (MAX_TEXT + 1))
    monkeypatch.setattr(notes_module, "MAX_NOTES", 1)
    with pytest.raises(Conflict):
        await notes.add(judge, operation.id, now())


async def test_another_court_and_who_does_not_review_see_none(world: World, notes: Notes) -> None:
    note = await notes.add(world.people["judge"], world.operation.id, now())
    outsider = world.people["district-commander"]
    for attempt in (
        notes.listed(outsider, world.operation.id),
        notes.add(outsider, world.operation.id, now()),
        notes.withdraw(outsider, note.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(NotPermitted):
        await notes.listed(world.people["li"], world.operation.id)

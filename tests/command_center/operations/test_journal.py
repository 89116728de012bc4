"""What an operation's services note in its journal."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from command_center.clock import now
from command_center.errors import NotFound
from command_center.journal import JournalEntry, JournalKind
from command_center.operations.records import Scope, to_ms
from command_center.operations.talks import Talks
from streams.hub.topics import PositionTaken, TalkChanged
from streams.protocol import CameraState, Position, Receipt, ReceiptState
from tests.support.world import World


async def noted(world: World, kind: JournalKind, operation_id: UUID | None = None) -> list[dict[str, Any]]:
    """The bodies of the city's operation, or of another, of this kind in their order."""
    async with world.database.read() as session:
        query = select(JournalEntry.body).where(
            JournalEntry.kind == kind.value, JournalEntry.operation_id == (operation_id or world.operation.id)
        )
        return [json.loads(body) for body in await session.scalars(query.order_by(JournalEntry.id))]


async def test_an_instruction_is_noted_with_its_text_and_recipients_once(world: World) -> None:
    order = world.order("从后门进入", Scope.SITE, site_id=world.operation.sites[0].id)
    await world.instructions.send(world.people["commander"], order)
    await world.instructions.send(world.people["commander"], order)
    (body,) = await noted(world, JournalKind.INSTRUCTION)
    assert (body["text"], body["scope"], body["site"]) == ("从后门进入", "site", str(world.operation.sites[0].id))
    assert (body["number"], body["sender"]) == (1, str(world.people["commander"].user_id))
    assert [one["officer"] for one in body["recipients"]] == [str(world.people["li"].user_id)]
    assert body["deadline_at"] > to_ms(now())


async def test_every_receipt_is_noted_with_the_devices_time_and_a_repeated_one_once(world: World) -> None:
    officer = world.people["li"].user_id
    sent = await world.instructions.send(world.people["commander"], world.order("x", Scope.OFFICER, officer_id=officer))
    (delivery,) = sent.deliveries
    wrong_clock = to_ms(now() - timedelta(minutes=10))
    for state in (ReceiptState.DELIVERED, ReceiptState.SEEN, ReceiptState.REFUSED):
        receipt = Receipt(
            id=uuid4(), delivery_id=delivery.id, state=state, at=wrong_clock,
            reason="门锁着" if state is ReceiptState.REFUSED else "",
        )  # fmt: skip
        await world.instructions.apply(officer, receipt)
        await world.instructions.apply(officer, receipt)
    late = Receipt(id=uuid4(), delivery_id=delivery.id, state=ReceiptState.SEEN, at=wrong_clock, reason="")
    await world.instructions.apply(officer, late)
    bodies = await noted(world, JournalKind.RECEIPT)
    assert [(one["state"], one["is_applied"]) for one in bodies] == [
        ("delivered", True),
        ("seen", True),
        ("refused", True),
        ("seen", False),
    ]
    assert bodies[2]["reason"] == "门锁着"
    assert {one["device_at"] for one in bodies} == {wrong_clock}
    assert {one["delivery"] for one in bodies} == {str(delivery.id)}


async def test_an_escalation_is_noted_once_for_each_officer(world: World) -> None:
    world.instructions._deadlines = dict.fromkeys(world.instructions._deadlines, timedelta(0))
    await world.instructions.send(world.people["commander"], world.order("x"))
    await world.instructions.escalate()
    await world.instructions.escalate()
    bodies = await noted(world, JournalKind.ESCALATED)
    assert {one["officer"] for one in bodies} == {str(world.people[name].user_id) for name in ("li", "zhang", "wang")}
    assert len(bodies) == 3


async def test_positions_are_noted_by_operation_and_each_once(world: World) -> None:
    city = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )
    district = await world.operations.feeds.register(
        world.people["bao"], world.district_operation.id, world.district_operation.sites[0].id, "phone"
    )
    batch = [_taken(feed, second) for feed in (city.name, district.name, "nobodys") for second in range(3)]
    await world.positions.insert(batch)
    more = _taken(city.name, 7)
    await world.positions.insert([*batch, more, more])
    first, second = await noted(world, JournalKind.POSITIONS)
    assert [one["id"] for one in first["points"]] == [str(one.position.id) for one in batch[:3]]
    assert [one["id"] for one in second["points"]] == [str(more.position.id)]
    assert second["points"][0]["taken_at"] == more.position.taken_at
    (other,) = await noted(world, JournalKind.POSITIONS, world.district_operation.id)
    assert {one["feed"] for one in other["points"]} == {district.name}


async def test_a_feeds_life_is_noted(world: World) -> None:
    feeds, sites = world.operations.feeds, world.operation.sites
    feed = await feeds.register(world.people["li"], world.operation.id, sites[0].id, "phone")
    await feeds.register(world.people["li"], world.operation.id, sites[0].id, "phone")
    await feeds.register(world.people["li"], world.operation.id, sites[1].id, "phone")
    at = to_ms(now())
    for state, told_at in ((CameraState.STOPPED_BY_OFFICER, at), (CameraState.LIVE, at - 1)):
        await feeds.camera_changed(feed.name, state, told_at)
        await feeds.camera_changed(feed.name, state, told_at)
    await feeds.revoke(world.people["commander"], feed.name)
    bodies = await noted(world, JournalKind.CAMERA)
    assert [one["what"] for one in bodies] == ["registered", "moved", "state", "revoked"]
    assert bodies[1]["site"] == str(sites[1].id)
    assert (bodies[2]["state"], bodies[2]["told_at"]) == ("stopped_by_officer", at)


async def test_a_talk_is_noted_as_it_is_put_together_for_the_audit(world: World) -> None:
    talks = Talks(world.database, world.audit, world.journal, lambda: now() + timedelta(minutes=10))
    begin = TalkChanged(
        talk=uuid4(), operation_id=world.operation.id, user_id=world.people["commander"].user_id, speaker="甲",
        node="one", recording_feed="talk.x", to=("a", "b"), heard=(), began_at=1,
    )  # fmt: skip
    end = begin.model_copy(update={"heard": ("b",), "ended_at": 9_001, "reason": "released"})
    await talks.record([begin, end])
    await Talks(world.database, world.audit, world.journal, lambda: now() + timedelta(minutes=20)).close_due()
    began, ended = await noted(world, JournalKind.TALK)
    assert (began["what"], began["to"]) == ("began", ["a", "b"])
    assert (ended["what"], ended["heard"], ended["seconds"]) == ("ended", ["b"], 9)


async def test_what_becomes_of_the_operation_and_its_team_is_noted(world: World) -> None:
    commander, officer = world.people["commander"], world.people["wang"].user_id
    await world.operations.assign(commander, world.operation.id, officer, world.operation.sites[0].id)
    await world.operations.remove_officer(commander, world.operation.id, officer)
    bodies = await noted(world, JournalKind.OPERATION)
    assert [one["what"] for one in bodies] == ["created", "officer-assigned", "officer-removed"]
    assert {one["by"] for one in bodies} == {str(commander.user_id)}


async def test_what_was_refused_is_not_noted(world: World) -> None:
    with pytest.raises(NotFound):
        await world.instructions.send(world.people["district-commander"], world.order("x"))
    assert await noted(world, JournalKind.INSTRUCTION) == []


async def test_many_at_once_wait_for_each_other_and_number_in_the_order_of_their_commits(world: World) -> None:
    """Receipts hold their delivery, the camera's word its feed, and all of them want the journal's turn."""
    officer = world.people["li"]
    feed = await world.operations.feeds.register(officer, world.operation.id, world.operation.sites[0].id, "phone")
    sent = [await world.instructions.send(world.people["commander"], world.order(f"{n}")) for n in range(5)]
    own = [one for each in sent for one in each.deliveries if one.officer_id == officer.user_id]
    receipts = [
        world.instructions.apply(
            officer.user_id, Receipt(id=uuid4(), delivery_id=one.id, state=state, at=to_ms(now()), reason="")
        )
        for one in own
        for state in (ReceiptState.DELIVERED, ReceiptState.SEEN, ReceiptState.ACCEPTED)
    ]
    words = [
        world.operations.feeds.camera_changed(feed.name, CameraState.LIVE, to_ms(now()) + number) for number in range(5)
    ]
    moves = [
        world.operations.feeds.register(officer, world.operation.id, site.id, "phone")
        for site in world.operation.sites * 2
    ]
    orders = [world.instructions.send(world.people["commander"], world.order("more")) for _ in range(3)]
    positions = [world.positions.insert([_taken(feed.name, second)]) for second in range(5)]
    await asyncio.gather(*receipts, *words, *moves, *orders, *positions)
    async with world.database.read() as session:
        ats = list(await session.scalars(select(JournalEntry.at).order_by(JournalEntry.id)))
    assert ats == sorted(ats)


def _taken(feed: str, second: int) -> PositionTaken:
    at = to_ms(now()) + second * 1000
    position = Position(id=uuid4(), taken_at=at, latitude=40.8, longitude=111.7, accuracy_m=5)
    return PositionTaken(feed=feed, position=position, received_at=at, clock_offset_ms=0, road="channel")

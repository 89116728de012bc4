"""Instructions: sent once to everyone they are for, in order, and followed to their end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from command_center.audit import AuditEntry
from command_center.clock import now
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted
from command_center.operations.instructions import MAX_TEXT, Instructions, Outcome
from command_center.operations.records import InstructionRecord, Priority, Scope
from command_center.operations.tables import Delivery, Instruction, Operation
from streams.protocol import Receipt, ReceiptState
from tests.support.valkey import Valkey
from tests.support.world import World

S = ReceiptState


def _receipt(delivery_id: UUID, state: ReceiptState, reason: str = "") -> Receipt:
    return Receipt(id=uuid4(), delivery_id=delivery_id, state=state, at=1_770_000_000_000, reason=reason)


async def _states(world: World, record: InstructionRecord) -> dict[str, str]:
    (found,) = await world.instructions.by_ids([record.id])
    return {one.officer.split()[0]: one.state for one in found.deliveries}


async def test_an_instruction_to_all_reaches_every_officer_of_the_operation(world: World) -> None:
    record = await world.instructions.send(world.people["commander"], world.order("  开始行动 "))
    assert (record.number, record.text, record.sender) == (1, "开始行动", "commander 甲")
    assert await _states(world, record) == {"li": "sent", "zhang": "sent", "wang": "sent"}
    assert record.deadline_at == record.issued_at + timedelta(minutes=3)


async def test_an_instruction_to_a_site_or_officer_reaches_only_those(world: World) -> None:
    commander = world.people["commander"]
    site = world.operation.sites[1]
    to_site = await world.instructions.send(commander, world.order("a", Scope.SITE, site_id=site.id))
    assert await _states(world, to_site) == {"zhang": "sent"}
    assert (to_site.target_zh, to_site.target_en) == (site.name_zh, site.name_en)
    wang = world.people["wang"]
    to_officer = await world.instructions.send(commander, world.order("b", Scope.OFFICER, officer_id=wang.user_id))
    assert await _states(world, to_officer) == {"wang": "sent"}
    assert to_officer.target_zh == wang.display_name


async def test_pressing_the_button_twice_sends_once(world: World) -> None:
    commander = world.people["commander"]
    order = world.order("一次")
    records = await asyncio.gather(*(world.instructions.send(commander, order) for _ in range(4)))
    assert len({record.id for record in records}) == 1
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await world.instructions.send(commander, world.order("另一个", idempotency_key=order.idempotency_key))


@pytest.mark.parametrize("scope", [Scope.SITE, Scope.OFFICER])
async def test_the_same_key_for_somebody_else_is_refused(world: World, scope: Scope) -> None:
    commander, (first, second) = world.people["commander"], world.operation.sites
    targets = (
        [{"site_id": first.id}, {"site_id": second.id}]
        if scope is Scope.SITE
        else [{"officer_id": world.people[name].user_id} for name in ("li", "zhang")]
    )
    order = world.order("报告情况", scope, **targets[0])
    sent = await world.instructions.send(commander, order)
    assert (await world.instructions.send(commander, order)).id == sent.id
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await world.instructions.send(
            commander, world.order("报告情况", scope, idempotency_key=order.idempotency_key, **targets[1])
        )


async def test_numbers_and_sequences_have_no_gaps_when_many_send_at_once(world: World) -> None:
    commander = world.people["commander"]
    await asyncio.gather(*(world.instructions.send(commander, world.order(f"{n}")) for n in range(10)))
    listed = await world.instructions.listed(commander, world.operation.id)
    assert [one.number for one in listed] == list(range(10, 0, -1))
    waiting = await world.instructions.undelivered(world.people["li"].user_id)
    assert [one.sequence for one in waiting] == list(range(1, 11))
    assert [one.number for one in waiting] == list(range(1, 11))


@pytest.mark.parametrize("text", ["", "   ", "\u200d\ufe0f", "x" * (MAX_TEXT + 1)])
async def test_no_text_or_too_much_is_refused(world: World, text: str) -> None:
    with pytest.raises(Invalid, match="text-length"):
        await world.instructions.send(world.people["commander"], world.order(text))


async def test_only_who_commands_this_operation_sends(world: World) -> None:
    for name in ("judge", "li", "security", "auditor"):
        with pytest.raises(NotPermitted):
            await world.instructions.send(world.people[name], world.order("x"))
    with pytest.raises(NotFound):
        await world.instructions.send(world.people["district-commander"], world.order("x"))
    with pytest.raises(NotFound):
        await world.instructions.listed(world.people["district-commander"], world.operation.id)
    with pytest.raises(NotPermitted):
        await world.instructions.listed(world.people["li"], world.operation.id)


async def test_an_instruction_for_nobody_is_refused_and_leaves_nothing(world: World) -> None:
    commander = world.people["commander"]
    await world.operations.remove_officer(commander, world.operation.id, world.people["li"].user_id)
    order = world.order("x", Scope.SITE, site_id=world.operation.sites[0].id)
    with pytest.raises(Conflict, match="nobody-to-instruct"):
        await world.instructions.send(commander, order)
    with pytest.raises(Invalid, match="officer-unknown"):
        await world.instructions.send(
            commander, world.order("x", Scope.OFFICER, officer_id=world.people["bao"].user_id)
        )
    async with world.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Instruction)) == 0
        operation = await session.get_one(Operation, world.operation.id)
        assert operation.next_instruction_number == 1


async def test_an_operation_that_is_over_takes_no_instruction(world: World) -> None:
    async with world.database.write() as session:
        (await session.get_one(Operation, world.operation.id)).state = "ended"
    with pytest.raises(Conflict, match="operation-ended"):
        await world.instructions.send(world.people["commander"], world.order("x"))


async def test_a_receipt_moves_the_delivery_once_however_often_it_comes(world: World) -> None:
    await world.instructions.send(world.people["commander"], world.order("x"))
    li = world.people["li"].user_id
    (waiting,) = await world.instructions.undelivered(li)
    receipt = _receipt(waiting.id, S.DELIVERED)
    outcomes = await asyncio.gather(*(world.instructions.apply(li, receipt) for _ in range(4)))
    assert sorted(outcomes) == [Outcome.APPLIED, *[Outcome.REPEATED] * 3]
    assert await world.instructions.undelivered(li) == []
    (known,) = await world.instructions.for_officer(li)
    assert known.state == "delivered"


async def test_a_later_step_stands_for_the_lost_ones_before_it(world: World) -> None:
    record = await world.instructions.send(world.people["commander"], world.order("x"))
    li = world.people["li"].user_id
    (waiting,) = await world.instructions.undelivered(li)
    assert await world.instructions.apply(li, _receipt(waiting.id, S.DONE)) is Outcome.APPLIED
    assert await world.instructions.apply(li, _receipt(waiting.id, S.SEEN)) is Outcome.OUT_OF_DATE
    (found,) = await world.instructions.by_ids([record.id])
    (delivery,) = [one for one in found.deliveries if one.officer_id == li]
    assert delivery.state == "done"
    assert delivery.delivered_at == delivery.seen_at == delivery.answered_at == delivery.done_at is not None


async def test_a_refusal_needs_its_reason_and_is_final(world: World) -> None:
    record = await world.instructions.send(world.people["commander"], world.order("x"))
    li = world.people["li"].user_id
    (waiting,) = await world.instructions.undelivered(li)
    with pytest.raises(Invalid, match="reason-required"):
        await world.instructions.apply(li, _receipt(waiting.id, S.REFUSED, "  "))
    assert (await _states(world, record))["li"] == "sent"
    assert await world.instructions.apply(li, _receipt(waiting.id, S.REFUSED, "门锁着")) is Outcome.APPLIED
    assert await world.instructions.apply(li, _receipt(waiting.id, S.ACCEPTED)) is Outcome.OUT_OF_DATE
    (found,) = await world.instructions.by_ids([record.id])
    assert {one.reason for one in found.deliveries if one.officer_id == li} == {"门锁着"}


async def test_nobody_answers_for_another_officer(world: World) -> None:
    record = await world.instructions.send(world.people["commander"], world.order("x"))
    (waiting,) = await world.instructions.undelivered(world.people["li"].user_id)
    with pytest.raises(NotFound):
        await world.instructions.apply(world.people["zhang"].user_id, _receipt(waiting.id, S.ACCEPTED))
    assert (await _states(world, record))["li"] == "sent"


async def test_an_officer_that_was_removed_gets_nothing_more(world: World) -> None:
    commander, li = world.people["commander"], world.people["li"].user_id
    await world.instructions.send(commander, world.order("x"))
    await world.operations.remove_officer(commander, world.operation.id, li)
    assert await world.instructions.undelivered(li) == []
    assert await world.instructions.for_officer(li) == []


async def test_what_was_not_answered_by_its_deadline_is_marked_once(world: World) -> None:
    commander, li = world.people["commander"], world.people["li"].user_id
    instructions = world.instructions
    late = await instructions.send(commander, world.order("late", priority=Priority.CRITICAL))
    await instructions.send(commander, world.order("not yet", priority=Priority.ROUTINE))
    (first, _) = await instructions.undelivered(li)
    await instructions.apply(li, _receipt(first.id, S.ACCEPTED))
    assert await instructions.escalate() == 0
    later = Instructions(world.database, world.hub, world.audit, world.journal, lambda: now() + timedelta(seconds=61))
    assert await later.escalate() == 2
    assert await later.escalate() == 0
    (found,) = await instructions.by_ids([late.id])
    assert {one.officer.split()[0] for one in found.deliveries if one.escalated_at} == {"zhang", "wang"}


async def test_sending_and_answers_are_in_the_audit(world: World) -> None:
    record = await world.instructions.send(world.people["commander"], world.order("x"))
    li = world.people["li"].user_id
    (waiting,) = await world.instructions.undelivered(li)
    for step in (S.DELIVERED, S.ACCEPTED, S.DONE):
        await world.instructions.apply(li, _receipt(waiting.id, step))
    async with world.database.read() as session:
        entries = await session.execute(
            select(AuditEntry.action, AuditEntry.actor_id)
            .where(AuditEntry.subject_id == str(record.id))
            .order_by(AuditEntry.sequence)
        )
        assert [tuple(entry) for entry in entries] == [
            ("instruction.sent", world.people["commander"].user_id),
            ("instruction.accepted", li),
            ("instruction.done", li),
        ]


async def test_an_instruction_is_sent_while_the_hub_is_away(world: World, valkey: Valkey) -> None:
    valkey.kill()
    await world.instructions.send(world.people["commander"], world.order("x"))
    assert len(await world.instructions.undelivered(world.people["li"].user_id)) == 1


async def test_pages_of_instructions_follow_on_each_other(world: World) -> None:
    commander = world.people["commander"]
    for number in range(5):
        await world.instructions.send(commander, world.order(f"{number}"))
    first = await world.instructions.listed(commander, world.operation.id, limit=3)
    rest = await world.instructions.listed(commander, world.operation.id, before=first[-1].number)
    assert [one.number for one in first + rest] == [5, 4, 3, 2, 1]


async def test_each_officer_has_its_own_sequence(world: World) -> None:
    commander = world.people["commander"]
    await world.instructions.send(commander, world.order("x", Scope.OFFICER, officer_id=world.people["li"].user_id))
    await world.instructions.send(commander, world.order("y"))
    async with world.database.read() as session:
        rows = await session.execute(select(Delivery.officer_id, Delivery.sequence).order_by(Delivery.sequence))
        sequences: dict[UUID, list[int]] = {}
        for officer, sequence in rows:
            sequences.setdefault(officer, []).append(sequence)
    assert sequences[world.people["li"].user_id] == [1, 2]
    assert sequences[world.people["zhang"].user_id] == [1]

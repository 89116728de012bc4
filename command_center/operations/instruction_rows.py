"""How instructions are read: with their deliveries for the centre, one by one for an officer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.tables import User
from command_center.operations.delivery import DeliveryState
from command_center.operations.records import (
    DeliveryRecord,
    InstructionRecord,
    OfficerDelivery,
    Priority,
    Scope,
)
from command_center.operations.tables import Assignment, Delivery, Instruction, Operation, Site


async def instruction_records(session: AsyncSession, rows: Sequence[Instruction]) -> list[InstructionRecord]:
    """These instructions, in this order, with where each stands at each of its officers."""
    if not rows:
        return []
    deliveries: dict[UUID, list[DeliveryRecord]] = {row.id: [] for row in rows}
    found = await session.execute(
        select(Delivery, User.display_name)
        .join(User, User.id == Delivery.officer_id)
        .where(Delivery.instruction_id.in_(deliveries))
        .order_by(Delivery.id)
    )
    for delivery, officer in found:
        deliveries[delivery.instruction_id].append(_delivery(delivery, officer))
    user_ids = {row.sender_id for row in rows} | {row.officer_id for row in rows if row.officer_id}
    people = await session.execute(select(User.id, User.display_name).where(User.id.in_(user_ids)))
    names = dict(people.all())
    site_ids = {row.site_id for row in rows if row.site_id}
    sites = {site.id: site for site in await session.scalars(select(Site).where(Site.id.in_(site_ids)))}
    return [_instruction(row, names, sites, deliveries[row.id]) for row in rows]


async def officer_deliveries(
    session: AsyncSession, officer_id: UUID, *, only_sent: bool, limit: int
) -> list[OfficerDelivery]:
    """An officer's deliveries in the order of sending: the oldest that wait, or the latest of all."""
    query = (
        select(Delivery, Instruction, User.display_name)
        .join(Instruction, Instruction.id == Delivery.instruction_id)
        .join(User, User.id == Instruction.sender_id)
        .join(Operation, Operation.id == Delivery.operation_id)
        .join(
            Assignment,
            (Assignment.operation_id == Delivery.operation_id) & (Assignment.user_id == Delivery.officer_id),
        )
        .where(Delivery.officer_id == officer_id, Operation.state != "ended", Assignment.removed_at.is_(None))
        .limit(limit)
    )
    if only_sent:
        query = query.where(Delivery.state == DeliveryState.SENT.value)
        query = query.order_by(Delivery.operation_id, Delivery.sequence)
    else:
        query = query.order_by(Delivery.id.desc())
    rows = [
        _for_officer(delivery, instruction, sender) for delivery, instruction, sender in await session.execute(query)
    ]
    return sorted(rows, key=lambda one: (one.operation_id, one.sequence))


def _delivery(row: Delivery, officer: str) -> DeliveryRecord:
    return DeliveryRecord(
        id=row.id,
        officer_id=row.officer_id,
        officer=officer,
        state=row.state,
        reason=row.reason,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        seen_at=row.seen_at,
        answered_at=row.answered_at,
        done_at=row.done_at,
        escalated_at=row.escalated_at,
    )


def _instruction(
    row: Instruction, names: dict[UUID, str], sites: dict[UUID, Site], deliveries: list[DeliveryRecord]
) -> InstructionRecord:
    target_zh = target_en = ""
    if row.site_id is not None:
        target_zh, target_en = sites[row.site_id].name_zh, sites[row.site_id].name_en
    elif row.officer_id is not None:
        target_zh = target_en = names[row.officer_id]
    return InstructionRecord(
        id=row.id,
        operation_id=row.operation_id,
        number=row.number,
        priority=Priority(row.priority),
        scope=Scope(row.scope),
        target_zh=target_zh,
        target_en=target_en,
        text=row.text,
        sender=names[row.sender_id],
        issued_at=row.issued_at,
        deadline_at=row.deadline_at,
        deliveries=tuple(deliveries),
    )


def _for_officer(delivery: Delivery, instruction: Instruction, sender: str) -> OfficerDelivery:
    return OfficerDelivery(
        id=delivery.id,
        operation_id=delivery.operation_id,
        sequence=delivery.sequence,
        number=instruction.number,
        priority=Priority(instruction.priority),
        text=instruction.text,
        sender=sender,
        issued_at=instruction.issued_at,
        deadline_at=instruction.deadline_at,
        state=delivery.state,
    )

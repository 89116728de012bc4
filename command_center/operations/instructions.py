"""Instructions: sent in one transaction, delivered in order, followed step by step to done."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.config import Settings
from command_center.database import Database, new_id
from command_center.errors import Conflict, Invalid, NotFound
from command_center.journal import Journal, JournalKind
from command_center.operations.delivery import UNANSWERED, move
from command_center.operations.instruction_rows import instruction_records, officer_deliveries
from command_center.operations.records import InstructionRecord, OfficerDelivery, Priority, Scope, from_ms, to_ms
from command_center.operations.scope import check_site, commanded_operation, must, visible_operation
from command_center.operations.tables import Assignment, Delivery, Instruction, InstructionReceipt, Operation
from streams.hub.hub import Hub
from streams.hub.topics import InstructionChanged
from streams.protocol import Receipt, ReceiptState

logger = logging.getLogger(__name__)

MAX_TEXT = 1000
PAGE = 100
HISTORY = 50
"""How many of its answered instructions an officer's page gets back when it is loaded anew."""
ESCALATION_BATCH = 200

DEADLINES: Mapping[Priority, timedelta] = {
    Priority.CRITICAL: timedelta(seconds=60),
    Priority.URGENT: timedelta(minutes=3),
    Priority.ROUTINE: timedelta(minutes=15),
}


def deadlines_of(settings: Settings) -> dict[Priority, timedelta]:
    """The deadlines that an installation has chosen."""
    return {
        Priority.CRITICAL: timedelta(seconds=settings.critical_deadline_seconds),
        Priority.URGENT: timedelta(seconds=settings.urgent_deadline_seconds),
        Priority.ROUTINE: timedelta(seconds=settings.routine_deadline_seconds),
    }


_AUDITED = {ReceiptState.ACCEPTED, ReceiptState.REFUSED, ReceiptState.DONE}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent, to whom; `idempotency_key` is made by the page for one press of the button."""

    operation_id: UUID
    scope: Scope
    priority: Priority
    text: str
    idempotency_key: UUID
    site_id: UUID | None = None
    officer_id: UUID | None = None


class Outcome(StrEnum):
    """What a receipt did. All three are kept safe and need not be told again."""

    APPLIED = "applied"
    REPEATED = "repeated"
    OUT_OF_DATE = "out_of_date"


class Instructions:
    """The instructions of every operation."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        audit: Audit,
        journal: Journal,
        clock: Clock = now,
        deadlines: Mapping[Priority, timedelta] = DEADLINES,
    ) -> None:
        self._database = database
        self._hub = hub
        self._audit = audit
        self._journal = journal
        self._clock = clock
        self._deadlines = deadlines

    async def send(self, identity: Identity, order: Order) -> InstructionRecord:
        """Send an instruction to everyone it is for. The same key again gives the first one back.

        Raises:
            NotPermitted: the role doesn't command.
            NotFound: there is no such operation in this person's courts.
            Invalid: no text or too much of it, or a site or officer that isn't of the operation.
            Conflict: the operation is over, nobody is there to get it, or the key was used for another one.
        """
        text = order.text.strip()
        if not is_legible(text) or len(text) > MAX_TEXT:
            raise Invalid("text-length", limit=MAX_TEXT)
        async with self._database.write() as session:
            operation = await commanded_operation(session, identity, order.operation_id)
            known = await _sent_before(session, identity, order, text)
            places: Sequence[Assignment] = ()
            if known is None:
                if operation.state == "ended":
                    raise Conflict("operation-ended")
                places = await _recipients(session, order)
                known = await self._write(session, identity, operation, order, text, places)
        if places:  # first of all the officers: whoever sent it can wait for the answer a little
            await self._tell(known.operation_id, known.id, [place.user_id for place in places])
        async with self._database.read() as session:
            return (await instruction_records(session, [known]))[0]

    async def listed(
        self, identity: Identity, operation_id: UUID, *, before: int | None = None, limit: int = PAGE
    ) -> list[InstructionRecord]:
        """The instructions of an operation, the newest first; those with a number below `before`, for paging.

        Raises:
            NotPermitted: the role doesn't see operations.
            NotFound: there is none in this person's courts.
        """
        must(identity, Permission.SEE_OPERATIONS)
        async with self._database.read() as session:
            await visible_operation(session, identity, operation_id)
        return await self.of_operation(operation_id, before=before, limit=limit)

    async def of_operation(
        self, operation_id: UUID, *, before: int | None = None, limit: int = PAGE
    ) -> list[InstructionRecord]:
        """The same, for a reader who was checked before."""
        query = select(Instruction).where(Instruction.operation_id == operation_id)
        if before is not None:
            query = query.where(Instruction.number < before)
        query = query.order_by(Instruction.number.desc()).limit(min(limit, PAGE))
        async with self._database.read() as session:
            return await instruction_records(session, list(await session.scalars(query)))

    async def by_ids(self, ids: Sequence[UUID]) -> list[InstructionRecord]:
        """These instructions as they stand now, for readers who were checked before."""
        async with self._database.read() as session:
            rows = list(await session.scalars(select(Instruction).where(Instruction.id.in_(ids))))
            return await instruction_records(session, rows)

    async def undelivered(self, officer_id: UUID) -> list[OfficerDelivery]:
        """What this officer's device hasn't confirmed, in the order of sending."""
        async with self._database.read() as session:
            return await officer_deliveries(session, officer_id, only_sent=True, limit=PAGE)

    async def for_officer(self, officer_id: UUID) -> list[OfficerDelivery]:
        """The officer's latest instructions with what was answered, and all that wait, in the order of sending."""
        async with self._database.read() as session:
            recent = await officer_deliveries(session, officer_id, only_sent=False, limit=HISTORY)
            waiting = await officer_deliveries(session, officer_id, only_sent=True, limit=PAGE)
        merged = {one.id: one for one in [*recent, *waiting]}
        return sorted(merged.values(), key=lambda one: (one.operation_id, one.sequence))

    async def apply(self, officer_id: UUID, receipt: Receipt) -> Outcome:
        """Keep what an officer's device says of an instruction; the same receipt again changes nothing.

        Raises:
            NotFound: no delivery to this officer has this id.
            Invalid: a refusal without a reason.
        """
        at = self._clock()
        async with self._database.write() as session:
            delivery = await session.scalar(
                select(Delivery)
                .where(Delivery.id == receipt.delivery_id, Delivery.officer_id == officer_id)
                .with_for_update()
            )
            if delivery is None:
                raise NotFound("delivery-not-found")
            if not await self._is_new(session, receipt):
                return Outcome.REPEATED
            is_applied = move(delivery, receipt.state, at, receipt.reason)
            await self._note_receipt(session, delivery, receipt, at, is_applied=is_applied)
            if not is_applied:
                return Outcome.OUT_OF_DATE
            if receipt.state in _AUDITED:
                await self._record_answer(session, officer_id, delivery)
        await self._tell(delivery.operation_id, delivery.instruction_id, [officer_id])
        return Outcome.APPLIED

    async def escalate(self) -> int:
        """Mark what wasn't answered by its deadline, tell the screens, and return how many were marked now."""
        at = self._clock()
        async with self._database.write() as session:
            late = list(
                await session.scalars(
                    select(Delivery)
                    .join(Instruction, Instruction.id == Delivery.instruction_id)
                    .where(
                        Delivery.escalated_at.is_(None),
                        Delivery.state.in_([state.value for state in UNANSWERED]),
                        Instruction.deadline_at <= at,
                    )
                    .order_by(Delivery.id)
                    .limit(ESCALATION_BATCH)
                )
            )
            for delivery in late:
                delivery.escalated_at = at
            await session.flush()
            for delivery in late:
                body = {
                    "instruction": str(delivery.instruction_id),
                    "delivery": str(delivery.id),
                    "officer": str(delivery.officer_id),
                }
                await self._journal.note(session, delivery.operation_id, JournalKind.ESCALATED, body)
        for instruction_id, operation_id in {(one.instruction_id, one.operation_id) for one in late}:
            officers = [one.officer_id for one in late if one.instruction_id == instruction_id]
            await self._tell(operation_id, instruction_id, officers)
        return len(late)

    async def _write(
        self,
        session: AsyncSession,
        identity: Identity,
        operation: Operation,
        order: Order,
        text: str,
        places: Sequence[Assignment],
    ) -> Instruction:
        at = self._clock()
        site_id, officer_id = _target(order)
        instruction = Instruction(
            id=new_id(),
            operation_id=operation.id,
            number=operation.next_instruction_number,
            sender_id=identity.user_id,
            scope=order.scope.value,
            site_id=site_id,
            officer_id=officer_id,
            priority=order.priority.value,
            text=text,
            idempotency_key=order.idempotency_key,
            issued_at=at,
            deadline_at=at + self._deadlines[order.priority],
        )
        operation.next_instruction_number += 1
        session.add(instruction)
        await session.flush()
        deliveries = [
            Delivery(
                id=new_id(),
                instruction_id=instruction.id,
                operation_id=operation.id,
                officer_id=place.user_id,
                sequence=place.next_sequence,
                sent_at=at,
            )
            for place in places
        ]
        session.add_all(deliveries)
        for place in places:
            place.next_sequence += 1
        await self._journal.note(session, operation.id, JournalKind.INSTRUCTION, _noted(instruction, deliveries))
        await self._audit.record(
            session,
            actor=identity.user_id,
            court_id=operation.court_id,
            action="instruction.sent",
            subject_type="instruction",
            subject_id=str(instruction.id),
            details={"operation": str(operation.id), "number": instruction.number, "recipients": len(places)},
        )
        await session.flush()
        return instruction

    async def _is_new(self, session: AsyncSession, receipt: Receipt) -> bool:
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        written = await session.scalar(
            insert(InstructionReceipt)
            .values(
                id=receipt.id,
                delivery_id=receipt.delivery_id,
                state=receipt.state.value,
                device_at=from_ms(receipt.at),
                received_at=self._clock(),
            )
            .on_conflict_do_nothing(index_elements=[InstructionReceipt.id])
            .returning(InstructionReceipt.id)
        )
        return written is not None

    async def _note_receipt(
        self, session: AsyncSession, delivery: Delivery, receipt: Receipt, at: datetime, *, is_applied: bool
    ) -> None:
        body = {
            "instruction": str(delivery.instruction_id),
            "delivery": str(delivery.id),
            "officer": str(delivery.officer_id),
            "receipt": str(receipt.id),
            "state": receipt.state.value,
            "reason": receipt.reason,
            "device_at": receipt.at,
            "received_at": to_ms(at),
            "is_applied": is_applied,
        }
        await self._journal.note(session, delivery.operation_id, JournalKind.RECEIPT, body)

    async def _record_answer(self, session: AsyncSession, officer_id: UUID, delivery: Delivery) -> None:
        operation = await session.get_one(Operation, delivery.operation_id)
        await self._audit.record(
            session,
            actor=officer_id,
            court_id=operation.court_id,
            action=f"instruction.{delivery.state}",
            subject_type="instruction",
            subject_id=str(delivery.instruction_id),
            details={"delivery": str(delivery.id)},
        )

    async def _tell(self, operation_id: UUID, instruction_id: UUID, officer_ids: Sequence[UUID]) -> None:
        """Wake sockets and screens. Nothing is lost if nobody hears: they look again by themselves."""
        event = InstructionChanged(
            operation_id=operation_id, instruction_id=instruction_id, officer_ids=tuple(officer_ids)
        )
        if not await self._hub.publish(event):
            logger.info("hub away, instruction %s waits for the sockets' next look", instruction_id)


def is_legible(text: str) -> bool:
    """Whether there is anything to see: a letter, a digit, a sign or a mark of punctuation."""
    return any(unicodedata.category(character)[0] in "LNPS" for character in text)


def _noted(instruction: Instruction, deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """What the operation's journal holds of an instruction that is sent."""
    return {
        "instruction": str(instruction.id),
        "number": instruction.number,
        "sender": str(instruction.sender_id),
        "scope": instruction.scope,
        "site": str(instruction.site_id) if instruction.site_id else None,
        "officer": str(instruction.officer_id) if instruction.officer_id else None,
        "priority": instruction.priority,
        "text": instruction.text,
        "deadline_at": to_ms(instruction.deadline_at) if instruction.deadline_at else None,
        "recipients": [
            {"officer": str(one.officer_id), "delivery": str(one.id), "sequence": one.sequence} for one in deliveries
        ],
    }


def _target(order: Order) -> tuple[UUID | None, UUID | None]:
    """The site or the officer, where it is for one."""
    return (
        order.site_id if order.scope is Scope.SITE else None,
        order.officer_id if order.scope is Scope.OFFICER else None,
    )


async def _sent_before(session: AsyncSession, identity: Identity, order: Order, text: str) -> Instruction | None:
    known = await session.scalar(select(Instruction).where(Instruction.idempotency_key == order.idempotency_key))
    if known is None:
        return None
    first = (known.operation_id, known.sender_id, known.scope, known.site_id, known.officer_id)
    again = (order.operation_id, identity.user_id, order.scope.value, *_target(order))
    if (*first, known.text, known.priority) != (*again, text, order.priority.value):
        raise Conflict("idempotency-key-used")
    return known


async def _recipients(session: AsyncSession, order: Order) -> Sequence[Assignment]:
    query = select(Assignment).where(Assignment.operation_id == order.operation_id, Assignment.removed_at.is_(None))
    if order.scope is Scope.SITE:
        if order.site_id is None:
            raise Invalid("site-unknown")
        await check_site(session, order.operation_id, order.site_id)
        query = query.where(Assignment.site_id == order.site_id)
    elif order.scope is Scope.OFFICER:
        query = query.where(Assignment.user_id == order.officer_id)
    places = list(await session.scalars(query.order_by(Assignment.id)))
    if not places:
        if order.scope is Scope.OFFICER:
            raise Invalid("officer-unknown")
        raise Conflict("nobody-to-instruct")
    return places

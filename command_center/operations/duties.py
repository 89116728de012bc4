"""Which operations an officer works in now, and which case each of them enforces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from command_center.database import Database
from command_center.errors import NotFound
from command_center.operations.tables import Assignment, Operation


@dataclass(frozen=True, slots=True)
class Duty:
    """An operation in which the officer has a place."""

    operation_id: UUID
    name_zh: str
    name_en: str
    court_id: UUID
    case_id: UUID
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class OperationName:
    """What an operation is called."""

    name_zh: str
    name_en: str


class Duties:
    """Read anew for each request: whoever is taken out of an operation knows of its case no more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, officer_id: UUID) -> list[Duty]:
        """The officer's operations that haven't ended and enforce a case, the newest first."""
        own = (
            select(Operation)
            .join(Assignment, Assignment.operation_id == Operation.id)
            .where(
                Assignment.user_id == officer_id,
                Assignment.removed_at.is_(None),
                Operation.state != "ended",
                Operation.case_id.is_not(None),
            )
            .order_by(Operation.starts_at.desc(), Operation.id.desc())
        )
        async with self._database.read() as session:
            return [_duty(operation) for operation in await session.scalars(own)]

    async def names(self, operation_ids: set[UUID]) -> dict[UUID, OperationName]:
        """What these operations are called."""
        if not operation_ids:
            return {}
        named = select(Operation.id, Operation.name_zh, Operation.name_en).where(Operation.id.in_(operation_ids))
        async with self._database.read() as session:
            return {row.id: OperationName(row.name_zh, row.name_en) for row in await session.execute(named)}


def duty_in(duties: list[Duty], operation_id: UUID) -> Duty:
    """The one in this operation.

    Raises:
        NotFound: there is none.
    """
    for duty in duties:
        if duty.operation_id == operation_id:
            return duty
    raise NotFound("operation-not-found")


def _duty(operation: Operation) -> Duty:
    if operation.case_id is None:
        raise ValueError(f"operation {operation.id} enforces no case")
    return Duty(
        operation_id=operation.id,
        name_zh=operation.name_zh,
        name_en=operation.name_en,
        court_id=operation.court_id,
        case_id=operation.case_id,
        is_demonstration=operation.is_demonstration,
    )

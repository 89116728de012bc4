"""What the asset domain needs of its surroundings: transactions, the audit, and who is asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Actor:
    """The person on whose behalf something is asked; `court_ids` are the courts whose cases they may know of."""

    user_id: UUID
    court_ids: frozenset[UUID]
    may_see: bool = False
    may_query: bool = False
    may_control: bool = False
    may_approve: bool = False
    """The second person of what needs one; never of what they ordered themselves."""
    may_propose: bool = False
    """An officer on site: query and propose, of the cases in `case_ids` only."""
    may_unmask: bool = False
    """The judge of the case, with a reason."""
    may_handle_money: bool = False
    """Claim arrivals, compute distributions and propose them."""
    may_approve_money: bool = False
    """The second person without whom no case money is paid, kept or put off."""
    case_ids: frozenset[UUID] | None = None
    """The only cases that they may know of; None where the courts alone decide."""
    may_propose_sanction: bool = False
    may_decide_sanction: bool = False
    """The president of the court; never of what they proposed themselves."""
    may_manage_cases: bool = False
    own_court_id: UUID | None = None
    """The court that the person belongs to; `court_ids` may hold courts under it as well."""


@dataclass(frozen=True, slots=True)
class AuditNote:
    """One entry of many that are written together; its parts are those of `AuditTrail.record`."""

    actor: UUID | None
    court_id: UUID | None
    action: str
    subject_type: str
    subject_id: str
    case_id: UUID
    details: Mapping[str, str | int]
    contents: Mapping[str, str | int | None] = field(default_factory=dict)


class Records(Protocol):
    """The SQL database."""

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session that only reads."""

    def write(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session in one transaction, committed at the end."""


class AuditTrail(Protocol):
    """Who did what, written in the transaction of the deed."""

    async def record(
        self,
        session: AsyncSession,
        *,
        actor: UUID | None,
        court_id: UUID | None,
        action: str,
        subject_type: str,
        subject_id: str,
        case_id: UUID,
        details: Mapping[str, str | int] | None = None,
        contents: Mapping[str, str | int | None] | None = None,
    ) -> None:
        """Add one entry about this case, last in the transaction.

        `details` hold references, no personal contents; `contents` what beside them a journal of the case is to hold.
        """

    async def record_all(self, session: AsyncSession, notes: Sequence[AuditNote]) -> None:
        """Add an entry for each, in this order, as `record` would, and much faster."""

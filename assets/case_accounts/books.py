"""What everybody who writes into the books shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Records
from assets.case_accounts.ledger import Ledger
from assets.case_accounts.practice import Practice
from assets.case_accounts.trail import MoneyTrail
from assets.identifiers import new_id
from assets.terms import china_day


@dataclass(frozen=True, slots=True)
class Books:
    """The database, the ledger in it, the audit beside it, the time and the settings."""

    records: Records
    ledger: Ledger
    trail: MoneyTrail
    clock: Callable[[], datetime]
    practice: Practice

    def today(self) -> date:
        """The calendar day in China."""
        return china_day(self.clock())

    def numbered(self, letters: str) -> tuple[UUID, str]:
        """A new row's id, and a number for people made of it: letters, the day, and what makes it unique."""
        row_id = new_id()
        return row_id, f"{letters}{self.today():%Y%m%d}{row_id.hex[-14:].upper()}"

    async def record_deed(
        self,
        session: AsyncSession,
        action: str,
        subject: tuple[str, UUID],
        *,
        court_id: UUID,
        actor_id: UUID | None,
        **details: str | int | None,
    ) -> None:
        """Write into the audit, last in the transaction; a detail that there isn't is left out."""
        await self.trail.record(
            session,
            actor=actor_id,
            court_id=court_id,
            action=action,
            subject_type=subject[0],
            subject_id=str(subject[1]),
            details={name: value for name, value in details.items() if value is not None},
        )

"""How a step is taken: guarded, once for each press of a button, in the time line and in the audit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.answers import Changed
from assets.audit import Actor, AuditTrail, Records
from assets.errors import Conflict
from assets.sanctions.deeds import Deed, require_possible
from assets.sanctions.reading import Opened, Reading
from assets.sanctions.states import SanctionState
from assets.sanctions.tables import Sanction, SanctionStep
from assets.sanctions.views import SanctionView
from assets.tables import Case

PROPOSED, EXPIRED = "proposed", "expired"
"""What stands in the time line beside the deeds."""
Apply = Callable[[AsyncSession, Opened], Awaitable[None]]


class Taking:
    """Takes one step at a time of a case; repeated with the same key, a step stays one."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        reading: Reading,
    ) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._changed = changed
        self._reading = reading

    async def take(
        self,
        actor: Actor,
        sanction_id: UUID,
        deed: Deed,
        given: dict[str, Any],
        key: UUID,
        apply: Apply,
    ) -> SanctionView:
        """Take a step, or, when it was taken under this key before, show how things stand.

        Raises:
            NotFound, NotPermitted, Conflict, and what `apply` raises.
        """
        async with self._records.write() as session:
            opened = await self._reading.opened(session, actor, sanction_id, lock=True)
            if not await self._is_repeated(session, sanction_id, deed, given, key):
                require_possible(deed, actor, opened.case, opened.sanction, opened.around)
                old = opened.sanction.state
                await apply(session, opened)
                self.add(session, opened.sanction, deed.value, old, actor.user_id, given, key)
                await session.flush()
                await note(self._audit, session, actor.user_id, opened.case, opened.sanction, deed.value)
            view = await self._reading.view(session, actor, await self._reading.opened(session, actor, sanction_id))
        await self._changed(opened.case.id)
        return view

    def add(
        self,
        session: AsyncSession,
        sanction: Sanction,
        deed: str,
        old: str,
        actor_id: UUID | None,
        given: dict[str, Any],
        key: UUID | None = None,
    ) -> None:
        """Put a step into the time line; `key` is that of the press that it was taken by."""
        session.add(step_of(sanction, deed, old, self._clock(), actor_id, given, key))

    async def note(self, session: AsyncSession, actor: Actor, case: Case, sanction: Sanction, deed: Deed) -> None:
        """Write into the audit what a step did to another sanction than its own."""
        await session.flush()
        await note(self._audit, session, actor.user_id, case, sanction, deed.value)

    async def _is_repeated(
        self, session: AsyncSession, sanction_id: UUID, deed: Deed, given: dict[str, Any], key: UUID
    ) -> bool:
        query = select(SanctionStep).where(SanctionStep.idempotency_key == key).order_by(SanctionStep.id)
        first = (await session.scalars(query)).first()
        if first is None:
            return False
        if (first.sanction_id, first.deed, first.given) != (sanction_id, deed.value, given):
            raise Conflict("idempotency-key-used")
        return True


def step_of(
    sanction: Sanction,
    deed: str,
    old: str,
    at: datetime,
    actor_id: UUID | None,
    given: dict[str, Any],
    key: UUID | None,
) -> SanctionStep:
    """A row of the time line."""
    return SanctionStep(
        sanction_id=sanction.id,
        deed=deed,
        old=old,
        new=sanction.state,
        at=at,
        actor_id=actor_id,
        given=given,
        idempotency_key=key,
    )


async def state_before(session: AsyncSession, sanction: Sanction, deed: Deed) -> SanctionState:
    """The state in which a sanction was when this was last done with it."""
    olds = await session.scalars(
        select(SanctionStep.old)
        .where(SanctionStep.sanction_id == sanction.id, SanctionStep.deed == deed.value)
        .order_by(SanctionStep.id.desc())
        .limit(1)
    )
    return SanctionState(olds.one())


async def note(
    audit: AuditTrail, session: AsyncSession, actor_id: UUID | None, case: Case, sanction: Sanction, step: str
) -> None:
    """Write into the audit what became of a sanction."""
    await audit.record(
        session,
        actor=actor_id,
        court_id=case.court_id,
        action=f"sanction.{step}",
        subject_type="sanction",
        subject_id=str(sanction.id),
        case_id=case.id,
        details={"sanction": sanction.kind, "person": str(sanction.person_id)},
        contents={"state": sanction.state, "ground": sanction.ground, "deletion_ground": sanction.deletion_ground},
    )

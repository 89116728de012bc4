"""What a court does about a defaulter's credit: look, propose; the steps after that are in `steps.py`.

Nothing here decides: it gathers what bars a sanction, warns, and takes each step to the person whose step it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.answers import Changed
from assets.audit import Actor, AuditTrail, Records
from assets.errors import BadFormat, Conflict, NotFound
from assets.guard import CoverRules
from assets.holidays import WorkingDays
from assets.identifiers import new_id
from assets.orders import case_of, own_case_of, require, require_under_enforcement, visible
from assets.sanctions.checks import Check, failing
from assets.sanctions.grounds import Ground, Performance, SanctionKind, Security, check_extension
from assets.sanctions.reading import Reading
from assets.sanctions.received import received_of
from assets.sanctions.states import LIVE, SanctionState
from assets.sanctions.steps import Steps
from assets.sanctions.tables import Sanction, SanctionStep
from assets.sanctions.taking import PROPOSED, note, step_of
from assets.sanctions.views import SanctionLine, SanctionView, sanction_line
from assets.tables import Case, Person


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a judge proposes. A listing names its ground; a limit on its own has none."""

    case_id: UUID
    person_id: UUID
    kind: SanctionKind
    ground: Ground | None
    facts: str
    basis_document: str
    duty: str
    performance: Performance
    security: Security = Security.UNKNOWN
    security_note: str = ""
    extra_years: int = 0
    extra_reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the step keeps it."""
        return {name: str(value) if isinstance(value, UUID) else value for name, value in asdict(self).items()}


class Sanctions:
    """The one service for sanctions; every call is made for an `Actor`."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        days: WorkingDays,
        rules: CoverRules,
    ) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._changed = changed
        self._reading = Reading(days, rules, clock)
        self.steps = Steps(records, audit, clock, changed, self._reading)

    def today(self) -> date:
        """The calendar day in China."""
        return self._reading.today()

    async def listed(
        self,
        actor: Actor,
        *,
        states: Collection[SanctionState] = (),
        kind: SanctionKind | None = None,
        case_id: UUID | None = None,
        is_overdue: bool = False,
        after: UUID | None = None,
        limit: int = 100,
    ) -> list[SanctionLine]:
        """The sanctions of the actor's courts, newest first, from behind `after`."""
        require(actor.may_see)
        today = self._reading.today()
        query = (
            select(Sanction, Case, Person)
            .join(Case, Case.id == Sanction.case_id)
            .join(Person, Person.id == Sanction.person_id)
            .where(visible(actor))
            .order_by(Sanction.id.desc())
        )
        if states:
            query = query.where(Sanction.state.in_(states))
        if kind is not None:
            query = query.where(Sanction.kind == kind.value)
        if case_id is not None:
            query = query.where(Sanction.case_id == case_id)
        if is_overdue:
            query = query.where(Sanction.state.in_(LIVE), Sanction.deletion_due_on < today)
        if after is not None:
            query = query.where(Sanction.id < after)
        async with self._records.read() as session:
            rows = (await session.execute(query.limit(limit))).all()
            received = await received_of(session, {case.id for _, case, _ in rows})
            return [sanction_line(*row, today, self._reading.days, received.get(row[1].id)) for row in rows]

    async def view(self, actor: Actor, sanction_id: UUID) -> SanctionView:
        """All of one sanction."""
        require(actor.may_see)
        async with self._records.read() as session:
            return await self._reading.view(session, actor, await self._reading.opened(session, actor, sanction_id))

    async def checks(
        self,
        actor: Actor,
        *,
        case_id: UUID,
        person_id: UUID,
        kind: SanctionKind,
        ground: Ground | None = None,
        security: Security = Security.UNKNOWN,
    ) -> list[Check]:
        """What would bar such a sanction now, before anybody proposes it."""
        require(actor.may_see)
        async with self._records.read() as session:
            case = await case_of(session, actor, case_id)
            person = await _person_of(session, case, person_id)
            return await self._reading.checks(session, case, person, kind, ground, security)

    async def propose(self, actor: Actor, proposal: Proposal, key: UUID) -> list[SanctionView]:
        """Propose a sanction; with a listing goes the limit that it needs, unless one is live already.

        Repeating the call with the same key gives what it made; nothing is proposed twice.

        Raises:
            NotPermitted, NotFound, NotUnderEnforcement, BadFormat.
            Conflict: one is live, a check bars it, or the key was used for something else.

        Source: 法释〔2017〕7号.
        """
        require(actor.may_propose_sanction)
        async with self._records.write() as session:
            case = await own_case_of(session, actor, proposal.case_id)
            if (made := await self._made(session, proposal, key)) is None:
                person = await _person_of(session, case, proposal.person_id)
                require_under_enforcement(person)
                _require_complete(proposal)
                made = await self._make(session, actor, case, person, proposal, key)
            views = [
                await self._reading.view(session, actor, await self._reading.opened(session, actor, one))
                for one in made
            ]
        await self._changed(proposal.case_id)
        return sorted(views, key=lambda view: view.line.kind != SanctionKind.LISTING)

    async def _made(self, session: AsyncSession, proposal: Proposal, key: UUID) -> list[UUID] | None:
        """What this key made before."""
        query = select(SanctionStep).where(SanctionStep.idempotency_key == key).order_by(SanctionStep.id)
        steps = list(await session.scalars(query))
        if not steps:
            return None
        if steps[0].deed != PROPOSED or steps[0].given != proposal.as_json():
            raise Conflict("idempotency-key-used")
        return [step.sanction_id for step in steps]

    async def _make(
        self, session: AsyncSession, actor: Actor, case: Case, person: Person, proposal: Proposal, key: UUID
    ) -> list[UUID]:
        wanted = [proposal.kind]
        if await self._reading.live(session, case.id, person.id, proposal.kind) is not None:
            raise Conflict("sanction-live")
        if proposal.kind is SanctionKind.LISTING:
            checks = await self._reading.checks(
                session, case, person, proposal.kind, proposal.ground, proposal.security
            )
            if bars := failing(checks):
                raise Conflict("sanction-check-fails", checks=", ".join(check.code for check in bars))
            if await self._reading.live(session, case.id, person.id, SanctionKind.LIMIT) is None:
                wanted.append(SanctionKind.LIMIT)
        rows = [self._row(actor, proposal, kind) for kind in wanted]
        session.add_all(rows)
        await session.flush()
        for row in rows:
            session.add(step_of(row, PROPOSED, "", self._clock(), actor.user_id, proposal.as_json(), key))
        await session.flush()
        for row in rows:
            await note(self._audit, session, actor.user_id, case, row, PROPOSED)
        return [row.id for row in rows]

    def _row(self, actor: Actor, proposal: Proposal, kind: SanctionKind) -> Sanction:
        is_listing = kind is SanctionKind.LISTING
        return Sanction(
            id=new_id(),
            case_id=proposal.case_id,
            person_id=proposal.person_id,
            kind=kind.value,
            state=SanctionState.PROPOSED.value,
            ground=proposal.ground.value if is_listing and proposal.ground else "",
            facts=proposal.facts,
            basis_document=proposal.basis_document,
            duty=proposal.duty,
            performance=proposal.performance.value,
            security=proposal.security.value,
            security_note=proposal.security_note,
            extra_years=proposal.extra_years if is_listing else 0,
            extra_reason=proposal.extra_reason if is_listing else "",
            proposed_by=actor.user_id,
            proposed_at=self._clock(),
        )


async def _person_of(session: AsyncSession, case: Case, person_id: UUID) -> Person:
    person = await session.get(Person, person_id)
    if person is None or person.case_id != case.id:
        raise NotFound("no-such-person")
    return person


def _require_complete(proposal: Proposal) -> None:
    """Refuse a proposal that doesn't say what a publication would have to."""
    for item, text in (
        ("sanction-facts", proposal.facts),
        ("sanction-basis", proposal.basis_document),
        ("sanction-duty", proposal.duty),
    ):
        if not text.strip():
            raise BadFormat(item, "empty")
    if (proposal.ground is not None) != (proposal.kind is SanctionKind.LISTING):
        raise BadFormat("sanction-ground", "missing" if proposal.ground is None else "not-for-limit")
    if proposal.ground is not None:
        check_extension(proposal.ground, proposal.extra_years, proposal.extra_reason)
    elif proposal.extra_years:
        raise BadFormat("sanction-term", "fixed-term-only")

"""Finding a sanction with all that decides about it: its case, its person, its counterpart, its checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.errors import NotFound
from assets.guard import CoverRules, cover
from assets.holidays import WorkingDays
from assets.masks import masked_words
from assets.names import private_names
from assets.orders import case_of, require_own_court
from assets.sanctions.checks import Check, Question, check_of_json, failing, run_checks
from assets.sanctions.deeds import Circumstances, Deed, why_not
from assets.sanctions.grounds import Ground, SanctionKind, Security
from assets.sanctions.publication import publication_text, published_fields
from assets.sanctions.received import received_of
from assets.sanctions.states import LIVE, STANDING, SanctionState
from assets.sanctions.tables import Sanction, SanctionPublication, SanctionStep
from assets.sanctions.views import (
    DeedView,
    SanctionView,
    publication_views,
    sanction_line,
    step_views,
)
from assets.tables import Case, Person
from assets.terms import china_day

_TO_COME = frozenset({SanctionState.PROPOSED, SanctionState.UNDER_REVIEW, SanctionState.DECIDED, SanctionState.SERVED})
_UNDECIDED = frozenset({SanctionState.PROPOSED, SanctionState.UNDER_REVIEW})


@dataclass(frozen=True, slots=True)
class Opened:
    """A sanction on the table."""

    sanction: Sanction
    case: Case
    person: Person
    around: Circumstances
    checks: list[Check]
    """As they come out now."""


class Reading:
    """Reads sanctions inside the caller's transaction."""

    def __init__(self, days: WorkingDays, rules: CoverRules, clock: Callable[[], datetime]) -> None:
        self.days = days
        self._rules = rules
        self._clock = clock

    def today(self) -> date:
        """The calendar day in China."""
        return china_day(self._clock())

    async def opened(self, session: AsyncSession, actor: Actor, sanction_id: UUID, *, lock: bool = False) -> Opened:
        """A sanction of the actor's courts; `lock` lets one writer of its own court at its case at a time.

        Raises:
            NotFound: there is none, or none that the actor may know of.
        """
        sanction = await session.get(Sanction, sanction_id)
        if sanction is None:
            raise NotFound("no-such-sanction")
        case = await case_of(session, actor, sanction.case_id, lock=lock, missing="no-such-sanction")
        if lock:
            require_own_court(actor, case)
            await session.refresh(sanction)
        person = await session.get_one(Person, sanction.person_id)
        ground = Ground(sanction.ground) if sanction.ground else None
        kind, security = SanctionKind(sanction.kind), Security(sanction.security)
        checks = await self.checks(session, case, person, kind, ground, security)
        return Opened(sanction, case, person, await self._around(session, sanction, checks), checks)

    async def checks(
        self,
        session: AsyncSession,
        case: Case,
        person: Person,
        kind: SanctionKind,
        ground: Ground | None,
        security: Security,
    ) -> list[Check]:
        """Look at everything that bars such a sanction."""
        served = select(func.min(Sanction.served_on)).where(
            Sanction.case_id == case.id,
            Sanction.person_id == person.id,
            Sanction.kind == SanctionKind.LIMIT.value,
        )
        return run_checks(
            Question(
                kind=kind,
                person=person,
                ground=ground,
                security=security,
                cover=await cover(session, case.id, self.today(), self._rules),
                today=self.today(),
                received_cents=(await received_of(session, [case.id])).get(case.id),
                limit_served_on=await session.scalar(served),
            )
        )

    async def live(self, session: AsyncSession, case_id: UUID, person_id: UUID, kind: SanctionKind) -> Sanction | None:
        """The sanction of this kind that isn't at its end."""
        found = await session.scalars(
            select(Sanction).where(
                Sanction.case_id == case_id,
                Sanction.person_id == person_id,
                Sanction.kind == kind.value,
                Sanction.state.in_(LIVE),
            )
        )
        return found.one_or_none()

    async def view(self, session: AsyncSession, actor: Actor, opened: Opened) -> SanctionView:
        """All that the page shows of it."""
        sanction = opened.sanction
        steps = await session.scalars(
            select(SanctionStep).where(SanctionStep.sanction_id == sanction.id).order_by(SanctionStep.id)
        )
        publications = await session.scalars(
            select(SanctionPublication)
            .where(SanctionPublication.sanction_id == sanction.id)
            .order_by(SanctionPublication.number)
        )
        received = await received_of(session, [sanction.case_id])
        state = SanctionState(sanction.state)
        # What bars it now stands in the way of its publication, whatever was found when it was signed.
        is_open = state in _UNDECIDED or (state in _TO_COME and opened.around.fails)
        names = await private_names(session, [sanction.case_id])
        return SanctionView(
            line=sanction_line(
                sanction, opened.case, opened.person, self.today(), self.days, received.get(opened.case.id)
            ),
            facts=masked_words(sanction.facts, names),
            basis_document=sanction.basis_document,
            duty=masked_words(sanction.duty, names),
            performance=sanction.performance,
            security=sanction.security,
            security_note=masked_words(sanction.security_note, names),
            extra_years=sanction.extra_years,
            extra_reason=masked_words(sanction.extra_reason, names),
            proposed_by=sanction.proposed_by,
            decided_by=sanction.decided_by,
            decision_number=sanction.decision_number,
            decided_on=sanction.decided_on,
            served_on=sanction.served_on,
            service_manner=sanction.service_manner,
            checks=opened.checks if is_open else [check_of_json(one) for one in sanction.checks],
            checked_at_decision=not is_open and bool(sanction.checks),
            deeds=[DeedView(deed.value, why_not(deed, actor, opened.case, sanction, opened.around)) for deed in Deed],
            steps=step_views(steps, names),
            publications=publication_views(publications),
            draft_text=masked_words(self._draft(opened), names),
        )

    def _draft(self, opened: Opened) -> str:
        if SanctionState(opened.sanction.state) not in _TO_COME:
            return ""
        fields = published_fields(opened.sanction, opened.case, opened.person, self.today(), is_draft=True)
        return publication_text(opened.sanction, fields, self.today())

    async def _around(self, session: AsyncSession, sanction: Sanction, checks: list[Check]) -> Circumstances:
        standing = await session.scalars(
            select(Sanction.kind).where(
                Sanction.case_id == sanction.case_id,
                Sanction.person_id == sanction.person_id,
                Sanction.state.in_(STANDING),
            )
        )
        kinds = set(standing)
        return Circumstances(
            limit_stands=SanctionKind.LIMIT in kinds,
            listing_stands=SanctionKind.LISTING in kinds,
            fails=bool(failing(checks)),
        )

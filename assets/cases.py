"""Registering cases: who is under enforcement, for whom, and for how much."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from assets import formats
from assets.answers import Changed
from assets.audit import Actor, AuditTrail, Records
from assets.case_entries import CaseEntry, digest_of, entered_before
from assets.case_file import CaseFile, case_file
from assets.case_guards import require_creditor, require_free, require_new, require_unasked
from assets.case_intake import CaseGiven, ClaimGiven, ClaimKind, CourtRef, PersonGiven, Role
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted
from assets.identifiers import new_id
from assets.orders import case_of, own_case_of, require
from assets.tables import Case, Claim, Person
from assets.terms import china_day

CourtOf = Callable[[AsyncSession, str], Awaitable[CourtRef | None]]
"""The court of a code, from whoever knows the courts."""


class Cases:
    """The one service for the files of cases; every call is made for an `Actor`, and done once for each key."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        court_of: CourtOf,
    ) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._changed = changed
        self._court_of = court_of

    async def file(self, actor: Actor, case_id: UUID) -> CaseFile:
        """All that was entered of a case."""
        require(actor.may_see)
        async with self._records.read() as session:
            return await case_file(session, await case_of(session, actor, case_id))

    async def register(self, actor: Actor, given: CaseGiven, key: UUID) -> CaseFile:
        """Register a case at the court that its number names.

        Raises:
            NotPermitted: the actor may not, or that court isn't theirs.
            BadFormat: a number or a date can't be.
            Conflict: the case is there already, names nobody under enforcement, or somebody twice.
        """
        require(actor.may_manage_cases)
        given = given.checked(self._today())
        try:
            file = await self._register(actor, given, key)
        except IntegrityError:
            # Somebody registered it in the same moment: now it is there to be found.
            file = await self._register(actor, given, key)
        await self._changed(file.id)
        return file

    async def add_person(self, actor: Actor, case_id: UUID, given: PersonGiven, key: UUID) -> CaseFile:
        """Add a person or firm to a case.

        Raises:
            BadFormat, NotFound, NotPermitted.
            Conflict: it is in the case already.
        """
        require(actor.may_manage_cases)
        async with self._records.write() as session:
            case = await own_case_of(session, actor, case_id)
            given = given.checked(self._today())
            digest = digest_of({"case": case_id, **asdict(given)})
            if await entered_before(session, key, "person-added", digest) is None:
                await require_new(session, case, given)
                last = await session.scalar(select(func.max(Person.ordinal)).where(Person.case_id == case.id))
                person = _person_row(case.id, given, (last or 0) + 1)
                session.add(person)
                await session.flush()
                details = {"role": given.role.value}
                await self._enter(session, actor, case, "person-added", person.id, details, digest, key)
                await self._note(session, actor, case, "case.person-added", "case_person", person.id)
            file = await case_file(session, case)
        await self._changed(case_id)
        return file

    async def change_role(self, actor: Actor, person_id: UUID, role: Role, reason: str, key: UUID) -> CaseFile:
        """Make a person of a case something else in it; what they were stays in the case's entries and in the audit.

        Raises:
            NotFound, NotPermitted.
            Conflict: measures, sanctions or claims hang on the present role, or nobody would be under enforcement.
        """
        require(actor.may_manage_cases)
        async with self._records.write() as session:
            case, person = await self._person(session, actor, person_id)
            digest = digest_of({"person": person_id, "role": role.value, "reason": reason})
            if await entered_before(session, key, "role-changed", digest) is None:
                if person.role == role:
                    raise Conflict("person-has-role")
                await require_free(session, case, person)
                details = {"before": person.role, "role": role.value, "reason": reason}
                person.role = role.value
                await self._enter(session, actor, case, "role-changed", person.id, details, digest, key)
                told = {"party_before": details["before"], "party": role.value}
                await self._note(session, actor, case, "case.role-changed", "case_person", person.id, told)
            file = await case_file(session, case)
        await self._changed(case.id)
        return file

    async def correct_person(
        self, actor: Actor, person_id: UUID, *, name: str, id_number: str, reason: str, key: UUID
    ) -> CaseFile:
        """Correct what was written down wrongly, as long as nobody was asked about it; empty leaves it as it is.

        Raises:
            BadFormat, NotFound, NotPermitted.
            Conflict: somebody was asked about this name and number, or another person of the case has it.
        """
        require(actor.may_manage_cases)
        async with self._records.write() as session:
            case, person = await self._person(session, actor, person_id)
            given = PersonGiven(
                name or person.name, person.is_firm, id_number or person.id_number, Role(person.role)
            ).checked(self._today())
            digest = digest_of({"person": person_id, "reason": reason, **asdict(given)})
            if await entered_before(session, key, "person-corrected", digest) is None:
                await require_unasked(session, person)
                await require_new(session, case, given, but=person.id)
                person.name, person.id_number = given.name, given.id_number
                await self._enter(session, actor, case, "person-corrected", person.id, {"reason": reason}, digest, key)
                await self._note(session, actor, case, "case.person-corrected", "case_person", person.id)
            file = await case_file(session, case)
        await self._changed(case.id)
        return file

    async def add_claim(self, actor: Actor, case_id: UUID, given: ClaimGiven, key: UUID) -> CaseFile:
        """Add what one creditor has to get; the case's total follows.

        Raises:
            BadFormat, NotFound, NotPermitted.
            Conflict: the creditor didn't apply for this enforcement.
        """
        require(actor.may_manage_cases)
        async with self._records.write() as session:
            case = await own_case_of(session, actor, case_id)
            given.check()
            if given.amount_cents == 0:
                raise BadFormat("amount", "not-positive")
            digest = digest_of({"case": case_id, **asdict(given)})
            if await entered_before(session, key, "claim-added", digest) is None:
                await require_creditor(session, case, given.creditor_id)
                claim = Claim(id=new_id(), case_id=case.id, creditor_id=given.creditor_id)
                _fill(claim, given)
                session.add(claim)
                await self._keep_total(session, case)
                details = {"amount_cents": given.amount_cents, "kind": given.kind.value}
                await self._enter(session, actor, case, "claim-added", claim.id, details, digest, key)
                await self._note(session, actor, case, "case.claim-added", "case_claim", claim.id)
            file = await case_file(session, case)
        await self._changed(case_id)
        return file

    async def change_claim(self, actor: Actor, claim_id: UUID, given: ClaimGiven, reason: str, key: UUID) -> CaseFile:
        """Change a claim; what it was stays in the case's entries. An amount of nothing ends it.

        Raises:
            BadFormat, NotFound, NotPermitted.
            Conflict: the creditor didn't apply for this enforcement.
        """
        require(actor.may_manage_cases)
        async with self._records.write() as session:
            claim = await session.get(Claim, claim_id)
            if claim is None:
                raise NotFound("no-such-claim")
            case = await own_case_of(session, actor, claim.case_id, missing="no-such-claim")
            await session.refresh(claim)
            given.check()
            digest = digest_of({"claim": claim_id, "reason": reason, **asdict(given)})
            if await entered_before(session, key, "claim-changed", digest) is None:
                await require_creditor(session, case, given.creditor_id)
                details = {
                    "before_cents": claim.amount_cents,
                    "amount_cents": given.amount_cents,
                    "kind": given.kind.value,
                    "reason": reason,
                }
                _fill(claim, given)
                claim.creditor_id = given.creditor_id
                await self._keep_total(session, case)
                await self._enter(session, actor, case, "claim-changed", claim.id, details, digest, key)
                await self._note(session, actor, case, "case.claim-changed", "case_claim", claim.id)
            file = await case_file(session, case)
        await self._changed(case.id)
        return file

    async def _register(self, actor: Actor, given: CaseGiven, key: UUID) -> CaseFile:
        async with self._records.write() as session:
            digest = digest_of(given.as_json())
            before = await entered_before(session, key, "registered", digest)
            if before is not None:
                return await case_file(session, await case_of(session, actor, before.case_id))
            court = await self._court_of(session, formats.court_code_of(given.number))
            if court is None or court.id not in actor.court_ids:
                raise NotPermitted("case-other-court")
            if court.id != actor.own_court_id:
                raise NotPermitted("not-own-court", court=court.name)
            case = await self._new_case(session, actor, court, given)
            details = {"number": given.number}
            await self._enter(session, actor, case, "registered", case.id, details, digest, key)
            await self._note(session, actor, case, "case.registered", "case", case.id)
            return await case_file(session, case)

    def _today(self) -> date:
        return china_day(self._clock())

    async def _new_case(self, session: AsyncSession, actor: Actor, court: CourtRef, given: CaseGiven) -> Case:
        same = select(Case.id).where(Case.court_id == court.id, Case.number == given.number)
        if await session.scalar(same) is not None:
            raise Conflict("case-exists")
        if not any(person.role is Role.UNDER_ENFORCEMENT for person in given.persons):
            raise Conflict("case-needs-debtor")
        case = Case(
            id=new_id(),
            court_id=court.id,
            court_code=court.code,
            court_name=court.name,
            number=given.number,
            claim_cents=0,
            judge_name=given.judge_name,
            work_card=given.work_card,
            duty_card=given.duty_card,
            filed_on=given.filed_on,
            judge_id=actor.user_id if given.is_own else None,
        )
        session.add(case)
        await session.flush()
        for ordinal, person in enumerate(given.persons):
            await require_new(session, case, person)
            session.add(_person_row(case.id, person, ordinal))
            await session.flush()
        return case

    async def _person(self, session: AsyncSession, actor: Actor, person_id: UUID) -> tuple[Case, Person]:
        person = await session.get(Person, person_id)
        if person is None:
            raise NotFound("no-such-person")
        case = await own_case_of(session, actor, person.case_id, missing="no-such-person")
        await session.refresh(person)
        return case, person

    async def _keep_total(self, session: AsyncSession, case: Case) -> None:
        await session.flush()
        total = await session.scalar(select(func.sum(Claim.amount_cents)).where(Claim.case_id == case.id))
        case.claim_cents = int(total or 0)

    async def _enter(
        self,
        session: AsyncSession,
        actor: Actor,
        case: Case,
        what: str,
        subject_id: UUID,
        details: dict[str, Any],
        digest: str,
        key: UUID,
    ) -> None:
        session.add(
            CaseEntry(
                case_id=case.id,
                subject_id=subject_id,
                what=what,
                at=self._clock(),
                actor_id=actor.user_id,
                details=details,
                digest=digest,
                idempotency_key=key,
            )
        )
        await session.flush()

    async def _note(
        self,
        session: AsyncSession,
        actor: Actor,
        case: Case,
        action: str,
        subject_type: str,
        subject_id: UUID,
        details: dict[str, str] | None = None,
    ) -> None:
        await self._audit.record(
            session,
            actor=actor.user_id,
            court_id=case.court_id,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            case_id=case.id,
            details={"number": case.number, **(details or {})},
        )


def _person_row(case_id: UUID, given: PersonGiven, ordinal: int) -> Person:
    return Person(
        id=new_id(),
        case_id=case_id,
        name=given.name,
        is_firm=given.is_firm,
        id_number=given.id_number,
        role=given.role.value,
        ordinal=ordinal,
    )


def _fill(claim: Claim, given: ClaimGiven) -> None:
    claim.kind = given.kind.value
    claim.amount_cents = given.amount_cents
    claim.principal_cents = given.principal_cents
    claim.is_priority = given.kind is ClaimKind.PRIORITY
    claim.interest_from = given.interest_from
    claim.basis = given.basis

"""`/api/assets/sanctions`: the list of defaulters and consumption limits, step by step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assets.audit import Actor
from assets.sanctions.checks import Check, CheckCode, Outcome
from assets.sanctions.deeds import Deed
from assets.sanctions.grounds import DeletionGround, Ground, Performance, SanctionKind, Security, ServiceManner
from assets.sanctions.service import Proposal, Sanctions
from assets.sanctions.states import SanctionState
from assets.sanctions.views import SanctionLine, SanctionView
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.paging import Page
from command_center.api.reasons import Reason
from command_center.asset_access import actor_of, refusals
from streams.protocol import PLAIN_TEXT

PAGE = 50
LARGEST_PAGE = 200

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), Field(pattern=PLAIN_TEXT)]
ShortWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), Field(pattern=PLAIN_TEXT)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), Field(pattern=PLAIN_TEXT)]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class StepBody(BaseModel):
    """A step; repeated with the same key it stays one."""

    model_config = ConfigDict(extra="forbid")
    idempotency_key: UUID


class ClockView(_Answer):
    """Until when it has to be deleted. Of `years_without_holidays` no holidays are known: only weekends counted."""

    ground: DeletionGround
    ground_on: date
    due_on: date
    is_overdue: bool
    years_without_holidays: list[int]


class LineView(_Answer):
    """A sanction in a list; its person is masked."""

    id: UUID
    case_id: UUID
    case_number: str
    court_name: str
    person_id: UUID
    person_name: str
    person_number: str
    is_firm: bool
    kind: SanctionKind
    state: SanctionState
    ground: Ground | None
    proposed_at: datetime
    starts_on: date | None
    ends_on: date | None
    clock: ClockView | None
    may_be_performed: bool


class CheckView(_Answer):
    """One check. `no_data` says that the records don't tell; it is never a `pass`."""

    code: CheckCode
    outcome: Outcome
    evidence: dict[str, str | int]
    source: str


class DeedView(_Answer):
    """A step and the code of what stands in its way, empty where nothing does."""

    deed: Deed
    why_not: str


class StepView(BaseModel):
    """One step of the time line; `by_name` is empty where a rule took it."""

    deed: str
    old: str
    new: str
    at: datetime
    by_name: str
    given: dict[str, Any]


class PublicationView(BaseModel):
    """What the public could read, and from when to when."""

    number: int
    text: str
    at: datetime
    by_name: str
    ended_at: datetime | None
    ended_by: str


class FullView(BaseModel):
    """All of one sanction."""

    line: LineView
    facts: str
    basis_document: str
    duty: str
    performance: Performance
    security: Security
    security_note: str
    extra_years: int
    extra_reason: str
    proposed_by_name: str
    decided_by_name: str
    decision_number: str
    decided_on: date | None
    served_on: date | None
    service_manner: str
    checks: list[CheckView]
    checked_at_decision: bool
    deeds: list[DeedView]
    steps: list[StepView]
    publications: list[PublicationView]
    draft_text: str


class Checks(BaseModel):
    """What would bar a sanction."""

    items: list[CheckView]


class Proposed(BaseModel):
    """What was proposed: a listing and, where none was live, the limit that it needs."""

    items: list[FullView]


class ProposalBody(StepBody):
    """A sanction that a judge proposes."""

    case_id: UUID
    person_id: UUID
    kind: SanctionKind
    ground: Ground | None = None
    facts: Words
    basis_document: ShortWords
    duty: Words
    performance: Performance
    security: Security = Security.UNKNOWN
    security_note: Note = ""
    extra_years: int = Field(default=0, ge=0, le=10)
    extra_reason: Note = ""


class DecisionBody(StepBody):
    """The signature; `seen` names each check for which there is no data."""

    decision_number: str = Field(max_length=64)
    seen: list[CheckCode] = Field(default_factory=list, max_length=20)


class ReasonBody(StepBody):
    """A step that needs its reason."""

    reason: Reason


class ServiceBody(StepBody):
    """How and on which day it was received."""

    served_on: date
    manner: ServiceManner


class CorrectionBody(ReasonBody):
    """What the publication is to say from now on; an empty text leaves what it says."""

    basis_document: ShortWords = ""
    duty: Words = ""
    performance: Performance


class GroundBody(ReasonBody):
    """Why it has to be deleted, and since which day."""

    ground: DeletionGround
    since: date


def router(sanctions: Sanctions, names: AccountNames) -> APIRouter:
    """The routes of sanctions."""
    routes = APIRouter(prefix="/api/assets", tags=["sanctions"])
    showing = _Showing(names)
    _add_reading(routes, sanctions, showing)
    _add_deciding(routes, sanctions, showing)
    _add_carrying_out(routes, sanctions, showing)
    _add_ending(routes, sanctions, showing)
    return routes


class _ReasonedStep(Protocol):
    async def __call__(self, actor: Actor, sanction_id: UUID, key: UUID, *, reason: str) -> SanctionView: ...


class _Showing:
    """Makes answers of views, with the names of those who took the steps."""

    def __init__(self, names: AccountNames) -> None:
        self._names = names

    async def done(self, step: _ReasonedStep, sanction_id: UUID, body: ReasonBody) -> FullView:
        """Take a step that is nothing but done for a reason."""
        with refusals():
            view = await step(actor_of(signed_in()), sanction_id, body.idempotency_key, reason=body.reason)
        return await self.full(view)

    async def full(self, view: SanctionView) -> FullView:
        ids = {view.proposed_by, view.decided_by, *(step.actor_id for step in view.steps)}
        known = await self._names.of({one for one in ids | {one.by for one in view.publications} if one is not None})
        return FullView(
            line=_line(view.line),
            **{name: getattr(view, name) for name in _SAME},
            proposed_by_name=_named(known, view.proposed_by),
            decided_by_name=_named(known, view.decided_by),
            checks=[_check(check) for check in view.checks],
            deeds=[DeedView.model_validate(deed) for deed in view.deeds],
            steps=[
                StepView(
                    deed=step.deed,
                    old=step.old,
                    new=step.new,
                    at=step.at,
                    by_name=_named(known, step.actor_id),
                    given=step.given,
                )
                for step in view.steps
            ],
            publications=[
                PublicationView(
                    number=one.number,
                    text=one.text,
                    at=one.at,
                    by_name=_named(known, one.by),
                    ended_at=one.ended_at,
                    ended_by=one.ended_by,
                )
                for one in view.publications
            ],
        )


_SAME = (
    "facts",
    "basis_document",
    "duty",
    "performance",
    "security",
    "security_note",
    "extra_years",
    "extra_reason",
    "decision_number",
    "decided_on",
    "served_on",
    "service_manner",
    "checked_at_decision",
    "draft_text",
)
"""Fields that are shown as they are."""


def _line(line: SanctionLine) -> LineView:
    return LineView.model_validate({**{name: getattr(line, name) for name in _LINE}, "ground": line.ground or None})


_LINE = tuple(name for name in LineView.model_fields if name != "ground")


def _check(check: Check) -> CheckView:
    return CheckView.model_validate(check)


def _named(known: dict[UUID, AccountName], user_id: UUID | None) -> str:
    return known[user_id].display_name if user_id in known else ""


def _add_reading(routes: APIRouter, sanctions: Sanctions, showing: _Showing) -> None:
    @routes.get("/sanctions", summary="The sanctions of one's courts, newest first")
    async def listed(
        state: Annotated[list[SanctionState] | None, Query(max_length=20)] = None,
        kind: SanctionKind | None = None,
        case_id: UUID | None = None,
        overdue: bool = False,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE,
    ) -> Page[LineView]:
        with refusals():
            found = await sanctions.listed(
                actor_of(signed_in()),
                states=state or (),
                kind=kind,
                case_id=case_id,
                is_overdue=overdue,
                after=cursor,
                limit=limit,
            )
        return Page(items=[_line(one) for one in found], next=str(found[-1].id) if len(found) == limit else None)

    @routes.get("/sanctions/{id}", summary="One sanction: checks, time line, publications, what can be done now")
    async def one(id: UUID) -> FullView:  # noqa: A002 - the path's own name
        with refusals():
            return await showing.full(await sanctions.view(actor_of(signed_in()), id))

    @routes.get("/sanction-checks", summary="What would bar a sanction, before it is proposed")
    async def checks(
        case_id: UUID,
        person_id: UUID,
        kind: SanctionKind,
        ground: Ground | None = None,
        security: Security = Security.UNKNOWN,
    ) -> Checks:
        with refusals():
            found = await sanctions.checks(
                actor_of(signed_in()), case_id=case_id, person_id=person_id, kind=kind, ground=ground, security=security
            )
        return Checks(items=[_check(check) for check in found])

    @routes.post("/sanctions", status_code=201, summary="Propose a sanction; a listing with the limit that it needs")
    async def propose(body: ProposalBody) -> Proposed:
        given = body.model_dump(exclude={"idempotency_key"})
        with refusals():
            made = await sanctions.propose(actor_of(signed_in()), Proposal(**given), body.idempotency_key)
        return Proposed(items=[await showing.full(view) for view in made])


def _add_deciding(routes: APIRouter, sanctions: Sanctions, showing: _Showing) -> None:
    steps = sanctions.steps

    @routes.post("/sanctions/{id}/review", summary="Take a proposal up for review")
    async def review(id: UUID, body: StepBody) -> FullView:  # noqa: A002
        with refusals():
            return await showing.full(await steps.review(actor_of(signed_in()), id, body.idempotency_key))

    @routes.post("/sanctions/{id}/decide", summary="Sign it: a second person, who names what nobody knows")
    async def decide(id: UUID, body: DecisionBody) -> FullView:  # noqa: A002
        with refusals():
            view = await steps.decide(
                actor_of(signed_in()),
                id,
                body.idempotency_key,
                decision_number=body.decision_number,
                seen=[code.value for code in body.seen],
            )
        return await showing.full(view)

    @routes.post("/sanctions/{id}/refuse", summary="Don't sign it")
    async def refuse(id: UUID, body: ReasonBody) -> FullView:  # noqa: A002
        return await showing.done(steps.refuse, id, body)

    @routes.post("/sanctions/{id}/withdraw", summary="Take one's own proposal back")
    async def withdraw(id: UUID, body: ReasonBody) -> FullView:  # noqa: A002
        return await showing.done(steps.withdraw, id, body)


def _add_carrying_out(routes: APIRouter, sanctions: Sanctions, showing: _Showing) -> None:
    steps = sanctions.steps

    @routes.post("/sanctions/{id}/serve", summary="Note that the decision was received")
    async def serve(id: UUID, body: ServiceBody) -> FullView:  # noqa: A002
        with refusals():
            view = await steps.serve(
                actor_of(signed_in()), id, body.idempotency_key, served_on=body.served_on, manner=body.manner
            )
        return await showing.full(view)

    @routes.post("/sanctions/{id}/publish", summary="Publish it; the text is kept")
    async def publish(id: UUID, body: StepBody) -> FullView:  # noqa: A002
        with refusals():
            return await showing.full(await steps.publish(actor_of(signed_in()), id, body.idempotency_key))

    @routes.post("/sanctions/{id}/shield", summary="Hide it from the public for the time being")
    async def shield(id: UUID, body: ReasonBody) -> FullView:  # noqa: A002
        return await showing.done(steps.shield, id, body)

    @routes.post("/sanctions/{id}/unshield", summary="Let the public read it again")
    async def unshield(id: UUID, body: ReasonBody) -> FullView:  # noqa: A002
        return await showing.done(steps.unshield, id, body)

    @routes.post("/sanctions/{id}/correct", summary="Publish it with other contents; the earlier ones are kept")
    async def correct(id: UUID, body: CorrectionBody) -> FullView:  # noqa: A002
        with refusals():
            view = await steps.correct(
                actor_of(signed_in()),
                id,
                body.idempotency_key,
                reason=body.reason,
                basis_document=body.basis_document,
                duty=body.duty,
                performance=body.performance,
            )
        return await showing.full(view)


def _add_ending(routes: APIRouter, sanctions: Sanctions, showing: _Showing) -> None:
    steps = sanctions.steps

    @routes.post("/sanctions/{id}/deletion-ground", summary="Note why it has to go: three working days are left")
    async def note_ground(id: UUID, body: GroundBody) -> FullView:  # noqa: A002
        with refusals():
            view = await steps.note_ground(
                actor_of(signed_in()),
                id,
                body.idempotency_key,
                ground=body.ground,
                since=body.since,
                reason=body.reason,
            )
        return await showing.full(view)

    @routes.post("/sanctions/{id}/deletion-ground/drop", summary="Find that it needn't go: a second person")
    async def drop_ground(id: UUID, body: ReasonBody) -> FullView:  # noqa: A002
        return await showing.done(steps.drop_ground, id, body)

    @routes.post("/sanctions/{id}/delete", summary="Delete it, or lift the limit; the record stays with the case")
    async def delete(id: UUID, body: StepBody) -> FullView:  # noqa: A002
        with refusals():
            return await showing.full(await steps.delete(actor_of(signed_in()), id, body.idempotency_key))

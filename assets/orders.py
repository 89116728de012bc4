"""How a request comes to be: the guards before it, its number and papers, its sending and its note in the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, AuditTrail
from assets.documents import NEEDED, Action
from assets.errors import Conflict, NotFound, NotPermitted, NotUnderEnforcement, RulingMissing
from assets.gateway import Gateway
from assets.identifiers import new_id
from assets.measures import STANDING, MeasureState
from assets.requests import AWAITED, RequestState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from assets.terms import AssetKind, china_day, longest_term

NUMBER_LETTER = {
    Action.QUERY: "C",
    Action.FREEZE: "D",
    Action.SEIZE: "F",
    Action.PRE_REGISTER: "Y",
    Action.IMPOUND: "K",
    Action.RENEW: "X",
    Action.PART_RELEASE: "B",
    Action.RELEASE: "J",
    Action.TRANSFER: "H",
    Action.WITHDRAW_INCOME: "T",
    Action.FREEZE_AND_TRANSFER: "Z",
}


class Orders:
    """Drafts, guards and sends requests inside the caller's transaction."""

    def __init__(self, gateways: Mapping[str, Gateway], audit: AuditTrail, clock: Callable[[], datetime]) -> None:
        self._gateways = gateways
        self._audit = audit
        self._clock = clock

    def today(self) -> date:
        """The calendar day in China."""
        return china_day(self._clock())

    def draft(self, actor: Actor, case: Case, person: Person, action: Action, gateway: str, key: UUID) -> AssetRequest:
        """A request with its number and the papers that it needs."""
        request_id = new_id()
        return AssetRequest(
            id=request_id,
            number=f"{NUMBER_LETTER[action]}{self.today():%Y%m%d}{request_id.hex[-14:].upper()}",
            case_id=case.id,
            person_id=person.id,
            action=action.value,
            gateway=gateway,
            state=RequestState.DRAFT.value,
            documents=[document.value for document in NEEDED[action]],
            idempotency_key=key,
            actor_id=actor.user_id,
            created_at=self._clock(),
        )

    def draft_control(
        self, actor: Actor, case: Case, person: Person, asset: Asset, action: Action, key: UUID
    ) -> AssetRequest:
        """A control of this asset as it is described now, for the longest term from today."""
        request = self.draft(actor, case, person, action, asset.gateway, key)
        request.asset_id = asset.id
        request.particulars = {
            "reference": asset.reference,
            "description": asset.description,
            "details": dict(asset.details),
        }
        request.starts_on = self.today()
        request.ends_on = longest_term(AssetKind(asset.kind), request.starts_on)
        return request

    def send(self, request: AssetRequest) -> None:
        """Let it go: it is sent when the transaction is committed. A control without its ruling is not."""
        if request.is_control and not request.ruling_number:
            raise RulingMissing("ruling-missing")
        request.move_to(RequestState.SENT)
        request.sent_at = request.next_ask_at = self._clock()

    def ask_again(self, request: AssetRequest) -> bool:
        """Have it asked again now, with its own number; False where it was answered."""
        if request.state == RequestState.FAILED:
            self.send(request)
            return True
        if RequestState(request.state) in AWAITED:
            request.next_ask_at = self._clock()
            return True
        return False

    async def open_query(
        self, session: AsyncSession, case: Case, person: Person, gateway: str, key: UUID
    ) -> AssetRequest | None:
        """The query that stands for this press of the button already: the same one, or one to be asked again."""
        of_this_person = (
            select(AssetRequest)
            .where(
                AssetRequest.case_id == case.id,
                AssetRequest.person_id == person.id,
                AssetRequest.gateway == gateway,
                AssetRequest.action == Action.QUERY.value,
            )
            .order_by(AssetRequest.id.desc())
            .limit(1)
        )
        latest = (await session.scalars(of_this_person)).first()
        if latest is None or latest.idempotency_key == key:
            return latest
        return latest if self.ask_again(latest) else None

    async def first_order(self, session: AsyncSession, key: UUID) -> AssetRequest | None:
        """What was ordered under this key before."""
        return (await session.scalars(select(AssetRequest).where(AssetRequest.idempotency_key == key))).first()

    def require_controllable(self, asset: Asset, action: Action) -> None:
        """Refuse a control that nobody can carry out on this asset."""
        gateway = self._gateways.get(asset.gateway)
        if gateway is None or action not in gateway.actions:
            raise Conflict("not-controllable-so", action=action.value, kind=asset.kind)

    async def require_no_measure(self, session: AsyncSession, asset: Asset) -> None:
        """Refuse a second measure of the case on one asset; note one whose term is over as lapsed."""
        measures = await session.scalars(select(ControlMeasure).where(ControlMeasure.asset_id == asset.id))
        for measure in measures:
            is_over = measure.ends_on is not None and measure.ends_on < self.today()
            if measure.state == MeasureState.IN_FORCE and is_over:
                measure.move_to(MeasureState.LAPSED)
                measure.changed_at = self._clock()
            elif MeasureState(measure.state) in STANDING:
                raise Conflict("measure-stands", state=measure.state)

    async def note(self, session: AsyncSession, actor: Actor, case: Case, request: AssetRequest) -> None:
        """Write into the audit that it was sent."""
        await self._audit.record(
            session,
            actor=actor.user_id,
            court_id=case.court_id,
            action=f"asset.{request.action}.sent",
            subject_type="asset_request",
            subject_id=str(request.id),
            case_id=request.case_id,
            details={
                "number": request.number,
                "gateway": request.gateway,
                "person": str(request.person_id),
                "ruling": request.ruling_number,
            },
            contents={
                "asset": str(request.asset_id) if request.asset_id else None,
                "amount_cents": request.amount_cents,
            },
        )


async def case_of(session: AsyncSession, actor: Actor, case_id: UUID, *, lock: bool = False) -> Case:
    """A case of the actor's courts; `lock` lets one writer at it at a time."""
    case = await session.get(Case, case_id, with_for_update=lock)
    if case is None or case.court_id not in actor.court_ids:
        raise NotFound("no-such-case")
    return case


def require(allowed: bool) -> None:
    """Refuse what the actor may not do."""
    if not allowed:
        raise NotPermitted("not-permitted")


def require_under_enforcement(person: Person) -> None:
    """Refuse anyone but the person under enforcement. Source: 法释〔2013〕20号 §7."""
    if person.role != "under_enforcement":
        raise NotUnderEnforcement("not-under-enforcement")

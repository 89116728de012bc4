"""How a request comes to be: the guards before it, its number and papers, its sending and its note in the audit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, AuditTrail
from assets.documents import NEEDED, Action, needed
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted, NotUnderEnforcement, RulingMissing
from assets.identifiers import new_id
from assets.papers.sealing import Sealing
from assets.requests import AWAITED, RequestState
from assets.tables import CASE_LOCK, Asset, AssetRequest, Case, Person
from assets.terms import AssetKind, china_day, longest_term

APPROVED_ACTIONS = frozenset(
    {
        Action.TRANSFER,
        Action.RELEASE,
        Action.PART_RELEASE,
        Action.WITHDRAW_INCOME,
        Action.FREEZE_AND_TRANSFER,
    }
)
"""What a second person approves, where no setting says otherwise; practice, not law."""
BY_ACTION = "action"
"""The ground of an approval that the action itself asks for."""
LONGEST_REASON = 500
URGENT = frozenset({Action.FREEZE, Action.SEIZE, Action.PRE_REGISTER, Action.IMPOUND, Action.RENEW})
"""What can't wait in an emergency, and can be taken back afterwards."""
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
    Action.LIFT_MARK: "M",
}


class Orders:
    """Drafts, guards and sends requests inside the caller's transaction."""

    def __init__(
        self,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        sealing: Sealing,
        approved_actions: frozenset[Action] = APPROVED_ACTIONS,
    ) -> None:
        self._audit = audit
        self._clock = clock
        self._sealing = sealing
        self._approved_actions = approved_actions

    def today(self) -> date:
        """The calendar day in China."""
        return china_day(self._clock())

    def draft(self, actor: Actor, case: Case, person: Person, action: Action, gateway: str, key: UUID) -> AssetRequest:
        """A request with its number and the papers that it needs."""
        request_id = new_id()
        return AssetRequest(
            id=request_id,
            number=request_number(action, self.today(), request_id),
            case_id=case.id,
            person_id=person.id,
            action=action.value,
            gateway=gateway,
            state=RequestState.DRAFT.value,
            documents=[document.value for document in NEEDED[action]],
            particulars={},
            ruling_number="",
            payee={},
            approval="",
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
        papers = needed(action, is_money=asset.kind == AssetKind.BANK_ACCOUNT)
        request.documents = [document.value for document in papers]
        request.particulars = {
            "reference": asset.reference,
            "description": asset.description,
            "details": dict(asset.details),
        }
        request.starts_on = self.today()
        request.ends_on = longest_term(AssetKind(asset.kind), request.starts_on)
        return request

    def needs_approval(self, action: Action) -> bool:
        """Whether the setting asks for a second person, whatever it is about."""
        return action in self._approved_actions

    async def submit(
        self,
        session: AsyncSession,
        actor: Actor,
        case: Case,
        request: AssetRequest,
        approval: str = "",
        *,
        emergency: str = "",
    ) -> None:
        """Seal and send the request, or leave it a draft that waits for a second person; call it last.

        It is sent when the transaction is committed, and its entry in the audit is written here. `approval` is the
        ground on which a guard asks for a second person; the setting of the actions that need one is heeded in any
        case. With the reason of an `emergency` it goes at once, and the approval is asked for afterwards.

        Raises:
            RulingMissing: a control without its ruling. Source: 法释〔2013〕20号 §3.
            Conflict: what it asks for can't be taken back, and no emergency excuses it.
        """
        action = Action(request.action)
        if request.is_control and not request.ruling_number:
            raise RulingMissing("ruling-missing")
        request.approval = approval or (BY_ACTION if action in self._approved_actions else "")
        if emergency and request.approval:
            if action not in URGENT:
                raise Conflict("no-emergency", action=action.value)
            # Beside why it goes at once, the second person has to read why the guard was overruled.
            overruled = request.override_reason[: max(0, LONGEST_REASON - len(emergency) - 1)]
            request.override_reason = f"{overruled}\n{emergency}" if overruled else emergency
        session.add(request)
        await session.flush()
        if request.approval and not emergency:
            await self.enter(session, actor, case, request, "asset.request.drafted")
            return
        await self.send(session, case, request, actor)
        await self.note(session, actor, case, request)

    async def send(self, session: AsyncSession, case: Case, request: AssetRequest, actor: Actor) -> None:
        """Seal it and let it go: it is sent when the transaction is committed."""
        await self._sealing.seal(session, case, request, actor.user_id)
        self.go(request)

    def go(self, request: AssetRequest) -> None:
        """Have it asked when the transaction is committed; its papers are sealed already."""
        request.move_to(RequestState.SENT)
        request.sent_at = request.next_ask_at = self._clock()

    def ask_again(self, request: AssetRequest) -> bool:
        """Have it asked again now, with its own number; False where it was answered."""
        if request.state == RequestState.FAILED:
            self.go(request)
            return True
        if RequestState(request.state) in AWAITED:
            request.next_ask_at = self._clock()
            return True
        return False

    async def first_order(self, session: AsyncSession, key: UUID) -> AssetRequest | None:
        """What was ordered under this key before."""
        return (await session.scalars(select(AssetRequest).where(AssetRequest.idempotency_key == key))).first()

    async def note(self, session: AsyncSession, actor: Actor, case: Case, request: AssetRequest) -> None:
        """Write into the audit that it was sent."""
        await self.enter(session, actor, case, request, f"asset.{request.action}.sent")

    async def enter(
        self, session: AsyncSession, actor: Actor | None, case: Case, request: AssetRequest, action: str
    ) -> None:
        """Write into the audit what was done with it."""
        await self._audit.record(
            session,
            actor=actor.user_id if actor else None,
            court_id=case.court_id,
            action=action,
            subject_type="asset_request",
            subject_id=str(request.id),
            case_id=request.case_id,
            details={
                "number": request.number,
                "gateway": request.gateway,
                "person": str(request.person_id),
                "ruling": request.ruling_number,
                "approval": request.approval,
            },
            contents={
                "asset": str(request.asset_id) if request.asset_id else None,
                "amount_cents": request.amount_cents,
                "reason": request.decision_reason or request.override_reason,
            },
        )


def request_number(action: Action, day: date, request_id: UUID) -> str:
    """The number that a request has with the other side: its kind, its day, and what makes it the only one."""
    return f"{NUMBER_LETTER[action]}{day:%Y%m%d}{request_id.hex[-14:].upper()}"


async def case_of(
    session: AsyncSession, actor: Actor, case_id: UUID, *, lock: bool = False, missing: str = "no-such-case"
) -> Case:
    """A case of the actor's courts; `lock` lets one writer at it at a time.

    Raises:
        NotFound: of `missing`. Who asks for a thing of another court's case gives the thing's own code: nothing is
            said about it but that there is none.
    """
    case = await session.get(Case, case_id, with_for_update=CASE_LOCK if lock else None)
    if case is None or not _may_know(actor, case):
        raise NotFound(missing)
    return case


async def own_case_of(session: AsyncSession, actor: Actor, case_id: UUID, *, missing: str = "no-such-case") -> Case:
    """A case that is the actor's to act in, locked: whoever writes anything of a case comes in by this door.

    Raises:
        NotFound: of `missing`, as `case_of`.
        NotPermitted: "not-own-court": another court has the case; the actor may look on.
    """
    case = await case_of(session, actor, case_id, lock=True, missing=missing)
    require_own_court(actor, case)
    return case


async def asset_of(session: AsyncSession, actor: Actor, asset_id: UUID, *, missing: str = "no-such-asset") -> Asset:
    """An asset of a case of the actor's courts.

    Raises:
        NotFound: of `missing`.
    """
    asset = await session.get(Asset, asset_id)
    if asset is None:
        raise NotFound(missing)
    await case_of(session, actor, asset.case_id, missing=missing)
    return asset


async def own_asset_of(
    session: AsyncSession, actor: Actor, asset_id: UUID, *, missing: str = "no-such-asset"
) -> tuple[Asset, Case]:
    """An asset that is the actor's to act on and its case, locked.

    Raises:
        NotFound: of `missing`.
        NotPermitted: "not-own-court", as `own_case_of`.
    """
    asset = await session.get(Asset, asset_id)
    if asset is None:
        raise NotFound(missing)
    case = await own_case_of(session, actor, asset.case_id, missing=missing)
    # An answer or a judge may have said what it is while its case was waited for.
    await session.refresh(asset)
    return asset, case


class OfACourt(Protocol):
    """A case, or what is told of it."""

    @property
    def court_id(self) -> UUID:
        """The court that has it."""
        ...

    @property
    def court_name(self) -> str:
        """How that court is called."""
        ...


def not_own_court(actor: Actor, case: OfACourt) -> NotPermitted | None:
    """Why the actor may only look at this case: its orders bear the name and the seal of the court that has it.

    A court sees its districts' cases and acts in none of them. Officers on site act for the court whose operation
    has called them.
    """
    acts_for = actor.court_ids if actor.case_ids is not None else {actor.own_court_id}
    return None if case.court_id in acts_for else NotPermitted("not-own-court", court=case.court_name)


def acting_court(actor: Actor, case: OfACourt) -> str:
    """The court that acts in this case, where the actor may only look; empty where the actor's own does."""
    return "" if not_own_court(actor, case) is None else case.court_name


def require_own_court(actor: Actor, case: Case) -> None:
    """Refuse whoever may only look at this case."""
    if (refusal := not_own_court(actor, case)) is not None:
        raise refusal


def _may_know(actor: Actor, case: Case) -> bool:
    return case.court_id in actor.court_ids if actor.case_ids is None else case.id in actor.case_ids


async def held(session: AsyncSession, actor: Actor, request_id: UUID) -> tuple[Case, AssetRequest]:
    """A request of the actor's own court and its case, locked until the end of the transaction."""
    request = await session.get(AssetRequest, request_id)
    if request is None:
        raise NotFound("no-such-request")
    case = await own_case_of(session, actor, request.case_id, missing="no-such-request")
    await session.refresh(request, with_for_update=True)
    return case, request


def reason_of(text: str, item: str = "reason") -> str:
    """The words in which somebody says why; there have to be some."""
    if not text.strip():
        raise BadFormat(item, "empty")
    return text.strip()[:LONGEST_REASON]


def visible(actor: Actor) -> ColumnElement[bool]:
    """The cases that the actor may know of, as a condition."""
    return Case.court_id.in_(actor.court_ids) if actor.case_ids is None else Case.id.in_(actor.case_ids)


def require(allowed: bool) -> None:
    """Refuse what the actor may not do."""
    if not allowed:
        raise NotPermitted("not-permitted")


def require_under_enforcement(person: Person) -> None:
    """Refuse anyone but the person under enforcement. Source: 法释〔2013〕20号 §7."""
    if person.role != "under_enforcement":
        raise NotUnderEnforcement("not-under-enforcement")


async def person_of(session: AsyncSession, case: Case, person_id: UUID) -> Person:
    """The person under enforcement of this case with this id."""
    person = await session.get(Person, person_id)
    if person is None or person.case_id != case.id:
        raise NotFound("no-such-person")
    require_under_enforcement(person)
    return person

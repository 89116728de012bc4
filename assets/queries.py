"""A person is asked about at many gateways at once: one press of the button, one request each, few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, AuditNote, AuditTrail, Records
from assets.documents import Action
from assets.errors import Conflict
from assets.orders import Orders, own_case_of, person_of, require
from assets.papers.sealing import Sealing
from assets.tables import AssetRequest, Case, Person
from assets.views import RequestView, request_view


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one press asks: requests made for it, those asked again, and all in the order of persons and gateways."""

    new: list[AssetRequest]
    again: list[AssetRequest]
    all: list[AssetRequest]


class Queries:
    """Asks about persons under enforcement, and about nobody else. Source: 法释〔2013〕20号 §7."""

    def __init__(self, records: Records, orders: Orders, sealing: Sealing, audit: AuditTrail) -> None:
        self._records = records
        self._orders = orders
        self._sealing = sealing
        self._audit = audit

    async def query(
        self, actor: Actor, *, case_id: UUID, person_id: UUID | None, gateways: Sequence[str], key: UUID
    ) -> list[RequestView]:
        """Ask these gateways about one person, or about everybody under enforcement where nobody is named.

        Where a query of a person stands open or failed, that one is asked again.

        Raises: as `Assets.query`.
        """
        require(actor.may_query or (actor.may_propose and actor.case_ids is not None))
        async with self._records.write() as session:
            case = await own_case_of(session, actor, case_id)
            persons = await self._under_enforcement(session, case)
            await self._require_same_width(session, persons, key, of_everybody=person_id is None)
            if person_id is None:
                keyed = [(person, uuid5(key, str(person.id))) for person in persons]
            else:
                keyed = [(await person_of(session, case, person_id), key)]
            asked = _Asked([], [], [])
            for person, own_key in keyed:
                await self._ask(session, actor, case, person, gateways, own_key, asked)
            # Once for all: whoever writes into the audit keeps all others from it until the commit.
            await self._send(session, actor, case, asked.new, asked.again)
            return [request_view(request) for request in asked.all]

    async def _under_enforcement(self, session: AsyncSession, case: Case) -> Sequence[Person]:
        persons = select(Person).where(Person.case_id == case.id, Person.role == "under_enforcement")
        return (await session.scalars(persons.order_by(Person.ordinal, Person.id))).all()

    async def _ask(
        self,
        session: AsyncSession,
        actor: Actor,
        case: Case,
        person: Person,
        gateways: Sequence[str],
        key: UUID,
        asked: _Asked,
    ) -> None:
        await self._require_unused(session, key, person)
        latest = await self._latest(session, person, gateways)
        for gateway in gateways:
            request = latest.get(gateway)
            if request is None or (request.idempotency_key != key and not self._orders.ask_again(request)):
                request = self._orders.draft(actor, case, person, Action.QUERY, gateway, key)
                asked.new.append(request)
            elif request.idempotency_key != key:
                asked.again.append(request)
            asked.all.append(request)

    async def _require_unused(self, session: AsyncSession, key: UUID, person: Person) -> None:
        first = await self._orders.first_order(session, key)
        if first is not None and (first.person_id, first.action) != (person.id, Action.QUERY.value):
            raise Conflict("idempotency-key-used", number=first.number)

    async def _require_same_width(
        self, session: AsyncSession, persons: Sequence[Person], key: UUID, *, of_everybody: bool
    ) -> None:
        """Refuse a key for one person that was used for everybody, or the reverse."""
        keys = [key] if of_everybody else [uuid5(key, str(person.id)) for person in persons]
        used = select(AssetRequest.number).where(AssetRequest.idempotency_key.in_(keys)).limit(1)
        if (number := await session.scalar(used)) is not None:
            raise Conflict("idempotency-key-used", number=number)

    async def _latest(self, session: AsyncSession, person: Person, gateways: Sequence[str]) -> dict[str, AssetRequest]:
        """The newest query of this person at each gateway."""
        of_this_person = (
            select(AssetRequest)
            .where(
                AssetRequest.case_id == person.case_id,
                AssetRequest.person_id == person.id,
                AssetRequest.action == Action.QUERY.value,
                AssetRequest.gateway.in_(gateways),
            )
            .order_by(AssetRequest.id)
        )
        return {request.gateway: request for request in await session.scalars(of_this_person)}

    async def _send(
        self,
        session: AsyncSession,
        actor: Actor,
        case: Case,
        new: Sequence[AssetRequest],
        again: Sequence[AssetRequest],
    ) -> None:
        papers = [
            paper for request in new for paper in await self._sealing.papers_of(session, case, request, actor.user_id)
        ]
        for request in new:
            self._orders.go(request)
        session.add_all(new)
        await session.flush()
        session.add_all(papers)
        notes = [_note(actor, case, request) for request in (*new, *again)]
        await self._audit.record_all(session, notes)


def _note(actor: Actor, case: Case, request: AssetRequest) -> AuditNote:
    return AuditNote(
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
    )

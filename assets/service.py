"""What a judge does about a person's assets: look, query, freeze, seize, ask again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select

from assets.answers import Answers, Changed
from assets.approvals import Approvals
from assets.audit import Actor, AuditTrail, Records
from assets.batches import Batches
from assets.chasing import FEEDBACK_HOURS, Chasing
from assets.checking import Checking
from assets.conditions import apart
from assets.confirmations import ask_how_it_stands
from assets.controls import Controls
from assets.documents import Action
from assets.effects import Effects
from assets.errors import Conflict, NotFound
from assets.findings import Findings
from assets.gateway import Gateway
from assets.guard import CoverRules
from assets.history import History
from assets.liftings import Liftings
from assets.lines import Lines
from assets.names import private_names
from assets.objections import Objections
from assets.ordering import NoPayees, Payees, Warrant
from assets.orders import APPROVED_ACTIONS, Orders, acting_court, case_of, held, require, visible
from assets.overview import overview_of
from assets.papers.reading import PaperReading
from assets.papers.sealing import Sealing
from assets.papers.seals import Seal
from assets.queries import Queries
from assets.search_words import Found, Place
from assets.sender import Sender
from assets.tables import AssetRequest, Case
from assets.telling import Telling
from assets.views import CaseHead, CaseView, RequestView, case_head, request_view

AT_ONCE = 256
"""How many requests are asked at once: a person's at two hundred banks, and others beside."""
AT_ONCE_EACH = 16
"""How many of them at one gateway, so that a slow one holds up no other."""
CHASE_SECONDS = 60.0
"""How long after an unanswered asking the next one comes; doubled each time, up to an hour."""


class Assets:
    """The asset domain's one service; every call is made for an `Actor`.

    `run` sends and chases for as long as the process lives; requests that it couldn't finish it finds again.
    """

    def __init__(
        self,
        records: Records,
        gateways: Sequence[Gateway],
        audit: AuditTrail,
        clock: Callable[[], datetime],
        changed: Changed,
        seal: Seal,
        *,
        approved_actions: frozenset[Action] = APPROVED_ACTIONS,
        feedback_hours: float = FEEDBACK_HOURS,
        payees: Payees | None = None,
        cover_rules: CoverRules | None = None,
        at_once: int = AT_ONCE,
        at_once_each: int = AT_ONCE_EACH,
        chase_seconds: float = CHASE_SECONDS,
    ) -> None:
        self._records = records
        self._gateways: Mapping[str, Gateway] = {gateway.name: gateway for gateway in gateways}
        self._clock = clock
        self._changed = changed
        telling = Telling(changed)
        sealing = Sealing(seal, clock)
        self._orders = Orders(audit, clock, sealing, approved_actions)
        self._queries = Queries(records, self._orders, sealing, audit)
        history = History(audit, clock)
        lines = Lines(ask_how_it_stands)
        effects = Effects(lines, history, clock)
        answers = Answers(records, audit, clock, telling.note, effects, chase_seconds=chase_seconds)
        self._sender = Sender(
            records,
            self._gateways,
            answers,
            clock,
            sealing,
            telling,
            at_once=at_once,
            at_once_each=at_once_each,
        )
        self.controls = Controls(
            records,
            self._gateways,
            self._orders,
            lines,
            history,
            payees or NoPayees(),
            self._tell,
            cover_rules or CoverRules(),
        )
        self.findings = Findings(records, audit, lines, history, clock, self._tell)
        self.liftings = Liftings(records, self._orders, self._tell)
        self.approvals = Approvals(records, self._orders, effects, clock, self._tell)
        self.objections = Objections(records, self._orders, effects, clock, self._tell)
        self.checking = Checking(records, self._orders, clock, self._tell)
        self.batches = Batches(records)
        self.papers = PaperReading(records, audit, seal, sealing)
        self.chasing = Chasing(records, self._orders, clock, self._tell, feedback_hours=feedback_hours)

    @property
    def gateway_names(self) -> tuple[str, ...]:
        """Whom a person can be asked about at."""
        return tuple(self._gateways)

    async def run(self) -> None:
        """Send and chase until cancelled."""
        await self._sender.run()

    def wake(self) -> None:
        """Have it looked for what is to be sent, now."""
        self._sender.wake()

    async def send_due(self) -> int:
        """Ask once what is due now, one request after the other, where nobody runs the sender; how many it were."""
        return await self._sender.send_due()

    async def close(self) -> None:
        """Give back the gateways' connections; call it after `run` has ended."""
        for gateway in self._gateways.values():
            await gateway.close()

    async def cases(self, actor: Actor, *, after: Place | None = None, limit: int = 100) -> Found[CaseHead]:
        """The cases of the actor's courts by their numbers, a page of them."""
        require(actor.may_see)
        query = select(Case).where(apart(visible(actor))).order_by(Case.number, Case.id).limit(limit + 1)
        if after is not None:
            is_behind = or_(Case.number > after.value, and_(Case.number == after.value, Case.id > after.id))
            query = query.where(Case.number >= after.value, is_behind)
        async with self._records.read() as session:
            heads = [case_head(case, acting_court(actor, case)) for case in await session.scalars(query)]
        last = heads[limit - 1] if len(heads) > limit else None
        return Found(heads[:limit], Place(last.number, last.id) if last is not None else None)

    async def overview(self, actor: Actor, case_id: UUID) -> CaseView:
        """What the panel shows of a case, masked: sums over all, and of very many assets or answers the first."""
        require(actor.may_see)
        async with self._records.read() as session:
            return await overview_of(session, actor, case_id, self._orders.today())

    async def requests(
        self, actor: Actor, case_id: UUID, *, after: UUID | None = None, limit: int = 100
    ) -> list[RequestView]:
        """A case's requests, newest first, from behind `after`."""
        require(actor.may_see)
        query = select(AssetRequest).where(AssetRequest.case_id == case_id).order_by(AssetRequest.id.desc())
        if after is not None:
            query = query.where(AssetRequest.id < after)
        async with self._records.read() as session:
            await case_of(session, actor, case_id)
            names = await private_names(session, [case_id])
            return [request_view(request, names) for request in await session.scalars(query.limit(limit))]

    async def request(self, actor: Actor, request_id: UUID) -> RequestView:
        """One request."""
        require(actor.may_see)
        async with self._records.read() as session:
            request = await session.get(AssetRequest, request_id)
            if request is None:
                raise NotFound("no-such-request")
            await case_of(session, actor, request.case_id, missing="no-such-request")
            return request_view(request, await private_names(session, [request.case_id]))

    async def query(
        self,
        actor: Actor,
        *,
        case_id: UUID,
        person_id: UUID | None,
        idempotency_key: UUID,
        gateways: Sequence[str] | None = None,
    ) -> list[RequestView]:
        """Ask gateways (all, if none is named) what the person has; the answers come in the background.

        Without a person, everybody under enforcement in the case is asked about. Where a query of the same person
        stands open or failed, that one is asked again with its own number.

        Raises:
            NotPermitted: the actor may not query.
            NotFound: no such case, person or gateway in the actor's courts.
            NotUnderEnforcement: only the person under enforcement may be queried. Source: 法释〔2013〕20号 §7.
        """
        names = tuple(dict.fromkeys(gateways)) if gateways else self.gateway_names
        if unknown := [name for name in names if name not in self._gateways]:
            raise NotFound("no-such-gateway", gateway=unknown[0])
        views = await self._queries.query(
            actor, case_id=case_id, person_id=person_id, gateways=names, key=idempotency_key
        )
        await self._tell(case_id)
        return views

    async def freeze(
        self, actor: Actor, *, asset_id: UUID, amount_cents: int, ruling_number: str, idempotency_key: UUID
    ) -> RequestView:
        """Order a bank to freeze up to `amount_cents` of an account; its answer comes in the background.

        Repeating the call with the same key gives the first order back; nothing is frozen twice.

        Raises:
            RulingMissing, BadFormat, NotPermitted, NotFound, NotUnderEnforcement.
            Conflict: a measure stands already, or the key was used for another order.

        Source: 法释〔2013〕20号 §3; 解释 §485.
        """
        return await self.controls.freeze(actor, asset_id, Warrant(ruling_number, idempotency_key), amount_cents)

    async def seize(self, actor: Actor, *, asset_id: UUID, ruling_number: str, idempotency_key: UUID) -> RequestView:
        """Order a registry to seize a unit; like `freeze` in everything else."""
        return await self.controls.seize(actor, asset_id, Warrant(ruling_number, idempotency_key))

    async def retry(self, actor: Actor, request_id: UUID) -> RequestView:
        """Ask again now, with the same number, what failed or stayed unanswered.

        Raises:
            Conflict: it was answered.
        """
        async with self._records.write() as session:
            case, request = await held(session, actor, request_id)
            require(actor.may_control if request.is_control else actor.may_query)
            if not self._orders.ask_again(request):
                raise Conflict("already-answered", number=request.number)
            await self._orders.note(session, actor, case, request)
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view

    async def _tell(self, case_id: UUID) -> None:
        self._sender.wake()
        await self._changed(case_id)

"""What a judge orders about an asset: to freeze, seize, pre-register or impound it, and to change or end that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from assets.allowed import ORDERS, Facts, why_not
from assets.audit import Actor, Records
from assets.documents import TAKES_AT_ONCE, Action
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted
from assets.exemptions import Override, override_needed
from assets.followers import add_followers
from assets.gateway import Gateway, Payee
from assets.guard import Cover, CoverRules, Preview, cover, preview
from assets.history import Chapter, History
from assets.identifiers import new_id
from assets.liftings import Said, said_about
from assets.lines import Lines
from assets.measure_views import MeasureView, measure_view
from assets.measures import MeasureChange
from assets.names import private_names
from assets.ordering import Payees, Warrant, check_cents, check_years, facts_of, require_same
from assets.orders import (
    LONGEST_REASON,
    URGENT,
    Orders,
    asset_of,
    case_of,
    not_own_court,
    own_asset_of,
    require,
)
from assets.standing import hold, read_line
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, line_of
from assets.terms import AssetKind, check_term, last_day
from assets.views import RequestView, request_view


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a measure, as it is ordered."""

    action: Action
    measure_id: UUID
    warrant: Warrant
    cents: int | None = None
    recipient: str = ""
    """Of a title: who gets it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One order about an asset, and whether it can be given now."""

    action: Action
    why: str
    """The code of the reason why it can't be given; empty where it can."""
    parameters: dict[str, str | int]
    override: str
    """What stands against it without a reason, for which a second person is asked: a value of `Override`."""
    needs_approval: bool
    is_urgent: bool
    """In an emergency it may be sent before its approval."""
    measure_id: UUID | None
    """What it would change."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a page needs to offer the orders about one asset."""

    measure: MeasureView | None
    """The case's own, the latest."""
    allowed: list[Allowed]
    special: str
    """What a judge marked it as."""
    said: Said | None
    """What its gateway said of it."""
    exempt: str
    is_only_home: bool
    is_indivisible: bool
    valuation_cents: int | None
    valuation_source: str
    prior_cents: int


class Controls:
    """Takes orders. Each is one transaction, and repeated with its key gives the first request back.

    Raises, from every order:
        NotPermitted, NotFound: it isn't the actor's to order.
        RulingMissing, BadFormat: the order itself is wrong.
        NotUnderEnforcement: the asset isn't a person's under enforcement. Source: 法释〔2013〕20号 §7.
        Conflict: it can't be ordered now, or needs a reason, or the key was used for another order.
    """

    def __init__(
        self,
        records: Records,
        gateways: Mapping[str, Gateway],
        orders: Orders,
        lines: Lines,
        history: History,
        payees: Payees,
        tell: Callable[[UUID], Awaitable[None]],
        cover_rules: CoverRules,
    ) -> None:
        self._records = records
        self._gateways = gateways
        self._orders = orders
        self._lines = lines
        self._history = history
        self._payees = payees
        self._tell = tell
        self._cover_rules = cover_rules

    async def freeze(self, actor: Actor, asset_id: UUID, warrant: Warrant, amount_cents: int | None) -> RequestView:
        """Freeze up to `amount_cents` of an account, or the whole of it."""
        return await self._begin(actor, Action.FREEZE, asset_id, warrant, amount_cents)

    async def seize(self, actor: Actor, asset_id: UUID, warrant: Warrant) -> RequestView:
        """Seize a house, land, a vehicle; land goes with the house on it and the house with the land."""
        return await self._begin(actor, Action.SEIZE, asset_id, warrant)

    async def pre_register(self, actor: Actor, asset_id: UUID, warrant: Warrant) -> RequestView:
        """Seize what isn't registered in the debtor's name yet (预查封)."""
        return await self._begin(actor, Action.PRE_REGISTER, asset_id, warrant)

    async def impound(self, actor: Actor, asset_id: UUID, warrant: Warrant) -> RequestView:
        """Have a movable taken away, or left with a keeper."""
        return await self._begin(actor, Action.IMPOUND, asset_id, warrant)

    async def freeze_and_transfer(
        self, actor: Actor, asset_id: UUID, warrant: Warrant, amount_cents: int | None
    ) -> RequestView:
        """Freeze up to `amount_cents` of an account, or the whole of it, and move it to the case's account in one."""
        return await self._begin(actor, Action.FREEZE_AND_TRANSFER, asset_id, warrant, amount_cents)

    async def withdraw_income(self, actor: Actor, asset_id: UUID, warrant: Warrant, amount_cents: int) -> RequestView:
        """Move what has come in, up to `amount_cents`, to the case's account; what comes in later by another order."""
        return await self._begin(actor, Action.WITHDRAW_INCOME, asset_id, warrant, amount_cents)

    async def renew(self, actor: Actor, measure_id: UUID, warrant: Warrant) -> RequestView:
        """Prolong a measure before its last day: the new term begins the day after that.

        Source: 解释 §485, a renewal may be as long as a first term; 查扣冻 §27, what has lapsed can't be renewed.
        """
        return await self._change(actor, Change(Action.RENEW, measure_id, warrant))

    async def part_release(self, actor: Actor, measure_id: UUID, warrant: Warrant, amount_cents: int) -> RequestView:
        """Give back a part of what is frozen. Source: 查扣冻 §19, the excess is released."""
        return await self._change(actor, Change(Action.PART_RELEASE, measure_id, warrant, amount_cents))

    async def release(self, actor: Actor, measure_id: UUID, warrant: Warrant) -> RequestView:
        """End a measure; whoever waits behind it takes effect. Source: 查扣冻 §26."""
        return await self._change(actor, Change(Action.RELEASE, measure_id, warrant))

    async def transfer(
        self,
        actor: Actor,
        measure_id: UUID,
        warrant: Warrant,
        *,
        amount_cents: int | None = None,
        recipient: str = "",
    ) -> RequestView:
        """Move frozen money, all of it if no amount is named, to the case's account, or a title to its recipient."""
        return await self._change(actor, Change(Action.TRANSFER, measure_id, warrant, amount_cents, recipient))

    async def sheet(self, actor: Actor, asset_id: UUID) -> Sheet:
        """An asset's measure and marks, and every order that could be given: whether now, and if not, why."""
        require(actor.may_see)
        async with self._records.read() as session:
            asset = await asset_of(session, actor, asset_id)
            facts = await facts_of(session, asset, self._gateways, self._orders.today())
            names = await private_names(session, [asset.case_id])
            said = await said_about(session, asset)
            barred = not_own_court(actor, await session.get_one(Case, asset.case_id))
        return Sheet(
            measure=measure_view(facts.measure, names) if facts.measure else None,
            allowed=[self._allowed(actor, action, facts, barred) for action in ORDERS],
            special=asset.special,
            said=said,
            exempt=asset.exempt,
            is_only_home=asset.is_only_home,
            is_indivisible=asset.is_indivisible,
            valuation_cents=asset.valuation_cents,
            valuation_source=asset.valuation_source,
            prior_cents=asset.prior_cents,
        )

    async def cover(self, actor: Actor, case_id: UUID) -> Cover:
        """What covers the claim of a case."""
        require(actor.may_see)
        async with self._records.read() as session:
            await case_of(session, actor, case_id)
            return await cover(session, case_id, self._orders.today(), self._cover_rules)

    async def preview(self, actor: Actor, asset_id: UUID, amount_cents: int | None = None) -> Preview:
        """Hold what a control of this asset would add against the claim, before anything is sent."""
        require(actor.may_see)
        async with self._records.read() as session:
            asset = await asset_of(session, actor, asset_id)
            return await self._preview(session, asset, amount_cents)

    async def _begin(
        self, actor: Actor, action: Action, asset_id: UUID, warrant: Warrant, cents: int | None = None
    ) -> RequestView:
        require(actor.may_control)
        async with self._records.write() as session:
            asset, _ = await own_asset_of(session, actor, asset_id)
            case = await session.get_one(Case, asset.case_id)
            # Only now the form: about another court's asset nothing is said but that there is none.
            ruling = warrant.ruling(self._orders.today())
            check_cents(cents)
            years = check_years(AssetKind(asset.kind), warrant.years)
            if (first := await self._orders.first_order(session, warrant.idempotency_key)) is not None:
                require_same(first, asset_id=asset.id, action=action.value, amount_cents=cents, ruling_number=ruling)
                begun = await session.get(ControlMeasure, first.measure_id) if first.measure_id else None
                if begun is not None and begun.term_years != years:
                    raise Conflict("idempotency-key-used", number=first.number)
                return request_view(first, await private_names(session, [case.id]))
            chapter, facts = await self._look(session, actor, asset)
            if (refusal := why_not(action, facts)) is not None:
                raise refusal
            override = override_needed(asset, action)
            if override is None and (await self._preview(session, asset, cents)).is_over_limit:
                override = Override.OVER_LIMIT
            request = self._orders.draft_control(actor, case, facts.person, asset, action, warrant.idempotency_key)
            request.amount_cents = cents
            request.starts_on = self._orders.today()
            request.ends_on = last_day(request.starts_on, years)
            check_term(AssetKind(asset.kind), request.starts_on, request.ends_on)
            if action is Action.WITHDRAW_INCOME:
                request.starts_on = request.ends_on = None
            if action in TAKES_AT_ONCE:
                request.payee = await self._payee(session, case)
            measure = self._measure(case, asset, request, years, chapter)
            self._sign(request, ruling, warrant, override)
            session.add(request)
            await session.flush()
            session.add(measure)
            await session.flush()
            chapter.note(measure, MeasureChange.ORDERED, request_id=request.id, amount_cents=cents, years=years)
            await add_followers(chapter, asset, measure)
            await self._orders.submit(
                session, actor, case, request, override or "", emergency=warrant.emergency.strip()
            )
            await chapter.close()
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view

    async def _change(self, actor: Actor, change: Change) -> RequestView:
        require(actor.may_control)
        warrant, action = change.warrant, change.action
        async with self._records.write() as session:
            measure = await session.get(ControlMeasure, change.measure_id)
            if measure is None:
                raise NotFound("no-such-measure")
            asset, _ = await own_asset_of(session, actor, measure.asset_id, missing="no-such-measure")
            case = await session.get_one(Case, asset.case_id)
            ruling = warrant.ruling(self._orders.today())
            check_cents(change.cents)
            if (first := await self._orders.first_order(session, warrant.idempotency_key)) is not None:
                require_same(first, measure_id=measure.id, action=action.value, ruling_number=ruling)
                if change.cents is not None:
                    require_same(first, amount_cents=change.cents)
                if action is Action.RENEW and first.starts_on is not None:
                    years = check_years(AssetKind(asset.kind), warrant.years)
                    require_same(first, ends_on=last_day(first.starts_on, years))
                return request_view(first, await private_names(session, [case.id]))
            chapter, facts = await self._look(session, actor, asset, measure)
            if (refusal := why_not(action, facts)) is not None:
                raise refusal
            request = self._orders.draft_control(actor, case, facts.person, asset, action, warrant.idempotency_key)
            request.measure_id = measure.id
            request.starts_on = request.ends_on = None
            await self._fill_in(session, case, facts, measure, request, change)
            override = override_needed(asset, action)
            self._sign(request, ruling, warrant, override)
            session.add(request)
            await session.flush()
            chapter.note(
                measure,
                MeasureChange.ORDERED,
                request_id=request.id,
                action=action.value,
                amount_cents=request.amount_cents,
            )
            await self._orders.submit(
                session, actor, case, request, override or "", emergency=warrant.emergency.strip()
            )
            await chapter.close()
            view = request_view(request, await private_names(session, [case.id]))
        await self._tell(view.case_id)
        return view

    async def _fill_in(
        self,
        session: AsyncSession,
        case: Case,
        facts: Facts,
        measure: ControlMeasure,
        request: AssetRequest,
        change: Change,
    ) -> None:
        """What this kind of change says beside the measure that it is about."""
        kind = AssetKind(facts.asset.kind)
        if change.action is Action.RENEW and measure.ends_on is not None:
            request.starts_on = measure.ends_on + timedelta(days=1)
            request.ends_on = last_day(request.starts_on, check_years(kind, change.warrant.years))
            check_term(kind, request.starts_on, request.ends_on)
        elif change.action is Action.PART_RELEASE:
            if change.cents is None or change.cents >= measure.controlled_cents:
                raise BadFormat("amount", "not-a-part")
            request.amount_cents = change.cents
        elif change.action is Action.TRANSFER and kind is AssetKind.BANK_ACCOUNT:
            request.amount_cents = change.cents or measure.controlled_cents
            if request.amount_cents > measure.controlled_cents:
                raise BadFormat("amount", "more-than-held")
            request.payee = await self._payee(session, case)
        elif change.action is Action.TRANSFER:
            if not change.recipient.strip():
                raise BadFormat("recipient", "missing")
            request.payee = asdict(Payee(change.recipient.strip(), "", "", ""))

    async def _payee(self, session: AsyncSession, case: Case) -> dict[str, str]:
        """The case's account at the court."""
        payee = await self._payees.payee(session, case)
        if payee is None:
            raise Conflict("payee-missing")
        return asdict(payee)

    async def _look(
        self, session: AsyncSession, actor: Actor, asset: Asset, measure: ControlMeasure | None = None
    ) -> tuple[Chapter, Facts]:
        """Hold the line, end what is over by law, and read what the rules look at."""
        today, line = self._orders.today(), line_of(asset)
        await hold(session, line)
        if measure is not None:
            await session.refresh(measure)
        by_law = self._history.chapter(session)
        await self._lines.lapse_overdue(by_law, line, today)
        chapter = self._history.chapter(session, actor.user_id, after=by_law)
        return chapter, await facts_of(session, asset, self._gateways, today, measure)

    async def _preview(self, session: AsyncSession, asset: Asset, cents: int | None) -> Preview:
        rules = self._cover_rules
        present = await cover(session, asset.case_id, self._orders.today(), rules)
        holder = (await read_line(session, line_of(asset))).effective
        controls = [one for one in asset.encumbrances if one["kind"] in ("freeze", "seizure")]
        nothing_left = asset.kind != AssetKind.BANK_ACCOUNT or asset.available_cents == 0
        will_wait = holder is not None or (bool(controls) and nothing_left)
        return preview(present, asset, cents, will_wait=will_wait, rules=rules)

    def _allowed(self, actor: Actor, action: Action, facts: Facts, barred: NotPermitted | None) -> Allowed:
        refusal = (barred or why_not(action, facts)) if actor.may_control else NotPermitted("not-permitted")
        override = override_needed(facts.asset, action)
        return Allowed(
            action=action,
            why=refusal.code if refusal else "",
            parameters=dict(refusal.parameters) if refusal else {},
            override=override.value if override else "",
            needs_approval=self._orders.needs_approval(action) or override is not None,
            is_urgent=action in URGENT,
            measure_id=None if action.is_first or facts.measure is None else facts.measure.id,
        )

    def _measure(self, case: Case, asset: Asset, request: AssetRequest, years: int, chapter: Chapter) -> ControlMeasure:
        measure = ControlMeasure(
            id=new_id(),
            case_id=case.id,
            court_id=case.court_id,
            asset_id=asset.id,
            request_id=request.id,
            line=line_of(asset),
            action=request.action,
            asked_cents=request.amount_cents,
            term_years=years,
            changed_at=chapter.at,
        )
        request.measure_id = measure.id
        return measure

    def _sign(self, request: AssetRequest, ruling: str, warrant: Warrant, override: Override | None) -> None:
        """Put the ruling on it; what a guard stands against needs a reason, and then a second person."""
        reason = warrant.override_reason.strip()[:LONGEST_REASON]
        if override is not None and not reason:
            raise Conflict("override-needed", why=override.value)
        request.ruling_number = ruling
        request.override_reason = reason if override is not None else ""

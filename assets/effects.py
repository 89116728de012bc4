"""What the other side's word does to measures: receipts of controls, and what queries say of what stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets import exemptions
from assets.documents import TAKES, TAKES_AT_ONCE, Action
from assets.errors import Conflict, NotFound
from assets.gateway import ControlReceipt, FoundAsset
from assets.history import Chapter, History
from assets.lines import Lines
from assets.measures import EFFECTIVE, Contradiction, MeasureChange, MeasureState
from assets.standing import ENDING, ended_since, hold, kind_of, read_line, unsettled
from assets.surveys import survey
from assets.tables import Asset, AssetRequest, ControlMeasure, line_of
from assets.terms import AssetKind, china_day, longest_term


class Told:
    """One receipt with what it is about, inside one transaction."""

    def __init__(
        self, chapter: Chapter, measure: ControlMeasure, request: AssetRequest, receipt: ControlReceipt, day: date
    ) -> None:
        self.chapter = chapter
        self.measure = measure
        self.request = request
        self.receipt = receipt
        self.day = day


_Effect = Callable[[Told], Awaitable[None]]


class Effects:
    """Applies answers to measures, in the transaction of whoever takes the answer in.

    Each call locks the line after the case, writes its own audit entries last, and gives the cases in which something
    changed, so that their screens can be told.
    """

    def __init__(self, lines: Lines, history: History, clock: Callable[[], datetime]) -> None:
        self._lines = lines
        self._history = history
        self._clock = clock
        self._changes: dict[Action, _Effect] = {
            Action.RENEW: self._renewed,
            Action.PART_RELEASE: self._part_released,
            Action.RELEASE: self._released,
            Action.TRANSFER: self._transferred,
        }

    async def receipt(self, session: AsyncSession, request: AssetRequest, receipt: ControlReceipt) -> frozenset[UUID]:
        """What a gateway did with an order."""
        chapter, measure, day = await self._open(session, request)
        told = Told(chapter, measure, request, receipt, day)
        action = Action(request.action)
        if action.is_first:
            await self._begun(told)
        elif MeasureState(measure.state) not in EFFECTIVE | {MeasureState.WAITING}:
            if receipt.is_registered:
                self._contradict(told, Contradiction.ENDED_BEFORE)
        elif not receipt.is_registered:
            await self._not_carried_out(chapter, measure, request, receipt.reason, day)
        else:
            await self._changes[action](told)
        await self._lines.lapse_overdue(chapter, measure.line, day, but_for=request.id)
        await chapter.close()
        return frozenset(chapter.cases)

    async def refused(self, session: AsyncSession, request: AssetRequest, reason: str) -> frozenset[UUID]:
        """An order that wasn't carried out: refused by the other side, or declined before it was sent."""
        if not request.is_control or await known_measure(session, request) is None:
            return frozenset()
        chapter, measure, day = await self._open(session, request)
        if not Action(request.action).is_first:
            await self._not_carried_out(chapter, measure, request, reason, day)
        elif measure.state == MeasureState.INTENDED:
            measure.reason = reason
            await self._lines.leave(chapter, measure, MeasureState.NOT_CONTROLLED, day, request_id=request.id)
        await chapter.close()
        return frozenset(chapter.cases)

    async def taken_back(self, session: AsyncSession, request: AssetRequest, reason: str) -> None:
        """An order that the court takes back after an objection, which says nothing of an asking before."""
        if not request.is_control or not request.attempts or await known_measure(session, request) is None:
            await self.refused(session, request, reason)
            return
        chapter, measure, _ = await self._open(session, request)
        if request.action in TAKES and MeasureState(measure.state) in EFFECTIVE | {MeasureState.INTENDED}:
            measure.contradiction = Contradiction.OUTCOME_UNKNOWN.value
            chapter.note(
                measure,
                MeasureChange.CONTRADICTED,
                request_id=request.id,
                contradiction=Contradiction.OUTCOME_UNKNOWN.value,
            )
        await self._lines.confirm(chapter, measure)
        await chapter.close()

    async def require_standing(self, session: AsyncSession, request: AssetRequest) -> None:
        """Refuse to let go what became impossible while it waited for its approval.

        Raises:
            Conflict: there is nothing left to change, or the account turned out to be one that nobody may freeze.
                Source: 查扣冻 §27 for what has lapsed.
        """
        if not request.is_control or await known_measure(session, request) is None:
            return
        if Action(request.action).is_first:
            asset = await session.get_one(Asset, request.asset_id, populate_existing=True)
            if (refusal := exemptions.refusal(asset, Action(request.action))) is not None:
                raise refusal
            return
        chapter, measure, _ = await self._open(session, request)
        await chapter.close()
        if MeasureState(measure.state) not in EFFECTIVE | {MeasureState.WAITING}:
            is_lapsed = measure.state == MeasureState.LAPSED
            raise Conflict("measure-lapsed") if is_lapsed else Conflict("measure-ended", state=measure.state)

    async def found(
        self, session: AsyncSession, request: AssetRequest, asset: Asset, found: FoundAsset
    ) -> frozenset[UUID]:
        """What a query says of one asset: what kind it is, what goes before, and how our own measures stand."""
        if found.special:
            exemptions.take_said(asset, found.special, self._clock())
        asset.prior_cents = await self._prior(session, found)
        line = line_of(asset)
        standing = select(ControlMeasure.id).where(ControlMeasure.line == line).limit(1)
        if (await session.scalars(standing)).first() is None:
            return frozenset()
        await hold(session, line)
        chapter = self._history.chapter(session)
        await survey(chapter, self._lines, request, line, found, china_day(self._clock()))
        await chapter.close()
        return frozenset(chapter.cases)

    async def _open(self, session: AsyncSession, request: AssetRequest) -> tuple[Chapter, ControlMeasure, date]:
        measure = await measure_of(session, request)
        await hold(session, measure.line)
        await session.refresh(measure)
        chapter, day = self._history.chapter(session), china_day(self._clock())
        await self._lines.lapse_overdue(chapter, measure.line, day)
        return chapter, measure, day

    async def _begun(self, told: Told) -> None:
        measure, receipt, chapter = told.measure, told.receipt, told.chapter
        if measure.state != MeasureState.INTENDED:
            self._contradict(told, Contradiction.ENDED_BEFORE)
            return
        measure.over_cents = receipt.over_cents
        measure.reason = receipt.reason
        measure.receipt_number = receipt.receipt_number
        measure.confirmed_at = chapter.at
        if not receipt.is_registered:
            await self._lines.leave(chapter, measure, MeasureState.NOT_CONTROLLED, told.day, request_id=told.request.id)
        elif receipt.waiting_rank:
            await self._wait(told)
        elif Action(told.request.action) in TAKES_AT_ONCE:
            await self._took(told)
        else:
            await self._stand(told)

    async def _took(self, told: Told) -> None:
        """It moved money at once; what of it couldn't be moved may stay frozen."""
        measure, moved = told.measure, told.receipt.transferred_cents
        measure.transferred_cents = moved
        await self._lessen_balance(told)
        if told.request.action == Action.FREEZE_AND_TRANSFER and told.receipt.controlled_cents:
            if measure.asked_cents is not None:
                measure.asked_cents = max(0, measure.asked_cents - moved)
            if moved:
                told.chapter.note(
                    measure,
                    MeasureChange.PART_TRANSFERRED,
                    request_id=told.request.id,
                    transferred_cents=moved,
                    controlled_cents=told.receipt.controlled_cents,
                )
            await self._stand(told)
            return
        await self._lines.leave(
            told.chapter,
            measure,
            # Nothing was there to be taken: then nothing is done.
            MeasureState.TRANSFERRED if moved else MeasureState.NOT_CONTROLLED,
            told.day,
            request_id=told.request.id,
            transferred_cents=moved,
        )

    async def _lessen_balance(self, told: Told) -> None:
        """What the asset's row says of its balance is from before the taking: the receipt tells it, or it is counted.

        Of this case only: the rows of others say when they were told, and theirs isn't this case's lock to take.
        """
        asset = await told.chapter.session.get_one(Asset, told.request.asset_id)
        receipt, moved = told.receipt, told.receipt.transferred_cents
        if receipt.balance_cents is not None:
            asset.value_cents = receipt.balance_cents
        elif asset.value_cents is not None:
            asset.value_cents = max(0, asset.value_cents - moved)
        if receipt.available_cents is not None:
            asset.available_cents = receipt.available_cents
        elif asset.available_cents is not None:
            # What a freeze held wasn't available before it was taken from there.
            taken = moved if told.request.action in TAKES_AT_ONCE else 0
            bounds = [one for one in (asset.available_cents - taken, asset.value_cents) if one is not None]
            asset.available_cents = max(0, min(bounds))

    async def _stand(self, told: Told) -> None:
        """It is said to be in force."""
        measure, receipt, chapter = told.measure, told.receipt, told.chapter
        if (holder := (await read_line(chapter.session, measure.line)).effective) is not None:
            if receipt.ends_on is not None and receipt.ends_on < told.day:
                await self._lapse_at_once(told, receipt.ends_on)
            else:
                await self._wait_behind(told, holder)
        else:
            await self._hold(told)

    async def _wait(self, told: Told) -> None:
        chapter, measure, rank = told.chapter, told.measure, told.receipt.waiting_rank
        await self._lines.wait(chapter, measure, rank, MeasureChange.WAITS, request_id=told.request.id)
        # What stood before it may have ended after the other side counted: then it counts again.
        if await ended_since(chapter.session, measure, told.request):
            await self._lines.confirm(chapter, measure)

    async def _lapse_at_once(self, told: Told, last_day: date) -> None:
        """Its receipt came after its last day, and somebody else holds the thing by now."""
        told.measure.starts_on, told.measure.ends_on = told.receipt.starts_on, last_day
        await self._lines.leave(
            told.chapter,
            told.measure,
            MeasureState.LAPSED,
            last_day + timedelta(days=1),
            request_id=told.request.id,
            ends_on=last_day,
        )

    async def _wait_behind(self, told: Told, holder: ControlMeasure) -> None:
        """It says "in force" while our records have another one there, which it may just have ended."""
        receipt, measure = told.receipt, told.measure
        ends = await unsettled(told.chapter.session, holder.id) & ENDING
        measure.contradiction = (Contradiction.AHEAD if ends else Contradiction.IN_FORCE_TWICE).value
        await self._lines.wait(
            told.chapter,
            measure,
            1,
            MeasureChange.WAITS if ends else MeasureChange.CONTRADICTED,
            request_id=told.request.id,
            contradiction=measure.contradiction,
            holder=str(holder.id),
            said_cents=receipt.controlled_cents,
            said_from=receipt.starts_on or told.request.starts_on,
            said_until=receipt.ends_on or told.request.ends_on,
        )

    async def _hold(self, told: Told) -> None:
        measure, receipt, request = told.measure, told.receipt, told.request
        asked = measure.asked_cents
        measure.controlled_cents = receipt.controlled_cents
        measure.starts_on = receipt.starts_on or request.starts_on or told.day
        measure.ends_on = receipt.ends_on or request.ends_on
        if measure.ends_on is not None:
            # A last day beyond the law's would be watched too late. Source: 解释 §485.
            measure.ends_on = min(measure.ends_on, longest_term(kind_of(measure.line), told.day))
        await self._lines.take_effect(
            told.chapter,
            measure,
            MeasureChange.TOOK_EFFECT,
            request_id=request.id,
            controlled_cents=receipt.controlled_cents,
            over_cents=receipt.over_cents,
        )
        if asked is not None and receipt.controlled_cents > asked:
            measure.controlled_cents = asked
            self._contradict(told, Contradiction.MORE_THAN_ASKED, said_cents=receipt.controlled_cents)

    async def _renewed(self, told: Told) -> None:
        measure = told.measure
        before = measure.ends_on
        # Never later than was ordered: a last day that the other side put too far off would be watched too late.
        said = [day for day in (told.receipt.ends_on, told.request.ends_on) if day is not None]
        measure.ends_on = min(said, default=None)
        measure.renewals += 1
        measure.confirmed_at = told.chapter.at
        told.chapter.note(
            measure, MeasureChange.RENEWED, request_id=told.request.id, before=before, ends_on=measure.ends_on
        )
        await told.chapter.session.flush()
        await self._lines.mirror(told.chapter, measure)

    async def _part_released(self, told: Told) -> None:
        measure, receipt = told.measure, told.receipt
        freed = measure.controlled_cents - min(receipt.controlled_cents, measure.controlled_cents)
        measure.controlled_cents -= freed
        measure.released_cents += freed
        if measure.asked_cents is not None:
            measure.asked_cents = max(measure.controlled_cents, measure.asked_cents - freed)
        measure.confirmed_at = told.chapter.at
        measure.receipt_number = receipt.receipt_number or measure.receipt_number
        told.chapter.note(
            measure,
            MeasureChange.PART_RELEASED,
            request_id=told.request.id,
            released_cents=freed,
            controlled_cents=measure.controlled_cents,
        )

    async def _released(self, told: Told) -> None:
        measure = told.measure
        measure.released_cents += measure.controlled_cents
        await self._lines.leave(told.chapter, measure, MeasureState.RELEASED, told.day, request_id=told.request.id)

    async def _transferred(self, told: Told) -> None:
        measure, receipt, chapter = told.measure, told.receipt, told.chapter
        if kind_of(measure.line) is not AssetKind.BANK_ACCOUNT:
            await self._lines.leave(
                chapter, measure, MeasureState.TRANSFERRED, told.day, uses_up=True, request_id=told.request.id
            )
            return
        moved = receipt.transferred_cents
        if not moved:
            await self._not_carried_out(chapter, measure, told.request, receipt.reason, told.day)
            return
        measure.transferred_cents += moved
        await self._lessen_balance(told)
        measure.controlled_cents = min(receipt.controlled_cents, max(0, measure.controlled_cents - moved))
        if measure.asked_cents is not None:
            measure.asked_cents = max(measure.controlled_cents, measure.asked_cents - moved)
        measure.confirmed_at = chapter.at
        if measure.controlled_cents:
            chapter.note(
                measure,
                MeasureChange.PART_TRANSFERRED,
                request_id=told.request.id,
                transferred_cents=moved,
                controlled_cents=measure.controlled_cents,
            )
            return
        await self._lines.leave(
            chapter,
            measure,
            MeasureState.TRANSFERRED,
            told.day,
            # An empty account leaves nothing for those who wait; where the balance isn't told they take effect.
            uses_up=receipt.balance_cents == 0,
            request_id=told.request.id,
            transferred_cents=moved,
        )

    async def _not_carried_out(
        self, chapter: Chapter, measure: ControlMeasure, request: AssetRequest, reason: str, day: date
    ) -> None:
        chapter.note(measure, MeasureChange.REFUSED, request_id=request.id, action=request.action, reason=reason)
        await self._lines.lapse_overdue(chapter, measure.line, day, but_for=request.id)

    def _contradict(self, told: Told, what: Contradiction, said_cents: int = 0, holder: str = "") -> None:
        told.measure.contradiction = what.value
        told.chapter.note(
            told.measure,
            MeasureChange.CONTRADICTED,
            request_id=told.request.id,
            contradiction=what.value,
            said_cents=said_cents,
            holder=holder,
        )

    async def _prior(self, session: AsyncSession, found: FoundAsset) -> int:
        """What belongs to others first: rights that go before, and earlier measures that aren't our courts' own."""
        named = [one.order_number for one in found.encumbrances if one.order_number]
        ours = select(AssetRequest.number).where(AssetRequest.number.in_(named))
        own = set(await session.scalars(ours)) if named else set()
        return sum(one.amount_cents or 0 for one in found.encumbrances if one.rank == 0 and one.order_number not in own)


async def measure_of(session: AsyncSession, request: AssetRequest) -> ControlMeasure:
    """The measure that a request begins or changes."""
    measure = await known_measure(session, request)
    if measure is None:
        raise NotFound("no-such-measure")
    return measure


async def known_measure(session: AsyncSession, request: AssetRequest) -> ControlMeasure | None:
    """The same, or None for a request that stands without one."""
    if request.measure_id is not None:
        return await session.get_one(ControlMeasure, request.measure_id)
    found = await session.scalars(
        select(ControlMeasure).where(ControlMeasure.request_id == request.id, ControlMeasure.follows_id.is_(None))
    )
    return found.one_or_none()

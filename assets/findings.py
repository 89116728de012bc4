"""What a judge finds about assets and measures and writes down, without asking anybody: what an asset is and is worth,
that a title is registered now, where a movable is, what came of a contradiction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from assets import deeds
from assets.audit import Actor, AuditTrail, Records
from assets.errors import BadFormat, Conflict, NotFound
from assets.exemptions import ExemptProperty, SpecialAccount
from assets.history import Chapter, History
from assets.lines import Lines
from assets.measures import EFFECTIVE, KEPT_NEXT, NEXT, Keeping, MeasureChange, MeasureState
from assets.orders import own_asset_of, own_case_of, reason_of, require
from assets.standing import hold, read_line
from assets.tables import Asset, Case, ControlMeasure
from assets.terms import AssetKind, china_day


@dataclass(frozen=True, slots=True)
class Marks:
    """What an asset is, beside what a gateway says of it."""

    special: SpecialAccount | None = None
    exempt: ExemptProperty | None = None
    """Source: 查扣冻 §3."""
    is_only_home: bool = False
    """Source: 查扣冻 §4-5."""
    is_indivisible: bool = False
    valuation_cents: int | None = None
    valuation_source: str = ""
    """Who valued it, and when."""


class Findings:
    """Writes them down, each with who found it in the audit."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        lines: Lines,
        history: History,
        clock: Callable[[], datetime],
        tell: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._records = records
        self._audit = audit
        self._lines = lines
        self._history = history
        self._clock = clock
        self._tell = tell

    async def mark(self, actor: Actor, asset_id: UUID, marks: Marks, reason: str) -> None:
        """Say what an asset is and is worth; all its marks at once, so that repeating it changes nothing.

        What its gateway said of it stands beside them: `Liftings` alone sets that aside.

        Raises:
            NotPermitted, NotFound: it isn't the actor's to say.
            BadFormat: there is no reason, or a valuation without its source.
        """
        require(actor.may_control)
        async with self._records.write() as session:
            asset, case = await own_asset_of(session, actor, asset_id)
            reason = reason_of(reason)
            if marks.valuation_cents is not None and not marks.valuation_source.strip():
                raise BadFormat("valuation-source", "missing")
            asset.special = str(marks.special or "")
            asset.exempt = str(marks.exempt or "")
            asset.is_only_home = marks.is_only_home
            asset.is_indivisible = marks.is_indivisible
            asset.valuation_cents = marks.valuation_cents
            asset.valuation_source = marks.valuation_source.strip()
            await self._audit.record(
                session,
                actor=actor.user_id,
                court_id=case.court_id,
                action="asset.marked",
                subject_type="asset",
                subject_id=str(asset.id),
                case_id=case.id,
                details={"special": asset.special, "exempt": asset.exempt, "home": int(asset.is_only_home)},
                contents={**asdict(marks), "reason": reason},
            )
        await self._tell(case.id)

    async def registered(self, actor: Actor, measure_id: UUID, reason: str, key: UUID) -> None:
        """The title stands in the debtor's name now: 预查封 is a seizure from here on, its term goes on.

        Raises:
            Conflict: the measure isn't pre-registered.
        """
        async with self._records.write() as session:
            case, measure, chapter = await self._held(session, actor, measure_id)
            reason = reason_of(reason)
            if await self._is_first(session, key, "measure.registered", measure, actor):
                if measure.state != MeasureState.PRE_REGISTERED:
                    raise Conflict("not-pre-registered", state=measure.state)
                measure.move_to(MeasureState.IN_FORCE)
                chapter.note(measure, MeasureChange.REGISTERED, reason=reason)
                await self._lines.mirror(chapter, measure)
                await chapter.close()
        await self._tell(case.id)

    async def keep(self, actor: Actor, measure_id: UUID, keeping: Keeping, key: UUID, *, place: str = "") -> None:
        """Say where an impounded movable is: `place` names the keeper, the store, or who has received it.

        Source: 查扣冻 §18, the record names the keeper.

        Raises:
            Conflict: it isn't a movable that is held, or it can't go from where it is to there.
            BadFormat: nobody is named who keeps or received it.
        """
        async with self._records.write() as session:
            case, measure, chapter = await self._held(session, actor, measure_id)
            if await self._is_first(session, key, f"measure.{keeping}", measure, actor):
                asset = await session.get_one(Asset, measure.asset_id)
                is_held = MeasureState(measure.state) in EFFECTIVE or measure.keeping != ""
                if asset.kind != AssetKind.MOVABLE or not is_held:
                    raise Conflict("not-a-held-movable", kind=asset.kind, state=measure.state)
                if keeping not in KEPT_NEXT[measure.keeping]:
                    raise Conflict("not-kept-so", old=measure.keeping, new=keeping.value)
                if keeping is not Keeping.INVENTORIED and not place.strip():
                    raise BadFormat("keeper", "missing")
                measure.keeping, measure.keeper = keeping.value, place.strip()
                chapter.note(measure, MeasureChange.KEPT, keeping=keeping.value)
                await chapter.close()
        await self._tell(case.id)

    async def resolve(
        self, actor: Actor, measure_id: UUID, reason: str, key: UUID, *, ends: MeasureState | None = None
    ) -> None:
        """Somebody has looked into a contradiction: our records were right, or the measure has ended as the court's
        file shows. Of an order whose outcome nobody knows one says whether it took.

        Raises:
            Conflict: nothing contradicts it, it can't have ended so, or it isn't said what came of it.
        """
        async with self._records.write() as session:
            case, measure, chapter = await self._held(session, actor, measure_id)
            reason = reason_of(reason)
            if await self._is_first(session, key, "measure.resolved", measure, actor):
                if not measure.contradiction:
                    raise Conflict("nothing-contradicts")
                if measure.state == MeasureState.INTENDED and ends is None:
                    raise Conflict("measure-unanswered")
                was, measure.contradiction = measure.contradiction, ""
                chapter.note(measure, MeasureChange.RESOLVED, contradiction=was, reason=reason)
                if ends is not None:
                    if ends not in NEXT[MeasureState(measure.state)]:
                        raise Conflict("measure-ended", state=measure.state)
                    await self._lines.leave(chapter, measure, ends, self._today(), reason=reason)
                else:
                    await self._ask_who_holds(chapter, measure)
                await chapter.close()
        await self._tell(case.id)

    async def _ask_who_holds(self, chapter: Chapter, measure: ControlMeasure) -> None:
        """Whoever was said to be in force while another one was is asked about again, now that it is looked into."""
        holder = (await read_line(chapter.session, measure.line)).effective
        if MeasureState(measure.state) in EFFECTIVE | {MeasureState.WAITING} and holder is not None:
            await self._lines.confirm(chapter, measure)

    async def _held(
        self, session: AsyncSession, actor: Actor, measure_id: UUID
    ) -> tuple[Case, ControlMeasure, Chapter]:
        require(actor.may_control)
        measure = await session.get(ControlMeasure, measure_id)
        if measure is None:
            raise NotFound("no-such-measure")
        case = await own_case_of(session, actor, measure.case_id, missing="no-such-measure")
        await hold(session, measure.line)
        await session.refresh(measure)
        return case, measure, self._history.chapter(session, actor.user_id)

    async def _is_first(
        self, session: AsyncSession, key: UUID, what: str, measure: ControlMeasure, actor: Actor
    ) -> bool:
        return await deeds.is_first(session, deeds.Press(key, what, measure.id, actor.user_id), self._clock())

    def _today(self) -> date:
        return china_day(self._clock())

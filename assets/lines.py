"""The line of one thing across cases and courts: who holds it, who waits, and who comes next.

At most one measure of a line is in force. A rank is how many stand before, by the other side's count: courts that our
records don't know stand in it too, so ranks may have holes, and only rank 0 takes effect.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from assets.documents import Action
from assets.followers import Followers
from assets.history import Chapter, Detail
from assets.measures import EFFECTIVE, Contradiction, MeasureChange, MeasureState
from assets.standing import awaits_outcome, kind_of, read_line
from assets.tables import ControlMeasure, MeasureEvent
from assets.terms import LONGEST_YEARS, last_day

_CHANGE_OF_END = {
    MeasureState.RELEASED: MeasureChange.RELEASED,
    MeasureState.TRANSFERRED: MeasureChange.TRANSFERRED,
    MeasureState.LAPSED: MeasureChange.LAPSED,
    MeasureState.VOID: MeasureChange.VOID,
    MeasureState.NOT_CONTROLLED: MeasureChange.NOT_CONTROLLED,
}

_SAID_IN_FORCE = frozenset({Contradiction.AHEAD, Contradiction.IN_FORCE_TWICE})


class Confirm(Protocol):
    """Asks the other side how a measure stands."""

    async def __call__(self, chapter: Chapter, measure: ControlMeasure) -> None:
        """Send a query about the person whose asset it is, in the chapter's transaction."""


class Lines:
    """Changes lines; every call is made in a transaction that holds the line."""

    def __init__(self, confirm: Confirm) -> None:
        self.confirm = confirm
        self._followers = Followers(self)

    async def mirror(self, chapter: Chapter, measure: ControlMeasure) -> None:
        """Have what goes with this measure on land or houses of its plot stand as it stands."""
        await self._followers.mirror(chapter, measure)

    async def take_effect(
        self,
        chapter: Chapter,
        measure: ControlMeasure,
        change: MeasureChange,
        *,
        request_id: UUID | None = None,
        **details: Detail,
    ) -> None:
        """The measure holds its asset from now on; the line must be free."""
        is_pre = measure.action == Action.PRE_REGISTER
        measure.move_to(MeasureState.PRE_REGISTERED if is_pre else MeasureState.IN_FORCE)
        measure.rank = 0
        measure.contradiction = ""
        details |= {"starts_on": measure.starts_on, "ends_on": measure.ends_on}
        chapter.note(measure, change, request_id=request_id, **details)
        await chapter.session.flush()
        await self._followers.mirror(chapter, measure)

    async def promote(self, chapter: Chapter, measure: ControlMeasure, day: date) -> None:
        """It takes effect by itself on `day`, its term starts, and the other side is asked how much it holds.

        Source: 查扣冻 §26.
        """
        measure.promoted_at = chapter.at
        measure.confirmed_at = None
        measure.starts_on = day
        measure.ends_on = last_day(day, measure.term_years or LONGEST_YEARS[kind_of(measure.line)])
        if measure.contradiction in _SAID_IN_FORCE:
            await self._take_the_receipts_word(chapter, measure)
        await self.take_effect(chapter, measure, MeasureChange.PROMOTED)
        if measure.follows_id is None:
            await self.confirm(chapter, measure)

    async def _take_the_receipts_word(self, chapter: Chapter, measure: ControlMeasure) -> None:
        """Its own receipt said in force, before our records could have it so."""
        said = await chapter.session.scalars(
            select(MeasureEvent)
            .where(MeasureEvent.measure_id == measure.id, MeasureEvent.request_id == measure.request_id)
            .order_by(MeasureEvent.id.desc())
        )
        for event in said:
            if event.details.get("said_from") and event.details.get("said_until"):
                measure.starts_on = date.fromisoformat(event.details["said_from"])
                measure.ends_on = date.fromisoformat(event.details["said_until"])
                return

    async def wait(
        self,
        chapter: Chapter,
        measure: ControlMeasure,
        rank: int,
        change: MeasureChange,
        *,
        request_id: UUID | None = None,
        **details: Detail,
    ) -> None:
        """It waits behind `rank` others, and at least behind the one that holds the thing in our records."""
        holder = (await read_line(chapter.session, measure.line)).effective
        measure.move_to(MeasureState.WAITING)
        measure.rank = max(rank, 1 if holder is not None and holder is not measure else 0)
        measure.controlled_cents = 0
        # Its term starts when it takes effect, so it has none yet.
        measure.starts_on = measure.ends_on = None
        chapter.note(measure, change, request_id=request_id, rank=measure.rank, **details)
        await chapter.session.flush()
        await self._put_in_order(chapter, measure.line)
        await self._followers.mirror(chapter, measure)

    async def leave(
        self,
        chapter: Chapter,
        measure: ControlMeasure,
        end: MeasureState,
        day: date,
        *,
        uses_up: bool = False,
        request_id: UUID | None = None,
        **details: Detail,
    ) -> None:
        """It ends; those behind it move up, and the first takes effect on `day`.

        `uses_up`: it disposed of all that there was, so what waited never takes effect (practice).
        """
        was_holding, was_waiting = MeasureState(measure.state) in EFFECTIVE, measure.state == MeasureState.WAITING
        behind = measure.rank if was_waiting else 0
        self.end_alone(chapter, measure, end, request_id=request_id, **details)
        await chapter.session.flush()
        if was_holding and uses_up:
            await self._end_the_waiting(chapter, measure.line, day)
        elif was_holding or was_waiting:
            await self._move_up(chapter, measure.line, behind, day)
        await self._followers.end(chapter, measure, day, uses_up=uses_up)

    def end_alone(
        self,
        chapter: Chapter,
        measure: ControlMeasure,
        end: MeasureState,
        *,
        request_id: UUID | None = None,
        **details: Detail,
    ) -> None:
        """End one that nobody waits behind and nothing follows."""
        details["controlled_cents"] = measure.controlled_cents
        measure.move_to(end)
        measure.ended_at = chapter.at
        measure.controlled_cents = measure.rank = 0
        chapter.note(measure, _CHANGE_OF_END[end], request_id=request_id, **details)

    async def settle(self, chapter: Chapter, name: str, day: date) -> None:
        """Put ranks in order, and let the first take effect where nobody holds the thing."""
        first = await self._put_in_order(chapter, name)
        if first is not None and first.rank == 0:
            await self.promote(chapter, first, day)

    async def _put_in_order(self, chapter: Chapter, name: str) -> ControlMeasure | None:
        """Give no two the same rank, and nobody one before whoever holds it; the first who could take effect."""
        line = await read_line(chapter.session, name)
        # One that the other side doesn't know of holds up nobody, and takes effect only once somebody has looked.
        known = [one for one in line.waiting if one.contradiction != Contradiction.NOT_LISTED]
        waiting = [one for one in known if not await self._followers.must_wait(chapter.session, one)]
        least = 1 if line.effective else 0
        for measure in waiting:
            if measure.rank < least:
                measure.rank = least
                chapter.note(measure, MeasureChange.MOVED_DOWN, rank=least)
            least = measure.rank + 1
        await chapter.session.flush()
        return waiting[0] if waiting and line.effective is None else None

    async def lapse_overdue(self, chapter: Chapter, name: str, today: date, *, but_for: UUID | None = None) -> None:
        """End the measure whose last day is past, and the one that took its place if that one's is past too.

        One whose renewal or transfer was sent in time and not answered yet isn't touched, nor one whose transfer was
        taken back with its outcome unknown: it may have been carried out. `but_for` is such an order that has been
        answered now. Source: 查扣冻 §27.
        """
        session = chapter.session
        while (measure := (await read_line(session, name)).effective) is not None:
            if measure.ends_on is None or measure.ends_on >= today:
                return
            if measure.follows_id is not None:
                leader = await session.get_one(ControlMeasure, measure.follows_id, populate_existing=True)
                await self.lapse_overdue(chapter, leader.line, today, but_for=but_for)
                if MeasureState(measure.state) in EFFECTIVE:
                    return
                continue
            is_unknown = measure.contradiction == Contradiction.OUTCOME_UNKNOWN
            if is_unknown or await awaits_outcome(session, measure, but_for=but_for):
                return
            next_day = measure.ends_on + timedelta(days=1)
            await self.leave(chapter, measure, MeasureState.LAPSED, next_day, ends_on=measure.ends_on)

    async def _end_the_waiting(self, chapter: Chapter, name: str, day: date) -> None:
        for measure in (await read_line(chapter.session, name)).waiting:
            if measure.contradiction in _SAID_IN_FORCE:
                measure.rank = 0  # it took effect on what was left, so it didn't wait for it
                continue
            measure.move_to(MeasureState.VOID)
            measure.ended_at = chapter.at
            measure.rank = 0
            chapter.note(measure, MeasureChange.VOID)
            await self._followers.end(chapter, measure, day)
        await chapter.session.flush()
        await self.settle(chapter, name, day)

    async def _move_up(self, chapter: Chapter, name: str, behind: int, day: date) -> None:
        for measure in (await read_line(chapter.session, name)).waiting:
            if measure.rank > behind:
                measure.rank -= 1
                if measure.rank:  # else it takes effect, which is news enough
                    chapter.note(measure, MeasureChange.MOVED_UP, rank=measure.rank)
        await chapter.session.flush()
        await self.settle(chapter, name, day)

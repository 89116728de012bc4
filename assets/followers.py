"""Measures that go with another one on land or houses of the same plot: they stand as that one stands.

Each is linked by `follows_id`, has a place in the line of its own thing, and counts nothing by itself.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.history import Chapter
from assets.identifiers import new_id
from assets.measures import EFFECTIVE, STANDING, MeasureChange, MeasureState
from assets.plots import covered_with
from assets.standing import read_line
from assets.tables import Asset, ControlMeasure, line_of
from assets.terms import china_day

if TYPE_CHECKING:
    from assets.lines import Lines

_STANDING = [state.value for state in STANDING]


async def add_followers(chapter: Chapter, asset: Asset, leader: ControlMeasure) -> None:
    """Link a measure to everything that this seizure covers and that none of the case stands on yet."""
    session = chapter.session
    for covered in await covered_with(session, asset):
        standing = select(ControlMeasure.id).where(
            ControlMeasure.asset_id == covered.id, ControlMeasure.state.in_(_STANDING)
        )
        if (await session.scalars(standing)).first() is not None:
            continue
        follower = ControlMeasure(
            id=new_id(),
            case_id=leader.case_id,
            court_id=leader.court_id,
            asset_id=covered.id,
            request_id=leader.request_id,
            line=line_of(covered),
            action=leader.action,
            state=MeasureState.INTENDED.value,
            rank=0,
            controlled_cents=0,
            term_years=leader.term_years,
            follows_id=leader.id,
            changed_at=chapter.at,
        )
        session.add(follower)
        await session.flush()
        chapter.note(follower, MeasureChange.ORDERED, follows=str(leader.id))


class Followers:
    """Keeps what follows a measure standing as that one stands; what has no follower costs one look."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    async def must_wait(self, session: AsyncSession, measure: ControlMeasure) -> bool:
        """Whether it follows one that isn't in force: then it can't take effect, and holds up nobody."""
        if measure.follows_id is None:
            return False
        leader = await session.get_one(ControlMeasure, measure.follows_id)
        return MeasureState(leader.state) not in EFFECTIVE

    async def mirror(self, chapter: Chapter, leader: ControlMeasure) -> None:
        """Bring what follows `leader`, which stands, to where that one stands."""
        for follower in await self._of(chapter.session, leader):
            if MeasureState(leader.state) in EFFECTIVE:
                await self._hold(chapter, leader, follower)
            elif follower.state != MeasureState.WAITING:
                was_holding = MeasureState(follower.state) in EFFECTIVE
                await self._lines.wait(chapter, follower, leader.rank, MeasureChange.WAITS)
                if was_holding:
                    await self._lines.settle(chapter, follower.line, china_day(chapter.at))

    async def end(self, chapter: Chapter, leader: ControlMeasure, day: date, *, uses_up: bool = False) -> None:
        """End what followed `leader`, which has ended, unless another seizure of the case covers it as well."""
        for follower in await self._of(chapter.session, leader):
            other = await self._another_leader(chapter.session, leader, follower)
            if other is not None:
                follower.follows_id = other.id
                chapter.note(follower, MeasureChange.CONFIRMED, follows=str(other.id))
                await chapter.session.flush()
                if other.state != MeasureState.INTENDED:
                    await self.mirror(chapter, other)
                continue
            end = MeasureState(leader.state)
            if follower.state == MeasureState.INTENDED:
                end = MeasureState.NOT_CONTROLLED
            elif follower.state == MeasureState.WAITING and end is not MeasureState.RELEASED:
                end = MeasureState.VOID
            await self._lines.leave(chapter, follower, end, day, uses_up=uses_up, follows=str(leader.id))

    async def _of(self, session: AsyncSession, leader: ControlMeasure) -> list[ControlMeasure]:
        if leader.follows_id is not None:
            return []
        followers = select(ControlMeasure).where(
            ControlMeasure.follows_id == leader.id, ControlMeasure.state.in_(_STANDING)
        )
        return list(await session.scalars(followers.order_by(ControlMeasure.line)))

    async def _hold(self, chapter: Chapter, leader: ControlMeasure, follower: ControlMeasure) -> None:
        holder = (await read_line(chapter.session, follower.line)).effective
        if holder is not None and holder is not follower:
            if follower.state != MeasureState.WAITING:
                await self._lines.wait(chapter, follower, 1, MeasureChange.WAITS)
            return
        follower.starts_on, follower.ends_on = leader.starts_on, leader.ends_on
        if holder is None:
            await self._lines.take_effect(chapter, follower, MeasureChange.TOOK_EFFECT)
        elif follower.state != leader.state:
            follower.move_to(MeasureState(leader.state))

    async def _another_leader(
        self, session: AsyncSession, leader: ControlMeasure, follower: ControlMeasure
    ) -> ControlMeasure | None:
        asset = await session.get_one(Asset, follower.asset_id)
        for covering in await covered_with(session, asset):
            standing = select(ControlMeasure).where(
                ControlMeasure.asset_id == covering.id,
                ControlMeasure.id != leader.id,
                ControlMeasure.follows_id.is_(None),
                ControlMeasure.state.in_(_STANDING),
            )
            if (other := (await session.scalars(standing)).first()) is not None:
                return other
        return None

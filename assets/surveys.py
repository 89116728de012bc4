"""What a query's answer says of our own measures, by the numbers of the orders that began them.

An answer is about the moment at which it was given, so a measure that changed since the query was sent, or that has an
order under way, is left as it is: a later query tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from assets.documents import TAKES_AT_ONCE
from assets.gateway import Encumbrance, FoundAsset
from assets.history import Chapter
from assets.lines import Lines
from assets.measures import EFFECTIVE, Contradiction, MeasureChange, MeasureState
from assets.standing import ENDING, kind_of, read_line, unsettled
from assets.tables import Asset, AssetRequest, ControlMeasure, Person
from assets.terms import LONGEST_YEARS, first_day, last_day

_CONTROLS = frozenset({"freeze", "seizure"})


@dataclass(frozen=True, slots=True)
class Survey:
    """One answer about one thing."""

    chapter: Chapter
    lines: Lines
    line: str
    request_number: str
    listed: dict[str, Encumbrance]
    names_all: bool
    """Whether it would have named a measure of ours that stands."""
    balance_cents: int | None
    registered_to: str
    """Whose title to it is registered, by the number of their identity; empty where nobody says so."""
    day: date


async def survey(
    chapter: Chapter, lines: Lines, request: AssetRequest, line: str, found: FoundAsset, day: date
) -> None:
    """Settle rank, amount and term of every measure in the line that the answer is about."""
    await lines.lapse_overdue(chapter, line, day)
    controls = [one for one in found.encumbrances if one.kind in _CONTROLS]
    this = Survey(
        chapter=chapter,
        lines=lines,
        line=line,
        request_number=request.number,
        listed={one.order_number: one for one in controls if one.order_number},
        names_all=not controls or any(one.order_number for one in controls),
        balance_cents=found.value_cents,
        registered_to=await _owner(chapter, request) if found.is_title_registered else "",
        day=day,
    )
    rows = select(ControlMeasure, AssetRequest.number).join(AssetRequest, AssetRequest.id == ControlMeasure.request_id)
    rows = rows.where(ControlMeasure.line == line, ControlMeasure.follows_id.is_(None)).order_by(
        ControlMeasure.rank, ControlMeasure.id
    )
    measures = [(measure, number) for measure, number in await chapter.session.execute(rows)]
    # Those in force come first: one that still waits after all makes room.
    for measure, number in sorted(measures, key=lambda one: one[0].state not in EFFECTIVE):
        is_newer = request.sent_at is not None and measure.changed_at > request.sent_at
        if not is_newer and not await unsettled(chapter.session, measure.id):
            await _settle(this, measure, this.listed.get(number))
        if not is_newer:
            await _register(this, measure)
    # One that was left as it is may still stand where another was told to stand.
    await chapter.session.flush()
    await lines.settle(chapter, line, day)


async def _owner(chapter: Chapter, request: AssetRequest) -> str:
    """Whom the query was about."""
    return (await chapter.session.get_one(Person, request.person_id)).id_number


async def _register(this: Survey, measure: ControlMeasure) -> None:
    """预查封 is a seizure from the day on which the title is said to stand in the debtor's name; its term goes on."""
    if measure.state != MeasureState.PRE_REGISTERED or measure.contradiction or not this.registered_to:
        return
    debtor = select(Person.id_number).join(Asset, Asset.person_id == Person.id).where(Asset.id == measure.asset_id)
    if await this.chapter.session.scalar(debtor) != this.registered_to:
        return
    measure.move_to(MeasureState.IN_FORCE)
    this.chapter.note(measure, MeasureChange.REGISTERED, query=this.request_number)
    await this.lines.mirror(this.chapter, measure)


async def _settle(this: Survey, measure: ControlMeasure, said: Encumbrance | None) -> None:
    state = MeasureState(measure.state)
    if state in EFFECTIVE:
        await _settle_effective(this, measure, said)
    elif state is MeasureState.WAITING:
        await _settle_waiting(this, measure, said)
    elif state is MeasureState.INTENDED:
        await _settle_unknown(this, measure, said)
    elif said is not None:
        _contradict(this, measure, Contradiction.STILL_STANDS)


async def _settle_effective(this: Survey, measure: ControlMeasure, said: Encumbrance | None) -> None:
    if said is None:
        # After a transfer whose outcome nobody told, that it isn't named is what was to be expected.
        if this.names_all and measure.contradiction != Contradiction.OUTCOME_UNKNOWN:
            _contradict(this, measure, Contradiction.NOT_LISTED)
    elif said.rank == 0:
        _confirm(this, measure, said)
    elif measure.promoted_at is not None and measure.confirmed_at is None:
        await this.lines.wait(this.chapter, measure, said.rank, MeasureChange.DEMOTED)
        measure.promoted_at = None
    else:
        _contradict(this, measure, Contradiction.STILL_WAITS, rank=said.rank)


async def _settle_waiting(this: Survey, measure: ControlMeasure, said: Encumbrance | None) -> None:
    holder = (await read_line(this.chapter.session, this.line)).effective
    if said is None:
        if this.names_all:
            _contradict(this, measure, Contradiction.NOT_LISTED)
    elif said.rank:
        rank = max(said.rank, 1 if holder else 0)
        measure.contradiction = ""
        if rank != measure.rank:
            measure.rank = rank
            this.chapter.note(measure, MeasureChange.MOVED_UP, rank=rank)
    elif holder is None:
        measure.promoted_at = this.chapter.at
        await _take_effect(this, measure, said, MeasureChange.PROMOTED)
    elif not await unsettled(this.chapter.session, holder.id) & ENDING:
        _contradict(this, measure, Contradiction.IN_FORCE_TWICE, holder=str(holder.id))


async def _settle_unknown(this: Survey, measure: ControlMeasure, said: Encumbrance | None) -> None:
    """Its order was taken back and what came of it never said: now it is.

    What was taken is listed nowhere, so of an order to take silence proves nothing: a person finds out.
    """
    if said is None:
        if measure.action in TAKES_AT_ONCE:
            _contradict(this, measure, Contradiction.OUTCOME_UNKNOWN)
        elif this.names_all:
            await this.lines.leave(this.chapter, measure, MeasureState.NOT_CONTROLLED, this.day)
    elif said.rank or (await read_line(this.chapter.session, this.line)).effective is not None:
        await this.lines.wait(this.chapter, measure, said.rank, MeasureChange.WAITS)
    else:
        await _take_effect(this, measure, said, MeasureChange.TOOK_EFFECT)


async def _take_effect(this: Survey, measure: ControlMeasure, said: Encumbrance, change: MeasureChange) -> None:
    """It is said to be in force, which our records didn't know."""
    years = _years(this, measure)
    until = _until(this, measure, said) or last_day(this.day, years)
    measure.confirmed_at = this.chapter.at
    measure.starts_on, measure.ends_on = first_day(until, years) or this.day, until
    measure.controlled_cents = _held(this, measure, said)
    await this.lines.take_effect(this.chapter, measure, change, controlled_cents=measure.controlled_cents)


def _confirm(this: Survey, measure: ControlMeasure, said: Encumbrance) -> None:
    held, until = _held(this, measure, said), _until(this, measure, said) or measure.ends_on
    is_news = measure.confirmed_at is None or bool(measure.contradiction)
    if not is_news and (held, until) == (measure.controlled_cents, measure.ends_on):
        return
    if measure.confirmed_at is None and measure.promoted_at is not None and until != measure.ends_on and until:
        # It took effect on another day than our records thought.
        measure.starts_on = first_day(until, _years(this, measure)) or measure.starts_on
    measure.controlled_cents, measure.ends_on = held, until
    measure.confirmed_at = this.chapter.at
    measure.contradiction = ""
    if measure.asked_cents is not None:
        measure.over_cents = measure.asked_cents - held
    this.chapter.note(measure, MeasureChange.CONFIRMED, controlled_cents=held, ends_on=until)


def _years(this: Survey, measure: ControlMeasure) -> int:
    return measure.term_years or LONGEST_YEARS[kind_of(this.line)]


def _until(this: Survey, measure: ControlMeasure, said: Encumbrance) -> date | None:
    """The last day that is believed: never later than what our records say of a term that was confirmed, nor than a
    term that began today may last. Source: 解释 §485.
    """
    if said.until is None:
        return None
    if measure.ends_on is not None and measure.confirmed_at is not None:
        return min(said.until, measure.ends_on)
    return min(said.until, last_day(this.day, _years(this, measure)))


def _held(this: Survey, measure: ControlMeasure, said: Encumbrance) -> int:
    """How much money it holds: never more than was asked, nor than there is."""
    if said.amount_cents is None:
        return measure.controlled_cents
    bounds = [one for one in (measure.asked_cents, this.balance_cents) if one is not None]
    return min([said.amount_cents, *bounds])


def _contradict(this: Survey, measure: ControlMeasure, what: Contradiction, rank: int = 0, holder: str = "") -> None:
    if measure.contradiction != what:
        measure.contradiction = what.value
        this.chapter.note(
            measure,
            MeasureChange.CONTRADICTED,
            contradiction=what.value,
            query=this.request_number,
            rank=rank,
            holder=holder,
        )

"""Whatever is pressed in whatever order: no listing stands without a limit, and the public reads one text or none."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from assets.errors import Conflict, NotPermitted
from assets.sanctions.deeds import Deed
from assets.sanctions.grounds import DeletionGround, Ground, Performance, SanctionKind, ServiceManner
from assets.sanctions.states import LIVE, NEXT, PUBLIC, STANDING, SanctionState
from assets.sanctions.tables import Sanction, SanctionPublication, SanctionStep
from command_center.database import Database
from tests.assets.sanctions.conftest import DECISION, FIRM, SEEN, Bench
from tests.support.records import sqlite_records

STEPS = 80
REASON = "理由"
WEIGHTS = {
    **dict.fromkeys((Deed.DECIDE, Deed.SERVE, Deed.PUBLISH), 4.0),
    **dict.fromkeys((Deed.REFUSE, Deed.WITHDRAW, Deed.NOTE_GROUND), 0.1),
}
"""So that walks come far."""


CLOCK = {Deed.NOTE_GROUND, Deed.DROP_GROUND}
"""They change no state."""


async def press(bench: Bench, sanction: UUID, choice: Random) -> None:
    """One press by one of the two: mostly of what the page offers, now and then of anything."""
    offered = []
    for one in (bench.judge, bench.president):
        view = await bench.sanctions.view(one, sanction)
        offered += [(one, Deed(each.deed)) for each in view.deeds if not each.why_not]
    actor, deed = choice.choice([bench.judge, bench.president]), choice.choice(list(Deed))
    is_offered = bool(offered) and choice.random() < 0.85
    if is_offered:
        actor, deed = choice.choices(offered, [WEIGHTS.get(each, 1.0) for _, each in offered])[0]
    today = bench.sanctions.today()
    steps, key = bench.steps, uuid4()
    calls = {
        Deed.REVIEW: lambda: steps.review(actor, sanction, key),
        Deed.DECIDE: lambda: steps.decide(actor, sanction, key, decision_number=DECISION, seen=SEEN),
        Deed.REFUSE: lambda: steps.refuse(actor, sanction, key, reason=REASON),
        Deed.WITHDRAW: lambda: steps.withdraw(actor, sanction, key, reason=REASON),
        Deed.SERVE: lambda: steps.serve(actor, sanction, key, served_on=today, manner=ServiceManner.POST),
        Deed.PUBLISH: lambda: steps.publish(actor, sanction, key),
        Deed.SHIELD: lambda: steps.shield(actor, sanction, key, reason=REASON),
        Deed.UNSHIELD: lambda: steps.unshield(actor, sanction, key, reason=REASON),
        Deed.CORRECT: lambda: steps.correct(
            actor, sanction, key, reason=REASON, performance=choice.choice(list(Performance))
        ),
        Deed.NOTE_GROUND: lambda: steps.note_ground(
            actor, sanction, key, ground=choice.choice(list(DeletionGround)), since=today, reason=REASON
        ),
        Deed.DROP_GROUND: lambda: steps.drop_ground(actor, sanction, key, reason=REASON),
        Deed.DELETE: lambda: steps.delete(actor, sanction, key),
    }
    try:
        await calls[deed]()
    except Conflict as refused:
        if is_offered and refused.code != "sanction-nothing-corrected":
            raise AssertionError(f"{deed} was offered, and refused") from refused


async def require_sound(bench: Bench) -> None:
    """What holds after every press."""
    async with bench.database.read() as session:
        sanctions = list(await session.scalars(select(Sanction)))
        steps = list(await session.scalars(select(SanctionStep).order_by(SanctionStep.id)))
        publications = list(await session.scalars(select(SanctionPublication)))
    limited = {one.person_id for one in sanctions if one.kind == SanctionKind.LIMIT and one.state in STANDING}
    for one in sanctions:
        state = SanctionState(one.state)
        if one.is_listing and state in STANDING:
            assert one.person_id in limited, "a listing stands without its limit"
        public = [each for each in publications if each.sanction_id == one.id and each.ended_at is None]
        assert len(public) == (state in PUBLIC), "the public reads one text while it is published, else none"
        if one.decided_by is not None:
            assert one.decided_by != one.proposed_by
        way = [
            each
            for each in steps
            if each.sanction_id == one.id and each.deed not in {Deed.NOTE_GROUND, Deed.DROP_GROUND}
        ]
        assert way[-1].new == state
        for step in way[1:]:
            assert SanctionState(step.new) in NEXT[SanctionState(step.old)]


@pytest.mark.parametrize("seed", range(2))
async def test_random_presses_leave_the_records_sound(tmp_path: Path, seed: int) -> None:
    choice = Random(seed)
    bench = Bench(Database(sqlite_records(tmp_path)))
    await bench.open()
    person = bench.persons[FIRM]
    for _ in range(STEPS):
        async with bench.database.read() as session:
            known = list(await session.scalars(select(Sanction.id).where(Sanction.state.in_(LIVE))))
        with suppress(Conflict, NotPermitted):
            if not known or choice.random() < 0.08:
                kind = choice.choice(list(SanctionKind))
                ground = choice.choice(list(Ground)[:-2]) if kind is SanctionKind.LISTING else None
                proposal = bench.proposal(person_id=person, kind=kind, ground=ground)
                await bench.sanctions.propose(bench.judge, proposal, uuid4())
            elif choice.random() < 0.02:
                bench.clock.move(timedelta(days=800).total_seconds())
                await bench.expiry.expire_due(bench.clock())
            else:
                await press(bench, choice.choice(known), choice)
        await require_sound(bench)
    async with bench.database.read() as session:
        reached = set(await session.scalars(select(SanctionStep.new)))
    assert {"published", "shielded"} <= reached, "the walk didn't come far"
    await bench.database.close()

"""The panel's view of a large case: sums over all of it, and of the rest what somebody has to look at first."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, update

from assets.audit import Actor
from assets.errors import NotFound
from assets.overview import FIRST_ANSWERS, LISTED_ANSWERS, LISTED_ASSETS, overview_of
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, ControlMeasure, Person
from assets.views import CaseView, Standing
from command_center.database import Database
from tests.assets.conftest import TODAY
from tests.support.many_measures import AT, make_measures

ASSETS, BANKS = LISTED_ASSETS + 50, 80
STATES = (RequestState.ANSWERED, RequestState.NOTHING_FOUND, RequestState.FAILED, RequestState.NO_ANSWER)


@pytest.fixture
async def case(database: Database) -> tuple[UUID, UUID]:
    """A court, and its case with very many assets and banks; one outcome is unknown."""
    court = uuid4()
    made = await make_measures(database, [court], [TODAY] * ASSETS, per_case=ASSETS)
    (case_id,) = made.cases
    async with database.write() as session:
        person = await session.scalar(select(Person.id).where(Person.case_id == case_id))
        rows = [
            {
                "id": UUID(int=1 + round_ * 1000 + place),
                "number": f"Q{round_}-{place}",
                "case_id": case_id,
                "person_id": person,
                "action": "query",
                "gateway": f"bank-{place}",
                "state": (RequestState.FAILED if round_ == 0 else STATES[place % 4]).value,
                "idempotency_key": UUID(int=round_),
                "actor_id": court,
                "created_at": AT,
                "answered_at": AT,
            }
            for round_ in (0, 1)
            for place in range(BANKS)
        ]
        await session.execute(insert(AssetRequest), rows)
        last = made.measures[-1]
        unknown = (await session.get_one(ControlMeasure, last)).request_id
        values = {"state": "intended", "controlled_cents": 0}
        await session.execute(update(ControlMeasure).where(ControlMeasure.id == last).values(**values))
        await session.execute(update(AssetRequest).where(AssetRequest.id == unknown).values(state="no_answer"))
    return court, case_id


async def view_of(database: Database, court: UUID, case_id: UUID) -> CaseView:
    """What somebody of this court sees."""
    actor = Actor(uuid4(), frozenset({court}), may_see=True)
    async with database.read() as session:
        return await overview_of(session, actor, case_id, TODAY)


async def test_sums_are_over_all_and_the_list_begins_with_what_is_unknown(
    database: Database, case: tuple[UUID, UUID]
) -> None:
    view = await view_of(database, *case)
    async with database.read() as session:
        held = sum(await session.scalars(select(ControlMeasure.controlled_cents)))
        assert len(list(await session.scalars(select(Asset.id)))) == ASSETS
    assert view.controlled_cents == held == sum(one.controlled_cents for one in view.standings)
    assert (view.assets_total, len(view.assets)) == (ASSETS, LISTED_ASSETS)
    assert view.assets[0].standing is Standing.UNKNOWN
    counts = Counter({one.standing: 0 for one in view.standings})
    for one in view.standings:
        counts[one.standing] += one.assets
    assert counts == {Standing.CONTROLLED: ASSETS - 1, Standing.UNKNOWN: 1}


async def test_answers_are_those_of_the_latest_queries_and_the_failed_come_first(
    database: Database, case: tuple[UUID, UUID]
) -> None:
    view = await view_of(database, *case)
    assert {one.state: one.count for one in view.answer_counts} == {state.value: BANKS // 4 for state in STATES}
    assert len(view.answers) == LISTED_ANSWERS
    places = [
        FIRST_ANSWERS.index(RequestState(one.state)) if one.state in FIRST_ANSWERS else len(FIRST_ANSWERS)
        for one in view.answers
    ]
    assert places == sorted(places)
    assert [one.state for one in view.answers[: BANKS // 4]] == ["failed"] * (BANKS // 4)
    assert view.progress is not None
    assert (view.progress.answered, view.progress.total) == (BANKS * 3 // 4, BANKS + 1)


async def test_another_court_sees_no_such_case(database: Database, case: tuple[UUID, UUID]) -> None:
    with pytest.raises(NotFound):
        await view_of(database, uuid4(), case[1])

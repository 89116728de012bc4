"""Land follows house and house follows land: covered by one seizure, linked, and counted once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from assets.errors import Conflict
from assets.findings import Marks
from assets.plots import covers, is_land, plot_of
from assets.tables import ControlMeasure
from assets.terms import AssetKind
from tests.assets.conftest import HOUSE, LAND
from tests.support.courts import DEBTOR, Court, Courts, Thing

ANOTHER_HOUSE = "150105001002GB00014F00310203"
ELSEWHERE = "150105001002GB00015W00000000"


def test_a_plot_is_the_first_19_characters_and_its_land_ends_in_w() -> None:
    assert plot_of(HOUSE) == "150105001002GB00014"
    assert is_land(LAND)
    assert not is_land(HOUSE)
    assert covers(HOUSE, LAND)
    assert covers(LAND, HOUSE)
    assert not covers(HOUSE, ANOTHER_HOUSE)
    assert not covers(HOUSE, ELSEWHERE)


async def _own(courts: Courts, *references: str) -> None:
    for reference in references:
        await courts.add(Thing(reference, DEBTOR, AssetKind.REAL_ESTATE))


async def _on(court: Court, reference: str) -> ControlMeasure:
    query = select(ControlMeasure).where(ControlMeasure.asset_id == court.assets[reference])
    async with court.world.database.read() as session:
        found = (await session.scalars(query.order_by(ControlMeasure.id.desc()))).first()
        assert found is not None
        return found


@pytest.mark.parametrize(("ordered", "covered"), [(HOUSE, LAND), (LAND, HOUSE)])
async def test_what_is_covered_stands_as_what_was_ordered(courts: Courts, ordered: str, covered: str) -> None:
    await _own(courts, HOUSE, LAND, ELSEWHERE)
    one, *_ = courts.courts
    leader = await one.seize(ordered)
    follower = await _on(one, covered)
    assert (follower.state, follower.follows_id) == ("in_force", leader)
    assert await courts.term(follower.id) == await courts.term(leader)
    assert [order.reference for order in courts.registry.orders] == [ordered]
    await one.renew(leader)
    assert await courts.term(follower.id) == await courts.term(leader)
    await one.release(leader)
    assert (await _on(one, covered)).state == "released"
    with pytest.raises(AssertionError):
        await _on(one, ELSEWHERE)


async def test_it_is_counted_once_and_changed_by_its_leader_only(courts: Courts) -> None:
    await _own(courts, HOUSE, LAND)
    one, *_ = courts.courts
    for reference in (HOUSE, LAND):
        marks = Marks(valuation_cents=100_000, valuation_source="评估报告（虚构）")
        await courts.findings.mark(one.judge, one.assets[reference], marks, "评估")
    await one.seize(HOUSE)
    assert (await courts.controls.cover(one.judge, one.case_id)).things_cents == 56_000
    follower = (await _on(one, LAND)).id
    with pytest.raises(Conflict, match="measure-follows"):
        await one.release(follower)
    with pytest.raises(Conflict, match="measure-stands"):
        await one.seize(LAND)


async def test_land_that_another_house_covers_as_well_stays_held(courts: Courts) -> None:
    await _own(courts, HOUSE, ANOTHER_HOUSE, LAND)
    one, *_ = courts.courts
    first, second = await one.seize(HOUSE), await one.seize(ANOTHER_HOUSE)
    await one.release(first)
    land = await _on(one, LAND)
    assert (land.state, land.follows_id) == ("in_force", second)
    await one.release(second)
    assert (await _on(one, LAND)).state == "released"


async def test_what_follows_one_that_waits_waits_and_takes_effect_with_it(courts: Courts) -> None:
    await _own(courts, HOUSE, LAND)
    one, two, _ = courts.courts
    first, second = await one.seize(HOUSE), await two.seize(HOUSE)
    assert (await _on(two, LAND)).state == "waiting"
    await one.release(first)
    assert (await courts.standing(second))[0] == "in_force"
    land = await _on(two, LAND)
    assert (land.state, land.follows_id) == ("in_force", second)
    assert await courts.term(land.id) == await courts.term(second)
    assert await courts.most_in_force() == 1


async def test_article_27_what_follows_lapses_with_its_leader(courts: Courts) -> None:
    await _own(courts, HOUSE, LAND)
    one, two, _ = courts.courts
    first = await one.seize(HOUSE)
    courts.clock.pass_days(4 * 366)
    await courts.watch_terms()
    assert (await courts.standing(first))[0] == (await _on(one, LAND)).state == "lapsed"
    await two.seize(LAND)
    assert (await _on(two, LAND)).state == (await _on(two, HOUSE)).state == "in_force"


async def test_a_seizure_that_is_refused_covers_nothing(courts: Courts) -> None:
    await _own(courts, HOUSE, LAND)
    one, *_ = courts.courts
    courts.registry.refusal = "no"
    await one.seize(HOUSE)
    assert (await _on(one, HOUSE)).state == (await _on(one, LAND)).state == "not_controlled"

"""Operations: who sees them, who makes them, who has a place in them."""

from __future__ import annotations

import pytest

from command_center.errors import Invalid, NotFound, NotPermitted
from command_center.operations.service import OperationPlan, SitePlan
from streams.hub.topics import REVOCATIONS_STREAM, Revoked
from tests.support.world import World


async def test_a_court_sees_its_own_and_its_district_courts_operations(world: World) -> None:
    seen = await world.operations.in_scope(world.people["commander"])
    assert {one.id for one in seen} == {world.operation.id, world.district_operation.id}
    assert [site.ordinal for site in world.operation.sites] == [1, 2]
    assert len(world.operation.officers) == 3


async def test_a_district_court_does_not_see_the_city_courts(world: World) -> None:
    commander = world.people["district-commander"]
    assert [one.id for one in await world.operations.in_scope(commander)] == [world.district_operation.id]
    with pytest.raises(NotFound):
        await world.operations.operation(commander, world.operation.id)


async def test_an_officer_sees_only_operations_with_a_place_for_it(world: World) -> None:
    assert [one.id for one in await world.operations.in_scope(world.people["li"])] == [world.operation.id]
    with pytest.raises(NotFound):
        await world.operations.operation(world.people["li"], world.district_operation.id)


@pytest.mark.parametrize("name", ["security", "auditor"])
async def test_administrators_see_no_operation(world: World, name: str) -> None:
    assert await world.operations.in_scope(world.people[name]) == []
    with pytest.raises(NotFound):
        await world.operations.operation(world.people[name], world.operation.id)


async def test_an_officer_that_was_removed_sees_the_operation_no_more_and_its_rights_end(world: World) -> None:
    commander, officer = world.people["commander"], world.people["li"]
    await world.operations.remove_officer(commander, world.operation.id, officer.user_id)
    assert await world.operations.in_scope(officer) == []
    assert await world.operations.places(officer.user_id) == frozenset()
    events = [Revoked.model_validate_json(text) for _, text in await world.hub.read_after(REVOCATIONS_STREAM, "0")]
    assert [(one.user_id, one.operation_id) for one in events] == [(officer.user_id, world.operation.id)]
    with pytest.raises(NotFound):
        await world.operations.remove_officer(commander, world.operation.id, officer.user_id)


async def test_an_officer_that_was_removed_can_be_given_its_place_again(world: World) -> None:
    commander, officer = world.people["commander"], world.people["li"]
    await world.operations.remove_officer(commander, world.operation.id, officer.user_id)
    site = world.operation.sites[1].id
    await world.operations.assign(commander, world.operation.id, officer.user_id, site)
    seen = await world.operations.operation(officer, world.operation.id)
    assert {one.user_id: one.site_id for one in seen.officers}[officer.user_id] == site


async def test_a_site_of_another_operation_is_no_place(world: World) -> None:
    with pytest.raises(Invalid, match="site-unknown"):
        await world.operations.assign(
            world.people["commander"],
            world.operation.id,
            world.people["li"].user_id,
            world.district_operation.sites[0].id,
        )


async def test_only_who_commands_makes_and_changes_operations(world: World) -> None:
    for name in ("judge", "li", "security"):
        with pytest.raises(NotPermitted):
            await world.operations.assign(world.people[name], world.operation.id, world.people["li"].user_id)
        with pytest.raises(NotPermitted):
            await world.operations.create(world.people[name], _plan(world))
    with pytest.raises(NotFound):
        await world.operations.remove_officer(
            world.people["district-commander"], world.operation.id, world.people["li"].user_id
        )


async def test_a_plan_names_only_people_and_courts_in_scope(world: World) -> None:
    district = world.people["district-commander"]
    with pytest.raises(Invalid, match="court-unknown"):
        await world.operations.create(district, _plan(world))
    with pytest.raises(Invalid, match="officer-unknown"):
        await world.operations.create(district, _plan(world, court="bao", officer="li"))
    with pytest.raises(Invalid, match="officer-unknown"):
        await world.operations.create(world.people["commander"], _plan(world, officer="judge"))
    with pytest.raises(Invalid, match="commander-unknown"):
        await world.operations.create(world.people["commander"], _plan(world, commander="judge"))


def _plan(world: World, court: str = "li", officer: str = "li", commander: str = "commander") -> OperationPlan:
    people = world.people
    site = SitePlan("现场", "Site", "赛罕区", "Saihan", 40.8, 111.7, (people[officer].user_id,))
    return OperationPlan(
        court_id=people[court].court_id,
        name_zh="行动",
        name_en="Operation",
        case_number="（2026）内01执124号",
        commander_id=people[commander].user_id,
        starts_at=world.operation.starts_at,
        sites=(site,),
    )

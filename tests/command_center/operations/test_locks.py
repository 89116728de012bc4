"""Transactions of different people pass each other on PostgreSQL without a deadlock."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from command_center.operations.scope import commanded_operation
from command_center.operations.tables import Assignment
from streams.hub.hub import Hub
from tests.support.postgresql import PostgreSQL
from tests.support.records import postgresql_records
from tests.support.world import World, new_world


async def test_a_feed_is_registered_while_its_operation_is_being_commanded(postgresql: PostgreSQL, hub: Hub) -> None:
    async with new_world(postgresql_records(postgresql), hub) as world:
        officer = world.people["li"]
        async with world.database.write() as commanding:
            await commanded_operation(commanding, world.people["commander"], world.operation.id)
            # The officer's transaction takes the place, and needs the operation's key before it ends.
            async with asyncio.timeout(5):
                await _register(world, "phone")
            place = await commanding.scalar(select(Assignment).where(Assignment.user_id == officer.user_id))
            assert place is not None
            place.next_sequence += 1


@pytest.mark.timeout(60)
async def test_instructions_and_registrations_at_once_all_succeed(postgresql: PostgreSQL, hub: Hub) -> None:
    async with new_world(postgresql_records(postgresql), hub) as world:
        commander = world.people["commander"]
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(world.instructions.send(commander, world.order(f"{number}")))
                group.create_task(_register(world, f"phone-{number}"))
        assert len(await world.instructions.listed(commander, world.operation.id)) == 8
        assert len(await world.operations.feeds.of_operation(world.operation.id)) == 8


async def _register(world: World, device: str) -> None:
    await world.operations.feeds.register(world.people["li"], world.operation.id, world.operation.sites[0].id, device)

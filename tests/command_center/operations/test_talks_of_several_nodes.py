"""One talk through two real nodes and the worker: one begin and one end in the audit, one recording in the list."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from command_center.audit import AuditEntry
from command_center.evidence.tables import Recording
from command_center.worker import Worker
from tests.support.node import running_node
from tests.support.valkey import Valkey
from tests.support.voices import phones_of, talker_of
from tests.support.waiting import until
from tests.support.world import World

PATIENCE_SECONDS = 30.0


async def test_a_talk_that_two_nodes_carry_is_one_in_the_audit_and_in_the_review(
    world: World, valkey: Valkey, tmp_path: Path
) -> None:
    key, operation = Ed25519PrivateKey.generate(), world.operation.id
    worker = Worker(world.database, world.hub, "one", idle_minutes=60)
    async with AsyncExitStack() as stack:
        working = asyncio.create_task(worker.run())
        stack.callback(working.cancel)
        nodes = {
            name: await stack.enter_async_context(
                running_node(tmp_path / name, valkey.url, key=key, node_id=name, records=True)
            )
            for name in ("one", "two")
        }
        # The first node carries no phone of the talk.
        (phone,) = await phones_of(nodes["two"], operation, ["site-2"])
        stack.push_async_callback(phone.close)
        talkers = [await talker_of(node, operation, node=name) for name, node in nodes.items()]
        for talker in talkers:
            stack.push_async_callback(talker.close)
        talk_id = talkers[0].talk("site-1", "site-2")
        talkers[1].talk("site-1", "site-2", talk_id=talk_id)
        await until(lambda: phone.sounds > 25, PATIENCE_SECONDS)
        for talker in talkers:
            talker.hush(talk_id)
            await talker.told("hushed")

        async def entries() -> list[AuditEntry]:
            async with world.database.read() as session:
                query = select(AuditEntry).where(AuditEntry.subject_id == str(talk_id))
                return list(await session.scalars(query.order_by(AuditEntry.sequence)))

        async def recorded() -> list[Recording]:
            async with world.database.read() as session:
                rows = list(await session.scalars(select(Recording).where(Recording.talk_id == talk_id)))
            return rows if len([row for row in rows if row.ended_at is not None]) == len(nodes) else []

        async def is_ended() -> bool:
            return any(entry.action == "talk.ended" for entry in await entries())

        await until(is_ended, PATIENCE_SECONDS)
        began, ended = await entries()
        assert (began.action, ended.action) == ("talk.began", "talk.ended")
        details = json.loads(ended.details)
        assert (details["heard"], details["reason"], details["to"]) == ("site-2", "released", "site-1 site-2")
        assert "untold_by" not in details
        rows = await until(recorded, PATIENCE_SECONDS)
        assert {row.node for row in rows} == set(nodes)
        (listed,) = [row for row in rows if row.covered_by is None]
        assert listed.seconds == max(row.seconds for row in rows)

"""How far a batch has come, what is overdue and chased, and what a judge has checked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from assets.audit import Actor
from assets.errors import Conflict, GatewayBroke, GatewayRefused, GatewayUnreachable, NotFound, NotPermitted
from assets.gateway import QueryAnswer
from assets.telling import Telling
from command_center.audit import AuditEntry
from tests.assets.conftest import Desk
from tests.support.scripted_gateway import ACCOUNT, ScriptedGateway
from tests.support.waiting import until

OWNER = "150105199001010018"
DAY = 86_400


def mixed() -> list[ScriptedGateway]:
    return [
        ScriptedGateway("found", QueryAnswer((ACCOUNT,), None)),
        ScriptedGateway("nothing"),
        ScriptedGateway("broke", GatewayBroke("broke", "500")),
        ScriptedGateway("refused", GatewayRefused("refused", "缺少协助查询通知书")),
        ScriptedGateway("silent", GatewayUnreachable("silent")),
    ]


async def test_a_batch_tells_who_has_answered_what_and_who_has_not(quiet_desk: Desk) -> None:
    async with quiet_desk.at_work(*mixed()) as assets:
        key = await quiet_desk.query(OWNER)
        await quiet_desk.until_state(OWNER, "silent", "no_answer")

        async def four() -> bool:
            return (await assets.batches.progress(quiet_desk.judge, key)).head.answered == 4

        await until(four)
        progress = await assets.batches.progress(quiet_desk.judge, key)
        assert progress.head.by_state == {
            "answered": 1,
            "nothing_found": 1,
            "failed": 1,
            "returned": 1,
            "no_answer": 1,
        }
        assert (progress.head.total, progress.head.is_done) == (5, False)
        assert [(one.gateway, one.attempts) for one in progress.outstanding] == [("silent", 1)]
        assert [one.key for one in await assets.batches.of_case(quiet_desk.judge, quiet_desk.case_id)] == [key]
        # Everybody at once: the two others under enforcement, and nobody who isn't; pressed twice it is done once.
        everybody = uuid4()
        for _ in range(2):
            asked = await assets.query(
                quiet_desk.judge, case_id=quiet_desk.case_id, person_id=None, idempotency_key=everybody
            )
            persons = [one.id for one in (await quiet_desk.view()).persons if one.is_under_enforcement]
            assert sorted(one.person_id for one in asked) == sorted(persons * 5)
        assert len(await assets.requests(quiet_desk.judge, quiet_desk.case_id, limit=500)) == 5 * len(persons) + 3
        stranger = replace(quiet_desk.judge, court_ids=frozenset({uuid4()}))
        for key_asked in (key, uuid4()):
            with pytest.raises(NotFound, match="no-such-batch"):
                await assets.batches.progress(stranger, key_asked)


async def test_an_officer_on_site_queries_in_the_cases_of_their_own_operations_alone(quiet_desk: Desk) -> None:
    async with quiet_desk.at_work(*mixed()) as assets:
        person = await quiet_desk.person(OWNER)
        officer = Actor(
            uuid4(),
            frozenset({quiet_desk.court_id}),
            may_propose=True,
            case_ids=frozenset({quiet_desk.case_id}),
        )

        async def query(actor: Actor) -> int:
            sent = await assets.query(
                actor,
                case_id=quiet_desk.case_id,
                person_id=person.id,
                idempotency_key=uuid4(),
                gateways=["found"],
            )
            return len(sent)

        assert await query(officer) == 1
        with pytest.raises(NotFound, match="no-such-case"):
            await query(replace(officer, case_ids=frozenset({uuid4()})))
        with pytest.raises(NotPermitted):
            await query(replace(officer, may_propose=False))
        with pytest.raises(NotPermitted, match="not-own-court"):  # another court's operation enforces the case
            await query(replace(officer, court_ids=frozenset({uuid4()})))
        with pytest.raises(NotPermitted):  # who isn't on site in any operation asks about no case
            await query(replace(officer, case_ids=None))


async def test_practice_what_stays_unanswered_for_a_day_is_chased_once_a_day(quiet_desk: Desk) -> None:
    silent = ScriptedGateway("bank", GatewayUnreachable("bank"))
    async with quiet_desk.at_work(silent) as assets:
        await quiet_desk.query(OWNER)
        await quiet_desk.until_state(OWNER, "bank", "no_answer")
        assert await assets.chasing.step() == 0
        quiet_desk.clock.move(DAY)
        assert sorted(await asyncio.gather(assets.chasing.step(), assets.chasing.step())) == [0, 1]
        (request,) = await assets.requests(quiet_desk.judge, quiet_desk.case_id)
        assert (request.chases, request.chased_at, request.is_overdue) == (1, quiet_desk.clock(), True)
        await until(lambda: len(silent.asked) == 2)
        assert len(set(silent.numbers)) == 1
        quiet_desk.clock.move(DAY - 1)
        assert await assets.chasing.step() == 0
        quiet_desk.clock.move(1)
        silent.script = [QueryAnswer((), None)]
        assert await assets.chasing.step() == 1
        await quiet_desk.until_state(OWNER, "bank", "nothing_found")
        quiet_desk.clock.move(3 * DAY)
        assert await assets.chasing.step() == 0
        (request,) = await assets.requests(quiet_desk.judge, quiet_desk.case_id)
        assert (request.chases, request.is_overdue) == (2, False)
    async with quiet_desk.database.read() as session:
        actions = list(await session.scalars(select(AuditEntry.action)))
    assert actions.count("asset.request.chased") == 2


async def test_a_checked_answer_still_tells_what_came_back(quiet_desk: Desk) -> None:
    async with quiet_desk.at_work(*mixed()) as assets:
        await quiet_desk.query(OWNER)

        async def four() -> bool:
            (batch,) = await assets.batches.of_case(quiet_desk.judge, quiet_desk.case_id)
            return batch.answered == 4 and "no_answer" in batch.by_state

        await until(four)
        by_gateway = {one.gateway: one for one in await assets.requests(quiet_desk.judge, quiet_desk.case_id)}
        for gateway, outcome in (("found", "answered"), ("nothing", "nothing_found"), ("refused", "returned")):
            key = uuid4()
            for _ in range(2):
                checked = await assets.checking.check(quiet_desk.judge, by_gateway[gateway].id, key)
            assert (checked.state, checked.outcome) == ("checked", outcome)
            with pytest.raises(Conflict, match="not-checkable"):
                await assets.checking.check(quiet_desk.judge, by_gateway[gateway].id, uuid4())
        for gateway in ("broke", "silent"):
            with pytest.raises(Conflict, match="not-checkable"):
                await assets.checking.check(quiet_desk.judge, by_gateway[gateway].id, uuid4())
        with pytest.raises(NotPermitted):
            await assets.checking.check(replace(quiet_desk.judge, may_query=False), by_gateway["found"].id, uuid4())


async def test_two_hundred_changes_are_told_a_few_times() -> None:
    told: list[object] = []

    async def changed(case_id: object) -> None:
        told.append(case_id)

    telling = Telling(changed, gather_seconds=0.05)
    running = asyncio.create_task(telling.run())
    case_id = uuid4()
    for _ in range(200):
        await telling.note(case_id)
    await until(lambda: bool(told))
    last = len(told)
    await telling.note(case_id)
    await until(lambda: len(told) > last)
    assert len(told) <= 4
    running.cancel()

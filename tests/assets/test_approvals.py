"""What a second person has to approve doesn't leave before, and nobody approves what they ordered themselves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from assets.asset_timeline import Histories
from assets.audit import Actor
from assets.documents import Action
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted, RulingMissing
from assets.measures import MeasureState
from assets.orders import APPROVED_ACTIONS, URGENT, case_of
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, ControlMeasure, Person, SealedPaper, line_of
from command_center.audit import AuditEntry
from tests.assets.conftest import RULING, Desk

OWNER = "150105199001010018"


@pytest.fixture
async def desk(quiet_desk: Desk) -> Desk:
    """A desk on SQLite of which nothing is sent by itself."""
    quiet_desk.assets = quiet_desk.build()
    return quiet_desk


def approver(desk: Desk) -> Actor:
    return Actor(uuid4(), frozenset({desk.court_id}), may_see=True, may_approve=True, own_court_id=desk.court_id)


async def ordered(
    desk: Desk, action: Action = Action.FREEZE, approval: str = "over-limit", emergency: str = "", ruling: str = RULING
) -> UUID:
    """Submit a control of a made-up account as a service does."""
    orders = desk.assets._orders
    async with desk.database.write() as session:
        case = await case_of(session, desk.judge, desk.case_id, lock=True)
        person = (await session.scalars(select(Person).where(Person.id_number == OWNER))).one()
        asset = Asset(
            case_id=case.id,
            person_id=person.id,
            kind="bank_account",
            gateway="bank",
            reference=uuid4().hex[:16],
            description="某支行（虚构）",
        )
        session.add(asset)
        await session.flush()
        request = orders.draft_control(desk.judge, case, person, asset, action, uuid4())
        request.ruling_number, request.amount_cents = ruling, 1_234_50
        session.add(request)
        await session.flush()
        measure = ControlMeasure(
            case_id=case.id,
            court_id=case.court_id,
            asset_id=asset.id,
            request_id=request.id,
            line=line_of(asset),
            action=action.value,
            changed_at=desk.clock(),
        )
        session.add(measure)
        await session.flush()
        request.measure_id = measure.id
        await orders.submit(session, desk.judge, case, request, approval, emergency=emergency)
        return request.id


async def row(desk: Desk, request_id: UUID) -> AssetRequest:
    async with desk.database.read() as session:
        return await session.get_one(AssetRequest, request_id)


async def measure_of(desk: Desk, request_id: UUID) -> ControlMeasure:
    async with desk.database.read() as session:
        return (await session.scalars(select(ControlMeasure).where(ControlMeasure.request_id == request_id))).one()


async def audited(desk: Desk) -> list[str]:
    async with desk.database.read() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.sequence)))


async def papers(desk: Desk, request_id: UUID) -> int:
    async with desk.database.read() as session:
        count = select(func.count()).select_from(SealedPaper).where(SealedPaper.request_id == request_id)
        return await session.scalar(count) or 0


async def test_what_waits_for_a_second_person_is_neither_sealed_nor_sent(desk: Desk) -> None:
    request_id = await ordered(desk)
    request = await row(desk, request_id)
    assert (request.state, request.approval, request.sent_at, request.next_ask_at) == (
        "draft",
        "over-limit",
        None,
        None,
    )
    assert await papers(desk, request_id) == 0
    assert await audited(desk) == ["asset.request.drafted"]
    (waits,) = await desk.assets.approvals.waiting(approver(desk))
    assert (waits.request.id, waits.request.approval, waits.may_decide, waits.is_outstanding) == (
        request_id,
        "over-limit",
        True,
        False,
    )


async def test_an_approved_request_is_sealed_and_sent_and_the_key_repeated_changes_nothing(desk: Desk) -> None:
    request_id = await ordered(desk)
    second, key = approver(desk), uuid4()
    first = await desk.assets.approvals.approve(second, request_id, key)
    again = await desk.assets.approvals.approve(second, request_id, key)
    assert first == again
    assert first.state == RequestState.SENT
    request = await row(desk, request_id)
    assert (request.decided_by, request.decided_at, request.sealed_at) == (
        second.user_id,
        desk.clock(),
        desk.clock(),
    )
    assert await papers(desk, request_id) == 2
    assert await audited(desk) == [
        "asset.request.drafted",
        "asset.request.approved",
        "asset.freeze.sent",
    ]
    assert await desk.assets.approvals.waiting(second) == []
    with pytest.raises(Conflict, match="not-waiting"):
        await desk.assets.approvals.approve(second, request_id, uuid4())
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await desk.assets.approvals.decline(second, request_id, "不同意", key)


async def test_nobody_approves_what_they_ordered_themselves(desk: Desk) -> None:
    request_id = await ordered(desk)
    both = replace(desk.judge, may_approve=True)
    for decide in (
        desk.assets.approvals.approve(both, request_id, uuid4()),
        desk.assets.approvals.decline(both, request_id, "不同意", uuid4()),
    ):
        with pytest.raises(NotPermitted, match="own-order"):
            await decide
    assert (await row(desk, request_id)).state == "draft"
    (waits,) = await desk.assets.approvals.waiting(both)
    assert not waits.may_decide


async def test_only_who_may_approve_of_this_court_approves(desk: Desk) -> None:
    request_id = await ordered(desk)
    with pytest.raises(NotPermitted):
        await desk.assets.approvals.approve(replace(approver(desk), may_approve=False), request_id, uuid4())
    stranger = replace(approver(desk), court_ids=frozenset({uuid4()}))
    with pytest.raises(NotFound, match="no-such-request"):
        await desk.assets.approvals.approve(stranger, request_id, uuid4())
    assert await desk.assets.approvals.waiting(stranger) == []
    elsewhere = replace(approver(desk), case_ids=frozenset({uuid4()}))
    assert await desk.assets.approvals.waiting(elsewhere) == []


async def test_a_declined_control_was_never_asked_for_and_bars_no_other(desk: Desk) -> None:
    request_id = await ordered(desk)
    with pytest.raises(BadFormat, match="reason"):
        await desk.assets.approvals.decline(approver(desk), request_id, "  ", uuid4())
    view = await desk.assets.approvals.decline(approver(desk), request_id, "超出执行标的额", uuid4())
    assert view.state == RequestState.DECLINED
    measure = await measure_of(desk, request_id)
    assert (measure.state, measure.reason) == (MeasureState.NOT_CONTROLLED, "超出执行标的额")
    assert (await audited(desk))[-1] == "asset.freeze.declined"
    with pytest.raises(Conflict, match="not-waiting"):
        await desk.assets.approvals.approve(approver(desk), request_id, uuid4())


async def test_the_author_takes_a_draft_back_and_nobody_else_does(desk: Desk) -> None:
    request_id = await ordered(desk)
    with pytest.raises(NotPermitted, match="not-your-order"):
        await desk.assets.approvals.withdraw(replace(desk.judge, user_id=uuid4()), request_id, uuid4())
    key = uuid4()
    for _ in range(2):
        assert (await desk.assets.approvals.withdraw(desk.judge, request_id, key)).state == RequestState.WITHDRAWN
    assert (await measure_of(desk, request_id)).state == MeasureState.NOT_CONTROLLED
    sent = await ordered(desk, approval="")
    with pytest.raises(Conflict, match="not-waiting"):
        await desk.assets.approvals.withdraw(desk.judge, sent, uuid4())


@pytest.mark.parametrize("action", sorted(Action))
async def test_practice_these_actions_wait_for_a_second_person_by_default(desk: Desk, action: Action) -> None:
    if action is Action.QUERY:
        return
    state = (await row(desk, await ordered(desk, action, approval=""))).state
    assert state == ("draft" if action in APPROVED_ACTIONS else "sent")


async def test_an_emergency_is_sent_at_once_and_its_approval_asked_for_afterwards(desk: Desk) -> None:
    request_id = await ordered(desk, emergency="被执行人正在转移存款")
    request = await row(desk, request_id)
    assert (request.state, request.override_reason, request.decided_at) == ("sent", "被执行人正在转移存款", None)
    (waits,) = await desk.assets.approvals.waiting(approver(desk))
    assert waits.is_outstanding
    await desk.assets.approvals.approve(approver(desk), request_id, uuid4())
    assert await desk.assets.approvals.waiting(approver(desk)) == []
    assert (await row(desk, request_id)).state == "sent"
    late = await ordered(desk, emergency="被执行人正在转移存款")
    await desk.assets.approvals.decline(approver(desk), late, "不属紧急情况", uuid4())
    declined = await row(desk, late)
    assert (declined.state, declined.decision_reason) == ("sent", "不属紧急情况")
    assert (await measure_of(desk, late)).state == MeasureState.INTENDED
    assert (await audited(desk))[-1] == "asset.request.disapproved"
    assert declined.asset_id is not None
    told = (await Histories(desk.database).of(desk.judge, declined.asset_id)).entries
    assert ("disapproved", "不属紧急情况") in [(one.what, one.words) for one in told]
    assert "approved" not in [one.what for one in told]


@pytest.mark.parametrize("action", sorted(set(Action) - URGENT - {Action.QUERY}))
async def test_no_emergency_excuses_what_cannot_be_taken_back(desk: Desk, action: Action) -> None:
    with pytest.raises(Conflict, match="no-emergency"):
        await ordered(desk, action, emergency="紧急")


async def test_article_3_what_has_no_ruling_is_not_even_a_draft(desk: Desk) -> None:
    with pytest.raises(RulingMissing):
        await ordered(desk, ruling="")


async def test_the_term_of_what_waited_begins_when_it_is_sent(desk: Desk) -> None:
    request_id = await ordered(desk)
    desk.clock.move(3 * 86_400)
    await desk.assets.approvals.approve(approver(desk), request_id, uuid4())
    request = await row(desk, request_id)
    assert (str(request.starts_on), str(request.ends_on)) == ("2026-11-25", "2027-11-24")


async def test_two_who_approve_at_once_send_it_once(each_quiet_desk: Desk) -> None:
    desk = each_quiet_desk
    desk.assets = desk.build()
    request_id = await ordered(desk)
    results = []

    async def approve() -> None:
        try:
            await desk.assets.approvals.approve(approver(desk), request_id, uuid4())
            results.append("sent")
        except Conflict as refused:
            results.append(refused.code)

    await asyncio.gather(*(approve() for _ in range(4)))
    assert sorted(results) == ["not-waiting", "not-waiting", "not-waiting", "sent"]
    assert await papers(desk, request_id) == 2

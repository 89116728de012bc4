"""States with one door each, and a sender that is bounded, goes on after trouble and ends when told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import measures, requests
from assets.answers import Answers, Changed
from assets.demonstration import DISTRICT_CASE
from assets.documents import Action
from assets.effects import Effects
from assets.errors import GatewayRefused, IllegalTransition
from assets.gateway import ControlOrder, ControlReceipt, QueryAnswer, QueryOrder
from assets.history import Chapter, History
from assets.lines import Lines
from assets.measures import MeasureState
from assets.requests import RequestState
from assets.service import Assets
from assets.tables import AssetRequest, ControlMeasure
from assets.views import Standing
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.journal import Journal
from tests.assets.conftest import RULING, SHORT_SECONDS, Desk
from tests.support.court_seal import court_seal
from tests.support.waiting import until


@given(st.lists(st.sampled_from(RequestState), max_size=12))
def test_a_request_takes_only_the_steps_of_its_table(steps: list[RequestState]) -> None:
    request = AssetRequest(number="C1", state=RequestState.DRAFT.value)
    for step in steps:
        before = RequestState(request.state)
        if step in requests.NEXT[before]:
            request.move_to(step)
            assert request.state == step
        else:
            with pytest.raises(IllegalTransition):
                request.move_to(step)
            assert request.state == before


def test_an_answer_is_final_and_a_lapsed_measure_stays_lapsed() -> None:
    for settled in (RequestState.ANSWERED, RequestState.NOTHING_FOUND, RequestState.RETURNED):
        assert requests.NEXT[settled] == {RequestState.CHECKED}
    assert RequestState.NOTHING_FOUND not in requests.NEXT[RequestState.FAILED]
    for ended in (MeasureState.LAPSED, MeasureState.RELEASED, MeasureState.NOT_CONTROLLED):
        measure = ControlMeasure(id=uuid4(), state=ended.value)
        for step in MeasureState:
            with pytest.raises(IllegalTransition):
                measure.move_to(step)
    assert set(measures.NEXT) == set(MeasureState)
    assert set(requests.NEXT) == set(RequestState)


class SlowGateway:
    """Answers "nothing found" when it is let go; counts how many it is asked at once."""

    action = Action.FREEZE

    def __init__(self, name: str, gate: asyncio.Event, counts: dict[str, int]) -> None:
        self.name = name
        self._gate = gate
        self._counts = counts

    async def query(self, _order: QueryOrder) -> QueryAnswer:
        """Wait, then say that there is nothing."""
        self._counts["now"] += 1
        self._counts["most"] = max(self._counts["most"], self._counts["now"])
        await self._gate.wait()
        self._counts["now"] -= 1
        if self.name == "broken" and self._counts.setdefault("broken", 0) == 0:
            self._counts["broken"] = 1
            raise RuntimeError("a fault of our own")
        return QueryAnswer((), None)

    async def control(self, _order: ControlOrder) -> ControlReceipt:
        """Never asked here."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to give back."""


async def test_no_more_than_the_bound_are_asked_at_once_and_one_fault_stops_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("assets.sender.REST_SECONDS", 0.01)
    gate, counts = asyncio.Event(), {"now": 0, "most": 0}
    gateways = [SlowGateway(name, gate, counts) for name in ("broken", *(f"bank-{n}" for n in range(9)))]

    async def changed(_case_id: UUID) -> None:
        return

    desk.assets = Assets(
        desk.database,
        gateways,
        AssetTrail(Audit(desk.clock), Journal(desk.clock)),
        desk.clock,
        changed,
        court_seal(),
        at_once=3,
    )
    task = asyncio.create_task(desk.assets.run())
    await desk.query("150103197806072038")
    await until(lambda: counts["now"] == 3)
    gate.set()

    async def all_answered() -> bool:
        return [one.state for one in (await desk.view()).answers] == ["nothing_found"] * 10

    await until(all_answered, 15)
    assert counts["most"] == 3
    assert "could not be asked" in caplog.text
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def answers_of(desk: Desk, changed: Changed) -> Answers:
    trail = AssetTrail(Audit(desk.clock), Journal(desk.clock))

    async def nobody(_chapter: Chapter, _measure: ControlMeasure) -> None:
        raise AssertionError("nothing is to be confirmed")

    effects = Effects(Lines(nobody), History(trail, desk.clock), desk.clock)
    return Answers(desk.database, trail, desk.clock, changed, effects, chase_seconds=60)


async def test_a_refusal_of_the_second_asking_does_not_say_that_nothing_was_frozen(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work(answer_seconds=SHORT_SECONDS) as assets:
        await desk.query("150105196908152053", "bank")
        await desk.until_state("150105196908152053", "bank", "answered")
        order = await assets.freeze(
            desk.judge,
            asset_id=await desk.asset("1048"),
            amount_cents=100,
            ruling_number=RULING,
            idempotency_key=uuid4(),
        )

        async def standing() -> Standing:
            return next(one.standing for one in (await desk.view()).assets if one.reference.endswith("1048"))

        async def is_unknown() -> bool:
            return await standing() is Standing.UNKNOWN

        await until(is_unknown)

        async def changed(_case_id: UUID) -> None:
            return

        answers = answers_of(desk, changed)
        await answers.troubled(order.id, GatewayRefused("bank", "请求单号重复"))
        assert await standing() is Standing.UNKNOWN
        request = await assets.request(desk.judge, order.id)
        assert (request.state, request.reason, request.attempts) == ("no_answer", "请求单号重复", 2)


async def test_a_second_answer_changes_nothing(desk: Desk) -> None:
    async with desk.at_work() as assets:
        await desk.query("150105199001010018", "bank")
        await desk.until_state("150105199001010018", "bank", "answered")
        request = (await assets.requests(desk.judge, desk.case_id))[0]

        async def changed(_case_id: UUID) -> None:
            raise AssertionError("nothing changed")

        answers = answers_of(desk, changed)
        await answers.query_answered(request.id, QueryAnswer((), None))
        assert await assets.request(desk.judge, request.id) == request

"""Every kind of answer, from the simulators over HTTP to what a screen is given."""

from __future__ import annotations

from uuid import uuid4

import pytest

from assets.demonstration import DISTRICT_CASE
from assets.errors import Conflict, NotFound, NotPermitted, NotUnderEnforcement
from assets.views import Standing
from tests.assets.conftest import SHORT_SECONDS, Desk
from tests.support.waiting import until

FOUND = "150105199001010018"
FIRM = "91150100MA0000007W"
SILENT = "150102198503121021"
NOTHING = "150103197806072038"
RECOVERS = "150104199202291040"


async def test_every_answer_is_told_apart(desk: Desk) -> None:
    async with desk.at_work(answer_seconds=SHORT_SECONDS):
        for person in (FOUND, FIRM, SILENT, NOTHING):
            await desk.query(person)
        await desk.until_state(FOUND, "bank", "answered")
        await desk.until_state(FOUND, "registry", "answered")
        await desk.until_state(FIRM, "bank", "answered")
        await desk.until_state(FIRM, "registry", "nothing_found")
        await desk.until_state(SILENT, "bank", "no_answer")
        await desk.until_state(SILENT, "registry", "failed")
        await desk.until_state(NOTHING, "bank", "nothing_found")
        await desk.until_state(NOTHING, "registry", "failed")
        view = await desk.view()
    assert {asset.kind for asset in view.assets} == {"bank_account", "real_estate", "movable"}
    assert [asset.standing for asset in view.assets if asset.kind == "movable"] == [Standing.CLUE]
    found = {asset.reference: asset for asset in view.assets}
    assert found["****0008"].value_cents == 18_643_217
    assert found["****1014"].encumbrances[0]["holder"] == "某区人民法院（虚构）"
    assert found["150105001002GB00014F00310202"].encumbrances[0]["kind"] == "mortgage"
    assert desk.case_id in desk.changes


async def test_nothing_personal_leaves_unmasked(desk: Desk) -> None:
    async with desk.at_work():
        await desk.query(FOUND)
        await desk.until_state(FOUND, "bank", "answered")
        shown = repr(await desk.view())
    assert "张*" in shown
    for secret in ("张某甲", FOUND, "6217000060000000008"):
        assert secret not in shown


async def test_article_7_nobody_else_than_the_person_under_enforcement_is_queried(desk: Desk) -> None:
    async with desk.at_work() as assets:
        applicant = next(person for person in (await desk.view()).persons if not person.is_under_enforcement)
        with pytest.raises(NotUnderEnforcement):
            await assets.query(desk.judge, case_id=desk.case_id, person_id=applicant.id, idempotency_key=uuid4())
        assert (await desk.view()).answers == []


async def test_another_courts_case_does_not_exist(desk: Desk) -> None:
    async with desk.at_work() as assets:
        person = await desk.person(FOUND)
        stranger = Desk(desk.database, desk.bank, desk.registry).judge
        with pytest.raises(NotFound):
            await assets.overview(stranger, desk.case_id)
        with pytest.raises(NotFound):
            await assets.query(stranger, case_id=desk.case_id, person_id=person.id, idempotency_key=uuid4())
        assert (await assets.cases(stranger)).items == []


async def test_who_may_only_look_may_not_query(desk: Desk) -> None:
    async with desk.at_work() as assets:
        looker = type(desk.judge)(uuid4(), frozenset({desk.court_id}), may_see=True)
        person = await desk.person(FOUND)
        with pytest.raises(NotPermitted):
            await assets.query(looker, case_id=desk.case_id, person_id=person.id, idempotency_key=uuid4())


async def test_a_failed_query_is_asked_again_under_its_number(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work() as assets:
        await desk.query(RECOVERS, "bank")
        await desk.until_state(RECOVERS, "bank", "failed")
        failed = (await assets.requests(desk.judge, desk.case_id))[0]
        await assets.retry(desk.judge, failed.id)
        await desk.until_state(RECOVERS, "bank", "answered")
        answered = await assets.requests(desk.judge, desk.case_id)
        assert [one.number for one in answered] == [failed.number]
        with pytest.raises(Conflict):
            await assets.retry(desk.judge, failed.id)


async def test_an_unanswered_query_is_chased_by_itself(desk: Desk) -> None:
    await desk.open(DISTRICT_CASE)
    async with desk.at_work(answer_seconds=SHORT_SECONDS) as assets:
        await desk.query(RECOVERS, "registry")
        await desk.until_state(RECOVERS, "registry", "no_answer")
        unanswered = (await assets.requests(desk.judge, desk.case_id))[0]
        assert (unanswered.attempts, unanswered.trouble) == (1, "gateway-unreachable")
    desk.clock.move(61)
    async with desk.at_work() as assets:
        await desk.until_state(RECOVERS, "registry", "answered")
        assert (await assets.requests(desk.judge, desk.case_id))[0].number == unanswered.number


async def test_one_press_of_the_button_is_one_query(desk: Desk) -> None:
    async with desk.at_work() as assets:
        person = await desk.person(FOUND)
        key = uuid4()
        first = await assets.query(desk.judge, case_id=desk.case_id, person_id=person.id, idempotency_key=key)
        second = await assets.query(desk.judge, case_id=desk.case_id, person_id=person.id, idempotency_key=key)
        assert [one.number for one in first] == [one.number for one in second]
        other = await desk.person(FIRM)
        with pytest.raises(Conflict):
            await assets.query(desk.judge, case_id=desk.case_id, person_id=other.id, idempotency_key=key)
        with pytest.raises(Conflict, match="idempotency-key-used"):
            await assets.query(desk.judge, case_id=desk.case_id, person_id=None, idempotency_key=key)
        of_all = uuid4()
        asked = await assets.query(desk.judge, case_id=desk.case_id, person_id=None, idempotency_key=of_all)
        assert await assets.query(desk.judge, case_id=desk.case_id, person_id=None, idempotency_key=of_all)
        assert {one.person_id for one in asked} > {person.id}
        with pytest.raises(Conflict, match="idempotency-key-used"):
            await assets.query(desk.judge, case_id=desk.case_id, person_id=other.id, idempotency_key=of_all)


async def test_a_gateway_that_is_away_has_not_answered(desk: Desk) -> None:
    await desk.bank.stop()
    async with desk.at_work():
        await desk.query(NOTHING, "bank")
        await desk.until_state(NOTHING, "bank", "no_answer")
        await desk.bank.start()
        await desk.query(NOTHING, "bank")  # the judge presses again: the same request, asked at once
        await desk.until_state(NOTHING, "bank", "nothing_found")
        assert len((await desk.view()).answers) == 1


async def test_a_crash_in_the_middle_goes_on_with_the_same_number(desk: Desk) -> None:
    async with desk.at_work(answer_seconds=30.0) as assets:
        await desk.query(SILENT, "bank")
        sent = (await assets.requests(desk.judge, desk.case_id))[0]
        await until(lambda: desk.bank.ledger.count_of(sent.number) == 1)
        assert sent.state == "sent"
    async with desk.at_work(answer_seconds=SHORT_SECONDS):
        await desk.until_state(SILENT, "bank", "no_answer")
        assert desk.bank.ledger.count_of(sent.number) == 2

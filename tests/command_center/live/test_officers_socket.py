"""The officers' socket: instructions in order and once, answers kept, nothing for those who have no right."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import DataError
from websockets.exceptions import InvalidStatus

from command_center.live import officer_line
from command_center.live.officer_line import OfficerLine
from command_center.operations.instructions import Outcome
from streams.protocol import (
    DEVICE_MESSAGE,
    MAX_MESSAGE_BYTES,
    PROTOCOL_VERSION,
    CameraState,
    Hello,
    Receipt,
    ReceiptState,
    Refusal,
    Reload,
    SignedOut,
)
from tests.support.lines import camera, device, instruct, position, register, screen, socket
from tests.support.waiting import until
from tests.support.web import RunningWeb

S = ReceiptState


async def test_an_instruction_goes_from_the_centre_to_the_phone_and_each_step_back(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    async with screen(web, commander) as page, device(web, officer) as phone:
        me = web.world.users["officer1"]
        await instruct(web, commander, "开始行动", scope="officer", officer_id=str(me))
        await until(lambda: phone.texts == ["开始行动"])
        await until(lambda: page.states(1) == {me: "delivered"})
        (delivery,) = phone.shown
        for step, state in ((S.SEEN, "seen"), (S.ACCEPTED, "accepted"), (S.DONE, "done")):
            receipt = await phone.answer(delivery, step)
            await until(lambda receipt=receipt: receipt in phone.acknowledged)
            await until(lambda state=state: page.states(1) == {me: state})
        assert phone.times_sent == {delivery: 1}


async def test_a_refusal_carries_its_reason_and_one_without_is_sent_back(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    async with device(web, officer) as phone:
        await instruct(web, commander, "进门")
        await until(lambda: phone.shown)
        (delivery,) = phone.shown
        refused = await phone.answer(delivery, S.REFUSED)
        await until(lambda: Refusal(id=refused, code="reason-required") in phone.messages)
        kept = await phone.answer(delivery, S.REFUSED, "门锁着")
        await until(lambda: kept in phone.acknowledged)
    listed = (await commander.get("/api/instructions", params={"operation_id": str(web.world.operation_id)})).json()
    states = {one["officer_id"]: (one["state"], one["reason"]) for one in listed["items"][0]["deliveries"]}
    assert states[str(web.world.users["officer1"])] == ("refused", "门锁着")


async def test_what_was_sent_while_the_phone_was_away_comes_in_order_when_it_is_back(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    async with device(web, officer) as phone:
        await instruct(web, commander, "0")
        await until(lambda: phone.texts == ["0"] and phone.acknowledged)
    for number in range(1, 6):
        await instruct(web, commander, str(number))
    async with device(web, officer) as phone:
        await until(lambda: len(phone.texts) == 6)
        assert phone.texts == [str(number) for number in range(6)]
        assert {one.state for one in phone.shown.values() if one.text == "0"} == {"delivered"}


async def test_an_instruction_is_sent_again_until_the_phone_says_that_it_came(
    web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(officer_line, "RESEND_SECONDS", 0.2)
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    async with device(web, officer, answers_delivered=False) as phone:
        await instruct(web, commander, "x")
        await until(lambda: any(times >= 2 for times in phone.times_sent.values()), seconds=10)
        assert phone.texts == ["x"]
        (delivery,) = phone.shown
        await until_acknowledged(phone, await phone.answer(delivery, S.DELIVERED))
        sent = phone.times_sent[delivery]
        await instruct(web, commander, "y")
        await until(lambda: phone.texts == ["x", "y"])
        assert phone.times_sent[delivery] == sent


async def until_acknowledged(phone: object, identifier: UUID) -> None:
    """Wait for an Ack."""
    await until(lambda: identifier in phone.acknowledged)  # type: ignore[attr-defined]


async def test_two_devices_of_one_officer_see_the_same(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    async with device(web, officer, "phone") as phone, device(web, officer, "tablet") as tablet:
        await instruct(web, commander, "x")
        await until(lambda: phone.shown and tablet.shown)
        (delivery,) = phone.shown
        await until_acknowledged(phone, await phone.answer(delivery, S.ACCEPTED))
        await until(lambda: tablet.shown[delivery].state == "accepted")


async def test_positions_are_kept_before_they_are_acknowledged_and_shown_at_once(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    async with screen(web, commander) as page, device(web, officer) as phone:
        fixes = [position(second) for second in range(30)]
        for fix in fixes:
            await phone.say(fix)
            await phone.say(fix)
        await until(lambda: phone.acknowledged >= {fix.id for fix in fixes}, seconds=15)
        answer = await commander.get("/api/positions", params={"feed": feed})
        assert {item["id"] for item in answer.json()["items"]} == {str(fix.id) for fix in fixes}
        assert {item["road"] for item in answer.json()["items"]} == {"socket"}
        await until(lambda: feed in page.positions and page.positions[feed].latitude == fixes[-1].latitude)


async def test_a_position_before_the_feed_is_registered_is_not_acknowledged(web: RunningWeb) -> None:
    officer = await web.signed_in("officer1")
    async with device(web, officer) as phone:
        early, later = position(), position()
        await phone.say(early)
        refused = Refusal(id=uuid4(), code="not-valid")
        await phone.connection.send(f'{{"type":"position","id":"{refused.id}"}}')
        await until(lambda: refused in phone.messages)
        assert early.id not in phone.acknowledged
        await register(web, officer)
        await phone.say(later)
        await phone.say(early)
        await until(lambda: phone.acknowledged == {early.id, later.id})


async def test_a_camera_that_is_taken_away_is_told_on_the_tile(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    async with device(web, officer) as phone:
        status = camera(CameraState.STOPPED_BY_SYSTEM)
        await phone.say(status)
        await until_acknowledged(phone, status.id)
    (record,) = await web.web.operations.feeds.of_operation(web.world.operation_id)
    assert (record.name, record.camera_state) == (feed, CameraState.STOPPED_BY_SYSTEM)
    assert (await commander.get("/api/feeds")).json()["items"][0]["phase"] == "waiting"


async def test_a_page_of_another_version_is_told_to_reload(web: RunningWeb) -> None:
    async with socket(web, await web.signed_in("officer1"), "/api/officer") as connection:
        await connection.send(Hello(version=PROTOCOL_VERSION + 1, device="phone").model_dump_json())
        assert await connection.recv() == Reload().model_dump_json()
        await connection.wait_closed()
        assert connection.close_code == 4409


@pytest.mark.parametrize(
    "text", ["", "{}", "not json", '{"type":"position"}', '{"type":"hello","version":1,"device":"a b"}']
)
async def test_what_does_not_begin_with_hello_is_closed(web: RunningWeb, text: str) -> None:
    async with socket(web, await web.signed_in("officer1"), "/api/officer") as connection:
        await connection.send(text)
        await connection.wait_closed()
        assert connection.close_code == 4400


async def test_rubbish_is_refused_message_by_message_and_in_the_end_closed(web: RunningWeb) -> None:
    async with device(web, await web.signed_in("officer1")) as phone:
        for text in ("[]", "{", '{"type":"ack"}', '{"type":"receipt","id":3}', "[" * 5000, "\x00"):
            await phone.connection.send(text)
        await until(lambda: len(phone.messages) == 7)
        assert all(isinstance(one, Refusal) and one.code == "not-valid" for one in phone.messages[1:])
        for _ in range(60):
            await phone.connection.send("{}")
        await until(lambda: phone.closed == 4400)


async def test_a_message_that_cannot_be_kept_is_refused_and_the_others_of_its_batch_are_answered(
    web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (
        Receipt(id=uuid4(), delivery_id=uuid4(), state=ReceiptState.SEEN, at=1_770_000_000_000) for _ in range(2)
    )

    async def apply(_officer_id: UUID, receipt: Receipt) -> Outcome:
        if receipt.id == bad.id:
            raise DataError("insert", {}, ValueError("cannot be kept"))
        return Outcome.REPEATED

    instructions = web.web.instructions
    monkeypatch.setattr(instructions, "apply", apply)
    line = OfficerLine(
        web.world.users["judge"],
        "phone",
        instructions=instructions,
        positions=web.web.positions,
        feeds=web.web.operations.feeds,
        hub=web.web.hub,
    )
    answers = await line.take([bad.model_dump_json(), good.model_dump_json()])
    assert [(answer.type, answer.id) for answer in answers] == [("refusal", bad.id), ("ack", good.id)]


@pytest.mark.parametrize("reason", ["a\0b", "a\x1bb", "a\x7fb", "a\u202eb", "a\u200bb"])
def test_a_reason_with_control_characters_is_not_valid_and_one_with_lines_is(reason: str) -> None:
    text = Receipt(id=uuid4(), delivery_id=uuid4(), state=ReceiptState.REFUSED, at=0, reason="一\n二\t三")
    assert DEVICE_MESSAGE.validate_json(text.model_dump_json()) == text
    with pytest.raises(ValidationError):
        DEVICE_MESSAGE.validate_json(text.model_copy(update={"reason": reason}).model_dump_json())


async def test_a_message_that_is_too_long_closes_the_socket(web: RunningWeb) -> None:
    async with device(web, await web.signed_in("officer1")) as phone:
        await phone.connection.send("x" * (MAX_MESSAGE_BYTES + 1))
        await until(lambda: phone.closed == 1009)


async def test_a_receipt_for_another_officers_delivery_is_refused(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    async with (
        device(web, await web.signed_in("officer1")) as phone,
        device(web, await web.signed_in("officer2")) as other,
    ):
        await instruct(web, commander, "x")
        await until(lambda: phone.shown and other.shown)
        (foreign,) = other.shown
        receipt = await phone.answer(foreign, S.ACCEPTED)
        await until(lambda: Refusal(id=receipt, code="delivery-not-found") in phone.messages)


@pytest.mark.parametrize("name", ["commander", "supervisor", "system", "security", "audit"])
async def test_only_officers_get_in(web: RunningWeb, name: str) -> None:
    client = await web.signed_in(name)
    with pytest.raises(InvalidStatus):
        async with socket(web, client, "/api/officer"):
            pass


async def test_a_body_camera_gets_in_by_its_token(web: RunningWeb) -> None:
    commander, program = await web.signed_in("commander"), await web.program("officer2")
    async with device(web, program, "body-camera") as line:
        await instruct(web, commander, "x")
        await until(lambda: line.texts == ["x"])


@pytest.mark.alone
async def test_signing_out_says_so_and_closes_within_two_seconds(web: RunningWeb) -> None:
    officer = await web.signed_in("officer1")
    async with device(web, officer) as phone:
        await officer.delete("/api/session")
        await until(lambda: phone.closed == 4401, seconds=2)
        assert phone.messages[-1] == SignedOut(code="session-over")


@pytest.mark.alone
async def test_an_officer_that_was_removed_is_told_so_within_two_seconds(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    async with device(web, officer) as phone:
        path = f"/api/operations/{web.world.operation_id}/officers/{web.world.users['officer1']}"
        assert (await commander.delete(path)).status_code == 204
        await until(lambda: phone.closed == 4401, seconds=2)
        assert phone.messages[-1] == SignedOut(code="removed-from-operation")


@pytest.mark.alone
async def test_a_revoked_phone_is_signed_out_within_two_seconds(web: RunningWeb) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    async with screen(web, commander) as page, device(web, officer) as phone:
        assert (await commander.delete(f"/api/feeds/{feed}")).status_code == 204
        await until(lambda: phone.closed == 4401, seconds=2)
        assert phone.messages[-1] == SignedOut(code="session-over")
        await until(lambda: (page.feeds[feed].phase, page.feeds[feed].cause) == ("ended", "revoked"))

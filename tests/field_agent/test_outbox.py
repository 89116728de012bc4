"""What a device has to tell is neither lost nor told out of order."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest

from field_agent.agent.outbox import AGAIN_SECONDS, MAX_IN_FLIGHT, Outbox
from streams.protocol import Position, Receipt, ReceiptState


def position(number: int) -> Position:
    return Position(id=uuid4(), taken_at=number, latitude=40.8, longitude=111.7, accuracy_m=5)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def told_numbers(texts: list[str]) -> list[int]:
    return [json.loads(text)["taken_at"] for text in texts]


def test_messages_are_told_once_in_order(clock: Clock) -> None:
    outbox, told = Outbox(clock=clock), list[str]()
    for number in range(5):
        outbox.add(position(number))
        outbox.flush(told.append)
    assert told_numbers(told) == [0, 1, 2, 3, 4]


def test_a_new_road_is_told_everything_that_was_not_acknowledged(clock: Clock) -> None:
    outbox, told = Outbox(clock=clock), list[str]()
    messages = [position(number) for number in range(4)]
    for message in messages:
        outbox.add(message)
    outbox.flush(told.append)
    outbox.settled(messages[0].id)
    outbox.settled(messages[2].id)
    told.clear()
    outbox.road_changed()
    outbox.flush(told.append)
    assert told_numbers(told) == [1, 3]


def test_only_so_many_are_on_their_way(clock: Clock) -> None:
    outbox, told = Outbox(clock=clock), list[str]()
    messages = [position(number) for number in range(MAX_IN_FLIGHT * 2)]
    for message in messages:
        outbox.add(message)
    outbox.flush(told.append)
    assert len(told) == MAX_IN_FLIGHT
    outbox.settled(messages[0].id)
    outbox.flush(told.append)
    assert told_numbers(told)[-1] == MAX_IN_FLIGHT


def test_what_nobody_acknowledged_is_told_again(clock: Clock) -> None:
    outbox, told = Outbox(clock=clock), list[str]()
    outbox.add(position(1))
    outbox.flush(told.append)
    clock.now += AGAIN_SECONDS / 2
    outbox.flush(told.append)
    assert told_numbers(told) == [1]
    clock.now += AGAIN_SECONDS
    outbox.flush(told.append)
    assert told_numbers(told) == [1, 1]


def test_a_full_outbox_drops_the_oldest_position_and_counts_it(clock: Clock) -> None:
    outbox, told = Outbox(limit=3, clock=clock), list[str]()
    receipt = Receipt(id=UUID(int=7), delivery_id=uuid4(), state=ReceiptState.SEEN, at=1)
    outbox.add(receipt)
    for number in range(4):
        outbox.add(position(number))
    outbox.flush(told.append)
    assert outbox.dropped == 2
    assert len(outbox) == 3
    assert json.loads(told[0])["id"] == str(receipt.id)
    assert told_numbers(told[1:]) == [2, 3]

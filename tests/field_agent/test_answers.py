"""Demonstration officers answer at human speed, each the same way every time."""

from __future__ import annotations

import random

import pytest

from field_agent.agent.answers import REASONS, steps
from streams.protocol import ReceiptState


def test_most_instructions_are_accepted_in_order_and_some_are_done() -> None:
    done = 0
    for seed in range(200):
        said = [state for _, state, _ in steps("sent", random.Random(seed), refuses=False)]
        assert said[:3] == [ReceiptState.DELIVERED, ReceiptState.SEEN, ReceiptState.ACCEPTED]
        done += said[3:] == [ReceiptState.DONE]
    assert 80 < done < 160


def test_an_officer_who_refuses_gives_a_reason_and_then_nothing_more() -> None:
    refused = 0
    for seed in range(200):
        plan = steps("sent", random.Random(seed), refuses=True)
        states = [state for _, state, _ in plan]
        if ReceiptState.REFUSED in states:
            refused += 1
            assert plan[-1][1] is ReceiptState.REFUSED
            assert plan[-1][2] in REASONS
            assert ReceiptState.ACCEPTED not in states
    assert 25 < refused < 80


def test_delivery_is_said_at_once_and_the_rest_takes_seconds() -> None:
    for seed in range(50):
        waits = {state: wait for wait, state, _ in steps("sent", random.Random(seed), refuses=False)}
        assert waits[ReceiptState.DELIVERED] == 0
        assert 0.5 <= waits[ReceiptState.SEEN] <= 2
        assert 1 <= waits[ReceiptState.ACCEPTED] <= 4


@pytest.mark.parametrize(
    ("state", "first"),
    [("delivered", ReceiptState.SEEN), ("seen", ReceiptState.ACCEPTED), ("accepted", ReceiptState.DONE)],
)
def test_a_device_that_was_started_anew_goes_on_from_where_it_was(state: str, first: ReceiptState) -> None:
    plans = [steps(state, random.Random(seed), refuses=False) for seed in range(20)]
    assert {plan[0][1] for plan in plans if plan} == {first}


@pytest.mark.parametrize("state", ["refused", "done"])
def test_what_is_settled_is_left_alone(state: str) -> None:
    assert steps(state, random.Random(1), refuses=False) == []

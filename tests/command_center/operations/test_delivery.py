"""The life of a delivery, whatever order its receipts come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from command_center.errors import Invalid
from command_center.operations.delivery import DeliveryState, move
from command_center.operations.tables import Delivery
from streams.protocol import ReceiptState

S = ReceiptState
ROADS = [[S.DELIVERED, S.SEEN, S.ACCEPTED, S.DONE], [S.DELIVERED, S.SEEN, S.REFUSED], [S.DELIVERED, S.SEEN]]
TIMES = ("delivered_at", "seen_at", "answered_at", "done_at")
START = datetime(2026, 3, 1, tzinfo=UTC)


def _delivery() -> Delivery:
    return Delivery(
        id=uuid4(),
        state="sent",
        sent_at=START,
        delivered_at=None,
        seen_at=None,
        answered_at=None,
        done_at=None,
        reason="",
    )


def _play(steps: list[ReceiptState]) -> Delivery:
    delivery = _delivery()
    for number, step in enumerate(steps, start=1):
        move(delivery, step, START + timedelta(seconds=number), "门锁着" if step is S.REFUSED else "")
    return delivery


@st.composite
def _disturbed(draw: st.DrawFn) -> tuple[list[ReceiptState], list[ReceiptState]]:
    road = draw(st.sampled_from(ROADS))
    repeated = road + draw(st.lists(st.sampled_from(road), max_size=12))
    return road, draw(st.permutations(repeated))


@seed(20260301)
@settings(max_examples=500, deadline=None)
@given(_disturbed())
def test_repeated_and_reordered_receipts_end_where_the_ordered_ones_do(
    case: tuple[list[ReceiptState], list[ReceiptState]],
) -> None:
    road, disturbed = case
    ordered, found = _play(road), _play(disturbed)
    assert (found.state, found.reason) == (ordered.state, ordered.reason)
    assert [getattr(found, name) is None for name in TIMES] == [getattr(ordered, name) is None for name in TIMES]


@seed(20260302)
@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(list(S)), max_size=20))
def test_whatever_comes_times_never_run_backwards_and_an_answer_is_never_taken_back(
    steps: list[ReceiptState],
) -> None:
    delivery = _delivery()
    answer: str | None = None
    for number, step in enumerate(steps, start=1):
        before = [getattr(delivery, name) for name in TIMES]
        moved = move(delivery, step, START + timedelta(seconds=number), "门锁着")
        after = [getattr(delivery, name) for name in TIMES]
        assert moved or before == after
        assert all(old is None or old == new for old, new in zip(before, after, strict=True))
        known = [time for time in after if time is not None]
        assert known == sorted(known)
        if answer == "refused":
            assert delivery.state == "refused"
        if delivery.state in ("refused", "accepted", "done"):
            assert answer is None or answer == delivery.state or (answer, delivery.state) == ("accepted", "done")
            answer = delivery.state
    assert delivery.reason == ("门锁着" if delivery.state == "refused" else "")


def test_a_lost_receipt_is_made_good_by_a_later_one() -> None:
    delivery = _play([S.ACCEPTED])
    assert delivery.state == DeliveryState.ACCEPTED
    assert delivery.delivered_at == delivery.seen_at == delivery.answered_at
    assert delivery.done_at is None


def test_a_refusal_without_words_is_refused() -> None:
    delivery = _delivery()
    with pytest.raises(Invalid):
        move(delivery, S.REFUSED, START, "")
    assert delivery.state == "sent"

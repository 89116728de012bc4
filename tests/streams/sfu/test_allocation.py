"""Who is given what within a budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sfu.allocation import PAUSED, RISE_MARGIN, STAY_MARGIN, Demand, allocate

SIZES = (100.0, 400.0, 1000.0)


def tiles(*presents: int, spotlight: int | None = None, sizes: tuple[float, ...] = SIZES) -> list[Demand]:
    return [Demand(sizes, is_spotlight=place == spotlight, present=present) for place, present in enumerate(presents)]


def steps(demands: list[Demand], budget: float) -> list[int]:
    allocate(demands, budget)
    return [demand.step for demand in demands]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (0, [-1, -1, -1, -1]),
        (111, [0, -1, -1, -1]),
        (460, [0, 0, 0, 0]),
        (800, [1, 0, 0, 0]),
        (1700, [1, 1, 1, 1]),
        (2500, [2, 1, 1, 1]),
        (9000, [2, 2, 2, 2]),
    ],
)
def test_all_get_the_lowest_before_any_gets_more(budget: float, expected: list[int]) -> None:
    assert steps(tiles(-1, -1, -1, -1), budget) == expected


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (1400, [0, 0, 2, 0]),
        (1105, [1, 0, 1, 0]),
        (735, [0, 0, 1, 0]),
        (700, [0, 0, 0, 0]),
        (330, [0, 0, 0, -1]),
        (100, [-1, -1, 0, -1]),
        (90, [-1, -1, -1, -1]),
    ],
)
def test_as_many_as_fit_then_the_spotlight_comes_first(budget: float, expected: list[int]) -> None:
    assert steps(tiles(-1, -1, -1, -1, spotlight=2), budget) == expected


def test_who_plays_stays_before_others_begin() -> None:
    assert steps(tiles(-1, 0, -1, 0), 230) == [-1, 0, -1, 0]


def test_a_little_too_much_stays_and_a_little_too_little_does_not_begin() -> None:
    assert steps(tiles(0, 0), 200 * STAY_MARGIN + 20) == [0, 0]
    assert steps(tiles(-1, -1), 100 * RISE_MARGIN) == [0, -1]


def test_who_was_just_lowered_waits() -> None:
    demands = tiles(-1, 0)
    for demand in demands:
        demand.may_rise = False
    assert steps(demands, 10_000) == [-1, 0]


def test_the_spotlight_does_not_wait_for_its_lowest_layer() -> None:
    demands = tiles(-1, 0, spotlight=0)
    for demand in demands:
        demand.may_rise = False
    assert steps(demands, 110) == [0, PAUSED]


def test_what_a_waiting_tile_needs_is_given_to_nobody_else() -> None:
    demands = tiles(-1, 0, spotlight=1)
    demands[0].may_rise = False
    assert steps(demands, 520) == [PAUSED, 0]
    assert steps(demands, 540) == [PAUSED, 1]
    demands[0].may_rise = True
    assert steps(demands, 540) == [0, 1]


def test_the_sound_of_a_waiting_tile_goes_on_by_what_is_laid_aside() -> None:
    demands = [Demand(SIZES, 30.0, may_rise=False), Demand(SIZES, 30.0, present=0)]
    assert steps(demands, 300) == [PAUSED, 0]
    assert [demand.is_heard for demand in demands] == [True, True]


def test_sound_goes_with_the_picture_and_alone_where_only_it_fits() -> None:
    demands = [Demand(SIZES, 30.0), Demand(SIZES, 30.0), Demand((), 30.0)]
    assert steps(demands, 210) == [0, -1, -1]
    assert [demand.is_heard for demand in demands] == [True, True, True]
    assert steps(demands, 150) == [0, -1, -1]
    assert [demand.is_heard for demand in demands] == [True, False, False]


_demands = st.lists(
    st.builds(
        lambda sizes, sound, spotlight, present, rise: Demand(
            sorted(sizes), sound, is_spotlight=spotlight, present=min(present, len(sizes) - 1), may_rise=rise
        ),
        st.lists(st.floats(1, 1e7), max_size=3),
        st.floats(0, 1e5),
        st.booleans(),
        st.integers(-1, 2),
        st.booleans(),
    ),
    max_size=20,
)


@given(_demands, st.floats(0, 1e8))
def test_never_more_than_the_budget_nor_than_what_is_wanted(demands: list[Demand], budget: float) -> None:
    allocate(demands, budget)
    spent = sum(
        (demand.sizes[demand.step] if demand.step != PAUSED else 0.0) + demand.sound_bps * demand.is_heard
        for demand in demands
    )
    # What is there already may go over it by the margin that lets it stay.
    assert spent <= budget / STAY_MARGIN + 1
    for demand in demands:
        assert PAUSED <= demand.step < max(1, len(demand.sizes))
        kept = max(demand.present, 0) if demand.is_spotlight else demand.present
        assert demand.may_rise or demand.step <= kept

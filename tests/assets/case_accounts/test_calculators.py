"""Fee, doubled interest and distribution, each worked out by hand."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.case_accounts.distribution import Owed, Tier, distribute
from assets.case_accounts.fee import enforcement_fee
from assets.case_accounts.interest import Debt, Paid, standing
from assets.case_accounts.practice import CreditOrder
from assets.case_accounts.rounding import nearest_cent, share_out

# The fee: 50 yuan to 10 000; then 1.5 % to 500 000, 1 % to 5 million, 0.5 % to 10 million, 0.1 % above.


@pytest.mark.parametrize(
    ("base", "fee"),
    [
        (0, 0),
        (1, 50_00),
        (10_000_00, 50_00),
        (10_000_01, 50_00),  # 1.5 % of a cent rounds to nothing
        (10_000_34, 50_01),  # 0.51 of a cent rounds to one
        (10_100_00, 51_50),
        (500_000_00, 7_400_00),  # 50 + 490 000 × 1.5 %
        (1_860_000_00, 21_000_00),  # 7 400 + 1 360 000 × 1 %
        (5_000_000_00, 52_400_00),  # 7 400 + 4 500 000 × 1 %
        (10_000_000_00, 77_400_00),  # 52 400 + 5 000 000 × 0.5 %
        (30_000_000_00, 97_400_00),  # 77 400 + 20 000 000 × 0.1 %
    ],
)
def test_susong_feiyong_14_enforcement_fee_by_tiers(base: int, fee: int) -> None:
    assert enforcement_fee(base).cents == fee


def test_susong_feiyong_14_enforcement_fee_shows_what_each_tier_contributes() -> None:
    parts = enforcement_fee(5_500_000_00).parts
    assert [(part.from_cents, part.to_cents, part.per_mille, part.cents) for part in parts] == [
        (10_000_00, 500_000_00, 15, 7_350_00),
        (500_000_00, 5_000_000_00, 10, 45_000_00),
        (5_000_000_00, 5_500_000_00, 5, 2_500_00),
    ]


# Doubled interest: unpaid principal × 0.0175 % × days


def test_fashi_2014_8_1_doubled_interest_of_an_unpaid_principal() -> None:
    # 100 000 × 0.000175 × 100 days = 1 750 yuan
    debt = Debt(100_000_00, interest_from=date(2026, 1, 1))
    found = standing(debt, [], date(2026, 4, 11))
    assert (found.doubled_cents, found.stretches[0].days) == (1_750_00, 100)


def test_fashi_2014_8_1_doubled_interest_runs_on_the_principal_alone() -> None:
    debt = Debt(100_000_00, ordinary_cents=20_000_00, interest_from=date(2026, 1, 1))
    found = standing(debt, [], date(2026, 1, 11))
    assert (found.doubled_cents, found.document_cents, found.total_cents) == (175_00, 120_000_00, 120_175_00)


def test_fashi_2014_8_1_doubled_interest_with_part_payments_that_lower_the_principal() -> None:
    # 100 000 for 31 days = 542.50; 60 000 for 28 days = 294; 35 000 for 10 days = 61.25; together 897.75
    debt = Debt(100_000_00, interest_from=date(2026, 1, 1))
    payments = [Paid(date(2026, 3, 1), 25_000_00), Paid(date(2026, 2, 1), 40_000_00)]
    found = standing(debt, payments, date(2026, 3, 11))
    assert [(one.since, one.days, one.principal_cents) for one in found.stretches] == [
        (date(2026, 1, 1), 31, 100_000_00),
        (date(2026, 2, 1), 28, 60_000_00),
        (date(2026, 3, 1), 10, 35_000_00),
    ]
    assert (found.principal_cents, found.doubled_cents) == (35_000_00, 897_75)


def test_fashi_2014_8_1_doubled_interest_is_exact_until_its_one_rounding() -> None:
    # 333.33 × 0.000175 = 0.05833275 a day: 5.833275 cents; three days by day would be 6 + 6 + 6, and are 17.499825
    found = standing(Debt(333_33, interest_from=date(2026, 1, 1)), [], date(2026, 1, 4))
    assert found.stretches[0].interest == Fraction(333_33 * 3 * 175, 1_000_000)
    assert found.doubled_cents == 17


@pytest.mark.parametrize("on", [date(2025, 12, 31), date(2026, 1, 1)])
def test_fashi_2014_8_1_doubled_interest_before_its_first_day_is_none(on: date) -> None:
    assert standing(Debt(100_000_00, interest_from=date(2026, 1, 1)), [], on).doubled_cents == 0


def test_fashi_2014_8_1_doubled_interest_counts_29_february() -> None:
    found = standing(Debt(100_000_00, interest_from=date(2028, 2, 28)), [], date(2028, 3, 1))
    assert (found.stretches[0].days, found.doubled_cents) == (2, 35_00)


def test_a_document_without_doubled_interest_earns_none() -> None:
    assert standing(Debt(100_000_00), [], date(2026, 12, 1)).doubled_cents == 0


@pytest.mark.parametrize(
    ("order", "principal", "ordinary", "doubled"),
    [
        # 50 000 are paid on a debt of 100 000 + 20 000 after 100 days, which earned 1 750
        (CreditOrder.ORDINARY_FIRST, 70_000_00, 0, 1_750_00),
        (CreditOrder.PRINCIPAL_FIRST, 50_000_00, 20_000_00, 1_750_00),
        (CreditOrder.DOUBLED_FIRST, 71_750_00, 0, 0),
    ],
)
def test_practice_which_part_a_payment_is_credited_to_first(
    order: CreditOrder, principal: int, ordinary: int, doubled: int
) -> None:
    debt = Debt(100_000_00, 20_000_00, date(2026, 1, 1))
    day = date(2026, 4, 11)
    found = standing(debt, [Paid(day, 50_000_00)], day, order=order)
    assert (found.principal_cents, found.ordinary_cents, found.doubled_cents) == (principal, ordinary, doubled)


def test_practice_the_day_of_payment_counts_only_where_it_is_set_so() -> None:
    debt, on = Debt(100_000_00, interest_from=date(2026, 1, 1)), date(2026, 1, 11)
    payment = [Paid(date(2026, 1, 6), 50_000_00)]
    assert standing(debt, payment, on).doubled_cents == 87_50 + 43_75
    assert standing(debt, payment, on, counts_day_of_payment=True).doubled_cents == 105_00 + 43_75


def test_what_was_paid_beyond_the_debt_is_told() -> None:
    found = standing(Debt(100_00), [Paid(date(2026, 1, 1), 150_00)], date(2026, 1, 1))
    assert (found.total_cents, found.overpaid_cents) == (0, 50_00)


# Distribution


A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def test_jieshi_508_fee_then_priority_then_ordinary_in_proportion() -> None:
    # 500 000 less the fee of 7 400 and the mortgage of 300 000 leave 192 600 for 200 000 + 100 000: 64.2 %
    claims = [Owed(A, 200_000_00), Owed(B, 300_000_00, is_priority=True), Owed(C, 100_000_00)]
    found = distribute(500_000_00, 7_400_00, claims)
    assert (found.fee_cents, found.of(A), found.of(B), found.of(C), found.rest_cents) == (
        7_400_00, 128_400_00, 300_000_00, 64_200_00, 0,
    )  # fmt: skip
    assert [share.tier for share in found.shares] == [Tier.PRIORITY, Tier.ORDINARY, Tier.ORDINARY]


def test_jieshi_508_priority_claims_by_their_rank() -> None:
    claims = [Owed(A, 80_00, is_priority=True, rank=2), Owed(B, 60_00, is_priority=True, rank=1), Owed(C, 10_00)]
    found = distribute(100_00, 0, claims)
    assert (found.of(B), found.of(A), found.of(C)) == (60_00, 40_00, 0)


def test_jieshi_508_what_remains_after_everybody_goes_back() -> None:
    found = distribute(150_00, 10_00, [Owed(A, 100_00)])
    assert (found.fee_cents, found.of(A), found.rest_cents) == (10_00, 100_00, 40_00)


def test_jieshi_508_a_sum_below_the_fee_is_all_fee() -> None:
    found = distribute(30_00, 50_00, [Owed(A, 100_00)])
    assert (found.fee_cents, found.of(A), found.rest_cents) == (30_00, 0, 0)


def test_jieshi_508_the_cents_that_do_not_divide_go_to_the_largest_remainders() -> None:
    # 100.00 on three equal claims: 33.34 + 33.33 + 33.33, the cent to the one named first
    found = distribute(100_00, 0, [Owed(A, 50_00), Owed(B, 50_00), Owed(C, 50_00)])
    assert (found.of(A), found.of(B), found.of(C)) == (33_34, 33_33, 33_33)
    # 10 cents on 1 : 2 : 4 are 1.43, 2.86, 5.71: the two cents that remain go to the second and the third
    assert share_out(10, [1, 2, 4]) == [1, 3, 6]


def test_practice_doubled_interest_comes_after_every_document_or_with_its_claim() -> None:
    claims = [Owed(A, 100_00, 50_00), Owed(B, 100_00)]
    last = distribute(210_00, 0, claims)
    assert (last.of(A), last.of(B)) == (110_00, 100_00)
    beside = distribute(210_00, 0, claims, doubled_interest_last=False)
    assert (beside.of(A), beside.of(B)) == (126_00, 84_00)


amounts = st.integers(0, 10**12)


@given(
    pot=amounts, fee=amounts, owed=st.lists(st.tuples(amounts, amounts, st.booleans(), st.integers(0, 2)), max_size=6)
)
def test_jieshi_508_every_cent_is_given_once_and_nobody_gets_more_than_theirs(
    pot: int, fee: int, owed: list[tuple[int, int, bool, int]]
) -> None:
    claims = [Owed(uuid4(), document, doubled, first, rank) for document, doubled, first, rank in owed]
    found = distribute(pot, fee, claims)
    assert found.fee_cents + sum(share.cents for share in found.shares) + found.rest_cents == pot
    assert all(0 <= share.cents <= share.owed_cents for share in found.shares)
    if found.rest_cents:
        assert all(share.cents == share.owed_cents for share in found.shares)


@given(exact=st.fractions(0, 10**9))
def test_a_rounded_amount_is_at_most_half_a_cent_away(exact: Fraction) -> None:
    assert abs(nearest_cent(exact) - exact) <= Fraction(1, 2)

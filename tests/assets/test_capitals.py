"""Amounts in capital numerals agree with their figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.capitals import LARGEST_CENTS, amount_in_capitals, read_capitals, require_agreement
from assets.errors import BadFormat

WRITTEN = [
    (0, "零元整"),
    (5, "伍分"),
    (50, "伍角整"),
    (100, "壹元整"),
    (10_00, "壹拾元整"),
    (101_00, "壹佰零壹元整"),
    (1_409_50, "壹仟肆佰零玖元伍角整"),
    (6_007_14, "陆仟零柒元壹角肆分"),
    (1_680_32, "壹仟陆佰捌拾元叁角贰分"),
    (16_409_02, "壹万陆仟肆佰零玖元零贰分"),
    (325_04, "叁佰贰拾伍元零肆分"),
    (107_000_53, "壹拾万柒仟元伍角叁分"),
    (100_010_00, "壹拾万零壹拾元整"),
    (1_860_000_00, "壹佰捌拾陆万元整"),
    (10_000_500_00, "壹仟万零伍佰元整"),
    (100_000_000_00, "壹亿元整"),
    (100_000_001_00, "壹亿零壹元整"),
    (1_000_000_000_000_00, "壹万亿元整"),
    (100_010_000_00, "壹亿零壹万元整"),
]


@pytest.mark.parametrize(("cents", "text"), WRITTEN)
def test_an_amount_is_written_in_capital_numerals(cents: int, text: str) -> None:
    assert amount_in_capitals(cents) == text


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        *((text, cents) for cents, text in WRITTEN),
        ("人民币壹拾万零柒仟元伍角叁分", 107_000_53),
        ("壹拾万柒仟元零伍角叁分", 107_000_53),
        ("壹仟陆佰捌拾元零叁角贰分", 1_680_32),
        ("壹仟肆佰零玖圆伍角", 1_409_50),
        ("伍元正", 5_00),
        (" 壹 佰 元 整 ", 100_00),
        ("壹佰元", 100_00),
    ],
)
def test_capital_numerals_are_read_as_the_rules_let_them_be_written(text: str, cents: int) -> None:
    assert read_capitals(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "", "元", "整", "人民币", "一百元", "100元", "壹佰", "拾元整", "壹佰贰佰元整", "壹拾壹佰元整", "壹元壹分壹角",
        "壹亿壹亿元整", "亿元整", "壹佰零零壹元整元", "壹佰元整壹角", "壹贰元整", "零角", "万元整", "壹仟仟元整",
        "壹零元零", "壹万万元整",
    ],
)  # fmt: skip
def test_what_is_no_amount_in_capitals_is_refused(text: str) -> None:
    with pytest.raises(BadFormat) as refused:
        read_capitals(text)
    assert (refused.value.item, refused.value.why) == ("capitals", "shape")


@given(st.integers(0, LARGEST_CENTS) | st.integers(0, 10**7))
def test_an_amount_in_capitals_is_read_again_as_the_same(cents: int) -> None:
    text = amount_in_capitals(cents)
    assert read_capitals(text) == cents
    assert "零零" not in text


@given(st.text("零壹贰拾佰仟万亿元角分整", max_size=12))
def test_whatever_is_read_is_written_the_same_but_for_what_the_rules_leave_open(text: str) -> None:
    try:
        cents = read_capitals(text)
    except BadFormat:
        return
    left_open = str.maketrans("", "", "零整")
    assert amount_in_capitals(cents).translate(left_open) in {text.translate(left_open), "元"}


def test_figures_and_capitals_must_agree() -> None:
    require_agreement(1_860_000_00, "壹佰捌拾陆万元整")
    with pytest.raises(BadFormat, match="disagree"):
        require_agreement(1_860_000_01, "壹佰捌拾陆万元整")
    for outside in (-1, LARGEST_CENTS + 1):
        with pytest.raises(BadFormat, match="range"):
            amount_in_capitals(outside)

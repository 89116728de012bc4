"""Amounts in capital numerals (大写), as Chinese documents write them beside the figures: the two must agree."""

from __future__ import annotations

import re

from assets.errors import BadFormat

DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_HUNDRED_MILLION, _TEN_THOUSAND = 10**8, 10**4
_SHAPE = re.compile(rf"(?:人民币)?([{DIGITS}拾佰仟万亿]+元)?(?:零?([{DIGITS[1:]}])角)?(?:零?([{DIGITS[1:]}])分)?整?")
_SECTION = re.compile(r"(?:(.)仟)?零?(?:(.)佰)?零?(?:(.)拾)?零?([壹贰叁肆伍陆柒捌玖])?")
LARGEST_CENTS = 10**18 - 1


def amount_in_capitals(cents: int) -> str:
    """Write cents in capital numerals: 140950 are 壹仟肆佰零玖元伍角整."""
    if not 0 <= cents <= LARGEST_CENTS:
        raise BadFormat("capitals", "range")
    yuan, rest = divmod(cents, 100)
    jiao, fen = divmod(rest, 10)
    parts = [f"{_whole(yuan)}元"] if yuan or not rest else []
    if jiao:
        parts.append(f"{DIGITS[jiao]}角")
    elif fen and yuan:
        parts.append("零")
    parts.append(f"{DIGITS[fen]}分" if fen else "整")
    return "".join(parts)


def read_capitals(text: str) -> int:
    """Read an amount in capital numerals as cents; 圆 and 正 are taken for 元 and 整, and a 零 may be left out where
    the rules leave it open.

    Raises:
        BadFormat: of `capitals`, with `why` "shape".
    """
    normal = re.sub(r"\s+", "", text).translate(str.maketrans("圆正貮萬億", "元整贰万亿"))
    match = _SHAPE.fullmatch(normal)
    if match is None or not any(match.groups()):
        raise BadFormat("capitals", "shape")
    yuan = _read_whole(match[1][:-1]) if match[1] else 0
    cents = yuan * 100 + sum(DIGITS.index(match[place]) * worth for place, worth in ((2, 10), (3, 1)) if match[place])
    if cents > LARGEST_CENTS or _bare(normal) != _bare(amount_in_capitals(cents)):
        raise BadFormat("capitals", "shape")
    return cents


def require_agreement(cents: int, text: str) -> None:
    """Refuse an amount whose capital numerals say something else.

    Raises:
        BadFormat: of `capitals`, with `why` "shape" or "disagree".
    """
    if read_capitals(text) != cents:
        raise BadFormat("capitals", "disagree")


def _whole(number: int) -> str:
    for size, unit in ((_HUNDRED_MILLION, "亿"), (_TEN_THOUSAND, "万")):
        if number >= size:
            high, low = divmod(number, size)
            return f"{_whole(high)}{unit}" + (_after(low, size) if low else "")
    return _section(number) if number else DIGITS[0]


def _after(low: int, size: int) -> str:
    """What follows a unit of `size`: with 零 where the place just below it is empty."""
    return ("" if low * 10 >= size else DIGITS[0]) + _whole(low)


def _section(number: int) -> str:
    """Four digits and fewer, without a 零 at either end."""
    text, is_gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            text += (DIGITS[0] if is_gap and text else "") + DIGITS[digit] + _UNITS[place]
        is_gap = not digit
    return text


def _read_whole(text: str) -> int:
    for size, unit in ((_HUNDRED_MILLION, "亿"), (_TEN_THOUSAND, "万")):
        high, mark, low = text.rpartition(unit)
        if mark:
            return _read_whole(high) * size + (_read_whole(low) if low else 0)
    if text == DIGITS[0]:
        return 0
    match = _SECTION.fullmatch(text.removeprefix(DIGITS[0]))
    if match is None or not any(match.groups()):
        raise BadFormat("capitals", "shape")
    if any(digit is not None and digit not in DIGITS for digit in match.groups()):
        raise BadFormat("capitals", "shape")
    thousands, hundreds, tens, ones = (DIGITS.index(digit) if digit else 0 for digit in match.groups())
    return thousands * 1000 + hundreds * 100 + tens * 10 + ones


def _bare(text: str) -> str:
    """Without what the rules leave open: the currency's name, 整 after 角, and every 零 but a sole one."""
    plain = text.removeprefix("人民币").removesuffix("整")
    return plain if plain == "零元" else plain.replace(DIGITS[0], "")

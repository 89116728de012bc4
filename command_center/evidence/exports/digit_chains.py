"""Finds digits of whatever kind that make a number as long as a telephone's or an account's, whatever is between them.

Where several numbers stand side by side each is masked by itself if it is certain where one ends; else all are masked
as one, so that no digits of the first are left over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise

from assets.masks import masked_account

WIDE = r"(?:(?!\*{4})(?:</?[A-Za-z][^<>]{0,40}>|[^\w¥￥$€£%％‰℃°′″×]|_)){0,4}"
"""What may stand between digits: marks, blanks and HTML; not what belongs to amounts and sizes, nor a mask's stars."""
WORDS = "〇○零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
"""Digits in words."""
_WORTH = dict(zip(WORDS, "0001234567891123456789", strict=True))
_CHAIN = re.compile(rf"\d(?:{WIDE}\d){{10,}}(?:{WIDE}[Xx](?![0-9A-Za-z]))?")
_ENDS = re.compile(r"\d(?:.*\d)?(?:[^0-9A-Za-z]*[Xx]\Z)?", re.DOTALL)
_WHOLE = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|\d{16}|\d{17}[\dXx]|\d{19})(?!\d)")
"""A number that is complete by itself, so what follows is another."""
_PHONE = re.compile(r"(?:(?:00)?86)?1[3-9]\d{9}")
_SHORTEST, _LONGEST = 15, 19
"""Digits of an account; telephones are told by how they begin."""
_WORDS_BEFORE = re.compile(rf"(?:[{WORDS}]\W*){{1,2}}(?=[0-9])")
_WORDS_AFTER = re.compile(rf"(?<=[0-9Xx])(?:\W*[{WORDS}]){{1,2}}\Z")
"""A word or two at either end are no part of it: "13800138000，一二楼"."""


def masked_chains(text: str, mask: Callable[[str], str]) -> str:
    """The text with such numbers masked; `mask` does it for digits from 0 to 9, perhaps with an X at the end."""
    parts, position = [], 0
    for found in _CHAIN.finditer(_digits(text)):
        before = _WORDS_BEFORE.match(text, found.start(), found.end())
        after = _WORDS_AFTER.search(text, found.start(), found.end())
        start, end = before.end() if before else found.start(), after.start() if after else found.end()
        parts += [text[position:start], _masked(text[start:end], mask)]
        position = end
    return "".join([*parts, text[position:]])


def _digits(text: str) -> str:
    """As long as the text, with 0 to 9 for every character that stands for one digit."""
    return "".join(_WORTH.get(one) or str(unicodedata.digit(one, one)) for one in text)


def _masked(text: str, mask: Callable[[str], str]) -> str:
    digits = _digits(text)
    if not _is_long(digits):
        return text
    if _count(digits) > _LONGEST:
        edges = sorted({0, len(text), *(edge for found in _WHOLE.finditer(digits) for edge in found.span())})
        pieces = [slice(*edge) for edge in pairwise(edges)]
        if all(_count(digits[piece]) == 0 or _is_long(digits[piece]) for piece in pieces):
            return "".join(_one(text[piece], mask) for piece in pieces)
    return _one(text, mask)


def _one(text: str, mask: Callable[[str], str]) -> str:
    """With all between the first digit and the last as one number."""
    digits = _digits(text)
    ends = _ENDS.search(digits)
    if ends is None:
        return text
    number = text[ends.start() : ends.end()]
    kept = "".join(one for one, digit in zip(number, ends[0], strict=True) if digit in "0123456789") + (
        number[-1] if number[-1] in "Xx" else ""
    )
    return text[: ends.start()] + (mask(kept) if kept.isascii() else masked_account(kept)) + text[ends.end() :]


def _is_long(digits: str) -> bool:
    return _count(digits) >= _SHORTEST or _PHONE.fullmatch(re.sub(r"[^0-9]", "", digits)) is not None


def _count(digits: str) -> int:
    return len(re.findall(r"[0-9]", digits))

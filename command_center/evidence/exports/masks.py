"""What the texts of a package may show of people: numbers and names as `assets.masks` gives them, found in free text.

Better too much is masked than too little: whatever has the length of an identity or account number is taken for one.

Source: 个人信息保护法 §6, §28, §51.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any

from assets.masks import masked_account, masked_id, masked_name

_BETWEEN = r"[\s\u200b-\u200d\u2010-\u2015\u2060\ufeff.\-－—–·_/、]{0,4}"
"""What people write between the digits of a number, and what slips in between unseen; not what stands in times and
amounts."""
_NUMBER = re.compile(rf"(?:\d{_BETWEEN}){{10,}}\d(?:{_BETWEEN}[Xx](?![0-9A-Za-z]))?")
_FIRM_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_IDENTIFIER = re.compile(rf"{_UUID.pattern}|(?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{{32,64}}(?![0-9A-Za-z])")
"""Names of things, in which long numbers turn up by chance."""
_ADDRESS = re.compile(
    r"(?<=[路街巷道里村区苑园])[0-9零一二三四五六七八九十百千甲乙丙丁附之\-]{1,8}号"
    r"(?:[^，。；、\s]{0,12}[室户层楼])?"
)
_PHONE = re.compile(r"(?:86)?(1[3-9]\d{9})")
_ID_LENGTHS = (15, 18)


class Masks:
    """Masks texts in which these people may be named."""

    def __init__(self, names: Collection[str]) -> None:
        known = sorted({name for name in names if len(name) > 1}, key=lambda name: (-len(name), name))
        self._names = re.compile("|".join(re.escape(name) for name in known)) if known else None

    def text(self, text: str) -> str:
        """The text with every number and known name masked, and addresses down to the street."""
        plain = _plain_digits(text)
        parts, position = [], 0
        for found in _IDENTIFIER.finditer(plain):
            parts += [self._masked(plain[position : found.start()]), found[0]]
            position = found.end()
        return "".join([*parts, self._masked(plain[position:])])

    def _masked(self, plain: str) -> str:
        masked = _ADDRESS.sub("***", _FIRM_CODE.sub(lambda found: masked_id(found[0]), _NUMBER.sub(_number, plain)))
        return masked if self._names is None else self._names.sub(lambda found: person(found[0]), masked)

    def holds_personal_data(self, body: str) -> bool:
        """Whether any text within this JSON would be masked, or it can't be read."""
        try:
            texts = list(_texts(json.loads(body)))
        except ValueError:
            return True
        return any(self.text(text) != _plain_digits(text) for text in texts)


def person(name: str) -> str:
    """A person's name as it is shown: the surname and a star."""
    return masked_name(name, is_firm=False) if name else ""


def _plain_digits(text: str) -> str:
    """Digits of every kind as 0 to 9."""
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)


def _number(found: re.Match[str]) -> str:
    digits = re.sub(r"[^0-9Xx]", "", found[0])
    phone = _PHONE.fullmatch(digits)
    if phone is not None:
        return f"{phone[1][:3]}****{phone[1][-4:]}"
    return masked_id(digits) if len(digits) in _ID_LENGTHS else masked_account(digits)


def _texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value that isn't the name of a thing: an id or a hash."""
    if isinstance(value, str):
        if not _UUID.fullmatch(value) and not _HASH.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)

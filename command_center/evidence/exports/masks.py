"""What the texts of a package may show of people: numbers and names as `assets.masks` gives them, found in free text.

Names that nobody has told the court of stay as they were written: the report says so, and who wrote each text.

Source: 个人信息保护法 §6, §28, §51.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from assets.masks import masked_name
from command_center.evidence.exports.known_names import KnownNames
from command_center.evidence.exports.personal_numbers import masked_numbers, plain

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_FEED = re.compile(r"op[0-9a-f]{4}\.s\d+\.[0-9a-z_-]+\.[0-9a-z_-]+\.[0-9a-f]{16}")
_IDENTIFIER = re.compile(
    rf"{_UUID.pattern}|(?<![0-9A-Za-z])(?:{_FEED.pattern}|(?=[0-9]*[a-f])[0-9a-f]{{32,64}})(?![0-9A-Za-z])"
)
"""Names of things, in which long numbers and short names turn up by chance."""
_ADDRESS = re.compile(
    r"(?<=[路街巷道里村区苑园])[0-9零一二三四五六七八九十百千甲乙丙丁附之\-]{1,8}号"
    r"(?:[^，。；、\s]{0,12}[室户层楼])?"
)


class Masks:
    """Masks texts in which these people may be named."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = KnownNames(names)

    def text(self, text: str) -> str:
        """The text with every number and known name masked, and addresses down to the street."""
        written = plain(text)
        parts, position = [], 0
        for found in _IDENTIFIER.finditer(written):
            parts += [self._masked(written[position : found.start()]), found[0]]
            position = found.end()
        return "".join([*parts, self._masked(written[position:])])

    def would_mask(self, text: str) -> bool:
        """Whether this text holds anything that isn't shown."""
        return self.text(text) != plain(text)

    def _masked(self, written: str) -> str:
        return self._names.masked(_ADDRESS.sub("***", masked_numbers(written)))

    def holds_personal_data(self, body: str) -> bool:
        """Whether any text within this JSON would be masked, or it can't be read."""
        try:
            texts = list(_texts(json.loads(body)))
        except ValueError:
            return True
        return any(self.would_mask(text) for text in texts)


def person(name: str) -> str:
    """A person's name as it is shown: the surname and a star."""
    return masked_name(name, is_firm=False) if name else ""


def _texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value that isn't the name of a thing: an id or a hash."""
    if isinstance(value, str):
        if not _UUID.fullmatch(value) and not _HASH.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(name)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)

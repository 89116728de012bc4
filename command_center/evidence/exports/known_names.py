"""Finds names of people in free text, however they are written: spaced, with points, in letters of full width."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import pairwise

from assets.masks import masked_name
from command_center.evidence.exports.personal_numbers import UNSEEN

_BETWEEN = re.compile(rf"[\s{UNSEEN}.\-_·•・‧．－＿]")
"""What may stand between the letters of a name."""
_MARK = re.compile(r"[^\w*]|_")
"""What may between those of a name that is long enough to be told for certain: a full stop, a comma, any mark."""
_LONG = 4
"""Letters."""
_FARTHEST = 6
"""So much of it, at the most."""


class KnownNames:
    """Masks these names. A single letter is none: it would be found everywhere."""

    def __init__(self, names: Collection[str]) -> None:
        letters = {"".join(letter for _, letter in _letters(name)) for name in names}
        self._names = frozenset(name for name in letters if len(name) > 1)
        lengths = defaultdict(set)
        for name in self._names:
            lengths[name[0]].add(len(name))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def masked(self, text: str) -> str:
        """The text with the first letter of each name and a star, the longest name first."""
        letters = list(_letters(text))
        parts, position, number = [], 0, 0
        while number < len(letters):
            length = self._length(text, letters, number)
            if length:
                # One character may stand for several letters, of which another name had the first.
                start, end = max(position, letters[number][0]), letters[number + length - 1][0] + 1
                parts += [text[position:start], masked_name(text[start:end], is_firm=False)]
                position = end
            number += max(1, length)
        return "".join([*parts, text[position:]])

    def _length(self, text: str, letters: list[tuple[int, str]], number: int) -> int:
        """How many letters the name has that begins here; 0 where none does."""
        for length in self._lengths.get(letters[number][1], ()):
            found = letters[number : number + length]
            name = "".join(letter for _, letter in found)
            # At the text's end the slice may be shorter: another name, which has its own length.
            if len(found) == length and name in self._names and _is_one(text, [place for place, _ in found]):
                return length
        return 0


def _letters(text: str) -> Iterator[tuple[int, str]]:
    """Place and letter of each that isn't between others; small, of half width."""
    for place, character in enumerate(text):
        if not _BETWEEN.match(character) and not _MARK.match(character):
            for letter in unicodedata.normalize("NFKC", character).casefold():
                yield place, letter


def _is_one(text: str, places: list[int]) -> bool:
    """Whether the letters stand near enough, and, if they are Latin, aren't the middle of another word."""
    first, last = places[0], places[-1]
    return (
        all(later - earlier <= _FARTHEST + 1 for earlier, later in pairwise(places))
        and (len(places) >= _LONG or all(map(_BETWEEN.match, _between(text, places))))
        and not (_is_latin(text[first]) and first > 0 and _is_latin(text[first - 1]))
        and not (_is_latin(text[last]) and last + 1 < len(text) and _is_latin(text[last + 1]))
    )


def _between(text: str, places: list[int]) -> Iterator[str]:
    return (text[place] for earlier, later in pairwise(places) for place in range(earlier + 1, later))


def _is_latin(character: str) -> bool:
    return unicodedata.normalize("NFKC", character).isascii() and character.isalpha()

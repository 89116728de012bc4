"""Numbers and names of persons as people write them: spaced, with dashes and points, in characters of full width."""

from __future__ import annotations

from random import Random

FULL_WIDTH = str.maketrans(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ"
)
BETWEEN = (" ", "-", "　", ".", "·", "", "  ", "–", "\u200b", "\u00a0", " - ", "_")
"""Between the digits of long numbers."""
BETWEEN_FEW = (" ", "-", "", "\u200b", "　")
"""Between those of short ones."""
BETWEEN_LETTERS = (" ", "", "  ", "　", "·", "\u200b", "-")


def written_in_some_way(number: str, chance: Random) -> str:
    """The number in one of the ways in which it turns up in texts."""
    text = _apart(number, chance.choice((len(number), 4, 3, 6, 1)), chance.choice(BETWEEN))
    return _in_some_letters(text, chance)


def paper_in_some_way(number: str, chance: Random) -> str:
    """The same for the number of a passport or permit: its letters first."""
    letters = number[: -len(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
    between = chance.choice(BETWEEN_FEW)
    digits = _apart(number[len(letters) :], chance.choice((8, 4)), between)
    return _in_some_letters(f"{letters}{between}{digits}", chance)


def name_in_some_way(name: str, chance: Random) -> str:
    """A name, its letters apart or not."""
    return chance.choice(BETWEEN_LETTERS).join(name)


def _apart(number: str, step: int, between: str) -> str:
    return between.join(number[place : place + step] for place in range(0, len(number), step))


def _in_some_letters(text: str, chance: Random) -> str:
    if chance.random() < 0.3:
        text = text.lower()
    return text.translate(FULL_WIDTH) if chance.random() < 0.3 else text

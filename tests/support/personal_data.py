"""Numbers of persons as people write them: with spaces, dashes, digits of full width."""

from __future__ import annotations

from random import Random

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
BETWEEN = (" ", "-", "　", ".", "·", "", "  ")


def written_in_some_way(number: str, chance: Random) -> str:
    """The number in one of the ways in which it turns up in texts."""
    between = chance.choice(BETWEEN)
    step = chance.choice((len(number), 4, 3, 6, 1))
    parts = [number[place : place + step] for place in range(0, len(number), step)]
    text = between.join(parts)
    if chance.random() < 0.3:
        text = text.translate(FULL_WIDTH)
    return text.lower() if chance.random() < 0.3 else text

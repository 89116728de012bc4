"""What is drawn into derived pictures: a band with time, place and officer, and a card where nothing was recorded.

Everything is drawn as brightness alone, so that it can be put onto a picture without leaving its colour space.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from command_center.evidence.exports.personal_numbers import UNSEEN

Plane = NDArray[np.uint8]

FONTS = tuple(
    files("command_center.evidence.exports") / "font" / name
    for name in (
        "NotoSansSC-subset.otf",
        "NotoSansSC-level2.otf",
        "NotoSansSC-names.otf",
        "NotoSansSC-further.otf",
    )
)
"""The first that has a character draws it."""
STAND_IN = "〓"
"""Drawn where no font has the character: the printers' own sign for a type that is missing."""
BAND_SHARE = 0.032
"""How much of the picture's longer side a line of the band takes."""
SMALLEST_LINE = 16
CARD_SHADE = 24
WHITE = 235
"""The brightest of a television's range."""
_TRIAL_SIZE = 32
_UNSEEN = re.compile(f"[{UNSEEN}]")
_NOWHERE = "\U0010ffff"
"""What is no character, and so drawn as the box that stands for a missing one."""


@lru_cache(maxsize=16)
def _font(number: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(FONTS[number].read_bytes()), size, layout_engine=ImageFont.Layout.BASIC)


def unlettered(texts: Iterable[str]) -> list[str]:
    """The characters of these texts that can be seen and that no font has, each once, by their codes."""
    found = {one for text in texts for one in _visible(text) if _font_of(one) is None and not one.isspace()}
    return sorted(found)


@lru_cache(maxsize=64)
def band(width: int, longer_side: int, *texts: str) -> Plane:
    """The band's letters from 0 (none) to 255, as wide as the picture and of an even height.

    The texts stand in one line where they fit, else below each other, the last ones cut.
    """
    size = line_size(longer_side)
    lines = _arranged(size, width - size, [_drawable(text) for text in texts])
    height = _even(round(len(lines) * size * 1.35) + size // 3)
    image = Image.new("L", (width, height))
    for number, line in enumerate(lines):
        _write(image, size // 2, round(number * size * 1.35), line, 255, size)
    return np.asarray(image, np.uint8)


@lru_cache(maxsize=16)
def card(width: int, height: int, *texts: str) -> Plane:
    """A dark picture that says in its middle what is missing; its brightness."""
    image = Image.new("L", (width, height), CARD_SHADE)
    size = round(line_size(max(width, height)) * 1.4)
    top = height / 2 - len(texts) * size * 0.75
    for number, text in enumerate(map(_drawable, texts)):
        fitting = _fitting(size, width * 0.92, text)
        _write(image, (width - _length(fitting, text)) / 2, top + number * size * 1.5, text, WHITE, fitting)
    return np.asarray(image, np.uint8)


def line_size(longer_side: int) -> int:
    """How high the letters of the band are."""
    return max(SMALLEST_LINE, round(longer_side * BAND_SHARE / 1.35))


@lru_cache(maxsize=4096)
def _font_of(character: str) -> int | None:
    """Which font has a character; None where none has."""
    for number in range(len(FONTS)):
        if _pixels(number, character) != _pixels(number, _NOWHERE):
            return number
    return None


def _pixels(number: int, character: str) -> bytes:
    return bytes(_font(number, _TRIAL_SIZE).getmask(character))


def _drawable(text: str) -> str:
    """The text in one line, of characters that can be drawn."""
    return "".join(STAND_IN if _font_of(one) is None else one for one in " ".join(_visible(text).split()))


def _visible(text: str) -> str:
    """The text without what takes no room: joiners, marks of direction, choices of a glyph."""
    return _UNSEEN.sub("", text)


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """The text, cut where another font has to go on."""
    return ((number or 0, "".join(run)) for number, run in groupby(text, _font_of))


def _length(size: int, text: str) -> float:
    return sum(_font(number, size).getlength(run) for number, run in _runs(text))


def _write(image: Image.Image, left: float, top: float, text: str, shade: int, size: int) -> None:
    draw = ImageDraw.Draw(image)
    for number, run in _runs(text):
        font = _font(number, size)
        draw.text((left, top), run, fill=shade, font=font)
        left += font.getlength(run)


def _fitting(size: int, room: float, text: str) -> int:
    while size > SMALLEST_LINE // 2 and _length(size, text) > room:
        size -= 1
    return size


def _arranged(size: int, room: float, texts: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        if lines and _length(size, f"{lines[-1]}  {text}") <= room:
            lines[-1] = f"{lines[-1]}  {text}"
        else:
            lines.append(_cut(size, room, text))
    return lines


def _cut(size: int, room: float, text: str) -> str:
    while len(text) > 1 and _length(size, text) > room:
        text = text[:-1]
    return text


def _even(number: int) -> int:
    return number + number % 2

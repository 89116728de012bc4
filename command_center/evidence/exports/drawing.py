"""What is drawn into derived pictures: a band with time, place and officer, and a card where nothing was recorded.

Everything is drawn as brightness alone, so that it can be put onto a picture without leaving its colour space.
"""

from __future__ import annotations

import io
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Plane = NDArray[np.uint8]

FONT = files("command_center.evidence.exports") / "font" / "NotoSansSC-subset.otf"
BAND_SHARE = 0.032
"""How much of the picture's longer side a line of the band takes."""
SMALLEST_LINE = 16
CARD_SHADE = 24
WHITE = 235
"""The brightest of a television's range."""


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(FONT.read_bytes()), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def band(width: int, longer_side: int, *texts: str) -> Plane:
    """The band's letters from 0 (none) to 255, as wide as the picture and of an even height.

    The texts stand in one line where they fit, else below each other, the last ones cut.
    """
    size = line_size(longer_side)
    font = _font(size)
    lines = _arranged(font, width - size, texts)
    height = _even(round(len(lines) * size * 1.35) + size // 3)
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((size // 2, round(number * size * 1.35)), line, fill=255, font=font)
    return np.asarray(image, np.uint8)


@lru_cache(maxsize=16)
def card(width: int, height: int, *texts: str) -> Plane:
    """A dark picture that says in its middle what is missing; its brightness."""
    image = Image.new("L", (width, height), CARD_SHADE)
    draw = ImageDraw.Draw(image)
    size = round(line_size(max(width, height)) * 1.4)
    top = height / 2 - len(texts) * size * 0.75
    for number, text in enumerate(texts):
        font = _fitting(size, width * 0.92, text)
        draw.text((width / 2, top + number * size * 1.5), text, fill=WHITE, font=font, anchor="ma")
    return np.asarray(image, np.uint8)


def line_size(longer_side: int) -> int:
    """How high the letters of the band are."""
    return max(SMALLEST_LINE, round(longer_side * BAND_SHARE / 1.35))


def _fitting(size: int, room: float, text: str) -> ImageFont.FreeTypeFont:
    while size > SMALLEST_LINE // 2 and _font(size).getlength(text) > room:
        size -= 1
    return _font(size)


def _arranged(font: ImageFont.FreeTypeFont, room: float, texts: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        if lines and font.getlength(f"{lines[-1]}  {text}") <= room:
            lines[-1] = f"{lines[-1]}  {text}"
        else:
            lines.append(_cut(font, room, text))
    return lines


def _cut(font: ImageFont.FreeTypeFont, room: float, text: str) -> str:
    while len(text) > 1 and font.getlength(text) > room:
        text = text[:-1]
    return text


def _even(number: int) -> int:
    return number + number % 2

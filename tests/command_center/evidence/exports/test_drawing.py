"""What is lettered can be read: no character comes out as the box of a missing one, and what no font has is told."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from command_center.evidence.exports import drawing

MISSING = "\U0010ffff"
NOWHERE = "𠮷"
"""A surname's rare spelling, that is in none of the fonts."""


def box(size: int) -> np.ndarray:
    """The box of a missing character, as the first font alone draws it."""
    data = io.BytesIO(drawing.FONTS[0].read_bytes())
    font = ImageFont.truetype(data, size, layout_engine=ImageFont.Layout.BASIC)
    image = Image.new("L", (size * 2, drawing.band(640, 640, "一").shape[0]))
    ImageDraw.Draw(image).text((size // 2, 0), MISSING, fill=255, font=font)
    return np.asarray(image, np.uint8)


def drawn(character: str) -> np.ndarray:
    """One character, as the band shows it."""
    size = drawing.line_size(640)
    return drawing.band(640, 640, character)[:, : size * 2]


def of_gb_2312() -> list[str]:
    """Its 6763 Chinese characters."""
    codes = (bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return [character for code in codes if (character := code.decode("gb2312", errors="ignore"))]


@pytest.mark.parametrize("character", "呼赛鑫骞喆堃玥镕〇㎡€£囍龘凃氹頔張劉陳國")
def test_a_rarer_character_is_no_box(character: str) -> None:
    """Of both levels of GB 2312, of names beyond, signs and traditional forms."""
    assert drawing.unlettered([character]) == []
    assert drawn(character).max() > 128
    assert not np.array_equal(drawn(character), box(drawing.line_size(640)))


def test_every_character_of_gb_2312_is_drawn_and_none_like_another() -> None:
    characters = of_gb_2312()
    pictures = {drawing.band(64, 320, character).tobytes() for character in characters}
    assert len(characters) == 6763
    assert len(pictures) == len(characters)
    assert drawing.unlettered(characters) == []


def test_what_no_font_has_is_drawn_as_the_printers_sign_and_told() -> None:
    assert np.array_equal(drawing.band(640, 640, f"李{NOWHERE}路"), drawing.band(640, 640, "李〓路"))
    assert np.array_equal(drawing.card(640, 360, f"{NOWHERE}"), drawing.card(640, 360, "〓"))
    assert not np.array_equal(drawn("〓"), box(drawing.line_size(640)))
    assert drawing.unlettered([f"李{NOWHERE}", f"{NOWHERE}路 "]) == [NOWHERE]


def test_what_nobody_sees_takes_no_room_and_is_not_told() -> None:
    written = "李\u200b小\u2060路\ufe0f"
    assert np.array_equal(drawing.band(640, 640, written), drawing.band(640, 640, "李小路"))
    assert drawing.unlettered([written]) == []


def test_no_font_is_larger_than_a_megabyte() -> None:
    assert all(len(font.read_bytes()) < 1_000_000 for font in drawing.FONTS)


def test_a_text_of_several_fonts_is_lettered_in_one_line() -> None:
    """A rare character takes the place of a frequent one: all that follows stands where it stood."""
    frequent, rare = drawing.band(640, 640, "和平路"), drawing.band(640, 640, "和喆路")
    differing = np.flatnonzero((frequent != rare).any(axis=0))
    size = drawing.line_size(640)
    assert frequent.shape == rare.shape
    assert size // 2 + size <= differing.min()
    assert differing.max() < size // 2 + 2 * size


def test_lines_in_a_name_are_drawn_as_one() -> None:
    assert np.array_equal(drawing.band(640, 640, "和平路\n12号"), drawing.band(640, 640, "和平路 12号"))

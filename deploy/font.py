"""Cuts Noto Sans SC into four files for what is drawn into exported pictures: the two levels of GB 2312, the rest of
the 8105 characters in which names of people and places may be registered today, and the usual traditional ones with
some signs.

Run where Debian's fonts-noto-cjk, fonttools and pypinyin-dict are installed: `python deploy/font.py FONT.ttc FOLDER`.

Source: 通用规范汉字表 (国发〔2013〕23号), as Unihan's kTGHZ2013 lists it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection
from pypinyin_dict.pinyin_data import ktghz2013

FACE = "Noto Sans CJK SC"
NAMES = [0, 1, 2, 3, 4, 5, 6, 13, 14]
FURTHER_SIGNS = "·—…“”‘’–°′″"
STILL_FURTHER_SIGNS = "〇㎡㎞㎏㎜㎝㏄€£¥¢₩№™®©½²³囍龘凃氹頔"
"""What officers write and none of the tables has; of characters those of some names of people and places."""
SIGNS_AND_FIRST_LEVEL, SECOND_LEVEL = range(0xA1, 0xD8), range(0xD8, 0xF8)
"""Rows of GB 2312."""
TRADITIONAL = range(0xA4, 0xC7)
"""Rows of Big5: its first level."""


def rows(wanted: range) -> set[str]:
    """The characters of these rows of GB 2312."""
    codes = (bytes([first, second]) for first in wanted for second in range(0xA1, 0xFF))
    return {character for code in codes if (character := code.decode("gb2312", errors="ignore"))}


def traditional() -> set[str]:
    """The characters of Big5's first level."""
    cells = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    codes = (bytes([first, second]) for first in TRADITIONAL for second in cells)
    return {character for code in codes if (character := code.decode("big5", errors="ignore"))}


def files() -> dict[str, set[str]]:
    """What is kept in each file. One of all would be larger than a megabyte, and most is drawn from the first."""
    first = rows(SIGNS_AND_FIRST_LEVEL) | {chr(code) for code in range(0x20, 0x7F)} | set(FURTHER_SIGNS)
    second = rows(SECOND_LEVEL)
    third = {chr(code) for code in ktghz2013.pinyin_dict} - first - second
    return {
        "NotoSansSC-subset.otf": first,
        "NotoSansSC-level2.otf": second,
        "NotoSansSC-names.otf": third,
        "NotoSansSC-further.otf": (traditional() | set(STILL_FURTHER_SIGNS)) - first - second - third,
    }


def main(source: Path, folder: Path) -> None:
    """Write the smaller fonts."""
    for name, characters in files().items():
        font = next(one for one in TTCollection(source).fonts if one["name"].getDebugName(4) == FACE)
        font.recalcTimestamp = False
        options = subset.Options(hinting=False, layout_features=[], name_IDs=NAMES, notdef_outline=True)
        options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(sorted(characters)))
        cutter.subset(font)
        font.save(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Cuts Noto Sans SC down to the first level of GB 2312, for what is drawn into exported pictures.

Run where Debian's fonts-noto-cjk and fonttools are installed: `python deploy/font.py FONT.ttc OUT.otf`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

FACE = "Noto Sans CJK SC"
NAMES = [0, 1, 2, 3, 4, 5, 6, 13, 14]


def characters() -> str:
    """What is kept: ASCII, and of GB 2312 the signs and the 3755 characters of its first level."""
    found = {chr(code) for code in range(0x20, 0x7F)} | set("·—…“”‘’–°′″")
    for first in range(0xA1, 0xD8):
        for second in range(0xA1, 0xFF):
            found.update(bytes([first, second]).decode("gb2312", errors="ignore"))
    return "".join(sorted(found))


def main(source: Path, target: Path) -> None:
    """Write the smaller font."""
    collection = TTCollection(source)
    font = next(one for one in collection.fonts if one["name"].getDebugName(4) == FACE)
    options = subset.Options(hinting=False, layout_features=[], name_IDs=NAMES, notdef_outline=True)
    options.recalc_timestamp = False
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters())
    cutter.subset(font)
    font.save(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

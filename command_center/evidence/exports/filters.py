"""What is done to each picture of a derived copy, one after the other; the original is never touched.

Whoever adds one (blurring of faces will be such) puts it before the stamp: what is drawn must stay readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from command_center.clock import SHANGHAI
from command_center.evidence.exports import drawing
from command_center.evidence.exports.plan import CameraPart, Fix
from command_center.translations import translate

LANGUAGE = "zh"
FIX_LIFE_MS = 10_000
"""A position older than this isn't drawn any more."""
DIMMED = 90
"""Of 256: how much of a picture shines through the band."""


@dataclass(slots=True)
class Picture:
    """A picture in YUV 4:2:0, to be changed in place; `at` in Unix milliseconds."""

    at: int
    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]


class PictureFilter(Protocol):
    """One step."""

    def apply(self, picture: Picture) -> None:
        """Change the picture."""


class Stamp:
    """Draws time, place and officer into a band at the lower edge."""

    def __init__(self, camera: CameraPart) -> None:
        self._camera = camera
        self._places = [fix.at for fix in camera.track]
        self._of_second = -1
        self._texts: tuple[str, ...] = ()

    def apply(self, picture: Picture) -> None:
        """Draw the band of this second."""
        second = picture.at // 1000
        if second != self._of_second:
            self._of_second, self._texts = second, self._say(picture.at)
        height, width = picture.y.shape
        letters = drawing.band(width, max(width, height), *self._texts)[-height:]
        top = height - letters.shape[0]
        below = picture.y[top:].astype(np.uint16) * DIMMED >> 8
        share = letters.astype(np.uint16)
        picture.y[top:] = ((below * (255 - share) + drawing.WHITE * share) // 255).astype(np.uint8)
        picture.u[top // 2 :] = 128
        picture.v[top // 2 :] = 128

    def _say(self, at: int) -> tuple[str, ...]:
        texts = [
            clock_text(at),
            translate("export.stamp.clock", LANGUAGE),
            self._camera.place_at(at),
            self._camera.officer,
        ]
        fix = self._fix(at)
        if fix is not None:
            texts.append(f"{fix.latitude:.5f}, {fix.longitude:.5f}")
        return tuple(text for text in texts if text)

    def _fix(self, at: int) -> Fix | None:
        place = int(np.searchsorted(self._places, at, side="right")) - 1
        if place < 0 or at - self._places[place] > FIX_LIFE_MS:
            return None
        return self._camera.track[place]


def filters_of(camera: CameraPart) -> Sequence[PictureFilter]:
    """The steps for this camera's pictures, the first first."""
    return (Stamp(camera),)


def clock_text(at: int) -> str:
    """An instant (Unix milliseconds) as the wall clock in China shows it."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")

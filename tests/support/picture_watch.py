"""What a wall's tiles really show, frame by frame, as a test reads it from the centre's page."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.centre import Centre

SOURCE = Path(__file__).with_suffix(".js")
PATIENCE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Switch:
    """One enlarging: until the high layer was shown (None: never), and how the picture behaved meanwhile."""

    reached: float | None
    gap: float
    backwards: int
    streams: int
    """How often the tile got another stream, so that its picture began anew."""


class PictureWatch:
    """Watches all tiles that stand on the wall when it begins. Times are the page's own clock, in milliseconds."""

    def __init__(self, centre: Centre) -> None:
        self.page = centre.page
        self.centre = centre

    async def begin(self) -> int:
        """Watch every tile there is, and tell how many; again, to take in new ones."""
        body = SOURCE.read_text().replace("export ", "")
        names = "watchAll, longestGaps, firstFrame, enlarge, ownDelay"
        script = f"() => {{ {body}; window.watch ??= {{ {names} }}; return watch.watchAll(); }}"
        return int(await self.page.evaluate(script))

    async def now(self) -> float:
        """The page's clock."""
        return float(await self.page.evaluate("performance.now()"))

    async def longest_gaps(self, since: float) -> dict[str, float]:
        """Feed → for how long at most its picture stood still."""
        found: dict[str, float] = await self.page.evaluate("(from) => watch.longestGaps(from)", since)
        return found

    async def first_frame(self, feed: str, since: float) -> float | None:
        """When the first frame after this time (Unix seconds) was presented, by the same clock."""
        found: float | None = await self.page.evaluate(
            "([feed, since]) => watch.firstFrame(feed, since)", [feed, since * 1000]
        )
        return None if found is None else found / 1000

    async def enlarge(self, feed: str, width: int) -> Switch:
        """Click this tile, and see it reach this width."""
        found = await self.page.evaluate(
            "([feed, width, patience]) => watch.enlarge(feed, width, patience)", [feed, width, PATIENCE_MS]
        )
        return Switch(**found)

    async def switches(self, count: int, width: int, seed: int) -> list[Switch]:
        """Enlarge one tile after another, in an order drawn from the seed; the last stays enlarged."""
        draw = random.Random(seed)
        feeds = sorted(tile["feed"] for tile in await self.centre.tiles())
        done: list[Switch] = []
        current = await self.page.evaluate("document.querySelector('.tile.is-spotlit')?.dataset.feed ?? ''")
        for _ in range(count):
            current = draw.choice([feed for feed in feeds if feed != current])
            done.append(await self.enlarge(current, width))
        return done

    async def states(self, feed: str) -> list[dict[str, Any]]:
        """What this tile said since the beginning: `at` (Unix ms), `phase`, `cause`."""
        found: list[dict[str, Any]] = await self.page.evaluate("(feed) => watched.get(feed).states", feed)
        return found

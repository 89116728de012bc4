"""The pages of a node: which sessions share a line, by what their pages call themselves and whose they are."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from streams.sfu.feed import Feed
from streams.sfu.page import Page
from streams.sfu.tile import Tile
from streams.sfu.viewer import Viewer


@dataclass(slots=True)
class PageCounters:
    """What was done on pages, those that are gone included."""

    reductions: int = 0
    probes: int = 0
    probes_raised: int = 0
    allocations: int = 0
    overfull: int = 0
    """Tiles that found their page full and became a page of their own."""


class Pages:
    """Every page has at least one session, so that the sessions' bound is the table's too."""

    def __init__(self) -> None:
        self._pages: dict[Page, Hashable | None] = {}
        self._by_key: dict[Hashable, Page] = {}
        self._before = PageCounters()

    def __len__(self) -> int:
        return len(self._pages)

    def all(self) -> list[Page]:
        """Every page."""
        return list(self._pages)

    @property
    def counters(self) -> PageCounters:
        """The sums over all pages that there are and were."""
        total = PageCounters(overfull=self._before.overfull)
        for counted in (self._before, *map(_count, self._pages)):
            _add(total, counted)
        return total

    def join(self, key: Hashable | None, viewer: Viewer, feed: Feed, now: float) -> Tile:
        """Make a viewer, which its feed knows already, a tile of the page of this key; None: of a page of its own.

        The key must hold who asked, so that nobody joins another's page.
        """
        page = None if key is None else self._by_key.get(key)
        if page is not None and page.is_full:
            self._before.overfull += 1
            page = key = None
        if page is None:
            page = Page()
            self._pages[page] = key
            if key is not None:
                self._by_key[key] = page
        tile = Tile(viewer, feed, page)
        page.join(tile, now)
        return tile

    def leave(self, tile: Tile, now: float) -> None:
        """A tile is gone, and its page with the last one."""
        page = tile.page
        tile.leave(now)
        if page.is_empty and page in self._pages:
            key = self._pages.pop(page)
            if key is not None:
                del self._by_key[key]
            _add(self._before, _count(page))

    def look(self, now: float) -> None:
        """Let each page see to its budget; each tick."""
        for page in self._pages:
            page.look(now)


def _count(page: Page) -> PageCounters:
    return PageCounters(page.estimate.reductions, page.prober.sent, page.prober.raised, page.allocations)


def _add(total: PageCounters, more: PageCounters) -> None:
    total.reductions += more.reductions
    total.probes += more.probes
    total.probes_raised += more.probes_raised
    total.allocations += more.allocations

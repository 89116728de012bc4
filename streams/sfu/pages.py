"""The pages of a node: which sessions share a line, by what their pages call themselves and whose they are."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields

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
    feedback: int = 0
    layer_switches: int = 0
    overfull: int = 0
    """Tiles that found their page full and became a page of their own."""


class Pages:
    """Every page has at least one session, so that the sessions' bound is the table's too."""

    def __init__(self) -> None:
        self._pages: dict[Page, Hashable | None] = {}
        self._by_key: dict[Hashable, Page] = {}
        self._tiles: set[Tile] = set()
        self._before = PageCounters()

    def __len__(self) -> int:
        return len(self._pages)

    def all(self) -> list[Page]:
        """Every page."""
        return list(self._pages)

    @property
    def counters(self) -> PageCounters:
        """The sums over all pages and tiles that there are and were."""
        total = PageCounters()
        for counted in (self._before, *map(_of_page, self._pages), *map(_of_tile, self._tiles)):
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
        self._tiles.add(tile)
        page.join(tile, now)
        return tile

    def leave(self, tile: Tile, now: float) -> None:
        """A tile is gone, and its page with the last one."""
        page = tile.page
        tile.leave(now)
        if tile in self._tiles:
            self._tiles.remove(tile)
            _add(self._before, _of_tile(tile))
        if page.is_empty and page in self._pages:
            key = self._pages.pop(page)
            if key is not None:
                del self._by_key[key]
            _add(self._before, _of_page(page))

    def look(self, now: float) -> None:
        """Let each page see to its budget; each tick."""
        for page in self._pages:
            page.look(now)


def _of_page(page: Page) -> PageCounters:
    return PageCounters(page.estimate.reductions, page.prober.sent, page.prober.raised, page.allocations)


def _of_tile(tile: Tile) -> PageCounters:
    return PageCounters(feedback=tile.viewer.feedback_received, layer_switches=tile.viewer.switches)


def _add(total: PageCounters, more: PageCounters) -> None:
    for field in fields(PageCounters):
        setattr(total, field.name, getattr(total, field.name) + getattr(more, field.name))

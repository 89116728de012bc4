"""The layers that an offer announces (RFC 8853), and how they are ordered."""

from __future__ import annotations

from collections.abc import Iterable

MAX_LAYERS = 3

_SCALES: tuple[tuple[str, ...], ...] = (
    ("l", "m", "h"),
    ("low", "mid", "high"),
    ("low", "medium", "high"),
    ("low", "middle", "high"),
    ("q", "h", "f"),
)


def order_rids(rids: Iterable[str]) -> tuple[str, ...]:
    """The layers' names from low to high: by their meaning where it is known, else in the order of the offer.

    Browsers take encodings from low to high when a page says nothing of their scale; RFC 8853 speaks of preference
    only.
    """
    offered = tuple(rids)
    for scale in _SCALES:
        if set(offered) <= set(scale):
            return tuple(sorted(offered, key=scale.index))
    return offered


def read_simulcast(value: str) -> list[str]:
    """The names in the sending half of a simulcast line: of alternatives the first; paused ones too."""
    words = value.split()
    for direction, listed in zip(words[::2], words[1::2], strict=False):
        if direction == "send":
            return [layer.split(",")[0].removeprefix("~")[:16] for layer in listed.split(";")[:8]]
    return []

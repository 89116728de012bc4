"""Which layers a publisher need send: those that somebody is given or waits for, and lately was. Time is handed in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from streams.sfu.track import Layer

IDLE_SECONDS = 10.0
"""A layer that nobody followed for so long needn't be sent; who asks for it again has it asked for at once."""
WAKE_SECONDS = 2.0
"""How long a layer that is asked for again may take to come."""


class WantedLayers:
    """Begins with all that one publisher offers, from low to high; the lowest stays where nobody follows any."""

    def __init__(self, offered: Sequence[Layer], now: float) -> None:
        self._followed_at = dict.fromkeys(offered, now)
        self._woken_at: dict[Layer, float] = {}
        self.names: tuple[Layer, ...] = tuple(offered)

    def look(self, followed: Collection[Layer], now: float) -> bool:
        """Take who is followed now; true when what is wanted has changed."""
        for layer in followed:
            if layer in self._followed_at:
                self._followed_at[layer] = now
        wanted = tuple(layer for layer, at in self._followed_at.items() if now - at < IDLE_SECONDS)
        before, self.names = self.names, wanted or tuple(self._followed_at)[:1]
        for layer in self.names:
            if layer not in before:
                self._woken_at[layer] = now
        return self.names != before

    def would_come(self, layer: Layer, now: float) -> bool:
        """Whether a layer that is silent is so because nobody wanted it."""
        return layer not in self.names or now - self._woken_at.get(layer, -WAKE_SECONDS) < WAKE_SECONDS

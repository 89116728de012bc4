"""The picture of a feed in one to three sizes, and which of them each follower is given."""

from __future__ import annotations

from collections.abc import Sequence

from streams.sfu.follower import Follower
from streams.sfu.forwarder import Forwarder
from streams.sfu.inlet import SILENCE
from streams.sfu.source import Source
from streams.sfu.track import LAYERS, Layer, Track, rank
from streams.sfu.wanted import WantedLayers
from streams.viewer_protocol import Held

_NAMES: dict[int, tuple[Layer, ...]] = {1: ("high",), 2: ("low", "high"), 3: LAYERS}


class Layers:
    """One source a layer, from low to high.

    The highest stays the same source whoever publishes, so that a publisher of one picture and one of three can take
    turns. A follower is given the layer that it wants; when that one doesn't come, the next lower, else any.
    """

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self._by_rid: dict[str, Source] = {}
        self._followers: list[Follower] = []
        self._first_at: float | None = None
        self.wanted = WantedLayers((), 0.0)

    @property
    def highest(self) -> Source | None:
        """The source of the largest picture, or None without any."""
        return self.sources[-1] if self.sources else None

    @property
    def last_frame_at(self) -> float | None:
        """When the last whole frame of any layer was in."""
        return max((s.last_frame_at for s in self.sources if s.last_frame_at is not None), default=None)

    def publish(self, track: Track, forwarder: Forwarder, now: float) -> None:
        """Make a source for each layer of this track; those of the former publisher are gone on with."""
        names = _NAMES[max(1, len(track.rids))]
        known = {source.layer: source for source in self.sources}
        self.sources = [known.get(name) or Source(track, forwarder, name) for name in names]
        self._by_rid = dict(zip(track.rids, self.sources, strict=False))
        self._first_at = None
        self.wanted = WantedLayers(names, now)

    def clear(self) -> None:
        """The codec changed: nothing can be gone on with."""
        self.sources.clear()
        self._by_rid.clear()

    def source_of(self, rid: str) -> Source:
        """Where packets of this layer go."""
        return self._by_rid.get(rid) or self.sources[-1]

    def options(self, wanted: Layer, now: float) -> list[Source]:
        """The sources that somebody who wants this layer could be given, from low to high; none while none comes."""
        coming = [s for s in self.sources if _comes(s, now) or (s.rate.bps and self.wanted.would_come(s.layer, now))]
        best = _nearest(coming, wanted)
        return [] if best is None else coming[: coming.index(best) + 1]

    def held(self, follower: Follower, wish: Layer, now: float) -> Held | None:
        """Why it is given a lower layer than this, as it is; None where it is paused."""
        if follower.is_paused:
            return None
        options = self.options(wish, now)
        if not options or rank(options[-1].layer) <= rank(follower.source.layer):
            return "publisher"
        return "bandwidth" if rank(follower.wanted) < rank(wish) else "switching"

    def look_at_wanted(self, now: float) -> bool:
        """See which layers the publisher need send; true when `wanted` has changed."""
        if len(self.sources) < 2:
            return False
        followed: set[Layer] = set()
        for follower in self._followers:
            if not follower.is_paused:
                followed.update(self._towards(follower, now))
                if not follower.is_halted:
                    # Until the wanted one comes.
                    followed.add(follower.source.layer)
        return self.wanted.look(followed, now)

    def _towards(self, follower: Follower, now: float) -> set[Layer]:
        """The layer it wishes for, and as long as that doesn't come though it is asked for, those below it as well."""
        layers: set[Layer] = set()
        best = self._by_wish(follower)
        for source in reversed(self.sources[: self.sources.index(best) + 1]):
            layers.add(source.layer)
            if _comes(source, now) or self.wanted.would_come(source.layer, now):
                break
        return layers

    def choose(self, follower: Follower, now: float) -> Source:
        """The source to begin with."""
        return self._choices(now)[follower.wanted] or self._by_wish(follower)

    def join(self, follower: Follower) -> None:
        """See to it from now on that it is given what it wants."""
        self._followers.append(follower)

    def leave(self, follower: Follower) -> None:
        """It follows no more."""
        if follower in self._followers:
            self._followers.remove(follower)
            follower.await_key_frame(None)

    def is_followed(self, source: Source) -> bool:
        """Whether anybody is given this layer or waits for it; what nobody follows needs no key frame."""
        return any(f.coming is source or (f.source is source and not f.is_halted) for f in self._followers)

    def may_ask(self, source: Source, now: float) -> bool:
        """Whether to ask for a key frame of this layer: one that is silent can't answer, one unfollowed needn't."""
        return len(self.sources) == 1 or (_comes(source, now) and self.is_followed(source))

    def look(self, now: float) -> None:
        """Let followers begin to change layers where what they want, or what comes, has changed."""
        sources = self.sources
        if len(sources) < 2 and all(f.source in sources and not f.is_paused | f.is_halted for f in self._followers):
            return
        choices = self._choices(now)
        if self._first_at is None and any(choices.values()):
            self._first_at = now
        for follower in self._followers:
            if follower.is_paused:
                follower.await_key_frame(None)
                follower.halt()
            elif follower.is_halted:
                self._take_up(follower, choices[follower.wanted])
            else:
                self._lead(follower, choices[follower.wanted], now)

    def _take_up(self, follower: Follower, choice: Source | None) -> None:
        """Let one who is given nothing go on with the next key frame of this source."""
        if choice is None and self.sources:
            choice = self._by_wish(follower)
        if follower.start_number is None:
            if choice is not None:
                follower.relocate(choice)
        elif choice is not follower.coming:
            follower.await_key_frame(choice)

    def _lead(self, follower: Follower, choice: Source | None, now: float) -> None:
        """Let one begin to go over to this source, where that isn't what it is given."""
        sources = self.sources
        if choice is None and sources and (follower.start_number is None or follower.source not in sources):
            choice = self._by_wish(follower)
        if choice is None or choice is follower.source:
            if follower.coming is not None:
                follower.await_key_frame(None)
        elif follower.start_number is not None:
            if choice is not follower.coming:
                follower.await_key_frame(choice)
        elif self._first_at is None or now - self._first_at >= follower.patience:
            follower.relocate(choice)

    def _by_wish(self, follower: Follower) -> Source:
        """The source to wait for while nothing comes."""
        return _nearest(self.sources, follower.wanted) or self.sources[-1]

    def _choices(self, now: float) -> dict[Layer, Source | None]:
        """For each wish the source that meets it best of those that come now."""
        coming = [source for source in self.sources if _comes(source, now)]
        return {wanted: _nearest(coming, wanted) for wanted in LAYERS}


def _comes(source: Source, now: float) -> bool:
    return source.last_at is not None and now - source.last_at <= SILENCE


def _nearest(coming: Sequence[Source], wanted: Layer) -> Source | None:
    """The wanted one, else the next lower, else the lowest of the higher ones."""
    highest = rank(wanted)
    best: Source | None = None
    for source in coming:
        if best is None or rank(source.layer) <= highest:
            best = source
    return best

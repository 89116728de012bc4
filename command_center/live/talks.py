"""The talks of one operation as its screens see them: what several nodes tell of one talk, put together."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from command_center.clock import Clock
from command_center.live.messages import TalkView
from streams.hub.topics import TalkChanged

MAX_TALKS = 50
"""How many are remembered; the one told of least lately is forgotten first."""
MAX_NODES = 32
"""How many nodes' words of one talk."""
QUIET_SECONDS = 4.0
"""A node tells of its talks each second; one that hasn't for so long carries it no more, whatever it said last."""


@dataclass(frozen=True, slots=True)
class _Word:
    event: TalkChanged
    at: datetime


class SceneTalks:
    """Each node tells of its own part of a talk; a talk is over once no node carries it.

    Nothing rests on what is remembered here: it is told again each second while it lasts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._talks: OrderedDict[UUID, OrderedDict[str, _Word]] = OrderedDict()

    def take(self, event: TalkChanged) -> tuple[TalkView, list[UUID]]:
        """A node's word: how the talk stands with it, and the talks that are forgotten for it."""
        words = self._talks.setdefault(event.talk, OrderedDict())
        self._talks.move_to_end(event.talk)
        words[event.node] = _Word(event, self._clock())
        words.move_to_end(event.node)
        if len(words) > MAX_NODES:
            words.popitem(last=False)
        forgotten = []
        while len(self._talks) > MAX_TALKS:
            forgotten.append(self._talks.popitem(last=False)[0])
        return self._view(event, words), forgotten

    def _view(self, event: TalkChanged, words: OrderedDict[str, _Word]) -> TalkView:
        quiet = self._clock() - timedelta(seconds=QUIET_SECONDS)
        carried = [word.event for word in words.values() if word.event.ended_at is None and word.at >= quiet]
        heard = {feed for one in carried for feed in one.heard}
        to = dict.fromkeys(feed for word in words.values() for feed in word.event.to)
        return TalkView(
            talk_id=event.talk,
            speaker_id=event.user_id,
            speaker=event.speaker,
            to=list(to),
            heard=[feed for feed in to if feed in heard],
            began_at=min(word.event.began_at for word in words.values()),
            is_over=not carried,
        )

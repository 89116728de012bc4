"""Which media nodes there are and how they are, as their heartbeats on the hub tell it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from streams.hub.topics import NodeState

logger = logging.getLogger(__name__)

DOUBT_MS = 2_500
"""A heartbeat that hasn't moved for so long, of one a second: the node may hang, and others go before it."""
SUSPECTED_BEATS = 2
"""So many beats clear a node that didn't answer: the first may have been made before it died, and read after."""
MAX_NODES = 64


@dataclass(slots=True)
class _Known:
    state: NodeState
    moved_at: int
    beats_awaited: int = 0


class NodeTable:
    """The nodes; `take` is the way in. Times are Unix milliseconds by this process's clock."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._lost: dict[str, int] = {}
        self._doubtful: frozenset[str] = frozenset()

    @property
    def ids(self) -> list[str]:
        """Every node that is known of, lost ones too."""
        return sorted(self._known.keys() | self._lost.keys())

    @property
    def living(self) -> list[NodeState]:
        """The nodes that keep their key on the hub, in the order of their ids."""
        return [self._known[node].state for node in sorted(self._known) if node not in self._lost]

    def is_living(self, node: str) -> bool:
        """Whether it is known and not lost."""
        return node in self._known and node not in self._lost

    def state(self, node: str) -> NodeState | None:
        """Its last heartbeat."""
        known = self._known.get(node)
        return known.state if known else None

    def lost_at(self, node: str) -> int | None:
        """When it was found missing; None while it is there."""
        return self._lost.get(node)

    def is_suspect(self, node: str) -> bool:
        """Whether it didn't answer when last asked, or its heart stands still."""
        known = self._known.get(node)
        return known is None or known.beats_awaited > 0 or node in self._doubtful

    def suspect(self, node: str) -> None:
        """It didn't answer: others go before it until its heart has beaten again."""
        known = self._known.get(node)
        if known is not None:
            if known.beats_awaited == 0:
                logger.warning("media node %s doesn't answer", node)
            known.beats_awaited = SUSPECTED_BEATS

    def take(self, states: Mapping[str, NodeState], carried: Collection[str], now: int, *, is_sure: bool) -> set[str]:
        """Take in one reading of all heartbeats; gives the nodes that were lost by it, or came back.

        `carried` are nodes that are said to carry feeds. Unless it `is_sure`, what is missing may only be late.
        """
        for node, state in states.items():
            self._note(node, state, now)
        self._doubtful = frozenset(node for node, known in self._known.items() if now - known.moved_at > DOUBT_MS)
        changed: set[str] = set()
        for node in self._known.keys() | self._lost.keys() | set(carried):
            is_lost = node not in states and (is_sure or node in self._lost)
            if is_lost and node not in self._lost:
                logger.warning("media node %s is gone", node)
                self._lost[node] = now
                changed.add(node)
            elif not is_lost and self._lost.pop(node, None) is not None:
                logger.info("media node %s is back", node)
                changed.add(node)
        return changed

    def forget(self, lost_before: int) -> set[str]:
        """Strike off nodes that were lost before then, as long as another is there; gives their ids."""
        if not self.living:
            return set()
        gone = {node for node, at in self._lost.items() if at < lost_before}
        for node in gone:
            self._known.pop(node, None)
            del self._lost[node]
        return gone

    def _note(self, node: str, state: NodeState, now: int) -> None:
        known = self._known.get(node)
        if known is None:
            if len(self._known) < MAX_NODES:
                self._known[node] = _Known(state, now)
            return
        if state.started_at != known.state.started_at:
            known.beats_awaited = 0
        elif state.at != known.state.at:
            known.beats_awaited = max(0, known.beats_awaited - 1)
        else:
            return
        known.state, known.moved_at = state, now

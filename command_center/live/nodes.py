"""Which media node a request goes to: a feed's own, or the least loaded one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from command_center.live.hub_state import HubState
from streams.hub.topics import FeedPhase, NodeState
from streams.signalling.session import NODE_MARK

PLACED_SECONDS = 3.0
"""How long a publisher that was sent to a node counts there before the node itself tells of it."""
MAX_PLACED = 5_000
RETURN_SECONDS = 60.0
"""For so long viewers of an ended feed wait at its node, and its publisher is sent there again."""
BUSY_SHARE = 0.7
"""Of one core: a node above it takes new feeds only when all others are as busy."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where a node's signalling is: for this process, and for everybody where it has a public address."""

    node: str
    url: str
    public_url: str | None = None


class Nodes:
    """Finds nodes by what the hub tells of them; `assumed` stand in until the hub has told of any.

    It keeps nothing that another web process would miss: sessions name their nodes, feeds are told of by theirs.
    """

    def __init__(
        self,
        hub_state: HubState,
        assumed: Sequence[NodeAddress] = (),
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._hub_state = hub_state
        self._table = hub_state.nodes
        self._assumed = tuple(assumed)
        self._clock, self._wall_clock = clock, wall_clock
        self._placed: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.suspected = 0
        """How often a node didn't answer."""

    def living(self) -> list[NodeAddress]:
        """The nodes that are there."""
        if not self._table.ids:
            return list(self._assumed)
        return [_address(state) for state in self._table.living]

    def states(self) -> list[NodeState]:
        """The last heartbeats of the nodes that are there."""
        return self._table.living

    def lost(self) -> list[str]:
        """The ids of nodes that were there, and are gone."""
        return [node for node in self._table.ids if not self._table.is_living(node)]

    def of_feed(self, feed: str) -> NodeAddress | None:
        """The node that carries this feed, or carried it last; None where there is none, or it is gone."""
        placed = self._placed_at(feed)
        state = self._hub_state.feed(feed)
        return self._by_id(placed or (state.node if state else ""))

    def named(self, node: str) -> NodeAddress | None:
        """The node of this id; None where it is gone."""
        return self._by_id(node)

    def of_session(self, session: str) -> NodeAddress | None:
        """The node that a session's id names; None where it is gone, and the session with it."""
        return self._by_id(session.partition(NODE_MARK)[0]) if NODE_MARK in session else None

    def for_publisher(self, feed: str) -> list[NodeAddress]:
        """The nodes to offer this publisher to, best first: the feed's own, then by load; suspects come last.

        A node that is about to end isn't among them. One that is full is, at the end: it says when to come back.
        """
        if not self._table.ids:
            return list(self._assumed)
        own = self._own_node(feed)
        candidates = [state for state in self._table.living if not state.is_draining]
        counts = self._feeds_by_node()

        def rank(state: NodeState) -> tuple[bool, bool, bool, bool, int, str]:
            return (
                state.is_full,
                self._table.is_suspect(state.node),
                state.node != own,
                state.cpu_share > BUSY_SHARE,
                counts.get(state.node, 0) + state.viewers,
                state.node,
            )

        return [_address(state) for state in sorted(candidates, key=rank)]

    def for_viewer(self, feed: str) -> NodeAddress | None:
        """The node to ask for this feed: its own, or any, which says that the feed isn't live; None without nodes."""
        own = self.of_feed(feed)
        if own is not None and not (self._table.ids and self._table.is_suspect(own.node)):
            return own
        return next((node for node in self.for_publisher(feed) if node != own), own)

    def placed(self, feed: str, node: str) -> None:
        """This publisher is sent to this node; the hub will tell of it soon."""
        self._placed.pop(feed, None)
        self._placed[feed] = (node, self._clock())
        while len(self._placed) > MAX_PLACED:
            self._placed.popitem(last=False)

    def not_placed(self, feed: str) -> None:
        """The node didn't take it."""
        self._placed.pop(feed, None)

    def suspect(self, node: str) -> None:
        """It didn't answer."""
        self.suspected += 1
        self._table.suspect(node)

    def _by_id(self, node: str) -> NodeAddress | None:
        if not self._table.ids and len(self._assumed) == 1:
            return self._assumed[0]
        return next((address for address in self.living() if address.node == node), None)

    def _own_node(self, feed: str) -> str | None:
        state = self._hub_state.feed(feed)
        if state is None:
            return self._placed_at(feed)
        if state.phase is FeedPhase.ENDED and self._wall_clock() * 1000 - state.since > RETURN_SECONDS * 1000:
            return None
        return self._placed_at(feed) or state.node

    def _placed_at(self, feed: str) -> str | None:
        node, at = self._placed.get(feed, (None, 0.0))
        return node if self._clock() - at < PLACED_SECONDS else None

    def _feeds_by_node(self) -> dict[str, int]:
        """How many feeds each node has or is about to have, newer than its last heartbeat."""
        feeds: dict[str, set[str]] = {}
        for state in self._hub_state.feeds:
            if state.phase is not FeedPhase.ENDED and self._placed_at(state.feed) is None:
                feeds.setdefault(state.node, set()).add(state.feed)
        for feed in self._placed:
            node = self._placed_at(feed)
            if node is not None:
                feeds.setdefault(node, set()).add(feed)
        return {node: len(names) for node, names in feeds.items()}


def _address(state: NodeState) -> NodeAddress:
    return NodeAddress(state.node, state.signalling_url, state.public_url)

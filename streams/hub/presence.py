"""What one node tells the hub about itself: its heartbeat, its feeds, and each change as it happens."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from streams.hub.hub import Hub, HubAway
from streams.hub.topics import FEEDS_KEY, NODE_KEY, NODE_LIFE_SECONDS, Event, FeedPhase, FeedState, NodeState

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
EVENTS_BOUND = 2000
"""Events that may wait to be told; the oldest is dropped first, since pub/sub promises nothing."""


class Presence:
    """Keeps NODE_KEY and FEEDS_KEY true and publishes events on the live channel, in order.

    `moved(feed, published_at)` is called for a feed whose publisher another node has, since then (Unix ms), which is
    later than ours came.
    """

    def __init__(
        self,
        hub: Hub,
        node: str,
        state: Callable[[], NodeState],
        feeds: Callable[[], Sequence[FeedState]],
        moved: Callable[[str, int], None],
    ) -> None:
        self._hub = hub
        self._node_key = NODE_KEY.format(node=node)
        self._feeds_key = FEEDS_KEY.format(node=node)
        self._state = state
        self._feeds = feeds
        self._moved = moved
        self._events: deque[Event] = deque(maxlen=EVENTS_BOUND)
        self._wake = asyncio.Event()
        self._told: set[str] = set()
        self.is_hub_near = False
        """Whether the last heartbeat reached the hub."""
        self.dropped = 0

    def tell(self, event: Event) -> None:
        """Publish soon; returns at once."""
        if len(self._events) == EVENTS_BOUND:
            self.dropped += 1
        self._events.append(event)
        self._wake.set()

    async def run_events(self) -> None:
        """Publish events until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._events:
                event = self._events.popleft()
                if isinstance(event, FeedState):
                    await self._hub.put_field(self._feeds_key, event.feed, event.model_dump_json())
                    self._told.add(event.feed)
                await self._hub.publish(event)

    async def run_heartbeat(self) -> None:
        """Renew the node's key and its feeds' states each second until cancelled."""
        await self._hub.drop(self._feeds_key)
        while True:
            await self.beat()
            if self.is_hub_near:
                await self._let_go_of_moved()
                await self._write_feeds()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def beat(self) -> None:
        """Renew the node's key once."""
        state = self._state().model_dump_json()
        self.is_hub_near = await self._hub.put(self._node_key, state, life_seconds=NODE_LIFE_SECONDS)

    async def withdraw(self) -> None:
        """Take the node and its feeds off the hub."""
        await self._hub.drop(self._feeds_key)
        await self._hub.drop(self._node_key)

    async def _let_go_of_moved(self) -> None:
        """See whether another node has a later publisher of a feed of ours: this one hung, or was cut off."""
        ours = {state.feed: state for state in self._feeds() if _is_published(state)}
        if not ours:
            return
        try:
            others = (await self._hub.values(NODE_KEY.format(node="*"))).keys() - {self._node_key}
            for key in others:
                node = key.removeprefix(NODE_KEY.format(node=""))
                found = await self._hub.some_fields(FEEDS_KEY.format(node=node), list(ours))
                for name, theirs in found.items():
                    published_at = _published_at(theirs)
                    if published_at > ours[name].published_at:
                        logger.warning("feed %s: node %s has a later publisher", name, node)
                        self._moved(name, published_at)
        except HubAway:
            logger.debug("hub away: whether feeds have moved is seen at the next beat")

    async def _write_feeds(self) -> None:
        states = {state.feed: state for state in self._feeds()}
        for name in self._told - states.keys():
            await self._hub.drop(self._feeds_key, name)
        for name, state in states.items():
            await self._hub.put_field(self._feeds_key, name, state.model_dump_json())
        self._told = set(states)


def _is_published(state: FeedState) -> bool:
    return state.published_at > 0 and state.phase is not FeedPhase.ENDED


def _published_at(text: str) -> int:
    try:
        state = FeedState.model_validate_json(text)
    except ValidationError:
        logger.warning("another node's feed has no readable state")
        return 0
    # One that has ended there takes nothing over from us.
    return state.published_at if _is_published(state) else 0

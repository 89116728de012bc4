"""What the hub says of feeds, nodes, processes and who is online, kept in this process's memory."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import ValidationError

from command_center.live.messages import PartView
from command_center.live.views import CameraWord
from streams.hub.hub import Hub
from streams.hub.topics import (
    FEEDS_KEY,
    NODE_KEY,
    NODE_LIFE_SECONDS,
    ONLINE_KEY,
    PROCESS_KEY,
    CameraChanged,
    FeedCause,
    FeedPhase,
    FeedState,
    NodeState,
)

logger = logging.getLogger(__name__)

MAX_FEEDS = 5_000
"""How many feeds' states are remembered; the oldest are forgotten first."""
FORGET_MS = 600_000
"""How long a feed that its node lost is still shown as lost."""
HUB_PART = "hub"
MEDIA_PART = "media"
_NODES = NODE_KEY.format(node="*")
_PROCESSES = PROCESS_KEY.format(name="*")
_ONLINE = ONLINE_KEY.format(user="*", process="*")


@dataclass(slots=True)
class Changes:
    """What a refresh found to be different from before."""

    feeds: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    officers: set[UUID] = field(default_factory=set)


class HubState:
    """The memory; `heard` and `refresh` are the ways in. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self.parts: dict[str, PartView] = {}
        self.online: frozenset[UUID] = frozenset()
        self._feeds: dict[str, FeedState] = {}
        self._words: dict[str, CameraWord] = {}
        self._nodes: set[str] = set()
        self._watched: set[str] = set()
        """The parts that a launcher told of."""
        self._lost_nodes: dict[str, int] = {}
        self._trusted_from = 0

    def feed(self, name: str) -> FeedState | None:
        """What the node said last."""
        return self._feeds.get(name)

    def camera(self, name: str) -> CameraWord | None:
        """What the device itself said last, as far as it was heard."""
        return self._words.get(name)

    def node_lost_at(self, name: str) -> int | None:
        """When the node that carries this feed was found missing; None while it is there."""
        state = self._feeds.get(name)
        return None if state is None else self._lost_nodes.get(state.node)

    def hub_heard(self, now: int) -> None:
        """The hub is (again) there: its keys can be believed once the nodes had time to renew them."""
        self._trusted_from = now + NODE_LIFE_SECONDS * 1000
        self._part(HUB_PART, "running", now)

    def hub_away(self, now: int) -> bool:
        """The hub is away; True where that is news."""
        return self._part(HUB_PART, "away", now)

    @property
    def is_hub_away(self) -> bool:
        """Whether the hub was away when last asked."""
        part = self.parts.get(HUB_PART)
        return part is None or part.state == "away"

    def heard(self, event: FeedState | CameraChanged) -> None:
        """Take in what a node or device told."""
        if isinstance(event, FeedState):
            self._feeds.pop(event.feed, None)  # the latest stands last, so the oldest go first
            self._feeds[event.feed] = event
            _bound(self._feeds)
        else:
            self._words.pop(event.feed, None)
            self._words[event.feed] = CameraWord(event.state, event.received_at)
            _bound(self._words)

    async def refresh(self, hub: Hub, local_officers: frozenset[UUID], now: int) -> Changes:
        """Read the hub's keys and say what changed.

        Raises:
            HubAway: nothing was changed.
        """
        nodes = _parsed_nodes(await hub.values(_NODES))
        feeds: dict[str, FeedState] = {}
        for node in nodes:
            feeds.update(_parsed_feeds(await hub.fields(FEEDS_KEY.format(node=node))))
        processes = await hub.values(_PROCESSES)
        online = {user for key in await hub.values(_ONLINE) if (user := _user_of(key)) is not None}
        changes = Changes()
        self._take_nodes(nodes, now, changes)
        self._take_feeds(feeds, nodes, now, changes)
        self._take_processes(processes, now, changes)
        self._take_online(local_officers | online, changes)
        return changes

    def officers_here(self, local_officers: frozenset[UUID]) -> Changes:
        """While the hub is away only this process's own sockets are known."""
        changes = Changes()
        self._take_online(local_officers, changes)
        return changes

    def _take_nodes(self, nodes: set[str], now: int, changes: Changes) -> None:
        if now < self._trusted_from:
            nodes = nodes | self._nodes  # the keys went with the old server; a node is missing only when it stays so
        carried = {state.node for state in self._feeds.values()} | self._nodes
        for node in carried:
            is_lost = node not in nodes
            if is_lost == (node in self._lost_nodes):
                continue
            if is_lost:
                logger.warning("media node %s is gone", node)
                self._lost_nodes[node] = now
            else:
                logger.info("media node %s is back", node)
                del self._lost_nodes[node]
            changes.feeds |= {name for name, state in self._feeds.items() if state.node == node}
        self._nodes |= nodes
        if self._nodes:
            is_whole = not (self._nodes & self._lost_nodes.keys())
            if self._part(MEDIA_PART, "running" if is_whole else "away", now):
                changes.parts.add(MEDIA_PART)

    def _take_feeds(self, feeds: dict[str, FeedState], nodes: set[str], now: int, changes: Changes) -> None:
        for name, state in feeds.items():
            known = self._feeds.get(name)
            # An event may have overtaken this reading; the younger phase wins.
            if state != known and (known is None or state.since >= known.since):
                self.heard(state)
                changes.feeds.add(name)
        for name, state in list(self._feeds.items()):
            if name in feeds or state.node not in nodes or state.phase is FeedPhase.ENDED:
                continue
            # Its node is there and doesn't know it: the node is a new one, and the feed didn't end by itself.
            if state.cause is not FeedCause.NODE:
                lost = {"phase": FeedPhase.LOST, "cause": FeedCause.NODE, "since": now}
                self._feeds[name] = state.model_copy(update=lost)
                changes.feeds.add(name)
            elif now - state.since > FORGET_MS:
                del self._feeds[name]
                changes.feeds.add(name)

    def _take_processes(self, processes: dict[str, str], now: int, changes: Changes) -> None:
        told = set()
        for key, value in processes.items():
            try:
                part = PartView.model_validate({**json.loads(value), "type": "part"})
            except (ValueError, TypeError) as error:
                logger.warning("%s holds no process state: %s", key, error)
                continue
            if part.name == HUB_PART:
                continue
            told.add(part.name)
            if self.parts.get(part.name) != part:
                self.parts[part.name] = part
                changes.parts.add(part.name)
        if now < self._trusted_from:
            told |= self._watched  # the keys went with the old hub; their launcher gets time to write them again
        for name in self._watched - told:
            # A media node speaks for itself, and goes on without its launcher.
            if not (name == MEDIA_PART and self._nodes) and self._part(name, "unknown", now):
                logger.warning("part %s: nobody tells any more how it is", name)
                changes.parts.add(name)
        self._watched |= told

    def _take_online(self, online: frozenset[UUID] | set[UUID], changes: Changes) -> None:
        changes.officers = set(self.online ^ online)
        self.online = frozenset(online)

    def _part(self, name: str, state: str, now: int) -> bool:
        known = self.parts.get(name)
        if known is not None and known.state == state:
            return False
        self.parts[name] = PartView.model_validate({"name": name, "state": state, "since": now})
        return True


def _parsed_nodes(values: dict[str, str]) -> set[str]:
    nodes = set()
    for key, value in values.items():
        try:
            nodes.add(NodeState.model_validate_json(value).node)
        except ValidationError:
            logger.warning("%s holds no node state", key)
    return nodes


def _parsed_feeds(fields: dict[str, str]) -> dict[str, FeedState]:
    feeds = {}
    for name, value in fields.items():
        try:
            feeds[name] = FeedState.model_validate_json(value)
        except ValidationError:
            logger.warning("feed %s has no readable state", name)
    return feeds


def _user_of(key: str) -> UUID | None:
    try:
        return UUID(key.split(":")[2])
    except (IndexError, ValueError):
        return None


def _bound(memory: dict[str, FeedState] | dict[str, CameraWord]) -> None:
    while len(memory) > MAX_FEEDS:
        del memory[next(iter(memory))]

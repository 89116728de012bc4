"""What the hub says of feeds, nodes, processes and who is online, kept in this process's memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import ValidationError

from command_center.live.messages import PartView
from command_center.live.node_table import NodeTable
from command_center.live.views import CameraWord
from streams.hub.hub import Hub
from streams.hub.topics import (
    FEEDS_KEY,
    MEDIA_PART,
    NODE_KEY,
    NODE_LIFE_SECONDS,
    NODE_PART,
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
        self.nodes = NodeTable()
        self._heard_meanwhile: set[str] = set()
        """Feeds that were told of while the hub's keys were being read: what was read of them is older."""
        self._watched: set[str] = set()
        """The parts that a launcher told of."""
        self._told_of_nodes: set[str] = set()
        """The parts that nodes were when they were last told of."""
        self._trusted_from = 0

    def feed(self, name: str) -> FeedState | None:
        """What the node said last."""
        return self._feeds.get(name)

    @property
    def feeds(self) -> Collection[FeedState]:
        """What is known of every feed."""
        return self._feeds.values()

    def camera(self, name: str) -> CameraWord | None:
        """What the device itself said last, as far as it was heard."""
        return self._words.get(name)

    def node_lost_at(self, name: str) -> int | None:
        """When the node that carries this feed was found missing; None while it is there."""
        state = self._feeds.get(name)
        return None if state is None else self.nodes.lost_at(state.node)

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
        """Take in what a node or device told; a node that has lost the feed to another isn't listened to."""
        if isinstance(event, FeedState):
            known = self._feeds.get(event.feed)
            if known is None or known.node == event.node or self._is_later(event, known):
                self._keep_feed(event)
                self._heard_meanwhile.add(event.feed)
        else:
            self._words.pop(event.feed, None)
            self._words[event.feed] = CameraWord(event.state, event.received_at)
            _bound(self._words)

    async def refresh(self, hub: Hub, local_officers: frozenset[UUID], now: int) -> Changes:
        """Read the hub's keys and say what changed.

        Raises:
            HubAway: nothing was changed.
        """
        self._heard_meanwhile.clear()
        nodes = _parsed_nodes(await hub.values(_NODES))
        feeds = {node: _parsed_feeds(await hub.fields(FEEDS_KEY.format(node=node))) for node in nodes}
        processes = await hub.values(_PROCESSES)
        online = {user for key in await hub.values(_ONLINE) if (user := _user_of(key)) is not None}
        changes = Changes()
        self._take_nodes(nodes, now, changes)
        self._take_feeds(feeds, now, changes)
        self._take_processes(processes, now, changes)
        self._take_online(local_officers | online, changes)
        return changes

    def officers_here(self, local_officers: frozenset[UUID]) -> Changes:
        """While the hub is away only this process's own sockets are known."""
        changes = Changes()
        self._take_online(local_officers, changes)
        return changes

    def _take_nodes(self, nodes: dict[str, NodeState], now: int, changes: Changes) -> None:
        carried = {state.node for state in self._feeds.values()}
        # After a restart of the hub the keys went with the old server; a node is missing only when it stays so.
        changed = self.nodes.take(nodes, carried, now, is_sure=now >= self._trusted_from)
        changes.feeds |= {name for name, state in self._feeds.items() if state.node in changed}
        for node in self.nodes.forget(now - FORGET_MS):
            gone = {name for name, state in self._feeds.items() if state.node == node}
            changes.feeds |= gone
            for name in gone:
                del self._feeds[name]
        self._tell_of_nodes(now, changes)

    def _tell_of_nodes(self, now: int, changes: Changes) -> None:
        """The parts that nodes are; where a launcher tells of one, it knows more."""
        node_parts = self._node_parts()
        for name in self._told_of_nodes - node_parts.keys():
            if name not in self._watched and self.parts.pop(name, None) is not None:
                changes.parts.add(name)
        self._told_of_nodes = set(node_parts)
        for name, is_there in node_parts.items():
            if name not in self._watched and self._part(name, "running" if is_there else "away", now):
                changes.parts.add(name)

    def _node_parts(self) -> dict[str, bool]:
        """Each part and whether it is there."""
        nodes = {node: self.nodes.is_living(node) for node in self.nodes.ids}
        parts = {NODE_PART.format(node=node): is_there for node, is_there in nodes.items()} if len(nodes) > 1 else {}
        return {MEDIA_PART: any(nodes.values()), **parts} if nodes else {}

    def _take_feeds(self, feeds: dict[str, dict[str, FeedState]], now: int, changes: Changes) -> None:
        for of_node in feeds.values():
            for name, state in of_node.items():
                known = self._feeds.get(name)
                if state != known and (known is None or self._is_news(state, known)):
                    self._keep_feed(state)
                    changes.feeds.add(name)
        for name, state in list(self._feeds.items()):
            is_told = state.node not in feeds or name in feeds[state.node] or name in self._heard_meanwhile
            if is_told or state.phase is FeedPhase.ENDED:
                continue
            # Its node is there and doesn't know it: the node is a new one, and the feed didn't end by itself.
            if state.cause is not FeedCause.NODE:
                lost = {"phase": FeedPhase.LOST, "cause": FeedCause.NODE, "since": now, "published_at": 0}
                self._feeds[name] = state.model_copy(update=lost)
                changes.feeds.add(name)
            elif now - state.since > FORGET_MS:
                del self._feeds[name]
                changes.feeds.add(name)

    def _is_news(self, state: FeedState, known: FeedState) -> bool:
        """Whether what was read of a feed goes before what is known; an event may have overtaken the reading."""
        if state.node == known.node:
            return state.since >= known.since
        return self._is_later(state, known)

    def _is_later(self, state: FeedState, known: FeedState) -> bool:
        """Whether the feed has moved to the node that tells this, from another one.

        A node that hung comes back with its former publisher, and a phase that is younger than any: what counts is
        which publisher connected later.
        """
        if not self.nodes.is_living(known.node) and self.nodes.lost_at(known.node) is not None:
            return state.phase is not FeedPhase.ENDED
        return _precedence(state) > _precedence(known)

    def _keep_feed(self, state: FeedState) -> None:
        self._feeds.pop(state.feed, None)  # the latest stands last, so the oldest go first
        self._feeds[state.feed] = state
        _bound(self._feeds)

    def _take_processes(self, processes: dict[str, str], now: int, changes: Changes) -> None:
        told = set()
        node_parts = self._node_parts()
        for key, value in processes.items():
            try:
                part = PartView.model_validate({**json.loads(value), "type": "part"})
            except (ValueError, TypeError) as error:
                logger.warning("%s holds no process state: %s", key, error)
                continue
            if part.name == HUB_PART:
                continue
            told.add(part.name)
            if part.state == "running" and node_parts.get(part.name) is False:
                if self._part(part.name, "away", now):  # the process is there, and hangs
                    changes.parts.add(part.name)
                continue
            if self.parts.get(part.name) != part:
                self.parts[part.name] = part
                changes.parts.add(part.name)
        if now < self._trusted_from:
            told |= self._watched  # the keys went with the old hub; their launcher gets time to write them again
        for name in self._watched - told:
            if name in node_parts:
                self._watched.discard(name)  # a media node speaks for itself, and goes on without its launcher
            elif self._part(name, "unknown", now):
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


def _parsed_nodes(values: dict[str, str]) -> dict[str, NodeState]:
    nodes = {}
    for key, value in values.items():
        try:
            state = NodeState.model_validate_json(value)
        except ValidationError:
            logger.warning("%s holds no node state", key)
            continue
        nodes[state.node] = state
    return nodes


def _precedence(state: FeedState) -> tuple[bool, int, int]:
    return state.phase is not FeedPhase.ENDED, state.published_at, state.since


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

"""One connection pool to Redis: publish, subscribe, durable streams, keys with a life."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, TypeVar

from pydantic import BaseModel
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from streams.hub.topics import LIVE_CHANNEL, STREAM_BOUND

logger = logging.getLogger(__name__)

Reply = TypeVar("Reply")

OPERATION_TIMEOUT_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 2.0
"""How long one read may block; below the time-out, so that silence and absence are told apart."""
RETRY_SECONDS = 0.3
SILENCE_SECONDS = 1.0
"""A subscription that hears nothing for so long asks whether Redis is still there."""

_AWAY = (RedisError, OSError, TimeoutError)


class HubAway(ConnectionError):
    """Redis doesn't answer; what was to be kept must be kept elsewhere meanwhile."""


class Hub:
    """The hub, as one process uses it. Every call ends within OPERATION_TIMEOUT_SECONDS or raises `HubAway`."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            # Every call is timed here, by `_in_time`. The client's own time-out of a write is `asyncio.wait_for`,
            # which on Python 3.11 swallows a cancellation that comes as the write ends: the task then never ends.
            socket_timeout=None,
            socket_connect_timeout=OPERATION_TIMEOUT_SECONDS,
            decode_responses=True,
            # A pooled connection that died with the last server is replaced once; waiting is the caller's business.
            retry=Retry(NoBackoff(), 1),
        )

    async def close(self) -> None:
        """Give back every connection."""
        await self._redis.aclose()

    async def ping(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self._ask("ping", self._redis.ping())
        except HubAway:
            return False
        return True

    async def publish(self, event: BaseModel, channel: str = LIVE_CHANNEL) -> bool:
        """Tell whoever listens. False when Redis is away: pub/sub may lose anything, so this is no error."""
        return await self._tell(self._redis.publish(channel, event.model_dump_json()))

    async def append(self, stream: str, event: BaseModel) -> str:
        """Add an event to a durable stream and return its id.

        Raises:
            HubAway: it wasn't, or may not have been, added.
        """
        return await self.append_json(stream, event.model_dump_json())

    async def append_json(self, stream: str, event: str) -> str:
        """Add an event that is JSON already, as `append` does.

        Raises:
            HubAway: it wasn't, or may not have been, added.
        """
        adding = self._redis.xadd(stream, {"event": event}, maxlen=STREAM_BOUND, approximate=True)
        return str(await self._ask(stream, adding))

    async def read_group(
        self, stream: str, group: str, consumer: str, *, count: int = 500, wait_seconds: float = 1.0
    ) -> list[tuple[str, str]]:
        """Take what the group hasn't acknowledged: first this consumer's own leftovers, then new entries.

        Returns (entry id, event JSON) pairs; an empty list after `wait_seconds` with nothing new. What is
        neither acknowledged nor set aside comes again at each call.

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            left = _entries(await _in_time(self._redis.xreadgroup(group, consumer, {stream: "0"}, count=count)))
            await self._forget_trimmed(stream, group, left)
            if any(event is not None for _, event in left):
                return _whole(left)
            block = _block(wait_seconds)
            reading = self._redis.xreadgroup(group, consumer, {stream: ">"}, count=count, block=block)
            return _whole(_entries(await _in_time(reading)))
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise HubAway(stream) from error
            await self._make_group(stream, group)
            return []
        except _AWAY as error:
            raise HubAway(stream) from error

    async def reclaim(
        self, stream: str, group: str, consumer: str, *, idle_seconds: float = 60.0, count: int = 500
    ) -> int:
        """Make this consumer's own what a dead one took and never acknowledged; returns how many.

        The next `read_group` gives them.

        Raises:
            HubAway: Redis doesn't answer.
        """
        taken, start = 0, "0-0"
        try:
            while True:
                claiming: Awaitable[Any] = self._redis.xautoclaim(
                    stream, group, consumer, min_idle_time=int(idle_seconds * 1000), start_id=start, count=count
                )
                reply = await _in_time(claiming)
                start, claimed = str(reply[0]), reply[1]
                taken += len(claimed)
                if start == "0-0":
                    return taken
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise HubAway(stream) from error
            await self._make_group(stream, group)
            return 0
        except _AWAY as error:
            raise HubAway(stream) from error

    async def acknowledge(self, stream: str, group: str, ids: list[str]) -> None:
        """Tell that these entries are dealt with.

        Raises:
            HubAway: they will be given again; dealing with them twice must change nothing.
        """
        if ids:
            await self._ask(stream, self._redis.xack(stream, group, *ids))

    async def set_aside(self, stream: str, group: str, entry_id: str, event: str, reason: str) -> None:
        """Move an entry that can't be dealt with to the stream `<stream>:refused`, so that it blocks nothing.

        Raises:
            HubAway: it stays where it is.
        """
        fields: Any = {"event": event, "entry": entry_id, "reason": reason[:500]}
        await self._ask(stream, self._redis.xadd(f"{stream}:refused", fields, maxlen=10_000, approximate=True))
        await self.acknowledge(stream, group, [entry_id])

    async def read_after(self, stream: str, last_id: str, *, wait_seconds: float = 1.0) -> list[tuple[str, str]]:
        """Read a stream without a group, from after `last_id` ("0" = all, "$" = only new).

        Raises:
            HubAway: Redis doesn't answer.
        """
        reading = self._redis.xread({stream: last_id}, count=500, block=_block(wait_seconds))
        return _whole(_entries(await self._ask(stream, reading)))

    async def put(self, key: str, value: str, *, life_seconds: float | None = None) -> bool:
        """Set a key, with a life where one is given. False when Redis is away."""
        return await self._tell(self._redis.set(key, value, px=int(life_seconds * 1000) if life_seconds else None))

    async def put_field(self, key: str, field: str, value: str) -> bool:
        """Set a field of a hash. False when Redis is away."""
        return await self._tell(self._redis.hset(key, field, value))

    async def drop(self, key: str, field: str | None = None) -> bool:
        """Remove a key, or one field of a hash. False when Redis is away."""
        return await self._tell(self._redis.hdel(key, field) if field else self._redis.delete(key))

    async def value(self, key: str) -> str | None:
        """A key's string; None where there is none.

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            async with asyncio.timeout(OPERATION_TIMEOUT_SECONDS):
                found = await self._redis.get(key)
        except _AWAY as error:
            raise HubAway(key) from error
        return None if found is None else str(found)

    async def values(self, pattern: str) -> dict[str, str]:
        """The string keys that match a glob pattern, with their values.

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            async with asyncio.timeout(OPERATION_TIMEOUT_SECONDS):
                keys = [key async for key in self._redis.scan_iter(match=pattern, count=500)]
                found = await self._redis.mget(keys) if keys else []
        except _AWAY as error:
            raise HubAway(pattern) from error
        return {str(key): str(value) for key, value in zip(keys, found, strict=True) if value is not None}

    async def fields(self, key: str) -> dict[str, str]:
        """A hash, whole.

        Raises:
            HubAway: Redis doesn't answer.
        """
        found: Any = await self._ask(key, self._redis.hgetall(key))
        return {str(field): str(value) for field, value in found.items()}

    async def some_fields(self, key: str, names: Sequence[str]) -> dict[str, str]:
        """These fields of a hash, as far as it has them.

        Raises:
            HubAway: Redis doesn't answer.
        """
        found: Any = await self._ask(key, self._redis.hmget(key, list(names)))
        return {name: str(value) for name, value in zip(names, found, strict=True) if value is not None}

    async def listen(
        self, channel: str = LIVE_CHANNEL, on_break: Callable[[], None] | None = None
    ) -> AsyncGenerator[str | None, None]:
        """Every event told on a channel, for ever. `None` says that the hub is (again) heard from now on:

        what was told before may have been missed, so the listener reads its state anew. `on_break` is
        called each time that the hub is found away. Leave the loop through `contextlib.aclosing`.
        """
        while True:
            try:
                async with self._subscription(channel) as pubsub, aclosing(_heard(pubsub, channel)) as events:
                    async for event in events:
                        yield event
            except _AWAY as error:
                logger.debug("hub away, %s isn't heard: %s", channel, error)
                if on_break is not None:
                    on_break()
            await asyncio.sleep(RETRY_SECONDS)

    @asynccontextmanager
    async def _subscription(self, channel: str) -> AsyncIterator[PubSub]:
        pubsub = self._redis.pubsub()
        try:
            await _in_time(pubsub.subscribe(channel))
            yield pubsub
        finally:
            with suppress(*_AWAY):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _make_group(self, stream: str, group: str) -> None:
        try:
            await _in_time(self._redis.xgroup_create(stream, group, id="0", mkstream=True))
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another process made it first
                raise HubAway(stream) from error
        except _AWAY as error:
            raise HubAway(stream) from error

    async def _forget_trimmed(self, stream: str, group: str, entries: list[tuple[str, str | None]]) -> None:
        """Acknowledge entries that the stream's bound trimmed away while they waited: nothing is left of them."""
        gone = [entry_id for entry_id, event in entries if event is None]
        if gone:
            logger.warning("stream %s: %d entries were trimmed before they were dealt with", stream, len(gone))
            await self.acknowledge(stream, group, gone)

    async def _ask(self, subject: str, call: Awaitable[Reply]) -> Reply:
        try:
            return await _in_time(call)
        except _AWAY as error:
            raise HubAway(subject) from error

    async def _tell(self, call: Awaitable[Any]) -> bool:
        try:
            await self._ask("hub", call)
        except HubAway as error:
            logger.debug("hub away: %s", error.__cause__)
            return False
        return True


async def _in_time(call: Awaitable[Reply]) -> Reply:
    async with asyncio.timeout(OPERATION_TIMEOUT_SECONDS):
        return await call


async def _heard(pubsub: PubSub, channel: str) -> AsyncGenerator[str | None, None]:
    """A subscription's events; `None` at each confirmation, for the client renews a broken one without a word."""
    loop = asyncio.get_running_loop()
    last_heard = loop.time()
    while True:
        message = await pubsub.get_message(timeout=SILENCE_SECONDS)
        if message is not None:
            last_heard = loop.time()
            if message["type"] == "subscribe":
                yield None
            elif message["type"] == "message":
                yield str(message["data"])
        elif loop.time() - last_heard > OPERATION_TIMEOUT_SECONDS:
            raise HubAway(channel)
        else:
            await _in_time(pubsub.ping())


def _block(wait_seconds: float) -> int:
    return max(1, int(min(wait_seconds, LONGEST_WAIT_SECONDS) * 1000))


def _entries(reply: Any) -> list[tuple[str, str | None]]:
    """XREAD's reply for one stream as (id, event) pairs; an entry trimmed away meanwhile has no event."""
    streams = reply.items() if isinstance(reply, dict) else reply or []
    return [
        (str(entry_id), fields.get("event") if fields else None)
        for _, entries in streams
        for entry_id, fields in entries
    ]


def _whole(entries: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
    return [(entry_id, event) for entry_id, event in entries if event is not None]

"""One connection pool to Redis: publish, subscribe, durable streams, keys with a life."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Any

from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from streams.hub.topics import LIVE_CHANNEL, STREAM_BOUND

logger = logging.getLogger(__name__)

OPERATION_TIMEOUT_SECONDS = 3.0
RETRY_SECONDS = 0.3


class HubAway(ConnectionError):
    """Redis doesn't answer; what was to be kept must be kept elsewhere meanwhile."""


class Hub:
    """The hub, as one process uses it. Every call ends within OPERATION_TIMEOUT_SECONDS or raises `HubAway`."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=OPERATION_TIMEOUT_SECONDS,
            socket_connect_timeout=OPERATION_TIMEOUT_SECONDS,
            decode_responses=True,
            health_check_interval=0,
        )

    async def close(self) -> None:
        """Give back every connection."""
        await self._redis.aclose()

    async def ping(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def publish(self, event: BaseModel, channel: str = LIVE_CHANNEL) -> bool:
        """Tell whoever listens. False when Redis is away: pub/sub may lose anything, so this is no error."""
        try:
            await self._redis.publish(channel, event.model_dump_json())
        except (RedisError, OSError, TimeoutError) as error:
            logger.debug("hub away, event not told: %s", error)
            return False
        return True

    async def append(self, stream: str, event: BaseModel) -> str:
        """Add an event to a durable stream and return its id.

        Raises:
            HubAway: it wasn't, or may not have been, added.
        """
        try:
            return str(
                await self._redis.xadd(
                    stream, {"event": event.model_dump_json()}, maxlen=STREAM_BOUND, approximate=True
                )
            )
        except (RedisError, OSError, TimeoutError) as error:
            raise HubAway(stream) from error

    async def read_group(
        self, stream: str, group: str, consumer: str, *, count: int = 500, wait_seconds: float = 1.0
    ) -> list[tuple[str, str]]:
        """Take what the group hasn't acknowledged: first this consumer's own leftovers, then new entries.

        Returns (entry id, event JSON) pairs; an empty list after `wait_seconds` with nothing new.

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            left = await self._redis.xreadgroup(group, consumer, {stream: "0"}, count=count)
            entries = _entries(left)
            if entries:
                return entries
            block = max(1, int(wait_seconds * 1000))
            return _entries(await self._redis.xreadgroup(group, consumer, {stream: ">"}, count=count, block=block))
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise HubAway(stream) from error
            await self._make_group(stream, group)
            return []
        except (RedisError, OSError, TimeoutError) as error:
            raise HubAway(stream) from error

    async def acknowledge(self, stream: str, group: str, ids: list[str]) -> None:
        """Tell that these entries are dealt with.

        Raises:
            HubAway: they will be given again; dealing with them twice must change nothing.
        """
        if not ids:
            return
        try:
            await self._redis.xack(stream, group, *ids)
        except (RedisError, OSError, TimeoutError) as error:
            raise HubAway(stream) from error

    async def read_after(self, stream: str, last_id: str, *, wait_seconds: float = 1.0) -> list[tuple[str, str]]:
        """Read a stream without a group, from after `last_id` ("0" = all, "$" = only new).

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            return _entries(
                await self._redis.xread({stream: last_id}, count=500, block=max(1, int(wait_seconds * 1000)))
            )
        except (RedisError, OSError, TimeoutError) as error:
            raise HubAway(stream) from error

    async def put(self, key: str, value: str, *, life_seconds: float | None = None) -> bool:
        """Set a key, with a life where one is given. False when Redis is away."""
        return await self._tell(self._redis.set(key, value, px=int(life_seconds * 1000) if life_seconds else None))

    async def put_field(self, key: str, field: str, value: str) -> bool:
        """Set a field of a hash. False when Redis is away."""
        return await self._tell(self._redis.hset(key, field, value))

    async def drop(self, key: str, field: str | None = None) -> bool:
        """Remove a key, or one field of a hash. False when Redis is away."""
        return await self._tell(self._redis.hdel(key, field) if field else self._redis.delete(key))

    async def values(self, pattern: str) -> dict[str, str]:
        """The string keys that match a glob pattern, with their values.

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            keys = [key async for key in self._redis.scan_iter(match=pattern, count=500)]
            found = await self._redis.mget(keys) if keys else []
        except (RedisError, OSError, TimeoutError) as error:
            raise HubAway(pattern) from error
        return {str(key): str(value) for key, value in zip(keys, found, strict=True) if value is not None}

    async def fields(self, key: str) -> dict[str, str]:
        """A hash, whole.

        Raises:
            HubAway: Redis doesn't answer.
        """
        try:
            found = await self._redis.hgetall(key)
            return {str(field): str(value) for field, value in found.items()}
        except (RedisError, OSError, TimeoutError) as error:
            raise HubAway(key) from error

    async def listen(self, channel: str = LIVE_CHANNEL) -> AsyncIterator[str | None]:
        """Every event told on a channel, for ever. `None` says that the hub is (again) heard from now on:

        what was told before may have been missed, so the listener reads its state anew.
        """
        while True:
            with suppress(RedisError, OSError, TimeoutError):
                async with self._subscription(channel) as messages:
                    yield None
                    async for message in messages:
                        yield message
            await asyncio.sleep(RETRY_SECONDS)

    @asynccontextmanager
    async def _subscription(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        pubsub = self._redis.pubsub(ignore_subscribe_messages=True)

        async def messages() -> AsyncIterator[str]:
            while True:
                message = await pubsub.get_message(timeout=1.0)
                if message is not None:
                    yield str(message["data"])
                elif not await self.ping():
                    raise HubAway(channel)

        try:
            await pubsub.subscribe(channel)
            yield messages()
        finally:
            with suppress(RedisError, OSError, TimeoutError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _make_group(self, stream: str, group: str) -> None:
        with suppress(ResponseError):  # another process made it first
            await self._redis.xgroup_create(stream, group, id="0", mkstream=True)

    async def _tell(self, call: Awaitable[Any]) -> bool:
        try:
            await call
        except (RedisError, OSError, TimeoutError) as error:
            logger.debug("hub away: %s", error)
            return False
        return True


def _entries(reply: Any) -> list[tuple[str, str]]:
    """XREAD's reply for one stream as (id, event) pairs; entries trimmed away meanwhile are passed over."""
    return [(entry_id, fields["event"]) for _, entries in reply or [] for entry_id, fields in entries if fields]

"""The hub on a real server, which is killed and comes back on the same port."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest
from pydantic import BaseModel

from streams.hub.hub import OPERATION_TIMEOUT_SECONDS, Hub, HubAway
from tests.support.valkey import Valkey
from tests.support.waiting import until


class Said(BaseModel):
    """An event of these tests."""

    text: str


GROUP = "records"


async def _texts(hub: Hub, stream: str, consumer: str = "one", **options: float) -> list[str]:
    entries = await hub.read_group(stream, GROUP, consumer, wait_seconds=0.01, **options)  # type: ignore[arg-type]
    return [Said.model_validate_json(event).text for _, event in entries]


class _Listener:
    def __init__(self, hub: Hub, channel: str = "channel") -> None:
        self.heard: list[str | None] = []
        self.breaks = 0
        self._hub = hub
        self._channel = channel

    async def run(self) -> None:
        async with aclosing(self._hub.listen(self._channel, self._broke)) as events:
            async for event in events:
                self.heard.append(event)

    def _broke(self) -> None:
        self.breaks += 1


async def test_who_listens_hears_in_order_and_is_told_from_when(hub: Hub) -> None:
    listener = _Listener(hub)
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.heard == [None])
    for number in range(50):
        assert await hub.publish(Said(text=str(number)), "channel")
    await until(lambda: len(listener.heard) == 51)
    assert [Said.model_validate_json(text).text for text in listener.heard[1:] if text] == [
        str(number) for number in range(50)
    ]
    task.cancel()


async def test_who_listens_is_told_of_a_break_and_when_it_is_over(hub: Hub, valkey: Valkey) -> None:
    listener = _Listener(hub)
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.heard == [None])
    valkey.kill()
    await until(lambda: listener.breaks > 0)
    valkey.start()
    await until(lambda: listener.heard == [None, None])
    await hub.publish(Said(text="after"), "channel")
    await until(lambda: len(listener.heard) == 3)
    task.cancel()


async def test_a_break_too_short_to_be_noticed_is_told_all_the_same(hub: Hub, valkey: Valkey) -> None:
    listener = _Listener(hub)
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.heard == [None])
    for count in range(2, 5):
        valkey.kill()
        valkey.start()
        await until(lambda count=count: listener.heard.count(None) >= count)
    task.cancel()


async def test_every_call_ends_soon_while_the_hub_is_away(hub: Hub, valkey: Valkey) -> None:
    assert await hub.ping()
    valkey.kill()
    began = time.monotonic()
    assert not await hub.ping()
    assert not await hub.publish(Said(text="x"))
    assert not await hub.put("key", "value")
    assert not await hub.put_field("hash", "field", "value")
    assert not await hub.drop("key")
    for call in (
        hub.append("stream", Said(text="x")),
        hub.read_group("stream", GROUP, "one"),
        hub.reclaim("stream", GROUP, "one"),
        hub.acknowledge("stream", GROUP, ["0-1"]),
        hub.set_aside("stream", GROUP, "0-1", "{}", "why"),
        hub.read_after("stream", "0"),
        hub.values("*"),
        hub.fields("hash"),
    ):
        with pytest.raises(HubAway):
            await call
    assert time.monotonic() - began < OPERATION_TIMEOUT_SECONDS
    valkey.start()
    assert await hub.append("stream", Said(text="x"))
    assert await hub.ping()


async def test_a_server_that_hangs_is_away_too(hub: Hub, valkey: Valkey) -> None:
    assert await hub.ping()
    process = valkey._process
    assert process is not None
    process.send_signal(19)  # SIGSTOP
    try:
        began = time.monotonic()
        assert not await hub.publish(Said(text="x"))
        assert time.monotonic() - began < OPERATION_TIMEOUT_SECONDS + 1
    finally:
        process.send_signal(18)


async def test_a_group_gets_everything_from_the_beginning_in_order(hub: Hub) -> None:
    for number in range(5):
        await hub.append("stream", Said(text=str(number)))
    assert await _texts(hub, "stream") == []  # the group is made
    assert await _texts(hub, "stream") == ["0", "1", "2", "3", "4"]


async def test_what_was_not_acknowledged_comes_again_and_the_rest_does_not(hub: Hub) -> None:
    for number in range(3):
        await hub.append("stream", Said(text=str(number)))
    await _texts(hub, "stream")
    entries = await hub.read_group("stream", GROUP, "one")
    await hub.acknowledge("stream", GROUP, [entries[0][0], entries[2][0]])
    assert await _texts(hub, "stream") == ["1"]
    assert await _texts(hub, "stream") == ["1"]


async def test_an_entry_that_is_set_aside_blocks_nothing_and_is_kept_for_people(hub: Hub) -> None:
    await hub.append_json("stream", "not json")
    await hub.append("stream", Said(text="good"))
    await _texts(hub, "stream", count=1)
    ((entry_id, text),) = await hub.read_group("stream", GROUP, "one", count=1)
    await hub.set_aside("stream", GROUP, entry_id, text, "not valid")
    assert await _texts(hub, "stream", count=1) == ["good"]
    assert [event for _, event in await hub.read_after("stream:refused", "0", wait_seconds=0.01)] == ["not json"]


async def test_what_was_trimmed_away_while_it_waited_is_forgotten(hub: Hub) -> None:
    await hub.append("stream", Said(text="old"))
    await _texts(hub, "stream")
    assert await _texts(hub, "stream") == ["old"]
    await hub._redis.xtrim("stream", maxlen=0, approximate=False)
    await hub.append("stream", Said(text="new"))
    assert await _texts(hub, "stream") == ["new"]
    pending = await hub._redis.xpending("stream", GROUP)
    assert pending["pending"] == 1


async def test_what_a_dead_consumer_left_is_taken_over(hub: Hub) -> None:
    for number in range(7):
        await hub.append("stream", Said(text=str(number)))
    await _texts(hub, "stream", "dead")
    assert len(await _texts(hub, "stream", "dead")) == 7
    assert await _texts(hub, "stream", "heir") == []
    assert await hub.reclaim("stream", GROUP, "heir", idle_seconds=60) == 0
    assert await hub.reclaim("stream", GROUP, "heir", idle_seconds=0, count=3) == 7
    assert await _texts(hub, "stream", "heir") == [str(number) for number in range(7)]


async def test_reclaiming_from_a_stream_that_nobody_made_is_nothing(hub: Hub) -> None:
    assert await hub.reclaim("none", GROUP, "one") == 0
    await hub.append("none", Said(text="x"))
    assert await _texts(hub, "none") == ["x"]


async def test_a_stream_and_its_group_outlive_a_killed_server(hub: Hub, valkey: Valkey) -> None:
    await hub.append("stream", Said(text="before"))
    await _texts(hub, "stream")
    assert await _texts(hub, "stream") == ["before"]
    valkey.kill()
    valkey.start()
    assert await _texts(hub, "stream") == ["before"]
    await hub.append("stream", Said(text="after"))
    entries = await hub.read_after("stream", "0")
    assert len(entries) == 2


async def test_a_group_that_went_with_the_server_is_made_again(hub: Hub) -> None:
    await hub.append("stream", Said(text="x"))
    await _texts(hub, "stream")
    await hub.drop("stream")
    await hub.append("stream", Said(text="y"))
    assert await _texts(hub, "stream") == []
    assert await _texts(hub, "stream") == ["y"]


async def test_keys_have_their_life_and_patterns_find_them(hub: Hub) -> None:
    await hub.put("node:a", "1", life_seconds=0.05)
    await hub.put("node:b", "2")
    await hub.put_field("feeds", "one", "x")
    assert await hub.fields("feeds") == {"one": "x"}
    await until(lambda: _is(hub, "node:*", {"node:b": "2"}))
    await hub.drop("node:b")
    await hub.drop("feeds", "one")
    assert await hub.values("node:*") == {}
    assert await hub.fields("feeds") == {}


async def _is(hub: Hub, pattern: str, wanted: dict[str, str]) -> bool:
    return await hub.values(pattern) == wanted


async def test_reading_waits_for_what_comes(hub: Hub) -> None:
    reading = asyncio.create_task(hub.read_after("stream", "$", wait_seconds=2))
    appended: list[str] = []

    async def is_read() -> bool:
        appended.append(await hub.append("stream", Said(text="x")))
        return reading.done()

    await until(is_read)
    assert (await reading)[0][0] in appended

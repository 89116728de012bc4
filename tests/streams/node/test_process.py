"""The node as a process of its own: its start, its end, its sentences."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from streams.__main__ import main
from streams.hub.hub import Hub
from streams.hub.topics import FEEDS_KEY, NODE_KEY, RECORDINGS_STREAM
from streams.signalling.tokens import PUBLIC_KEY_FILE, Grant, issue, load_private_key, make_keys
from streams.signalling.turn import CREDENTIAL_LIFE_SECONDS, TurnServers
from tests.support.health import is_healthy
from tests.support.ports import free_ports
from tests.support.rtc import Publisher
from tests.support.valkey import Valkey
from tests.support.waiting import until


@asynccontextmanager
async def node_process(
    folder: Path, udp: int, http: int, redis_url: str, *more: str, turn_secret: str = ""
) -> AsyncIterator[Process]:
    make_keys(folder / "keys")
    arguments = ["--data", str(folder), "--udp-port", str(udp), "--http-port", str(http), "--redis-url", redis_url]
    key = str(folder / "keys" / PUBLIC_KEY_FILE)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", *arguments, "--token-key", key, "--node-id", "own", *more),
        stderr=PIPE,
        env={**os.environ, "COMMAND_CENTER_TURN_SECRET": turn_secret},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_node_ends_within_three_seconds_and_leaves_nothing_on_the_hub(
    valkey: Valkey, hub: Hub, tmp_path: Path
) -> None:
    udp, http = free_ports(2)
    url = f"http://127.0.0.1:{http}"
    async with node_process(tmp_path, udp, http, valkey.url) as process:
        await until(lambda: is_healthy(url), 20)
        grant = Grant(uuid4(), "site-1", True, True, int(time.time()) + 60)
        publisher = Publisher(url, issue(load_private_key(tmp_path / "keys"), grant))
        await publisher.publish("site-1")
        await until(lambda: publisher.channel.readyState == "open", 10)

        async def recorded() -> bool:
            return bool(await hub.read_after(RECORDINGS_STREAM, "0", wait_seconds=0.05))

        await until(recorded, 15)
        assert await hub.values(NODE_KEY.format(node="own"))
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            _, log = await process.communicate()
        assert time.monotonic() - started < 3.5
        assert process.returncode == 0
        assert b"traceback" not in log
        assert b"ice-pwd" not in log
        assert await hub.values(NODE_KEY.format(node="own")) == {}
        assert await hub.fields(FEEDS_KEY.format(node="own")) == {}
        told = [event for _, event in await hub.read_after(RECORDINGS_STREAM, "0", wait_seconds=0.05)]
        assert '"type":"closed"' in told[-1]
        await publisher.close()


async def test_a_taken_port_is_one_sentence_and_an_exit_code(tmp_path: Path) -> None:
    (http,) = free_ports(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("0.0.0.0", 0))
        async with node_process(tmp_path, holder.getsockname()[1], http, "redis://127.0.0.1:1/0") as process:
            async with asyncio.timeout(20):
                _, log = await process.communicate()
    assert process.returncode == 2
    assert log.decode().startswith("a port can't be opened")
    assert log.count(b"\n") == 1


TURN_URL = ("--turn-url", "turn:turn.example.cn:3478?transport=udp")


async def test_relays_are_named_with_the_secret_of_the_environment_which_is_logged_nowhere(tmp_path: Path) -> None:
    udp, http = free_ports(2)
    url = f"http://127.0.0.1:{http}"
    async with node_process(tmp_path, udp, http, "redis://127.0.0.1:1/0", *TURN_URL, turn_secret="north") as process:
        await until(lambda: is_healthy(url), 20)
        grant = Grant(uuid4(), "site-1", True, True, int(time.time()) + 60)
        headers = {"Authorization": f"Bearer {issue(load_private_key(tmp_path / 'keys'), grant)}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            link = (await client.options("/whip/site-1")).headers["link"]
        username, password = re.findall(r'"([^"]+)"', link)[1:3]
        before = int(username.partition(":")[0]) - CREDENTIAL_LIFE_SECONDS
        assert password == TurnServers(TURN_URL[1:], "north").credentials(grant.token_id, before).password
        process.send_signal(signal.SIGTERM)
        _, log = await process.communicate()
    assert b"north" not in log
    assert password.encode() not in log


async def test_relays_without_their_secret_are_one_sentence_and_an_exit_code(tmp_path: Path) -> None:
    udp, http = free_ports(2)
    async with node_process(tmp_path, udp, http, "redis://127.0.0.1:1/0", *TURN_URL) as process:
        async with asyncio.timeout(20):
            _, log = await process.communicate()
    assert process.returncode == 2
    assert b"COMMAND_CENTER_TURN_SECRET" in log
    assert log.count(b"\n") == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--public-url", "b.example"), "--public-url"),
        (("--signalling-url", "http://b.example/whip"), "--signalling-url"),
        (("--http-host", "0.0.0.0"), "--signalling-url"),
    ],
)
def test_addresses_that_lead_nowhere_are_one_sentence_and_an_exit_code(
    flags: tuple[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_keys(tmp_path)
    arguments = ["--data", str(tmp_path), "--udp-port", "0", "--http-port", "0", "--redis-url", "redis://127.0.0.1:1/0"]
    assert main([*arguments, "--token-key", str(tmp_path / PUBLIC_KEY_FILE), *flags]) == 2
    errors = capsys.readouterr().err
    assert (said in errors, errors.count("\n")) == (True, 1)

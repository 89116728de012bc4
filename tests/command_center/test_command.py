"""The `command-center` command as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from streams.signalling.tokens import PUBLIC_KEY_FILE, load_public_key, verify
from tests.support.health import is_healthy
from tests.support.ports import free_ports
from tests.support.seeded import bring_demonstration
from tests.support.valkey import Valkey
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)
SLOW = 60.0
"""Two cores that others use as well."""


@dataclass
class Installation:
    """A data folder with its settings, and the command run in them."""

    environment: dict[str, str]
    data: Path
    http_port: int
    https_port: int

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "command_center", *arguments),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def seed(self) -> None:
        """The demonstration's records, copied here: the same as by the command, with cheaper hashes."""
        bring_demonstration(self.data)

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        process = await self.start(*arguments)
        async with asyncio.timeout(SLOW):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


@pytest.fixture
def installation(tmp_path: Path, valkey: Valkey) -> Installation:
    http_port, https_port = free_ports(2)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COMMAND_CENTER_")} | {
        "COMMAND_CENTER_DATA": str(tmp_path),
        "COMMAND_CENTER_HTTP_PORT": str(http_port),
        "COMMAND_CENTER_HTTPS_PORT": str(https_port),
        "COMMAND_CENTER_REDIS_URL": valkey.url,
    }
    return Installation(environment, tmp_path, http_port, https_port)


@pytest.fixture
async def served(installation: Installation) -> AsyncIterator[tuple[Installation, asyncio.subprocess.Process]]:
    """The demonstration's records, and `command-center web` answering."""
    installation.seed()
    process = await installation.start("web")

    async def answers() -> bool:
        assert process.returncode is None
        return await is_healthy(f"http://127.0.0.1:{installation.http_port}")

    await until(answers, SLOW)
    yield installation, process
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_web_ends_on_sigterm_with_a_socket_open_and_logs_no_secret(
    served: tuple[Installation, asyncio.subprocess.Process],
) -> None:
    installation, process = served
    accounts = json.loads((installation.data / "demo-accounts.json").read_text())
    password = next(account["password"] for account in accounts if account["username"] == "commander")
    url = f"http://127.0.0.1:{installation.http_port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post("/api/session", json={"username": "commander", "password": password})
        assert answer.status_code == 200
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        operation = (await client.get("/api/operations")).json()["items"][0]["id"]
    headers = {"Cookie": cookie}
    async with connect(f"ws{url[4:]}/api/live", additional_headers=headers, origin=url) as socket:  # type: ignore[arg-type]
        await socket.send(json.dumps({"type": "watch", "operation_id": operation}))
        await socket.recv()
        process.send_signal(signal.SIGTERM)

        async def read_to_the_end() -> None:
            while True:
                await socket.recv()

        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(SLOW):
                await read_to_the_end()
    async with asyncio.timeout(SLOW):
        _, err = await process.communicate()
    assert process.returncode == 0
    for line in err.decode().splitlines():
        assert json.loads(line)["level"] in {"debug", "info", "warning"}, line
    for secret in (password, *(part.split("=", 1)[1] for part in cookie.split("; "))):
        assert secret not in err.decode()


async def test_a_taken_port_is_one_plain_sentence(served: tuple[Installation, asyncio.subprocess.Process]) -> None:
    installation, _ = served
    code, _, err = await installation.run("web")
    assert code == 1
    assert f"127.0.0.1:{installation.http_port}" in err.splitlines()[-1]
    assert "Traceback" not in err


async def test_token_prints_nothing_but_a_token_that_the_node_takes(installation: Installation) -> None:
    code, out, _ = await installation.run("token", "op1.*", "--view", "--minutes", "5")
    assert code == 0
    grant = verify(load_public_key(installation.data / "keys" / PUBLIC_KEY_FILE), out.strip())
    assert out == f"{out.strip()}\n"
    assert grant.covers("op1.camera")
    assert (grant.may_publish, grant.may_view) == (False, True)
    with sqlite3.connect(installation.data / "records.sqlite3") as connection:
        rows = connection.execute("SELECT id FROM media_tokens").fetchall()
        actions = connection.execute("SELECT action FROM audit").fetchall()
    connection.close()
    assert [UUID(row[0]) for row in rows] == [grant.token_id]
    assert actions == [("feed.viewed",)]
    assert (await installation.run("token", "op1.*"))[0] == 2


async def test_user_add_makes_an_account_of_a_court_that_is_known(installation: Installation) -> None:
    installation.seed()
    arguments = ("user", "add", "new-officer", "--role", "officer", "--generate", "--court")
    code, out, err = await installation.run(*arguments, "内0105")
    assert code == 0, err
    assert len(out.strip()) >= 12
    for court, reason in (("内0105", "username-taken"), ("内99", "court-not-found")):
        code, out, err = await installation.run(*arguments, court)
        assert (code, out) == (1, "")
        assert reason in err


async def test_the_setup_link_is_printed_only_while_there_is_nobody(installation: Installation) -> None:
    code, out, _ = await installation.run("setup-link")
    assert code == 0
    assert out.startswith(f"http://127.0.0.1:{installation.http_port}/setup/")
    assert (await installation.run("seed-demonstration"))[0] == 0  # by the command itself, this once
    assert (await installation.run("setup-link"))[:2] == (0, "")


async def test_verify_tells_a_whole_audit_from_a_broken_one(installation: Installation) -> None:
    installation.seed()
    code, out, _ = await installation.run("verify", "--purpose", "supervision")
    assert code == 0
    assert "whole" in out
    with sqlite3.connect(installation.data / "records.sqlite3") as connection:
        query = "SELECT details FROM audit WHERE action = 'evidence.verified'"
        assert connection.execute(query).fetchone() == ('{"findings":0,"purpose":"supervision","verdict":"whole"}',)
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET action = 'nothing' WHERE sequence = 3")
    connection.close()
    code, _, err = await installation.run("verify")
    assert code == 1
    assert "entry 3" in err


async def test_the_keys_that_sign_are_listed_changed_added_and_retired(installation: Installation) -> None:
    code, before, _ = await installation.run("keys", "list")
    assert code == 0
    court, node = (line.split() for line in before.splitlines())
    assert (court[1], node[1]) == ("court", "node:node-1")
    code, new, told = await installation.run("keys", "rotate", "node:node-1")
    assert (code, "Start the media node anew" in told) == (0, True)
    assert (await installation.run("keys", "retire", node[0]))[0] == 0
    remote = installation.data / "remote.hex"
    remote.write_text("ab" * 32)
    assert (await installation.run("keys", "add", "field-2", str(remote)))[0] == 0
    _, after, _ = await installation.run("keys", "list")
    owners = {line.split()[0]: (line.split()[1], "in force" in line) for line in after.splitlines()}
    assert owners[court[0]] == ("court", True)
    assert owners[node[0]] == ("node:node-1", False)
    assert owners[new.strip()] == ("node:node-1", True)
    assert sorted(owner for owner, _ in owners.values()) == ["court", "node:field-2", "node:node-1", "node:node-1"]


async def test_a_key_that_cannot_be_used_is_one_plain_sentence(installation: Installation) -> None:
    await installation.run("migrate")
    rubbish = installation.data / "rubbish.pem"
    rubbish.write_text("-----BEGIN NOTHING-----")
    for arguments in (("add", "field-2", str(rubbish)), ("retire", "0" * 16), ("rotate", "node:nobody")):
        code, _, told = await installation.run("keys", *arguments)
        assert (code, len(told.strip().splitlines())) == (1, 1), told
    (installation.data / "keys" / "court-signing.pem").unlink()
    code, _, told = await installation.run("migrate")
    assert (code, len(told.strip().splitlines())) == (1, 1)
    assert "missing" in told

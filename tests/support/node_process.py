"""A media node as a process of its own, for what can only be seen from outside: memory, descriptors, processor time."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streams.signalling.tokens import PUBLIC_KEY_FILE, Grant, issue, load_private_key, make_keys
from tests.support.ports import free_ports
from tests.support.waiting import until

START_SECONDS = 30
LIFE_SECONDS = 6 * 3600
_SAMPLE = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


@dataclass
class NodeProcess:
    """A node that runs."""

    pid: int
    url: str
    udp_port: int
    key: Ed25519PrivateKey

    def token(self) -> str:
        """A token of its own, and so with a rate of its own, for every feed."""
        return issue(self.key, Grant(uuid.uuid4(), "*", True, True, int(time.time()) + LIFE_SECONDS))

    async def metrics(self) -> dict[str, float]:
        """What it says of itself, by name and labels."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{self.url}/metrics", timeout=10)).text
        return {name + labels: float(value) for name, labels, value in _SAMPLE.findall(text)}

    @property
    def processor_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def node_process(folder: Path, redis_url: str, *more: str) -> AsyncIterator[NodeProcess]:
    """Start a node on free ports and end it afterwards."""
    keys = folder / "keys"
    make_keys(keys)
    udp_port, http_port = free_ports(2)
    command = ["-m", "streams", "--data", str(folder / "node"), "--redis-url", redis_url, "--log-level", "WARNING"]
    command += ["--udp-port", str(udp_port), "--http-port", str(http_port)]
    command += ["--token-key", str(keys / PUBLIC_KEY_FILE), "--public-address", "127.0.0.1", *more]
    process = await asyncio.create_subprocess_exec(sys.executable, *command)
    url = f"http://127.0.0.1:{http_port}"
    try:
        await until(lambda: _answers(url), START_SECONDS)
        yield NodeProcess(process.pid, url, udp_port, load_private_key(keys))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"{url}/healthz")).is_success
    except httpx.HTTPError:
        return False

"""A media node as a process of its own, that a test may kill and start again on the same ports and data."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from streams.signalling.tokens import PUBLIC_KEY_FILE
from tests.support.health import is_healthy
from tests.support.ports import free_ports
from tests.support.waiting import until

START_SECONDS = 30.0
END_SECONDS = 20.0


class KillableNode:
    """`python -m streams` for the installation whose keys are in `keys`."""

    def __init__(
        self, data: Path, keys: Path, redis_url: str, *, node_id: str = "node-1", records: bool = False
    ) -> None:
        self.udp_port, self.http_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self._command = [sys.executable, "-m", "streams", "--data", str(data), "--node-id", node_id]
        self._command += ["--udp-port", str(self.udp_port), "--http-port", str(self.http_port)]
        self._command += ["--redis-url", redis_url, "--token-key", str(keys / PUBLIC_KEY_FILE)]
        self._command += ["--public-address", "127.0.0.1", "--log-level", "WARNING"]
        self._command += [] if records else ["--no-recording"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers."""
        process = self._process = subprocess.Popen(self._command)

        async def answers() -> bool:
            assert process.poll() is None, "the node ended"
            return await is_healthy(self.url)

        await until(answers, START_SECONDS)

    async def health(self) -> dict[str, Any] | None:
        """What it says of its parts; None while it doesn't answer."""
        try:
            async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
                parts: dict[str, Any] = (await http.get("/healthz")).json()
                return parts
        except httpx.TransportError:
            return None

    async def metrics(self) -> str:
        """What it tells of itself."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            return (await http.get("/metrics")).text

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(END_SECONDS)

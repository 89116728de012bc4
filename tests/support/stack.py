"""The whole product, as `make run` starts it, on ports and data of a test's own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from command_center.config import HTTP_PORT_STEP
from tests.support.ports import free_ports, free_row

READY_SECONDS = 240.0
END_SECONDS = 30.0
FILMS = Path(os.environ.get("TMPDIR", "/tmp")) / f"command-center-films-{os.getuid()}"
"""The demonstration's films, kept between runs of the tests: made once, they never change."""


class Stack:
    """One `command-center run` (or `serve`) with everything that it starts."""

    def __init__(
        self, data: Path, *, command: str = "run", nodes: int = 1, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.output = data.parent / f"{data.name}-terminal.txt"
        http, https, redis, bank, registry, paying, further = free_ports(7)
        media = free_row(*range(1, nodes))
        media_http = free_row(*(HTTP_PORT_STEP * place for place in range(1, nodes)))
        self.url = f"http://127.0.0.1:{http}"
        self.secure_url = f"https://127.0.0.1:{https}"
        self.node_url = f"http://127.0.0.1:{media_http}"
        self.media_port = media
        self.redis_port = redis
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("COMMAND_CENTER_")}
        self.environment |= {
            "COMMAND_CENTER_DATA": str(data),
            "COMMAND_CENTER_HTTP_PORT": str(http),
            "COMMAND_CENTER_HTTPS_PORT": str(https),
            "COMMAND_CENTER_MEDIA_PORT": str(media),
            "COMMAND_CENTER_MEDIA_HTTP_PORT": str(media_http),
            "COMMAND_CENTER_MEDIA_NODES": str(nodes),
            "COMMAND_CENTER_REDIS_PORT": str(redis),
            "COMMAND_CENTER_BANK_URL": f"http://127.0.0.1:{bank}",
            "COMMAND_CENTER_REGISTRY_URL": f"http://127.0.0.1:{registry}",
            "COMMAND_CENTER_FURTHER_SIMULATORS_PORT": str(further),
            "COMMAND_CENTER_PAYING_URL": f"http://127.0.0.1:{paying}",
            **(settings or {}),
        }
        self.start_seconds = 0.0
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it says ready.

        Raises:
            AssertionError: it ended or took too long; the message holds what the terminal showed.
        """
        self._bring_films()
        with self.output.open("wb") as terminal:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "utf8", "-m", "command_center", self._command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = time.monotonic()
        while "Ctrl-C ends everything" not in self.shown():
            assert self._process.poll() is None, self.shown()
            assert time.monotonic() - started < READY_SECONDS, self.shown()
            time.sleep(0.05)
        self.start_seconds = time.monotonic() - started
        self._keep_films()

    def end(self) -> int:
        """Press Ctrl-C and give the exit code; nothing that it started may be left."""
        process = self._process
        if process is None:
            return 0
        self._process = None
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def shown(self) -> str:
        """What the terminal showed so far."""
        return self.output.read_text(errors="replace")

    def accounts(self, role: str) -> list[dict[str, str]]:
        """The demonstration's accounts of one role."""
        found: list[dict[str, Any]] = json.loads((self.data / "demo-accounts.json").read_text())
        return [account for account in found if account["role"] == role]

    def pid(self, module: str) -> int:
        """The process that runs `python -m module` for this stack."""
        found = self.pid_or_none(module)
        assert found is not None, f"no {module} of {self.data} runs"
        return found

    def pid_or_none(self, module: str, *, unlike: int = 0) -> int | None:
        """The same, None where there is none; a process `unlike` isn't counted."""
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == unlike:
                continue
            try:
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            is_launcher = b"run" in arguments or b"serve" in arguments
            is_ours = f"COMMAND_CENTER_DATA={self.data}".encode() in environment
            if is_ours and not is_launcher and module.encode() in arguments[:9]:
                return int(folder.name)
        return None

    def hub_pid(self) -> int:
        """The embedded hub's process."""
        configuration = str((self.data / "hub" / "valkey.conf").resolve()).encode()
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and b"valkey-server" in (folder / "cmdline").read_bytes():
                    arguments = (folder / "cmdline").read_bytes()
                    if configuration in arguments or f":{self.redis_port}".encode() in arguments:
                        return int(folder.name)
            except OSError:
                continue
        raise AssertionError(f"no hub of {self.data} runs")

    @asynccontextmanager
    async def signed_in(self, role: str) -> AsyncIterator[httpx.AsyncClient]:
        """A program's client, signed in by bearer token as the demonstration's first person of this role."""
        account = self.accounts(role)[0]
        async with httpx.AsyncClient(base_url=self.url, timeout=10, trust_env=False) as client:
            answer = await client.post("/api/token", json={key: account[key] for key in ("username", "password")})
            answer.raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client

    def run_command(self, *arguments: str) -> str:
        """Type a `command-center` command beside the running installation and give what it prints."""
        return subprocess.run(
            [sys.executable, "-X", "utf8", "-m", "command_center", *arguments],
            check=True,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout.strip()

    def _bring_films(self) -> None:
        if FILMS.is_dir():
            shutil.copytree(FILMS, self.data / "demo", dirs_exist_ok=True)

    def _keep_films(self) -> None:
        made = [path for path in (self.data / "demo").glob("**/*") if path.suffix in {".mp4", ".mkv", ".webm", ".clip"}]
        for path in made:
            kept = FILMS / path.relative_to(self.data / "demo")
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, kept)

"""The web process's two listeners, HTTP on loopback and HTTPS for everybody, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""How long an answer in progress may take when the process is asked to end."""
MESSAGE_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen; with a certificate it is HTTPS. Port 0 lets the system choose."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


class CouldNotListen(OSError):
    """The port is taken, or may not be used."""


class _Server(uvicorn.Server):
    """Uvicorn's server, with signals left to `Listeners`, which ends several."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.was_started = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so, also when it failed."""
        try:
            await super().startup(sockets)
        finally:
            self.was_started.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listeners:
    """Serves one application on several listeners until `stop` or a signal."""

    def __init__(self, app: ASGIApp, listeners: list[Listener]) -> None:
        self._sockets: list[socket.socket] = []
        self._servers: list[_Server] = []
        try:
            for number, listener in enumerate(listeners):
                self._sockets.append(_bind(listener))
                # The first one opens and closes the application.
                self._servers.append(_server(app, listener, "on" if number == 0 else "off"))
        except BaseException:
            self._close_sockets()
            raise

    @property
    def ports(self) -> list[int]:
        """The port of each listener."""
        return [int(each.getsockname()[1]) for each in self._sockets]

    @property
    def are_started(self) -> bool:
        """Whether all of them answer."""
        return all(server.started for server in self._servers)

    def stop(self) -> None:
        """End gracefully: what is being answered is finished, sockets are told."""
        for server in self._servers:
            server.should_exit = True

    async def serve(self, *, handles_signals: bool = False) -> None:
        """Serve until `stop`."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM) if handles_signals else ()
        for each in signals:
            loop.add_signal_handler(each, self.stop)
        first, *others = zip(self._servers, self._sockets, strict=True)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(first[0].serve([first[1]]))
                await first[0].was_started.wait()
                if not first[0].started:  # the application could not be opened; uvicorn has logged why
                    return
                for server, bound in others:
                    tasks.create_task(server.serve([bound]))
        finally:
            for each in signals:
                loop.remove_signal_handler(each)
            self._close_sockets()

    def _close_sockets(self) -> None:
        for each in self._sockets:
            each.close()


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    # Named in full: asyncio turns Nagle's algorithm off for TCP alone, and a head would hold its body back for 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listener.host, listener.port))
    except OSError as error:
        bound.close()
        raise CouldNotListen(error.errno, f"{listener.host}:{listener.port}: {error.strerror}") from error
    bound.set_inheritable(False)
    return bound


def _server(app: ASGIApp, listener: Listener, lifespan: str) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            host=listener.host,
            port=listener.port,
            lifespan="on" if lifespan == "on" else "off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=MESSAGE_LIMIT_BYTES,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=listener.certificate,
            ssl_keyfile=listener.key,
        )
    )

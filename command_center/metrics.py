"""Figures of the web process, for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """A registry of this process's own, so that several can live in one test run."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "command_center_requests_total", "Answered requests.", ["method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "command_center_request_seconds", "Time to answer.", ["kind"], buckets=BUCKETS, registry=self.registry
        )
        self.sockets = Gauge("command_center_sockets", "Open WebSockets.", registry=self.registry)


class Measured:
    """ASGI: counts and times what goes through; by kind of path, since a path may hold an id or a secret."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "websocket":
            with self._metrics.sockets.track_inprogress():
                await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        began = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            self._metrics.requests.labels(_method(scope["method"]), str(status)).inc()
            self._metrics.seconds.labels(_kind(scope["path"])).observe(time.perf_counter() - began)


def _kind(path: str) -> str:
    first = path.split("/")[1]
    return first if first in {"api", "whip", "whep", "static", "field", "map", "vendor"} else "page"


def _method(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"

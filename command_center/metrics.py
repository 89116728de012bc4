"""Figures of the web process, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from command_center.live.nodes import Nodes

NODE_FIGURES = {
    "feeds": "Feeds by media node.",
    "viewers": "Viewers by media node.",
    "packets_per_second": "Packets received and sent by media node.",
    "cpu_share": "Of one core, by media node.",
    "is_full": "Whether a media node takes nobody any more.",
}
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


class NodesCollector(Collector):
    """What this process knows of the media nodes; each tells its own figures at its own `/metrics`."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def collect(self) -> Iterator[Metric]:
        """Everything, now."""
        states = self._nodes.states()
        up = GaugeMetricFamily("command_center_media_node_up", "Whether a media node is there.", labels=["node"])
        for node in [*(state.node for state in states), *self._nodes.lost()]:
            up.add_metric([node], int(node in {state.node for state in states}))
        yield up
        for name, text in NODE_FIGURES.items():
            gauge = GaugeMetricFamily(f"command_center_media_node_{name}", text, labels=["node"])
            for state in states:
                gauge.add_metric([state.node], float(getattr(state, name)))
            yield gauge
        text = "How often a media node didn't answer."
        yield CounterMetricFamily("command_center_media_nodes_suspected", text, value=self._nodes.suspected)


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

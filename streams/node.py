"""A media node: where its parts are built, joined and closed."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from streams import native
from streams.hub.hub import Hub, HubAway
from streams.hub.presence import Presence
from streams.hub.revocations import Revocations
from streams.hub.spool import Spool
from streams.hub.topics import (
    ANCHOR_KEY,
    CAMERAS_STREAM,
    POSITIONS_STREAM,
    RECORDINGS_STREAM,
    TALKS_STREAM,
    Anchored,
    CameraChanged,
    FeedState,
    NodeState,
    PositionTaken,
    TalkChanged,
)
from streams.ledger import make_signer
from streams.load import Load
from streams.metrics import NodeMetrics
from streams.recording.events import RecordingEvent
from streams.recording.recorder import Recorder
from streams.recording.sink import RecordingSink
from streams.sfu.forwarder import Forwarder
from streams.sfu.track import Track
from streams.signalling.app import Signalling, make_app
from streams.signalling.server import serving
from streams.signalling.sessions import Sessions
from streams.signalling.turn import NO_TURN, TurnServers
from streams.supervision import keep_running
from streams.transport.addresses import local_addresses
from streams.transport.dtls import make_certificate
from streams.transport.port import MediaPort
from streams.transport.sockets import bind_media, bind_signalling, widen_buffers

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.06
"""How long what is timed may wait while nothing comes; with packets to forward it is done right after them."""
ROUND_TICK_SECONDS = 0.045
REPAIR_TICK_SECONDS = 0.02
SWEEP_SECONDS = 1.0
ANCHOR_SECONDS = 15.0
DRAIN_SECONDS = 0.2
PEERS_CLOSE_SECONDS = 0.5
RECORDER_CLOSE_SECONDS = 1.5
HUB_CLOSE_SECONDS = 0.5
"""Together under the three seconds in which a node ends."""
YOUNG_OBJECTS = 50_000
"""Collections of the youngest objects are rare, of all objects rarer still: each would hold packets up."""


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """What a node is given at start; ports may be 0 (any free one).

    `signalling_url` is where web processes reach it, its own loopback address where empty; `public_url` is where
    phones, screens and programs reach its signalling without a web process between, if they can.
    """

    data: Path
    node_id: str
    redis_url: str
    token_key: Ed25519PublicKey
    udp_port: int = 0
    http_port: int = 0
    http_host: str = "127.0.0.1"
    signalling_url: str = ""
    public_url: str | None = None
    public_addresses: Sequence[str] = ()
    allowed_origins: Sequence[str] = ()
    turn: TurnServers = NO_TURN
    records: bool = True
    signing_key: Path | None = None
    """Of the private key that recordings are signed with, made where there is none; None: the data folder's own."""


class Node:
    """One media node; `run` is its whole life."""

    def __init__(self, options: NodeOptions) -> None:
        self._options = options
        self._started_at = int(time.time() * 1000)
        self._ready = asyncio.Event()
        self.is_recorder_stuck = False
        """Whether a disk that doesn't answer kept the recorder from ending in time."""
        self.hub = Hub(options.redis_url)
        self.port = MediaPort(bind_media(options.udp_port), make_certificate())
        self.forwarder = Forwarder(self.port.socket)
        widen_buffers(self.port.socket)
        self.port.on_round = self._round
        self.port.awaits_more = lambda: self.forwarder.awaits_more
        self._ticked_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.spool = Spool(self.hub, options.data / "spool" / f"{options.node_id}.jsonl")
        self.presence = Presence(self.hub, options.node_id, self._state, self._feed_states, self._moved)
        self.recorder: Recorder | None = None
        if options.records:
            key = options.signing_key or options.data / "keys" / f"recording-{options.node_id}.pem"
            self.recorder = Recorder(
                options.data / "recordings", options.node_id, make_signer(key), self._recording_event
            )
        self.sessions = Sessions(
            self.port,
            self.forwarder,
            node=options.node_id,
            addresses=options.public_addresses or local_addresses(),
            tell=self.presence.tell,
            keep=self._keep,
            open_recording=self._open_recording,
        )
        self.revocations = Revocations(self.hub, self.sessions.revoke)
        self.signalling = Signalling(
            self.sessions,
            options.token_key,
            self.revocations.is_revoked,
            self.revocations.is_feed_revoked,
            allowed_origins=options.allowed_origins,
            turn=options.turn,
        )
        self._http = bind_signalling(options.http_port, options.http_host)
        self.http_port = int(self._http.getsockname()[1])
        """Where WHIP and WHEP are served."""
        self._load = Load(lambda: self.port.packets_in + self.port.packets_out + self.forwarder.counters.packets)
        self._is_draining = False
        self._metrics = NodeMetrics(self)

    async def wait_ready(self) -> None:
        """Until signalling answers."""
        await self._ready.wait()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then end within three seconds."""
        self.port.start()
        self._tick()
        if self.recorder is not None:
            self.recorder.start()
        try:
            async with _running(self._jobs()), serving(self._app(), self._http):
                self._ready.set()
                logger.info(
                    "node %s: media on %d, signalling on %d, loops in %s",
                    self._options.node_id,
                    self.port.number,
                    self.http_port,
                    "Python" if native.lib is None else "C",
                )
                await stop.wait()
                await self._drain()
                await self._end_sessions()
        finally:
            await self._close()

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        jobs = [
            self._sweep(),
            keep_running("spool", self.spool.run),
            keep_running("revocations", self.revocations.run),
            keep_running("events", self.presence.run_events),
            keep_running("heartbeat", self.presence.run_heartbeat),
        ]
        if self.recorder is not None:
            jobs.append(keep_running("anchors", partial(self._keep_anchor, self.recorder)))
        return jobs

    def _round(self) -> None:
        """Send what gathered in a round of receiving.

        What is timed is done now if it may be: the loop that wakes for it alone pays a cold processor each time.
        """
        self.forwarder.flush()
        if time.monotonic() - self._ticked_at > ROUND_TICK_SECONDS:
            self._tick()

    def _tick(self) -> None:
        now = self._ticked_at = time.monotonic()
        _guarded("tick", self.sessions.tick, now)
        if self._timer is not None:
            self._timer.cancel()
        wait = REPAIR_TICK_SECONDS if self.sessions.is_repairing else TICK_SECONDS
        self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    async def _sweep(self) -> None:
        while True:
            _guarded("sweep", self.sessions.sweep, time.monotonic())
            await asyncio.sleep(SWEEP_SECONDS)

    def _app(self) -> ASGIApp:
        own = [Route("/healthz", self._health), Route("/metrics", self._show_metrics)]
        return make_app([*self.signalling.routes(), *own])

    async def _health(self, request: Request) -> Response:
        feeds = self.sessions.feeds.values()
        parts = {
            "hub": self.presence.is_hub_near,
            "spool_bytes": self.spool.file_bytes,
            "recorder": self.recorder is not None and self.recorder.is_running,
            "live_feeds": sum(feed.is_live for feed in feeds),
            "recorded_feeds": sum(feed.is_recording for feed in feeds),
        }
        body = {"status": "ok", "node": self._options.node_id, **parts}
        return Response(json.dumps(body), media_type="application/json")

    async def _show_metrics(self, request: Request) -> Response:
        return Response(self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _state(self) -> NodeState:
        feeds = self.sessions.feeds.values()
        self._load.measure()
        return NodeState(
            node=self._options.node_id,
            started_at=self._started_at,
            at=int(time.time() * 1000),
            signalling_url=self._options.signalling_url or f"http://{self._options.http_host}:{self.http_port}",
            public_url=self._options.public_url,
            feeds=sum(not feed.is_idle for feed in feeds),
            viewers=sum(len(feed.viewers) for feed in feeds),
            packets_per_second=self._load.packets_per_second,
            cpu_share=self._load.cpu_share,
            is_full=self.sessions.is_full,
            is_draining=self._is_draining,
        )

    def _feed_states(self) -> list[FeedState]:
        return self.sessions.states()

    def _moved(self, feed: str, published_at: int) -> None:
        self.sessions.moved(feed, published_at)

    def _keep(self, event: PositionTaken | CameraChanged | TalkChanged, on_kept: Callable[[], None]) -> None:
        streams = {"position": POSITIONS_STREAM, "camera": CAMERAS_STREAM, "talk": TALKS_STREAM}
        self.spool.offer(streams[event.type], event, on_kept)

    def _recording_event(self, event: RecordingEvent) -> None:
        self.spool.offer(RECORDINGS_STREAM, event)

    async def _keep_anchor(self, recorder: Recorder) -> None:
        """Know the newest anchor of the court's ledgers, so that what is sealed here names it."""
        while True:
            with suppress(HubAway, ValidationError):
                told = await self.hub.value(ANCHOR_KEY)
                if told is not None:
                    newest = Anchored.model_validate_json(told)
                    recorder.anchor = (newest.sequence, newest.hash)
            await asyncio.sleep(ANCHOR_SECONDS)

    def _open_recording(
        self, feed: str, tracks: Sequence[Track], want_key_frame: Callable[[], None], talk: UUID | None = None
    ) -> RecordingSink | None:
        if self.recorder is None:
            return None
        return self.recorder.open(feed, tracks, request_key_frame=want_key_frame, talk=talk)

    async def _drain(self) -> None:
        """Take nobody any more, and say so before the peers are sent away: they come back to another node."""
        self._is_draining = True
        self.sessions.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.presence.beat()

    async def _end_sessions(self) -> None:
        """Tell the peers and complete the recordings while the spool still works."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PEERS_CLOSE_SECONDS):
                await self.sessions.close()
        if self.recorder is not None:
            try:
                async with asyncio.timeout(RECORDER_CLOSE_SECONDS):
                    await self.recorder.close()
            except TimeoutError:
                self.is_recorder_stuck = True
                logger.error("the recorder is still writing; the next start completes its files")

    async def _close(self) -> None:
        self.port.close()
        if self._timer is not None:
            self._timer.cancel()
        self._http.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(HUB_CLOSE_SECONDS):
                await self.presence.withdraw()
        await self.spool.finish(HUB_CLOSE_SECONDS)
        await self.hub.close()


@asynccontextmanager
async def _running(jobs: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run jobs beside the body and cancel them after it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _guarded(name: str, call: Callable[[float], None], now: float) -> None:
    """One feed's trouble must not stop the clock of all others."""
    try:
        call(now)
    except Exception:
        logger.exception("%s failed", name)


def tame_collector() -> None:
    """Set what is loaded aside for good and collect young objects rarely: pauses hold packets up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 50, 100)

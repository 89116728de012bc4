"""The recorder of one node: one thread that turns the feeds' packets into files."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from streams.allocator import give_back
from streams.ledger import Signer
from streams.recording.events import RecordingEvent
from streams.recording.manifest import CloseReason, GapLine
from streams.recording.recording import Anchor, Place
from streams.recording.recovery import close_unfinished, manifests
from streams.recording.sink import RecordingSink
from streams.recording.writer import Counters, FeedWriter
from streams.sfu.track import Track

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 0.15
SLICE_PACKETS = 8
SLICE_NS = 300_000
PAUSE_SECONDS = 0.0003
"""After SLICE_NS of work the thread lets go of the interpreter for so long: forwarding goes first."""
CLOSE_SECONDS = 15.0
CROWD_BYTES = 2_000_000
"""So much comes together only while the disk stalls; written at last, it is given back to the machine."""
UNTOLD_GAPS = 256
"""Feeds of which it is remembered what the disk refused."""


class Recorder:
    """Opens sinks for feeds; events come back on the loop, in order, through `on_event`.

    `on_event` must not raise. Start it once; `close` ends all recordings of this node.
    """

    def __init__(self, root: Path, node: str, signer: Signer, on_event: Callable[[RecordingEvent], None]) -> None:
        self.counters = Counters()
        self.anchor: Anchor | None = None
        """The newest anchor that the node knows; what is sealed from now on names it."""
        self._place = Place(root, node, signer, lambda: self.anchor)
        self._on_event = on_event
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: list[tuple[RecordingSink, FeedWriter]] = []
        self._untold_gaps: dict[str, GapLine] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._recovery: threading.Thread | None = None

    def start(self) -> None:
        """Begin; first of all the recordings that an earlier life of this node left open are closed."""
        self._loop = asyncio.get_running_loop()
        self._place.root.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def open(
        self,
        feed: str,
        tracks: Sequence[Track],
        *,
        request_key_frame: Callable[[], None] | None = None,
        talk: UUID | None = None,
    ) -> RecordingSink:
        """Record a feed from its next key frame on, until the sink is closed.

        `request_key_frame` is called on the loop when the recording needs one, at most once a second. `talk` is kept
        with it: which talk of the centre it holds.
        """
        sink = RecordingSink(feed, request_key_frame=request_key_frame)
        sink.looked_at = time.monotonic()
        with self._lock:
            writer = FeedWriter(
                self._place,
                feed,
                tracks,
                self.counters,
                self._emit,
                lambda: self._want_key_frame(sink),
                talk,
                self._untold_gaps.pop(feed, None),
            )
            self._opened.append((sink, writer))
        return sink

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    @property
    def is_recovered(self) -> bool:
        """Whether what an earlier life left has been looked at."""
        return self._recovery is not None and not self._recovery.is_alive()

    @property
    def open_recordings(self) -> int:
        """How many feeds are being recorded."""
        return len(self._opened)

    async def close(self) -> None:
        """End every recording and the thread; what is queued is written first."""
        self._stopping.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
        if self._recovery is not None:
            await asyncio.to_thread(self._recovery.join, CLOSE_SECONDS)
        if self._thread.is_alive():
            logger.error("the recorder did not end within %s s", CLOSE_SECONDS)
        await asyncio.sleep(0)  # the last events are on the loop already; let them be told

    def _run(self) -> None:
        # Hashing what a crash left takes a while; new recordings don't wait for it, and aren't taken for old ones.
        try:
            left = manifests(self._place.root)
        except OSError:
            logger.exception("the store can't be listed; what a crash left waits for the next start")
            left = []
        self._recovery = threading.Thread(target=self._recover, args=(left,), name="recorder-recovery", daemon=True)
        self._recovery.start()
        while not self._stopping.wait(PERIOD_SECONDS):
            self._round()
        for sink, _ in self._feeds():
            sink.close("node")
        self._round()

    def _round(self) -> None:
        feeds = self._feeds()
        was_crowded = sum(sink.waiting_bytes for sink, _ in feeds) > CROWD_BYTES
        for sink, writer in feeds:
            closing = sink.closing  # read before the queue is emptied: nothing is put in after it
            try:
                self._drain(sink, writer)
                writer.step(time.time_ns())
                if closing is not None:
                    writer.close(closing)
                sink.written_at, sink.looked_at = writer.written_at, time.monotonic()
                sink.refusal = writer.trouble
            except Exception:
                # One feed's stream must not end the recording of the others.
                logger.exception("feed %s: recording failed", sink.feed)
                closing = self._abandon(sink, writer) or closing
            if closing is not None:
                with self._lock:
                    self._opened.remove((sink, writer))
                    self._keep_gap(writer)
        if was_crowded:
            give_back()

    def _keep_gap(self, writer: FeedWriter) -> None:
        """What the disk refused and no recording could tell of is told by the feed's next one."""
        if writer.disk_gap is not None:
            self._untold_gaps[writer.feed] = writer.disk_gap
            while len(self._untold_gaps) > UNTOLD_GAPS:
                del self._untold_gaps[next(iter(self._untold_gaps))]

    def _drain(self, sink: RecordingSink, writer: FeedWriter) -> None:
        started = time.perf_counter_ns()
        count = 0
        while (item := sink.take()) is not None:
            writer.take(item)
            count += 1
            if count % SLICE_PACKETS == 0 and time.perf_counter_ns() - started > SLICE_NS:
                time.sleep(PAUSE_SECONDS)
                started = time.perf_counter_ns()

    def _abandon(self, sink: RecordingSink, writer: FeedWriter) -> CloseReason:
        sink.close("node")
        try:
            writer.close("node")
        except Exception:
            logger.exception("feed %s: its recording could not be closed", sink.feed)
        sink.written_at = None
        return "node"

    def _feeds(self) -> list[tuple[RecordingSink, FeedWriter]]:
        with self._lock:
            return list(self._opened)

    def _recover(self, left: list[Path]) -> None:
        try:
            for event in close_unfinished(self._place, left, self._stopping):
                self._emit(event)
        except Exception:
            logger.exception("unfinished recordings could not be closed")

    def _emit(self, event: RecordingEvent) -> None:
        self._on_loop(self._on_event, event)

    def _want_key_frame(self, sink: RecordingSink) -> None:
        if sink.request_key_frame is not None and sink.closing is None:
            self._on_loop(sink.request_key_frame)

    def _on_loop(self, call: Callable[..., None], *arguments: object) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            logger.warning("the loop is closed: a recording's event is not told")

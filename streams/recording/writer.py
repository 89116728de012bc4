"""One feed's recording: packets in, files out, one after the other."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from streams.hub.topics import SegmentClosed
from streams.recording.assembly import AUDIO_RATE, VIDEO_RATE, Assembly
from streams.recording.events import RecordingEvent, closed_event, opened_event
from streams.recording.file import RecordingFile
from streams.recording.frames import Frame
from streams.recording.manifest import CloseReason, GapLine
from streams.recording.packets import read_rtp
from streams.recording.sink import Dropped, Item, Report
from streams.recording.stream import Stream
from streams.recording.timeline import NANOSECONDS, Timeline
from streams.sfu.track import Kind, Track

logger = logging.getLogger(__name__)

IDLE_CUT_NS = 600_000_000
"""A pause doesn't leave a begun fragment in memory for longer."""
IDLE_CLOSE_NS = 10 * NANOSECONDS
"""After so long without a packet the recording is over; what comes then is another one."""
JUMP_NS = 10 * NANOSECONDS
"""A media clock that jumps this far against the node's was set anew."""
SILENCE_NS = NANOSECONDS
"""A pause of the publisher that is written down as a gap."""
PICTURELESS_NS = 3 * NANOSECONDS
"""Sound alone is recorded when no picture came for so long."""
AUDIO_WAIT_SECONDS = 0.8
"""How long a file's header waits to learn whether negotiated sound really comes."""
RETRY_NS = 2 * NANOSECONDS
KEY_FRAME_NS = 10 * NANOSECONDS
"""A player can start at a key frame only, so one is asked for at least this often."""
BACKLOG = 500
"""Audio packets kept while no file is open: sound that belongs to the first picture comes before it is whole."""


@dataclass(slots=True)
class Counters:
    """What a node tells of its recorder; they only grow."""

    files: int = 0
    fragments: int = 0
    bytes: int = 0
    lost_packets: int = 0
    dropped_packets: int = 0
    write_failures: int = 0


class FeedWriter:
    """Lives in the recorder's thread; `emit` and `want_key_frame` are safe to call from there."""

    def __init__(
        self,
        root: Path,
        node: str,
        feed: str,
        tracks: Sequence[Track],
        counters: Counters,
        emit: Callable[[RecordingEvent], None],
        want_key_frame: Callable[[], None],
        talk: UUID | None = None,
    ) -> None:
        self.feed = feed
        self._talk = talk
        self._root = root
        self._node = node
        self._tracks = {track.kind: track for track in tracks}
        self._counters = counters
        self._emit = emit
        self._want_key_frame = want_key_frame
        self._file: RecordingFile | None = None
        self._assembly: Assembly | None = None
        self._has_video = self._has_audio = False
        self._retry_at_ns = 0
        self._disk_gap_since_ns = 0
        self._key_wanted_at_ns = 0
        self._last_key_ns = 0
        self._last_arrival_ns = 0
        self._written_at = 0.0
        self._reset()

    @property
    def written_at(self) -> float | None:
        """When the open file was last written to, in monotonic seconds; None while none is open."""
        return None if self._file is None else self._written_at

    # What comes

    def take(self, item: Item) -> None:
        """Take one item of the queue."""
        if isinstance(item, Report):
            clock = self._timeline.video if item.kind == "video" else self._timeline.audio
            clock.report(item.ntp, item.timestamp)
        elif isinstance(item, Dropped):
            self._counters.dropped_packets += item.packets
            self._note(GapLine(kind="queue", track="both", since=item.since_ns // 1_000_000,
                               until=item.until_ns // 1_000_000, packets=item.packets))  # fmt: skip
        else:
            kind, data, arrival_ns = item
            packet = read_rtp(data, arrival_ns)
            stream = self._streams.get(kind)
            if packet is None or stream is None:
                return
            if packet.payload_type != self._tracks[kind].codec.payload_type:
                return
            if stream.ssrc is not None and packet.ssrc != stream.ssrc:
                self._finish("codec")
                self._reset()
                stream = self._streams[kind]
            stream.ssrc = packet.ssrc
            self._last_arrival_ns = max(self._last_arrival_ns, arrival_ns)
            stream.reorder.push(packet)

    def step(self, now_ns: int) -> None:
        """Do what time asks for; several times a second. `now_ns` is Unix time."""
        for stream in self._streams.values():
            stream.reorder.expire(now_ns)
        assembly = self._assembly
        if assembly is None:
            self._start_without_picture(now_ns)
        elif now_ns - self._last_arrival_ns > IDLE_CLOSE_NS:
            self._finish("network")
        elif assembly.first_arrival_ns is not None and now_ns - assembly.first_arrival_ns > IDLE_CUT_NS:
            self._cut()
        self._sync()
        self._ask_for_key_frame(now_ns)

    def close(self, reason: CloseReason) -> None:
        """Write what there is and close the file."""
        for stream in self._streams.values():
            stream.reorder.flush()
        if self._assembly is None and self._backlog and "video" not in self._streams:
            self._start(self._backlog[0][1], has_video=False)  # a few words, over before they were looked at
        self._finish(reason)

    # Frames

    def _take_frame(self, kind: Kind, frame: Frame) -> None:
        if kind == "video":
            if self._assembly is None:
                self._timeline.settle()
            at_ns = self._timeline.video_ns(frame.timestamp, frame.arrival_ns)
        else:
            at_ns = self._timeline.audio_ns(frame.timestamp, frame.arrival_ns)
        stream = self._streams[kind]
        if kind == "video" and stream.lost_packets and not frame.is_key and self._tracks[kind].codec.name == "VP8":
            # A VP8 decoder may fail on pictures whose forerunners are missing, and its player stops; H.264's conceals.
            self._last_key_ns = 0
            return
        if stream.last_at_ns is not None:
            jump = at_ns - stream.last_at_ns - (frame.arrival_ns - stream.last_arrival_ns)
            if abs(jump) > JUMP_NS:
                self._finish("codec")
                self._reset()
                return
        self._timeline.arrived(at_ns, frame.arrival_ns)
        self._write_down_gaps(kind, stream, at_ns)
        stream.last_at_ns, stream.last_arrival_ns = at_ns, frame.arrival_ns
        if kind == "video":
            self._take_video(frame, at_ns)
        else:
            self._take_audio(frame, at_ns)

    def _take_video(self, frame: Frame, at_ns: int) -> None:
        if frame.is_key and self._streams["video"].depacketiser.format is not None:
            self._last_key_ns = frame.arrival_ns
            is_other = self._assembly is not None and (
                not self._has_video or (self._file is not None and self._backlog and not self._has_audio)
            )
            if is_other:
                self._finish("codec")
            if self._assembly is None:
                self._start(at_ns, has_video=True)
            else:
                self._assembly.expect_key(at_ns)
                if self._assembly.is_due(key_next=True):
                    self._cut()
        if self._assembly is None or not self._has_video:
            return
        self._assembly.add_video(frame, at_ns)
        if self._assembly is not None and self._assembly.is_due():
            self._cut()

    def _take_audio(self, frame: Frame, at_ns: int) -> None:
        if self._assembly is None or (self._file is not None and not self._has_audio):
            self._backlog.append((frame, at_ns))
            return
        self._assembly.add_audio(frame, at_ns)
        self._has_audio = True
        if self._assembly.is_due():
            self._cut()

    def _write_down_gaps(self, kind: Kind, stream: Stream, at_ns: int) -> None:
        lost, stream.lost_packets = stream.lost_packets, 0
        self._counters.lost_packets += lost
        since_ns = stream.last_at_ns
        if since_ns is None or (not lost and at_ns - since_ns < SILENCE_NS):
            return
        since, until = (self._timeline.wall_ns(instant) // 1_000_000 for instant in (since_ns, at_ns))
        self._note(GapLine(kind="loss" if lost else "silence", track=kind, since=since, until=until, packets=lost))
        if lost and kind == "video":
            self._last_key_ns = 0

    # Files

    def _reset(self) -> None:
        """Forget the publisher's clocks and numbers: the next packets are of another stream."""
        self._timeline = Timeline(VIDEO_RATE, AUDIO_RATE)
        self._backlog: deque[tuple[Frame, int]] = deque(maxlen=BACKLOG)
        self._streams: dict[Kind, Stream] = {}
        for kind, track in self._tracks.items():
            self._streams[kind] = Stream(track, self._take_frame)

    def _start(self, origin_ns: int, *, has_video: bool) -> None:
        if self._timeline.wall_ns(origin_ns) < self._retry_at_ns:
            return
        self._assembly = Assembly(origin_ns, has_video=has_video)
        self._has_video, self._has_audio = has_video, False
        backlog, self._backlog = self._backlog, deque(maxlen=BACKLOG)
        for frame, at_ns in backlog:
            if at_ns >= origin_ns:
                self._assembly.add_audio(frame, at_ns)
                self._has_audio = True

    def _start_without_picture(self, now_ns: int) -> None:
        video = self._streams.get("video")
        since_ns = now_ns - PICTURELESS_NS
        if self._backlog and (video is None or max(self._backlog[0][0].arrival_ns, video.last_arrival_ns) < since_ns):
            self._start(self._backlog[0][1], has_video=False)

    def _cut(self, *, is_last: bool = False) -> None:
        assembly = self._assembly
        if assembly is None:
            return
        if self._file is None and not is_last and "audio" in self._streams and not self._has_audio:
            first = assembly.first_arrival_ns
            if first is not None and self._last_arrival_ns - first < AUDIO_WAIT_SECONDS * NANOSECONDS:
                return
        fragment = assembly.cut(is_last=is_last)
        if fragment is None:
            return
        wall_ns = self._timeline.wall_ns(assembly.origin_ns + int(fragment.start * NANOSECONDS))
        try:
            if self._file is None:
                self._open(wall_ns)
            if self._file is not None:
                self._file.append(fragment, wall_ns)
                self._written_at = time.monotonic()
                self._counters.fragments += 1
                self._counters.bytes += sum(len(sample.data) for sample in fragment.video + fragment.audio)
        except OSError as error:
            self._disk_failed(error)

    def _open(self, started_ns: int) -> None:
        video = self._streams["video"].depacketiser if self._has_video else None
        described = video.format if video is not None else None
        file = RecordingFile(
            self._root, self.feed, self._node, started_ns, described, has_audio=self._has_audio, talk=self._talk
        )
        self._file = file
        file.create()
        self._counters.files += 1
        logger.info("feed %s: recording %s opened", self.feed, file.id)
        if self._disk_gap_since_ns:
            file.note(GapLine(kind="disk", track="both", since=self._disk_gap_since_ns // 1_000_000,
                              until=started_ns // 1_000_000))  # fmt: skip
            self._disk_gap_since_ns = 0
        self._emit(opened_event(file.opened))

    def _sync(self) -> None:
        file = self._file
        if file is None:
            return
        try:
            if file.sync():
                self._emit(SegmentClosed(recording=file.id, feed=self.feed, seconds=round(file.seconds, 3),
                                         bytes=file.bytes))  # fmt: skip
        except OSError as error:
            self._disk_failed(error)

    def _note(self, gap: GapLine) -> None:
        if self._file is None:
            return
        try:
            self._file.note(gap)
        except OSError as error:
            self._disk_failed(error)

    def _finish(self, reason: CloseReason) -> None:
        self._cut(is_last=True)
        file, self._file, self._assembly = self._file, None, None
        if file is None:
            return
        try:
            closed = file.close(reason, self._ended_ns(file))
        except OSError as error:
            self._file = file
            self._disk_failed(error)
            return
        logger.info("feed %s: recording %s closed: %s", self.feed, file.id, reason)
        self._emit(closed_event(file.opened, closed))

    def _disk_failed(self, error: OSError) -> None:
        """Let the file go and try another one later; forwarding knows nothing of it."""
        logger.error("feed %s: recording stopped: %s", self.feed, error)
        self._counters.write_failures += 1
        file, self._file, self._assembly = self._file, None, None
        self._retry_at_ns = self._last_arrival_ns + RETRY_NS
        self._disk_gap_since_ns = self._disk_gap_since_ns or self._last_arrival_ns
        if file is None:
            return
        was_opened = bool(file.bytes)
        ended_ns = self._ended_ns(file)
        if was_opened:
            self._disk_gap_since_ns = ended_ns
        closed = file.give_up(ended_ns)
        if was_opened:
            self._emit(closed_event(file.opened, closed))

    def _ended_ns(self, file: RecordingFile) -> int:
        return file.started_ns + int(file.seconds * NANOSECONDS)

    def _ask_for_key_frame(self, now_ns: int) -> None:
        if "video" not in self._streams or now_ns - self._last_arrival_ns > NANOSECONDS:
            return
        is_old = now_ns - self._last_key_ns > KEY_FRAME_NS
        is_needed = (self._assembly is None and now_ns >= self._retry_at_ns) or (
            bool(self._backlog) and self._file is not None and not self._has_audio
        )
        if (is_old or is_needed) and now_ns - self._key_wanted_at_ns > NANOSECONDS:
            self._key_wanted_at_ns = now_ns
            self._want_key_frame()

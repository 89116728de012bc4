"""One feed's recording: packets in, segments out, one after the other without a hole between."""

from __future__ import annotations

import errno
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from streams.recording.assembly import AUDIO_RATE, VIDEO_RATE, Assembly, Fragment
from streams.recording.events import RecordingEvent
from streams.recording.frames import Frame, VideoFormat
from streams.recording.manifest import CloseReason, GapKind, GapLine, SegmentReason
from streams.recording.packets import read_rtp
from streams.recording.part import Part
from streams.recording.recording import Header, Place, RecordingFiles
from streams.recording.sink import Dropped, Item, Paused, Report, Trouble
from streams.recording.stream import Stream
from streams.recording.timeline import NANOSECONDS, Timeline
from streams.sfu.track import Kind, Track

logger = logging.getLogger(__name__)

IDLE_CUT_NS = 600_000_000
"""A pause doesn't leave a begun fragment in memory for longer."""
IDLE_CLOSE_NS = 10 * NANOSECONDS
"""After so long without a packet the recording is over; what comes then is another one."""
AWAY_NS = 3 * NANOSECONDS
"""Who wasn't asked for so long waited for the disk, and what came meanwhile is still to be told."""
JUMP_NS = 10 * NANOSECONDS
"""A media clock that jumps this far against the node's was set anew."""
SILENCE_NS = NANOSECONDS
"""A pause of the publisher that is written down as a gap."""
LASTING_NS = 5 * NANOSECONDS
"""One of a single track is written down so often while it lasts: the recording may end before that track comes back."""
PICTURELESS_NS = 3 * NANOSECONDS
"""Sound alone is recorded when no picture came for so long."""
AUDIO_WAIT_SECONDS = 0.8
"""How long a file's header waits to learn whether negotiated sound really comes."""
RETRY_NS = 2 * NANOSECONDS
KEY_FRAME_NS = 10 * NANOSECONDS
"""A player can start at a key frame only, so one is asked for at least this often."""
SEGMENT_NS = 60 * NANOSECONDS
"""The next segment begins with the first key frame after so long."""
RECORDING_NS = 3600 * NANOSECONDS
"""And after so long the next recording, so that no manifest grows for ever."""
TAIL_NS = 500_000_000
"""How long a segment that has been left waits for its last sound."""
BACKLOG = 500
"""Audio packets kept while no file is open: sound that belongs to the first picture comes before it is whole."""
INCOMPLETE = 8
"""How many recordings that a disk refused to complete are tried again."""
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
CLOSE_REASONS: dict[GapKind, CloseReason] = {"camera": "camera", "officer": "ended", "node": "node"}


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
        place: Place,
        feed: str,
        tracks: Sequence[Track],
        counters: Counters,
        emit: Callable[[RecordingEvent], None],
        want_key_frame: Callable[[], None],
        talk: UUID | None = None,
        disk_gap: GapLine | None = None,
    ) -> None:
        self.feed = feed
        self.trouble: Trouble | None = None
        """What keeps it from writing, if anything does."""
        self._talk = talk
        self._place = place
        self._tracks = {track.kind: track for track in tracks}
        self._counters = counters
        self._emit = emit
        self._want_key_frame = want_key_frame
        self._files: RecordingFiles | None = None
        self._incomplete: list[RecordingFiles] = []
        self._origin_ns = 0
        """Where the recording begins on the time line."""
        self._part: Part | None = None
        self._tail: Part | None = None
        """The segment before, while sound of it may come."""
        self._retry_at_ns = self._complete_at_ns = 0
        self.disk_gap = disk_gap
        """What the disk refused, until a recording can tell of it; perhaps the next one of the feed."""
        self._pause: GapKind | None = None
        """Why the publisher pauses, where its node knows."""
        self._key_wanted_at_ns = 0
        self._last_key_ns = 0
        self._last_arrival_ns = 0
        self._stepped_at_ns = 0
        self._written_at = 0.0
        self._reset()

    @property
    def written_at(self) -> float | None:
        """When the open recording was last written to, in monotonic seconds; None while none is open."""
        return None if self._files is None else self._written_at

    # What comes

    def take(self, item: Item) -> None:
        """Take one item of the queue."""
        if isinstance(item, Report):
            clock = self._timeline.video if item.kind == "video" else self._timeline.audio
            clock.report(item.ntp, item.timestamp)
        elif isinstance(item, Paused):
            self._pause = item.cause
        elif isinstance(item, Dropped):
            self._counters.dropped_packets += item.packets
            for each in self._streams.values():
                each.was_dropped = True
            since, until = (instant // 1_000_000 for instant in (item.since_ns, item.until_ns))
            gap = GapLine(kind="disk_slow", track="both", since=since, until=until, packets=item.packets)
            if self._files is None:
                self.disk_gap = self.disk_gap or gap
            self._note(gap)
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
        if self._tail is not None and now_ns - self._tail.left_at_ns > TAIL_NS:
            self._end_tail()
        was_away = now_ns - self._stepped_at_ns > AWAY_NS
        self._stepped_at_ns = now_ns
        part = self._part
        if part is None:
            self._start_without_picture(now_ns)
        elif now_ns - self._last_arrival_ns > IDLE_CLOSE_NS and not was_away:
            self._finish("network" if self._pause is None else CLOSE_REASONS.get(self._pause, "network"))
        elif part.assembly.first_arrival_ns is not None and now_ns - part.assembly.first_arrival_ns > IDLE_CUT_NS:
            self._cut()
        self._write_down_pauses(LASTING_NS)
        self._sync()
        self._complete(now_ns)
        self._ask_for_key_frame(now_ns)

    def close(self, reason: CloseReason) -> None:
        """Write what there is and complete the recording."""
        for stream in self._streams.values():
            stream.reorder.flush()
        if self._part is None and self._backlog and "video" not in self._streams:
            self._start(self._backlog[0][1], None)  # a few words, over before they were looked at
        self._finish(reason)
        self._complete(None)
        for files in self._incomplete:
            files.release()
        if self.disk_gap is not None and self.disk_gap.until == self.disk_gap.since:
            self.disk_gap = _until(self.disk_gap, self._last_arrival_ns)

    # Frames

    def _take_frame(self, kind: Kind, frame: Frame) -> None:
        if kind == "video":
            if self._part is None:
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
        format_ = self._streams["video"].depacketiser.format
        if frame.is_key and format_ is not None:
            self._last_key_ns = frame.arrival_ns
            if self._part is None:
                self._start(at_ns, format_)
            else:
                self._take_key(self._part, at_ns, format_)
        if self._part is None or self._part.format is None:
            return
        self._part.assembly.add_video(frame, at_ns)
        if self._part.assembly.is_due():
            self._cut()

    def _take_key(self, part: Part, at_ns: int, format_: VideoFormat) -> None:
        """A key frame comes: the place where a segment may end."""
        part.assembly.expect_key(at_ns)
        if part.format is None or part.format.codec != format_.codec:
            self._next_part(at_ns, format_, "codec")
        elif part.is_other(format_):
            self._next_part(at_ns, format_, "size")
        elif part.is_open and self._backlog and not part.has_audio:
            self._next_part(at_ns, format_, "audio")
        elif at_ns - part.origin_ns >= SEGMENT_NS:
            self._next_part(at_ns, format_, "length")
        elif part.assembly.is_due(key_next=True):
            self._cut()

    def _take_audio(self, frame: Frame, at_ns: int) -> None:
        tail, part = self._tail, self._part
        if tail is not None and tail.until_ns is not None and at_ns < tail.until_ns:
            tail.assembly.add_audio(frame, at_ns)
            return
        self._end_tail()
        if part is None or (part.is_open and not part.has_audio):
            self._backlog.append((frame, at_ns))
            return
        if part.format is None and at_ns - part.origin_ns >= SEGMENT_NS:
            self._next_part(at_ns, None, "length")
            part = self._part or part
        part.assembly.add_audio(frame, at_ns)
        part.has_audio = True
        if part.assembly.is_due():
            self._cut()

    def _write_down_gaps(self, kind: Kind, stream: Stream, at_ns: int) -> None:
        lost, stream.lost_packets = stream.lost_packets, 0
        self._counters.lost_packets += lost
        was_dropped, stream.was_dropped = stream.was_dropped, False
        told_ns, stream.missing_until_ns = stream.missing_until_ns, None
        since_ns = stream.last_at_ns
        if since_ns is None or (not lost and at_ns - since_ns < SILENCE_NS):
            return
        cause: GapKind | None = "disk_slow" if was_dropped else None
        if cause is None and at_ns - since_ns >= SILENCE_NS:
            cause = self._pause
        self._note_gap(cause, kind, since_ns if told_ns is None else min(told_ns, at_ns), at_ns, lost)
        if lost and kind == "video":
            self._last_key_ns = 0

    def _write_down_pauses(self, least_ns: int) -> None:
        """Where one track goes on and the other doesn't, for so long at least, that one is missing up to now."""
        newest_ns = max((stream.last_at_ns or 0 for stream in self._streams.values()), default=0)
        for kind, stream in self._streams.items():
            since_ns = stream.last_at_ns if stream.missing_until_ns is None else stream.missing_until_ns
            if since_ns is not None and newest_ns - since_ns >= least_ns:
                stream.missing_until_ns = newest_ns
                self._note_gap(self._pause, kind, since_ns, newest_ns)

    def _note_gap(self, cause: GapKind | None, kind: Kind, since_ns: int, until_ns: int, lost: int = 0) -> None:
        since, until = (self._timeline.wall_ns(instant) // 1_000_000 for instant in (since_ns, until_ns))
        self._note(GapLine(kind=cause or "network", track=kind, since=since, until=until, packets=lost))

    # Segments

    def _reset(self) -> None:
        """Forget the publisher's clocks and numbers: the next packets are of another stream."""
        self._timeline = Timeline(VIDEO_RATE, AUDIO_RATE)
        self._backlog: deque[tuple[Frame, int]] = deque(maxlen=BACKLOG)
        self._streams: dict[Kind, Stream] = {}
        for kind, track in self._tracks.items():
            self._streams[kind] = Stream(track, self._take_frame)

    def _start(self, origin_ns: int, format_: VideoFormat | None, reason: SegmentReason = "start") -> None:
        if self._timeline.wall_ns(origin_ns) < self._retry_at_ns:
            return
        filler = None if self._tail is None else self._tail.assembly.filler
        self._part = Part(Assembly(origin_ns, has_video=format_ is not None, filler=filler), format_, reason)
        backlog, self._backlog = self._backlog, deque(maxlen=BACKLOG)
        for frame, at_ns in backlog:
            if at_ns >= origin_ns:
                self._part.assembly.add_audio(frame, at_ns)
                self._part.has_audio = True

    def _start_without_picture(self, now_ns: int) -> None:
        video = self._streams.get("video")
        since_ns = now_ns - PICTURELESS_NS
        if self._backlog and (video is None or max(self._backlog[0][0].arrival_ns, video.last_arrival_ns) < since_ns):
            self._start(self._backlog[0][1], None)

    def _next_part(self, at_ns: int, format_: VideoFormat | None, reason: SegmentReason) -> None:
        """Go on in another segment from `at_ns` on; the one before waits a little for its last sound."""
        self._end_tail()
        tail = self._part
        if tail is None:
            return
        tail.until_ns, tail.left_at_ns = at_ns, self._last_arrival_ns
        self._tail, self._part = tail, None
        self._start(at_ns, format_, reason)
        if self._part is not None and format_ is not None:
            self._part.has_audio = self._part.has_audio or tail.has_audio
        if format_ is None or not tail.has_audio:
            self._end_tail()

    def _end_tail(self) -> None:
        """Write the rest of the segment that has been left, and seal it."""
        tail, self._tail = self._tail, None
        if tail is None:
            return
        self._write(tail, is_last=True)
        files = self._files
        if files is None or not tail.is_open:
            return
        try:
            files.seal(self._timeline.device_offset_ms)
            if tail.until_ns is not None and tail.until_ns - self._origin_ns >= RECORDING_NS:
                self._files = None
                self._close(files, "length")
        except OSError as error:
            self._disk_failed(error)

    def _cut(self) -> None:
        """Write what is complete of the present segment."""
        part = self._part
        if part is None:
            return
        if not part.is_open and "audio" in self._streams and not part.has_audio:
            first = part.assembly.first_arrival_ns
            if first is not None and self._last_arrival_ns - first < AUDIO_WAIT_SECONDS * NANOSECONDS:
                return
        self._end_tail()
        if self._part is part:  # else the disk has failed meanwhile
            self._write(part)

    def _write(self, part: Part, *, is_last: bool = False) -> None:
        fragment = part.assembly.cut(is_last=is_last)
        if fragment is None:
            return
        wall_ns = self._timeline.wall_ns(part.origin_ns + int(fragment.start * NANOSECONDS))
        try:
            self._counters.bytes += self._write_fragment(part, fragment, wall_ns)
        except OSError as error:
            self._disk_failed(error)
            return
        self._written_at = time.monotonic()
        self._counters.fragments += 1
        self.trouble = None

    def _write_fragment(self, part: Part, fragment: Fragment, wall_ns: int) -> int:
        """To the part's file, begun with it where need be; so is the recording. Gives how many bytes."""
        if self._files is None:
            self._files = RecordingFiles(self._place, self.feed, wall_ns, self._emit, self._talk)
            self._origin_ns = part.origin_ns
            part.reason = "start"
        files = self._files
        if part.is_open:
            return files.append(fragment, wall_ns)
        start = (part.origin_ns - self._origin_ns) / NANOSECONDS
        count = files.begin_segment(Header(start, part.format, part.has_audio, part.reason), fragment, wall_ns)
        part.is_open = True
        self._counters.files += 1
        logger.info("feed %s: recording %s: segment %d begun: %s", self.feed, files.id, files.segments, part.reason)
        if self.disk_gap is not None:
            is_past = self.disk_gap.until > self.disk_gap.since
            files.note(self.disk_gap if is_past else _until(self.disk_gap, wall_ns))
            self.disk_gap = None
        return count

    # The disk

    def _sync(self) -> None:
        if self._files is None:
            return
        try:
            self._files.sync()
        except OSError as error:
            self._disk_failed(error)

    def _note(self, gap: GapLine) -> None:
        if self._files is None:
            return
        try:
            self._files.note(gap)
        except OSError as error:
            self._disk_failed(error)

    def _finish(self, reason: CloseReason) -> None:
        self._end_tail()
        if self._part is not None:
            self._write(self._part, is_last=True)
        self._write_down_pauses(SILENCE_NS)
        files, self._files, self._part = self._files, None, None
        if files is not None:
            try:
                self._close(files, reason)
            except OSError as error:
                self._files = files
                self._disk_failed(error)

    def _close(self, files: RecordingFiles, reason: CloseReason) -> None:
        files.close(reason, self._timeline.device_offset_ms)
        logger.info("feed %s: recording %s closed: %s", self.feed, files.id, reason)

    def _disk_failed(self, error: OSError) -> None:
        """Let the recording go and try another one later; forwarding knows nothing of it."""
        logger.error("feed %s: recording stopped: %s", self.feed, error)
        self._counters.write_failures += 1
        self.trouble = "disk_full" if error.errno in NO_SPACE else "disk_failed"
        files, self._files, self._part, self._tail = self._files, None, None, None
        self._retry_at_ns = self._last_arrival_ns + RETRY_NS
        since_ns = self._last_arrival_ns
        if files is not None:
            files.fall_back()
            since_ns = files.ended_ns if files.segments else since_ns
            self._incomplete.append(files)
            self._complete(None)
        if self.disk_gap is None:
            since = since_ns // 1_000_000
            self.disk_gap = GapLine(kind=self.trouble, track="both", since=since, until=since)

    def _complete(self, now_ns: int | None) -> None:
        """Complete what the disk has refused to complete, if it is time."""
        if not self._incomplete or (now_ns is not None and now_ns < self._complete_at_ns):
            return
        if now_ns is not None:
            self._complete_at_ns = now_ns + RETRY_NS
        self._incomplete = [files for files in self._incomplete if not files.give_up(self._timeline.device_offset_ms)]
        for files in self._incomplete[:-INCOMPLETE]:
            files.release()
        self._incomplete = self._incomplete[-INCOMPLETE:]

    def _ask_for_key_frame(self, now_ns: int) -> None:
        if "video" not in self._streams or now_ns - self._last_arrival_ns > NANOSECONDS:
            return
        part = self._part
        is_old = now_ns - self._last_key_ns > KEY_FRAME_NS
        is_needed = (part is None and now_ns >= self._retry_at_ns) or (
            part is not None and part.is_open and bool(self._backlog) and not part.has_audio
        )
        if (is_old or is_needed) and now_ns - self._key_wanted_at_ns > NANOSECONDS:
            self._key_wanted_at_ns = now_ns
            self._want_key_frame()


def _until(gap: GapLine, at_ns: int) -> GapLine:
    return gap.model_copy(update={"until": max(gap.since, at_ns // 1_000_000)})

"""Frames put on one file's time line and cut into fragments."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.recording import opus
from streams.recording.frames import Frame, Sample
from streams.recording.timeline import NANOSECONDS

VIDEO_RATE, AUDIO_RATE = 90_000, opus.CLOCK_RATE
FRAGMENT_SECONDS = 0.4
SILENCE_SECONDS = 1.0
"""Sound that stops for longer, while the picture goes on, is filled with packets that hold nothing."""
FILLER_LAG_SECONDS = 0.3
"""The filler stays so far behind the picture: sound that comes back must find its place free."""
USUAL_FRAME_TICKS = VIDEO_RATE // 30


@dataclass(frozen=True, slots=True)
class Fragment:
    """Samples to be written at once. Times are seconds of the file."""

    start: float
    seconds: float
    is_key: bool
    video: list[Sample]
    audio: list[Sample]


@dataclass(slots=True)
class _Lane:
    """One track: complete samples, and the last one, whose duration isn't known before the next comes."""

    rate: int
    usual: int
    samples: list[Sample] = field(default_factory=list)
    held: Sample | None = None
    last_step: int = 0
    floor: int = 0
    """Where the last sample that was let go ends: nothing may begin before."""

    def add(self, time: int, data: bytes, is_key: bool) -> None:
        self.complete(time)
        self.held = Sample(max(time, self.floor), self.usual, data, is_key)

    def release(self, until: int | None = None) -> None:
        if self.held is None:
            return
        step = self.last_step if 0 < self.last_step < self.rate else self.usual
        self.held.duration = max(step, (until or 0) - self.held.time)
        self.floor = self.held.time + self.held.duration
        self.samples.append(self.held)
        self.held = None

    def complete(self, time: int) -> None:
        """Let the held sample go: the next begins at `time`."""
        if self.held is not None:
            self.held.duration = self.last_step = max(1, time - self.held.time)
            self.floor = self.held.time + self.held.duration
            self.samples.append(self.held)
            self.held = None

    def end_seconds(self) -> float | None:
        last = self.held or (self.samples[-1] if self.samples else None)
        return None if last is None else last.time / self.rate


class Assembly:
    """Collects one file's samples; `cut` gives what there is as a fragment.

    Times given to it are Unix nanoseconds of the time line; `origin_ns` is the file's start on it.
    """

    def __init__(self, origin_ns: int, *, has_video: bool, filler: bytes | None = None) -> None:
        self.origin_ns = origin_ns
        self._has_video = has_video
        self._video = _Lane(VIDEO_RATE, USUAL_FRAME_TICKS)
        self._audio = _Lane(AUDIO_RATE, AUDIO_RATE // 50)
        self.first_arrival_ns: int | None = None
        self.filler = filler
        """What stands for a moment of sound that isn't there; known once there was sound, or from the file before."""
        self._is_filling = False
        self._last_start = self._last_end = 0.0

    def expect_key(self, at_ns: int) -> None:
        """A key frame of this time comes next: what stands before it is complete, and a cut now falls before it."""
        self._video.complete(self._ticks(at_ns, VIDEO_RATE))

    def add_video(self, frame: Frame, at_ns: int) -> None:
        """Take the next picture."""
        self._note(frame)
        self._video.add(self._ticks(at_ns, VIDEO_RATE), frame.data, frame.is_key)

    def add_audio(self, frame: Frame, at_ns: int) -> None:
        """Take the next piece of sound; what is older than the file's first picture isn't wanted."""
        time = self._ticks(at_ns, AUDIO_RATE)
        if time < 0:
            return
        self._note(frame)
        self._is_filling = False
        # RTP counts samples exactly; nanoseconds round, and sound that is off by one sample clicks.
        held = self._audio.held
        if held is not None and abs(time - held.time - opus.duration(held.data)) <= 2:
            time = held.time + opus.duration(held.data)
        self._audio.add(time, frame.data, is_key=True)

    def is_due(self, *, key_next: bool = False) -> bool:
        """Whether there is a fragment's worth; `key_next` says that the next picture is a key frame."""
        pending = self._pending_seconds()
        if key_next and not (self._video.samples and self._video.samples[0].is_key):
            return pending > 0  # a player starts at a fragment that begins with a key frame
        return pending >= FRAGMENT_SECONDS

    def cut(self, *, is_last: bool = False) -> Fragment | None:
        """Give what is complete as a fragment; the last fragment of a file also takes the samples held back."""
        if is_last:
            audio_end = self._audio.end_seconds()
            self._video.release(None if audio_end is None else int(audio_end * VIDEO_RATE))
            self._audio.release()
        else:
            self._fill_silence()
        video, audio = self._video.samples, self._audio.samples
        if not video and not audio:
            return None
        self._video.samples, self._audio.samples = [], []
        starts, ends = [], []
        for samples, rate in ((video, VIDEO_RATE), (audio, AUDIO_RATE)):
            if samples:
                starts.append(samples[0].time / rate)
                ends.append((samples[-1].time + samples[-1].duration) / rate)
        self.first_arrival_ns = None
        # A picture that stood long begins before what was written meanwhile; players look fragments up by their start.
        start = self._last_start = max(min(starts), self._last_start)
        # And late pictures may end before the sound that was written meanwhile: no span ends before it begins.
        end = self._last_end = max(*ends, self._last_end)
        return Fragment(
            start=start,
            seconds=end - start,
            is_key=bool(video and video[0].is_key) or not self._has_video,
            video=video,
            audio=audio,
        )

    def _fill_silence(self) -> None:
        """Where the sound has stopped and the picture goes on, write Opus packets that hold nothing.

        A player that finds no sound at all for a while stops the picture too. The pause itself stands in the
        manifest, as a gap. Source: RFC 6716 §3.2.1, a packet of the first byte alone is a frame that was not sent.
        """
        lane, video_end = self._audio, self._video.end_seconds()
        if video_end is None:
            return
        until = int((video_end - FILLER_LAG_SECONDS) * AUDIO_RATE)
        if lane.held is not None:
            end = lane.held.time + opus.duration(lane.held.data)
            if until - end < SILENCE_SECONDS * AUDIO_RATE:
                return
            self.filler = bytes([lane.held.data[0] & 0xFC])
            lane.complete(end)
        elif not self._is_filling and until - lane.floor < SILENCE_SECONDS * AUDIO_RATE:
            return
        if self.filler is None:
            return
        self._is_filling = True
        step = opus.duration(self.filler)
        while lane.floor + step <= until:
            lane.samples.append(Sample(lane.floor, step, self.filler, is_key=True))
            lane.floor += step

    def _pending_seconds(self) -> float:
        longest = 0.0
        for lane in (self._video, self._audio):
            if lane.samples:
                last = lane.samples[-1]
                longest = max(longest, (last.time + last.duration - lane.samples[0].time) / lane.rate)
        return longest

    def _ticks(self, at_ns: int, rate: int) -> int:
        return (at_ns - self.origin_ns) * rate // NANOSECONDS

    def _note(self, frame: Frame) -> None:
        if self.first_arrival_ns is None:
            self.first_arrival_ns = frame.arrival_ns

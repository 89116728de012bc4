"""Where each frame stands on its file's time line: by the RTP clock, with picture and sound tied by sender reports."""

from __future__ import annotations

from streams.recording.packets import Unwrap

NANOSECONDS = 1_000_000_000
NTP_EPOCH_SECONDS = 2_208_988_800
"""From 1900, where NTP's time begins, to 1970."""
SLEW_NS = 8_000_000
"""How far one picture may be moved to come nearer to its sound: too little to be seen."""
WRONG_REPORT_NS = 5 * NANOSECONDS
"""A report that moves a track further is taken for a clock that was set, and ignored."""
DRIFT_NS_PER_SECOND = 200_000
"""How fast the wall clock of a fragment may move against the device's, beyond what earlier arrivals show."""


class TrackClock:
    """One track's RTP clock: timestamps to nanoseconds from an origin of its own."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.offset_ns: int | None = None
        """Node's Unix time at RTP timestamp zero, as it is used."""
        self.sender_ns: int | None = None
        """Sender's NTP time at RTP timestamp zero, by its last report."""
        self._unwrap = Unwrap()

    def ticks_ns(self, timestamp: int) -> int:
        """The (unwrapped) timestamp in nanoseconds of this clock."""
        return self._unwrap(timestamp) * NANOSECONDS // self.rate

    def report(self, ntp: int, timestamp: int) -> None:
        """Take a sender report: 64-bit NTP time and the RTP timestamp of the same instant."""
        if ntp:
            self.sender_ns = (ntp * NANOSECONDS >> 32) - self.ticks_ns(timestamp)


class Timeline:
    """The clocks of a publisher's tracks, and one wall clock for both.

    Sound leads: it is never moved, since a listener hears it; the picture follows by small steps.
    """

    def __init__(self, video_rate: int, audio_rate: int) -> None:
        self.video = TrackClock(video_rate)
        self.audio = TrackClock(audio_rate)
        self._lag_ns: int | None = None
        self._lag_at_ns = 0

    def video_ns(self, timestamp: int, arrival_ns: int) -> int:
        """The Unix time at which this picture was taken, as near as can be told."""
        ticks = self.video.ticks_ns(timestamp)
        if self.video.offset_ns is None:
            self.video.offset_ns = arrival_ns - ticks
            target = self._target()
            if target is not None and abs(target - self.video.offset_ns) < WRONG_REPORT_NS:
                self.video.offset_ns = target
        else:
            target = self._target()
            if target is not None:
                error = target - self.video.offset_ns
                if abs(error) < WRONG_REPORT_NS:
                    self.video.offset_ns += max(-SLEW_NS, min(SLEW_NS, error))
        return self.video.offset_ns + ticks

    def audio_ns(self, timestamp: int, arrival_ns: int) -> int:
        """The Unix time at which this sound was taken."""
        ticks = self.audio.ticks_ns(timestamp)
        if self.audio.offset_ns is None:
            self.audio.offset_ns = arrival_ns - ticks
        return self.audio.offset_ns + ticks

    def arrived(self, media_ns: int, arrival_ns: int) -> None:
        """Note when something of the time line came, so that `wall_ns` knows the node's clock for it.

        The least lag of an arrival counts, so that a burst after a pause doesn't move the clock; it may grow slowly,
        since the device's clock and the node's don't run alike.
        """
        lag = arrival_ns - media_ns
        if self._lag_ns is None:
            self._lag_ns = lag
        else:
            elapsed = max(0, arrival_ns - self._lag_at_ns)
            self._lag_ns = min(lag, self._lag_ns + elapsed * DRIFT_NS_PER_SECOND // NANOSECONDS)
        self._lag_at_ns = arrival_ns

    def wall_ns(self, media_ns: int) -> int:
        """The node's clock for an instant of the time line."""
        return media_ns + (self._lag_ns or 0)

    @property
    def device_offset_ms(self) -> int | None:
        """The device's clock minus the node's, by its sender reports; None while it has told nothing."""
        for clock in (self.audio, self.video):
            if clock.sender_ns is not None and clock.offset_ns is not None:
                unix_ns = clock.sender_ns - NTP_EPOCH_SECONDS * NANOSECONDS
                return (unix_ns - self.wall_ns(clock.offset_ns)) // 1_000_000
        return None

    def settle(self) -> None:
        """Set the picture right at once; only between files, where nothing has been written yet."""
        target = self._target()
        offset = self.video.offset_ns
        if target is not None and offset is not None and abs(target - offset) < WRONG_REPORT_NS:
            self.video.offset_ns = target

    def _target(self) -> int | None:
        if self.video.sender_ns is None or self.audio.sender_ns is None or self.audio.offset_ns is None:
            return None
        return self.audio.offset_ns + self.video.sender_ns - self.audio.sender_ns

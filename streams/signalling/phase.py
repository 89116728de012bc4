"""Where a feed is in its life, told from its publisher, its frames and what its device says of the camera."""

from __future__ import annotations

from dataclasses import dataclass

from streams.hub.topics import FeedCause, FeedPhase
from streams.protocol import CameraState

STALE_SECONDS = 1.2
LOST_SECONDS = 4.2
"""What is promised is two and five seconds: the rest is for the way to the screen, and for a screen that is busy."""

_CAMERA_CAUSES = {
    CameraState.STOPPED_BY_OFFICER: FeedCause.OFFICER,
    CameraState.STOPPED_BY_SYSTEM: FeedCause.CAMERA,
}


@dataclass(slots=True)
class FeedLife:
    """Phase and cause of one feed. `now` is monotonic seconds."""

    phase: FeedPhase = FeedPhase.CONNECTING
    cause: FeedCause | None = None
    camera: CameraState | None = None
    is_published: bool = False
    published_at: float = 0.0
    end_cause: FeedCause = FeedCause.NETWORK

    def published(self, now: float) -> None:
        """A publisher has come, or come back: it has said nothing of its camera yet."""
        self.is_published, self.published_at, self.camera = True, now, None

    def ended(self, cause: FeedCause) -> None:
        """The publisher has gone; a camera that was stopped before explains more than the connection."""
        self.is_published = False
        self.end_cause = self.cause_of(cause)

    def cause_of(self, cause: FeedCause) -> FeedCause:
        """Why a publisher has gone, given what its connection tells: a camera that was stopped explains more."""
        is_said = cause in (FeedCause.REVOKED, FeedCause.NODE)
        return cause if is_said else self._camera_cause() or cause

    def look(self, now: float, last_frame_at: float | None) -> bool:
        """Draw the conclusion for this moment; true when phase or cause changed."""
        phase, cause = self._conclude(now, last_frame_at)
        if (phase, cause) == (self.phase, self.cause):
            return False
        self.phase, self.cause = phase, cause
        return True

    def _conclude(self, now: float, last_frame_at: float | None) -> tuple[FeedPhase, FeedCause | None]:
        if not self.is_published:
            return FeedPhase.ENDED, self.end_cause
        if last_frame_at is None:
            if now - self.published_at < LOST_SECONDS:
                return FeedPhase.CONNECTING, self._camera_cause()
            return FeedPhase.LOST, self._camera_cause() or FeedCause.NETWORK
        silent = now - last_frame_at
        if silent < STALE_SECONDS:
            return FeedPhase.LIVE, self._camera_cause()
        phase = FeedPhase.STALE if silent < LOST_SECONDS else FeedPhase.LOST
        return phase, self._camera_cause() or FeedCause.NETWORK

    def _camera_cause(self) -> FeedCause | None:
        return _CAMERA_CAUSES.get(self.camera) if self.camera is not None else None

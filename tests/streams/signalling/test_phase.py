"""A feed's phase and cause over time."""

from __future__ import annotations

from streams.hub.topics import FeedCause, FeedPhase
from streams.protocol import CameraState
from streams.signalling.phase import STALE_SECONDS, FeedLife


def test_a_feed_goes_from_connecting_to_live_to_stale_to_lost_and_back() -> None:
    life = FeedLife()
    life.published(0.0)
    life.look(0.1, None)
    assert life.phase is FeedPhase.CONNECTING
    assert life.look(1.0, 1.0)
    assert (life.phase, life.cause) == (FeedPhase.LIVE, None)
    assert not life.look(1.0 + STALE_SECONDS - 0.1, 1.0)
    assert life.look(1.0 + STALE_SECONDS, 1.0)
    assert (life.phase, life.cause) == (FeedPhase.STALE, FeedCause.NETWORK)
    assert life.look(6.0, 1.0)
    assert life.phase is FeedPhase.LOST
    assert life.look(7.0, 7.0)
    assert (life.phase, life.cause) == (FeedPhase.LIVE, None)


def test_a_publisher_that_never_sends_is_lost_after_five_seconds() -> None:
    life = FeedLife()
    life.published(10.0)
    assert life.look(15.0, None)
    assert (life.phase, life.cause) == (FeedPhase.LOST, FeedCause.NETWORK)


def test_what_the_device_says_of_its_camera_explains_the_silence() -> None:
    life = FeedLife()
    life.published(0.0)
    life.look(1.0, 1.0)
    life.camera = CameraState.STOPPED_BY_SYSTEM
    life.look(3.5, 1.0)
    assert (life.phase, life.cause) == (FeedPhase.STALE, FeedCause.CAMERA)
    life.camera = CameraState.STOPPED_BY_OFFICER
    assert life.look(3.6, 1.0)
    assert life.cause is FeedCause.OFFICER
    life.camera = CameraState.LIVE
    life.look(4.0, 4.0)
    assert (life.phase, life.cause) == (FeedPhase.LIVE, None)


def test_the_end_says_why() -> None:
    for camera, cause, told in (
        (None, FeedCause.NETWORK, FeedCause.NETWORK),
        (CameraState.STOPPED_BY_SYSTEM, FeedCause.NETWORK, FeedCause.CAMERA),
        (CameraState.STOPPED_BY_SYSTEM, FeedCause.REVOKED, FeedCause.REVOKED),
        (CameraState.LIVE, FeedCause.OFFICER, FeedCause.OFFICER),
    ):
        life = FeedLife()
        life.published(0.0)
        life.camera = camera
        life.ended(cause)
        life.look(1.0, 1.0)
        assert (life.phase, life.cause) == (FeedPhase.ENDED, told)

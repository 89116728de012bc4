"""The voice of the centre in one node: who talks, which phones listen, and who hears whom."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from aiortc import RTCDataChannel

from streams.hub.topics import TalkChanged
from streams.recording.manifest import CloseReason
from streams.sfu.feed import Feed
from streams.sfu.forwarder import Forwarder
from streams.sfu.track import Track
from streams.signalling.ear import MAX_LISTENERS, Ear
from streams.signalling.errors import NodeFull, OfferRefused, RightRefused
from streams.signalling.live_feed import LiveFeed, Recording
from streams.signalling.negotiation import Agreement
from streams.signalling.session import Session
from streams.signalling.talker import OpenTalk, Talker
from streams.signalling.tokens import Grant
from streams.voice_protocol import (
    MAX_TALK_SECONDS,
    WARNING_SECONDS,
    Busy,
    HushReason,
    Talk,
    TalkRefused,
    camera_of,
    is_talk,
    is_voice,
    node_of_talk,
)

logger = logging.getLogger(__name__)

MAX_TALKERS = 64
MAX_EARS = 512
SILENT_SECONDS = 3.0
"""A talker of whom nothing comes for so long has hung up, whatever its page still believes."""

Guarded = Callable[..., None]
"""Calls a function with arguments; what it raises is counted and logged, and stops nobody else."""
Tell = Callable[[TalkChanged], None]


class OpenTalkRecording(Protocol):
    """Begins a recording as `OpenRecording` does; one of a talk names it."""

    def __call__(
        self,
        feed: str,
        tracks: Sequence[Track],
        want_key_frame: Callable[[], None],
        talk: UUID | None = None,
        /,
    ) -> Recording | None:
        """The recording, or None where none is made."""


_CLOSE_REASONS: dict[HushReason, CloseReason] = {"silent": "network", "gone": "network"}


class Voice:
    """Keeps the feeds of talkers and phones; `Sessions` keeps their sessions, and tells of each that came or left.

    `tell` publishes an event for screens, `keep` makes it durable. A talk's sound is recorded as a recording of the
    talker's feed, one for each talk. What is timed is done through `guarded`: one broken talk stops no other.
    """

    def __init__(
        self,
        forwarder: Forwarder,
        *,
        node: str,
        tell: Tell,
        keep: Tell,
        open_recording: OpenTalkRecording,
        clock: Callable[[], float],
        guarded: Guarded,
    ) -> None:
        self._forwarder = forwarder
        self._node = node
        self._tell = tell
        self._keep = keep
        self._open_recording = open_recording
        self._clock = clock
        self._guarded = guarded
        self.feeds: dict[str, LiveFeed] = {}
        self.begun = 0
        self.ended: dict[HushReason, int] = {}
        self.refused: Counter[str] = Counter()
        """Talks that didn't begin, by code."""
        self.messages: Counter[str] = Counter()
        """What became of the texts on talkers' data channels: `taken`, `invalid`, or `dropped` beyond the rate."""
        self._talkers: dict[str, Talker] = {}
        """By session: a line that is opened anew has two for a moment, and what the first one says goes on."""
        self._ears: dict[str, Ear] = {}

    @property
    def talks(self) -> list[OpenTalk]:
        """Those that are under way."""
        return [talker.talk for talker in self._talkers.values() if talker.talk is not None]

    @property
    def talkers(self) -> int:
        """Pages that could talk."""
        return len(self._talkers)

    @property
    def phones(self) -> int:
        """Phones that would hear it."""
        return sum(ear.is_open for ear in self._ears.values())

    # -- sessions come and go

    def talk_feed(self, name: str, grant: Grant, agreement: Agreement) -> LiveFeed:
        """The feed of somebody who is to talk.

        Raises:
            RightRefused, OfferRefused, NodeFull
        """
        # The token covers the line's feeds at all nodes; here there is one of them.
        if grant.operation_id is None or not is_talk(name) or node_of_talk(name) != self._node:
            raise RightRefused("right-missing", HTTPStatus.FORBIDDEN)
        if agreement.channel is None or [track.kind for track in agreement.tracks] != ["audio"]:
            raise OfferRefused("talk-needs-sound-and-channel", HTTPStatus.UNPROCESSABLE_ENTITY)
        if name not in self.feeds:
            if sum(map(is_talk, self.feeds)) >= MAX_TALKERS:
                raise NodeFull
            media = Feed(name, self._forwarder)
            self.feeds[name] = LiveFeed(name, self._node, media, self._gate)
        return self.feeds[name]

    def talker(self, session: Session) -> Talker:
        """What takes the messages of this session's channel."""
        talker = self._talkers[session.id] = Talker(session, self, self._clock)
        return talker

    def voice_feed(self, name: str, grant: Grant) -> LiveFeed:
        """The feed of a phone that is to listen; it is there for whoever may.

        Raises:
            RightRefused, NodeFull
        """
        if grant.operation_id is None or not is_voice(name):
            raise RightRefused("right-missing", HTTPStatus.FORBIDDEN)
        ear = self._ears.get(camera_of(name))
        if ear is None:
            if len(self._ears) >= MAX_EARS:
                raise NodeFull
            ear = self._new_ear(name, grant)
        elif len(ear.live.viewers) >= MAX_LISTENERS:
            raise NodeFull
        return ear.live

    def listener_channel(self, session: Session) -> Callable[[RTCDataChannel], None]:
        """What takes the channel that a listening phone opens."""
        ear = self._ears[camera_of(session.feed)]
        return lambda channel: ear.channel_opened(session, channel)

    def listener_connected(self, session: Session) -> None:
        """A phone is connected: who talks to it is told."""
        self._heard_changed(self._ears.get(camera_of(session.feed)))

    def left(self, session: Session) -> None:
        """A session of a talker or a phone is over."""
        feed = self.feeds.get(session.feed)
        if feed is None:
            return
        if session.viewer is not None:
            self._listener_left(self._ears[camera_of(feed.name)], session)
            return
        talker = self._talkers.pop(session.id, None)
        if talker is not None:
            talker.stop("gone")
        if feed.is_idle:
            del self.feeds[feed.name]

    def _new_ear(self, name: str, grant: Grant) -> Ear:
        assert grant.operation_id is not None  # noqa: S101 - asked before
        now = self._clock()
        live = LiveFeed(name, self._node, Feed(name, self._forwarder), _keep_nothing)
        ear = Ear(live, grant.operation_id, now)
        self.feeds[name] = live
        self._ears[ear.camera] = ear
        for talk in self.talks:
            # The phone came back, or went on the air, while somebody speaks to it.
            if ear.talk is None and ear.camera in talk.to and self._may_hear(ear, talk.talker):
                talk.ears.append(ear)
                ear.listen(talk, talk.talker.track, now)
        return ear

    def _listener_left(self, ear: Ear, session: Session) -> None:
        ear.left(session)
        talk = ear.talk
        if not ear.live.viewers:
            del self.feeds[ear.live.name]
            del self._ears[ear.camera]
            if talk is not None:
                talk.ears.remove(ear)
        if talk is not None:
            talk.talker.tell(talk, self._clock())

    def _heard_changed(self, ear: Ear | None) -> None:
        if ear is not None and ear.talk is not None:
            ear.talk.note_heard()
            ear.talk.talker.tell(ear.talk, self._clock())

    def _gate(self, feed: str, tracks: Sequence[Track], want_key_frame: Callable[[], None]) -> Recording | None:
        publisher = self.feeds[feed].publisher
        return None if publisher is None else self._talkers.get(publisher.id)

    # -- talks

    def begin(self, talker: Talker, wanted: Talk) -> None:
        """Let somebody talk to those phones that nobody else talks to; said again, it changes nothing."""
        if talker.talk is not None:
            if talker.talk.id == wanted.id:
                return
            talker.stop("replaced")
        sign_in = talker.session.grant.session_id
        for other in self.talks:
            # Whoever comes back on another line is in nobody's way but his own.
            if sign_in is not None and other.talker.session.grant.session_id == sign_in:
                other.talker.stop("replaced")
        to = tuple(dict.fromkeys(wanted.to))
        ears = [self._ears[feed] for feed in to if feed in self._ears]
        if not all(self._may_hear(ear, talker) for ear in ears):
            self._refuse(talker, TalkRefused(id=wanted.id, code="not-in-operation"))
            return
        busy = tuple(Busy(feed=ear.camera, speaker=ear.talk.talker.speaker) for ear in ears if ear.talk is not None)
        free = [ear for ear in ears if ear.talk is None]
        if busy and not free:
            self._refuse(talker, TalkRefused(id=wanted.id, code="busy", busy=busy))
            return
        self._open(talker, wanted, to, free, busy)

    def _refuse(self, talker: Talker, refused: TalkRefused) -> None:
        self.refused[refused.code] += 1
        talker.refuse(refused)

    def _open(self, talker: Talker, wanted: Talk, to: tuple[str, ...], ears: list[Ear], busy: tuple[Busy, ...]) -> None:
        now = self._clock()
        talk = OpenTalk(wanted.id, talker, to, now, now, ears=ears, busy=busy)
        talk.recording = self._open_recording(talker.session.feed, talker.session.tracks, lambda: None, talk.id)
        talker.talk = talk
        for ear in ears:
            ear.listen(talk, talker.track, now)
        talk.note_heard()
        self.begun += 1
        logger.info("talk %s: session %s… speaks to %d phones", talk.id, talker.session.log_name, len(ears))
        talker.tell(talk, now)
        self._announce(talk)
        self._keep(self._event(talk))

    def end(self, talk: OpenTalk, reason: HushReason) -> None:
        """End a talk; whoever heard it is told."""
        talk.talker.talk = None
        for ear in talk.ears:
            ear.rest()
        if talk.recording is not None:
            talk.recording.close(_CLOSE_REASONS.get(reason, "ended"))
        self.ended[reason] = self.ended.get(reason, 0) + 1
        logger.info("talk %s: over, %s", talk.id, reason)
        talk.talker.hushed(talk, reason)
        ended = {"heard": tuple(talk.reached), "ended_at": int(time.time() * 1000), "reason": reason}
        event = self._event(talk).model_copy(update=ended)
        self._tell(event)
        self._keep(event)

    def _may_hear(self, ear: Ear, talker: Talker) -> bool:
        return ear.operation_id == talker.session.grant.operation_id

    def _announce(self, talk: OpenTalk) -> None:
        self._tell(self._event(talk))

    def _event(self, talk: OpenTalk) -> TalkChanged:
        grant = talk.talker.session.grant
        assert grant.operation_id is not None  # noqa: S101 - nobody is admitted without
        return TalkChanged(
            talk=talk.id,
            operation_id=grant.operation_id,
            user_id=grant.user_id,
            speaker=talk.talker.speaker,
            node=self._node,
            recording_feed=talk.talker.session.feed,
            to=talk.to,
            heard=talk.heard,
            began_at=talk.began_ms,
        )

    # -- time

    @property
    def is_repairing(self) -> bool:
        """Whether any talker's feed waits for lost packets."""
        return any(feed.media.is_repairing for feed in self.feeds.values())

    def tick(self, now: float) -> None:
        """Send the reports that are due."""
        for feed in list(self.feeds.values()):
            self._guarded(feed.media.tick, now)

    def sweep(self, now: float) -> None:
        """End talks that last too long or have fallen silent, and tell of the others again; each second."""
        for talk in self.talks:
            self._guarded(self._look, talk, now)

    def _look(self, talk: OpenTalk, now: float) -> None:
        left = MAX_TALK_SECONDS - (now - talk.began_at)
        if left <= 0:
            self.end(talk, "limit")
        elif now - talk.heard_at > SILENT_SECONDS:
            self.end(talk, "silent")
        else:
            if left <= WARNING_SECONDS and not talk.is_warned:
                talk.is_warned = True
                talk.talker.warn(talk, round(left))
            self._announce(talk)

    def close(self) -> None:
        """The node ends."""
        for talk in self.talks:
            self._guarded(self.end, talk, "gone")


def _keep_nothing(feed: str, tracks: Sequence[Track], want_key_frame: Callable[[], None]) -> None:
    """What a phone hears is recorded once, where it is spoken."""

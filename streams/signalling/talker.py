"""A page of the centre that may talk: its channel, and the gate that its sound passes only while it talks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from aiortc import RTCDataChannel
from pydantic import ValidationError

from streams.protocol import MAX_MESSAGE_BYTES, id_of
from streams.recording.manifest import CloseReason, GapKind
from streams.recording.sink import Trouble
from streams.sfu.track import Kind, Track
from streams.signalling.limits import Bucket
from streams.signalling.live_feed import Recording
from streams.signalling.session import Session
from streams.signalling.texts import send_text
from streams.voice_protocol import (
    MAX_TALK_SECONDS,
    NAME_BOUND,
    TALK_LABEL,
    TALKER_MESSAGE,
    Busy,
    Ending,
    Hushed,
    HushReason,
    Talk,
    Talking,
    TalkRefused,
)

if TYPE_CHECKING:
    from streams.signalling.ear import Ear

BURST, PER_SECOND = 40, 5
"""Keys that are pressed; more is a page gone wild, and isn't heard."""


@dataclass(slots=True, eq=False)
class OpenTalk:
    """One talk that is under way. `began_at` and `heard_at`, when its sound last came, are monotonic seconds."""

    id: UUID
    talker: Talker
    to: tuple[str, ...]
    began_at: float
    heard_at: float
    began_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    ears: list[Ear] = field(default_factory=list)
    busy: tuple[Busy, ...] = ()
    recording: Recording | None = None
    reached: dict[str, None] = field(default_factory=dict)
    """The phones that listened at any time of it, also those that have left."""
    is_warned: bool = False

    @property
    def heard(self) -> tuple[str, ...]:
        """The phones that listen."""
        return tuple(ear.camera for ear in self.ears if ear.is_open)

    def note_heard(self) -> None:
        """Keep in mind who listens now."""
        self.reached.update(dict.fromkeys(self.heard))

    def packet(self, kind: Kind, packet: bytes, arrival_ns: int, now: float) -> None:
        """Give a packet to whom it is for."""
        self.heard_at = now
        if self.recording is not None:
            self.recording.packet(kind, packet, arrival_ns)
        for ear in self.ears:
            ear.packet(packet, now)


class Switchboard(Protocol):
    """Who begins and ends talks, and counts what became of the texts of all talkers."""

    messages: Counter[str]

    def begin(self, talker: Talker, wanted: Talk) -> None:
        """The key is down."""

    def end(self, talk: OpenTalk, reason: HushReason) -> None:
        """It is over, for this reason."""


class Talker:
    """Stands in its feed where a recording would: it gets each packet, and lets it pass or not."""

    def __init__(self, session: Session, board: Switchboard, clock: Callable[[], float]) -> None:
        self.session = session
        self.speaker = (session.grant.speaker or "")[:NAME_BOUND]
        self.talk: OpenTalk | None = None
        self._board = board
        self._clock = clock
        self._bucket = Bucket(BURST, PER_SECOND)
        self._channel: RTCDataChannel | None = None

    @property
    def track(self) -> Track:
        """What it sends."""
        return self.session.tracks[0]

    # -- its channel

    def opened(self, channel: RTCDataChannel) -> None:
        """Listen on the channel if it is ours; the latest one is answered."""
        if channel.label != TALK_LABEL:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._received)
        channel.on("close", lambda: self._closed(channel))

    def _closed(self, channel: RTCDataChannel) -> None:
        if channel is self._channel:
            self.stop("gone")

    def _received(self, data: str | bytes) -> None:
        if not self._bucket.take(self._clock()):
            self._board.messages["dropped"] += 1
            return
        try:
            if len(data) > MAX_MESSAGE_BYTES:
                raise ValueError("too long")
            message = TALKER_MESSAGE.validate_json(data)
        except (ValidationError, ValueError):
            self._board.messages["invalid"] += 1
            send_text(self._channel, TalkRefused(id=id_of(data), code="message-invalid"))
            return
        self._board.messages["taken"] += 1
        if isinstance(message, Talk):
            self._board.begin(self, message)
        elif self.talk is not None and self.talk.id == message.id:
            self.stop("released")

    def stop(self, reason: HushReason) -> None:
        """Say nothing more."""
        if self.talk is not None:
            self._board.end(self.talk, reason)

    # -- what the board tells its page

    def refuse(self, refused: TalkRefused) -> None:
        """It doesn't begin."""
        send_text(self._channel, refused)

    def tell(self, talk: OpenTalk, now: float) -> None:
        """Who hears it."""
        left = max(0, round(MAX_TALK_SECONDS - (now - talk.began_at)))
        send_text(self._channel, Talking(id=talk.id, heard=talk.heard, busy=talk.busy, seconds_left=left))

    def warn(self, talk: OpenTalk, seconds_left: int) -> None:
        """It will be ended soon."""
        send_text(self._channel, Ending(id=talk.id, seconds_left=seconds_left))

    def hushed(self, talk: OpenTalk, reason: HushReason) -> None:
        """It is over."""
        send_text(self._channel, Hushed(id=talk.id, reason=reason))

    # -- as the recording of its feed

    def packet(self, kind: Kind, packet: bytes, arrival_ns: int) -> None:
        """Let it pass while it talks; what is said otherwise reaches nobody and is kept nowhere."""
        if self.talk is not None:
            self.talk.packet(kind, packet, arrival_ns, self._clock())

    def report(self, kind: Kind, ntp: int, rtp_timestamp: int) -> None:
        """The recording keeps the page's clock too."""
        if self.talk is not None and self.talk.recording is not None:
            self.talk.recording.report(kind, ntp, rtp_timestamp)

    def is_writing(self, now: float) -> bool:
        """Whether what is said is being kept."""
        talk = self.talk
        return talk is not None and talk.recording is not None and talk.recording.is_writing(now)

    def trouble(self, now: float) -> Trouble | None:
        """What keeps what is said from being kept."""
        talk = self.talk
        return None if talk is None or talk.recording is None else talk.recording.trouble(now)

    def pause(self, cause: GapKind | None) -> None:
        """Pauses of speech are no gaps."""

    def close(self, reason: CloseReason) -> None:
        """Its session is over."""
        self.stop("gone")

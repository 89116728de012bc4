"""A phone that listens to the centre: a feed of sound that the node makes for it, and who speaks, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from aiortc import RTCDataChannel
from pylibsrtp import Session as Srtp

from streams.sfu.track import Codec, Track
from streams.signalling.live_feed import LiveFeed
from streams.signalling.negotiation import Agreement, agree_to_view
from streams.signalling.offer import Offer
from streams.signalling.session import Session
from streams.signalling.texts import send_text
from streams.voice_protocol import VOICE_LABEL, Speaking, camera_of

if TYPE_CHECKING:
    from streams.signalling.talker import OpenTalk

MAX_LISTENERS = 4
"""Sessions of one phone: a page that came back has another before the node misses the first."""
SOUND = Track("audio", "0", Codec("opus", 48_000, 111))
"""What a phone is promised before anybody speaks."""


class _Nowhere:
    """Where reports to the publisher of an ear go: nobody publishes it but the node."""

    on_change: Callable[[], None] = staticmethod(lambda: None)
    is_open = False
    srtp_out: Srtp | None = None
    address: tuple[str, int] | None = None
    address_version = 0

    def send_rtcp(self, plain: bytes) -> None:
        """Nothing."""


def agree_to_listen(offer: Offer) -> Agreement:
    """Choose how to send sound to a phone, and take its data channel.

    Raises:
        OfferRefused: it can't play Opus (409), or offers what can't be (422).
    """
    agreement = agree_to_view(offer, (SOUND,))
    lines = (
        replace(line, is_channel=line.media.kind == "application" and not line.media.is_rejected)
        for line in agreement.lines
    )
    return replace(agreement, lines=tuple(lines))


class Ear:
    """What one phone hears: one talk at a time, in one numbering, whoever speaks."""

    def __init__(self, live: LiveFeed, operation_id: UUID, now: float) -> None:
        self.live = live
        self.operation_id = operation_id
        self.talk: OpenTalk | None = None
        self._channels: dict[str, RTCDataChannel] = {}
        live.media.publish((SOUND,), _Nowhere(), now)

    @property
    def camera(self) -> str:
        """The feed that the phone publishes."""
        return camera_of(self.live.name)

    @property
    def is_open(self) -> bool:
        """Whether the phone would hear something now."""
        return any(session.link.is_open for session in self.live.viewers.values())

    def listen(self, talk: OpenTalk, track: Track, now: float) -> None:
        """Hear this talk from now on; `track` is what its speaker sends."""
        self.talk = talk
        # A new publisher each time: another's stream takes over at once, and the timestamps follow the wall.
        self.live.media.publish((replace(track, nack=False, transport_cc=False, ssrc=None),), _Nowhere(), now)
        self._tell()

    def packet(self, packet: bytes, now: float) -> None:
        """Pass a packet of the talk on."""
        self.live.media.rtp_received(bytearray(packet), len(packet), now)

    def rest(self) -> None:
        """The talk is over."""
        self.talk = None
        self._tell()

    def channel_opened(self, session: Session, channel: RTCDataChannel) -> None:
        """Tell this phone who speaks, now and at each change."""
        if channel.label != VOICE_LABEL:
            channel.close()
            return
        self._channels[session.id] = channel
        send_text(channel, self._speaking())

    def left(self, session: Session) -> None:
        """One of the phone's sessions is over."""
        self._channels.pop(session.id, None)

    def _tell(self) -> None:
        for channel in self._channels.values():
            send_text(channel, self._speaking())

    def _speaking(self) -> Speaking:
        if self.talk is None:
            return Speaking(id=None)
        return Speaking(id=self.talk.id, speaker=self.talk.talker.speaker)

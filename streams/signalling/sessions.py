"""All sessions of a node: who is admitted, to which feed, and until when."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence

from streams.hub.revocations import ends
from streams.hub.topics import CameraChanged, Event, FeedCause, FeedState, PositionTaken, Revoked, TalkChanged
from streams.protocol import CameraStatus, Position
from streams.sfu.feed import Feed
from streams.sfu.forwarder import Forwarder
from streams.sfu.pages import Pages
from streams.sfu.viewer import Viewer
from streams.signalling.answer import Endpoint, write_answer, write_fragment
from streams.signalling.ear import agree_to_listen
from streams.signalling.errors import FeedNotLive, NodeFull
from streams.signalling.field_channel import FieldChannel
from streams.signalling.live_feed import LiveFeed
from streams.signalling.negotiation import agree_to_publish, agree_to_view
from streams.signalling.offer import Offer, read_offer
from streams.signalling.session import Right, Session
from streams.signalling.tokens import Grant
from streams.signalling.viewer_channel import ViewerChannel
from streams.signalling.voice import OpenTalkRecording, Voice
from streams.transport.link import Link, ignore, take_none
from streams.transport.port import MediaPort
from streams.viewer_protocol import Picture, Want
from streams.voice_protocol import camera_of, is_talk, is_voice, voice_name

logger = logging.getLogger(__name__)

MAX_SESSIONS = 600
MAX_FEEDS = 256
ENDED_KEPT_SECONDS = 600.0
"""How long an ended feed is still told of, with its cause."""
TROUBLES_TOLD = 20
VIEWERS_WAIT_SECONDS = 60.0
"""How long viewers of an ended feed wait for its publisher to come back."""

_CAUSES = {
    "deleted": FeedCause.OFFICER,
    "closed-by-peer": FeedCause.OFFICER,
    "revoked": FeedCause.REVOKED,
    "node": FeedCause.NODE,
}

Keep = Callable[[PositionTaken | CameraChanged | TalkChanged, Callable[[], None]], None]


class Sessions:
    """Admits, keeps and ends sessions; `tick` drives all that is timed: each 30 to 60 ms, or 20 while `is_repairing`.

    `tell(event)` publishes an event; `keep(event, on_kept)` makes durable what a device told.
    """

    def __init__(
        self,
        port: MediaPort,
        forwarder: Forwarder,
        *,
        node: str,
        addresses: Sequence[str],
        tell: Callable[[Event], None],
        keep: Keep,
        open_recording: OpenTalkRecording,
        clock: Callable[[], float] = time.monotonic,
        max_sessions: int = MAX_SESSIONS,
    ) -> None:
        self._port = port
        self._forwarder = forwarder
        self._node = node
        self._addresses = tuple(addresses)
        self._tell = tell
        self._keep = keep
        self._open_recording = open_recording
        self._clock = clock
        self._max_sessions = max_sessions
        self._closing: set[asyncio.Task[None]] = set()
        self.by_id: dict[str, Session] = {}
        self.feeds: dict[str, LiveFeed] = {}
        self.voice = Voice(
            forwarder,
            node=node,
            tell=tell,
            keep=lambda event: keep(event, _nothing),
            open_recording=open_recording,
            clock=clock,
            guarded=self._guarded,
        )
        self.ended: dict[str, int] = {}
        self.troubles = 0
        """How often something timed failed that shouldn't."""
        self.pages = Pages()
        self.messages: Counter[str] = Counter()
        """What became of the texts on officers' data channels."""

    def publish(self, name: str, grant: Grant, body: bytes) -> tuple[Session, str]:
        """Answer a publisher's offer; it takes the feed over once it is connected.

        Raises:
            OfferRefused, NodeFull
        """
        offer = read_offer(body)
        agreement = agree_to_publish(offer)
        self._make_room()
        is_camera = not (is_talk(name) or is_voice(name))
        feed = self._feed_for_publisher(name) if is_camera else self.voice.talk_feed(name, grant, agreement)
        now = self._clock()
        link = self._port.open_link(now)
        session = Session(name, Right.PUBLISH, grant, link, agreement, offer)
        self._add(session)
        link.wants_arrival_times = any(track.transport_cc for track in agreement.tracks)
        link.on_open = lambda: self._publisher_connected(feed, session)
        if agreement.channel is not None:
            channel = self._field_channel(feed, session) if is_camera else self.voice.talker(session)
            link.offer_channel(channel.opened, agreement.channel.sctp_port, agreement.channel.max_message_size)
        superfluous = feed.announce(session, now)
        if superfluous is not None:
            self.end(superfluous, "replaced")
        link.start(agreement.dtls_role, offer.fingerprints)
        self._look(feed, now)
        return session, write_answer(agreement, self._endpoint(link), secrets.randbits(62))

    def view(self, name: str, grant: Grant, body: bytes, *, group: str | None = None) -> tuple[Session, str]:
        """Answer a viewer's offer for a live feed; `group` names the page whose bandwidth it shares.

        Raises:
            OfferRefused, FeedNotLive, NodeFull
        """
        offer = read_offer(body)
        if is_voice(name):
            return self._listen(name, grant, offer)
        feed = self.feeds.get(name)
        if feed is None or not feed.is_live:
            raise FeedNotLive
        agreement = agree_to_view(offer, feed.media.tracks)
        self._make_room()
        link = self._port.open_link(self._clock())
        viewer = Viewer(agreement.tracks, link)
        session = Session(name, Right.VIEW, grant, link, agreement, offer, viewer)
        self._add(session)
        feed.viewers[session.id] = session
        link.on_rtcp, link.on_uneasy = viewer.rtcp_received, viewer.grow_uneasy
        link.share_trail(*viewer.trail.shared)
        link.on_open = lambda: self._viewer_connected(feed, session, viewer, group)
        if agreement.channel is not None:
            channel = ViewerChannel(lambda wish: self.want(session, wish), lambda: self._picture(viewer, feed))
            viewer.on_picture = channel.tell
            link.offer_channel(channel.opened, agreement.channel.sctp_port, agreement.channel.max_message_size)
        link.start(agreement.dtls_role, offer.fingerprints)
        return session, write_answer(agreement, self._endpoint(link), secrets.randbits(62), sends=name)

    def _listen(self, name: str, grant: Grant, offer: Offer) -> tuple[Session, str]:
        """Answer a phone that is to hear the centre, whether anybody speaks or not."""
        agreement = agree_to_listen(offer)
        self._make_room()
        feed = self.voice.voice_feed(name, grant)
        link = self._port.open_link(self._clock())
        viewer = Viewer(agreement.tracks, link)
        session = Session(name, Right.VIEW, grant, link, agreement, offer, viewer)
        self._add(session)
        feed.viewers[session.id] = session
        link.on_rtcp, link.on_uneasy = viewer.rtcp_received, viewer.grow_uneasy
        link.share_trail(*viewer.trail.shared)
        link.on_open = lambda: self._listener_connected(feed, session)
        if agreement.channel is not None:
            opened = self.voice.listener_channel(session)
            link.offer_channel(opened, agreement.channel.sctp_port, agreement.channel.max_message_size)
        link.start(agreement.dtls_role, offer.fingerprints)
        return session, write_answer(agreement, self._endpoint(link), secrets.randbits(62), sends=name)

    def _feed_of(self, session: Session) -> LiveFeed:
        return self.feeds.get(session.feed) or self.voice.feeds[session.feed]

    def want(self, session: Session, wish: Want) -> None:
        """Give a viewer another layer of its picture, as far as its page's line carries it."""
        if session.ended_because is not None or session.viewer is None:
            return
        if session.tile is None:
            session.viewer.want(wish.layer)
            session.viewer.is_spotlight = wish.spotlight
        else:
            session.tile.want(wish.layer, is_spotlight=wish.spotlight, now=self._clock())

    def restart_ice(self, session: Session) -> str:
        """New ICE credentials for a session, as the fragment to answer with; it goes on meanwhile."""
        ufrag, password = session.link.restart_ice(self._clock())
        session.renew_tag()
        if session.viewer is not None:
            session.viewer.road.forget()
        endpoint = Endpoint(self._addresses, self._port.number, ufrag, password, self._port.certificate.fingerprint)
        return write_fragment(endpoint, session.offer.media[0].mid or "0")

    def end(self, session: Session, reason: str) -> None:
        """End a session: forgotten at once, its peer told right after."""
        if session.ended_because is not None:
            return
        session.ended_because = reason
        # Its handshake may be over this very moment: an ended session joins nothing any more.
        session.link.on_open = ignore
        self.by_id.pop(session.id, None)
        self.ended[reason] = self.ended.get(reason, 0) + 1
        now = self._clock()
        feed = self._feed_of(session)
        if session.viewer is not None:
            feed.viewers.pop(session.id, None)
            feed.repeated_before += session.viewer.repeated
            feed.nacked_before += session.viewer.nacked
            feed.refused_before += session.viewer.refused
            feed.media.remove_viewer(session.viewer)
            session.viewer.on_picture = ignore
            if session.tile is not None:
                self.pages.leave(session.tile, now)
                session.tile = None
        else:
            feed.publisher_gone(session, _CAUSES.get(reason, FeedCause.NETWORK), now)
            self._look(feed, now)
        self.voice.left(session)
        logger.info("session %s… of feed %s ended: %s", session.log_name, session.feed, reason)
        task = asyncio.get_running_loop().create_task(session.link.close(reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def revoke(self, revoked: Revoked) -> None:
        """End every session that came from the revoked right, or is of the revoked feed."""
        for session in list(self.by_id.values()):
            if camera_of(session.feed) == revoked.feed or ends(revoked, session.grant):
                self.end(session, "revoked")

    def drain(self) -> None:
        """Take nobody any more; whoever asks is told to come back later, and is sent to another node then."""
        self._max_sessions = 0

    @property
    def is_full(self) -> bool:
        """Whether another session would be refused."""
        return len(self.by_id) >= self._max_sessions

    def moved(self, name: str, published_at: int) -> None:
        """Another node has a publisher of this feed, since `published_at` (Unix ms): an earlier one here is over.

        So it is after this node hung, or was cut off. A publisher who isn't connected yet may be the next, and stays.
        """
        feed = self.feeds.get(name)
        if feed is None or feed.published_at_ms >= published_at:
            return
        phone = self.voice.feeds.get(voice_name(name))
        for session in (feed.publisher, *feed.viewers.values(), *(phone.viewers.values() if phone else ())):
            if session is not None:
                self.end(session, "moved")
        if feed.is_idle:
            del self.feeds[name]

    @property
    def is_repairing(self) -> bool:
        """Whether any feed waits for lost packets, a talker's as well."""
        return self.voice.is_repairing or any(feed.media.is_repairing for feed in self.feeds.values())

    def tick(self, now: float) -> None:
        """Let every feed and viewer send what is due."""
        for feed in self.feeds.values():
            self._guarded(self._tick_feed, feed, now)
        self._guarded(self.pages.look, now)
        self.voice.tick(now)
        self._forwarder.flush()

    def _tick_feed(self, feed: LiveFeed, now: float) -> None:
        feed.media.tick(now)
        self._look(feed, now)

    def _guarded(self, call: Callable[..., None], *arguments: object) -> None:
        """One feed's trouble must not stop the clock of all others, nor fill the log."""
        try:
            call(*arguments)
        except Exception:
            self.troubles += 1
            if self.troubles <= TROUBLES_TOLD:
                logger.exception("what is timed failed")

    def sweep(self, now: float) -> None:
        """End sessions whose peer has gone, and forget feeds that ended long ago; each second."""
        for session in list(self.by_id.values()):
            self._guarded(self._sweep_session, session, now)
        self.voice.sweep(now)
        for feed in list(self.feeds.values()):
            self._guarded(self._sweep_feed, feed, now)

    def _sweep_session(self, session: Session, now: float) -> None:
        if session.link.is_expired(now):
            self.end(session, "consent-lost" if session.link.is_open else "never-connected")

    def _sweep_feed(self, feed: LiveFeed, now: float) -> None:
        if feed.ended_at is None:
            return
        if now - feed.ended_at > VIEWERS_WAIT_SECONDS:
            for session in list(feed.viewers.values()):
                self.end(session, "feed-ended")
        if now - feed.ended_at > ENDED_KEPT_SECONDS and not feed.viewers:
            del self.feeds[feed.name]

    def states(self) -> list[FeedState]:
        """What the hub is told of each feed."""
        now = self._clock()
        return [feed.state(now) for feed in self.feeds.values()]

    async def close(self) -> None:
        """End everything; returns when the peers were told."""
        self.voice.close()
        for session in list(self.by_id.values()):
            self.end(session, "node")
        for feed in self.feeds.values():
            feed.close("node")
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _feed_for_publisher(self, name: str) -> LiveFeed:
        feed = self.feeds.get(name)
        if feed is None:
            if len(self.feeds) >= MAX_FEEDS:
                self._forget_an_ended_feed()
            media = Feed(name, self._forwarder)
            feed = self.feeds[name] = LiveFeed(name, self._node, media, self._open_recording)
        return feed

    def _forget_an_ended_feed(self) -> None:
        idle = [feed for feed in self.feeds.values() if feed.ended_at is not None and not feed.viewers]
        if not idle:
            raise NodeFull
        del self.feeds[min(idle, key=lambda feed: feed.ended_at or 0.0).name]

    def _make_room(self) -> None:
        if self.is_full:
            raise NodeFull

    def _add(self, session: Session) -> None:
        session.name_node(self._node)
        self.by_id[session.id] = session
        session.link.on_close = lambda reason: self.end(session, reason)
        logger.info("session %s… of feed %s begins (%s)", session.log_name, session.feed, session.right)

    def _endpoint(self, link: Link) -> Endpoint:
        fingerprint = self._port.certificate.fingerprint
        return Endpoint(self._addresses, self._port.number, link.ufrag, link.password, fingerprint)

    def _publisher_connected(self, feed: LiveFeed, session: Session) -> None:
        if feed.next_publisher is not session:
            return
        now = self._clock()
        former, misfits = feed.take_over(session, now)
        feed.media.on_layers = session.want_layers
        session.link.on_rtp = feed.media.rtp_received
        session.link.on_run = feed.media.run_received
        session.link.on_rtcp = feed.media.rtcp_received
        if former is not None:
            former.link.on_rtp = former.link.on_rtcp = ignore
            former.link.on_run = take_none
            self.end(former, "replaced")
        for viewer in misfits:
            self.end(viewer, "codec-changed")
        self._look(feed, now)

    def _viewer_connected(self, feed: LiveFeed, session: Session, viewer: Viewer, group: str | None) -> None:
        now = self._clock()
        feed.media.add_viewer(viewer, now)
        if len(viewer.branches) < sum(track.kind in feed.media.sources for track in viewer.tracks):
            # Another publisher, of another codec, came between the answer and now.
            self.end(session, "codec-changed")
            return
        grant = session.grant
        # Whoever holds the token owns the page's name: nobody joins another's budget.
        key = None if group is None else (grant.session_id or grant.user_id or grant.token_id, group)
        session.tile = self.pages.join(key, viewer, feed.media, now)

    def _picture(self, viewer: Viewer, feed: LiveFeed) -> Picture:
        """What a viewer's page is told."""
        bps = None if viewer.page is None else viewer.page.estimate_bps
        return Picture(
            layer=viewer.layer,
            wanted=viewer.wanted,
            paused="bandwidth" if viewer.is_paused else None,
            held=feed.media.held(viewer, self._clock()),
            estimate_kbps=None if bps is None else int(bps / 1000),
        )

    def _listener_connected(self, feed: LiveFeed, session: Session) -> None:
        if session.viewer is not None:
            feed.media.add_viewer(session.viewer, self._clock())
        self.voice.listener_connected(session)

    def _look(self, feed: LiveFeed, now: float) -> None:
        if feed.look(now) and feed.name in self.feeds:
            recorded = "recorded" if feed.is_recording else "not recorded"
            logger.info("feed %s: %s (%s), %s", feed.name, feed.life.phase, feed.life.cause, recorded)
            self._tell(feed.state(now))

    def _field_channel(self, feed: LiveFeed, session: Session) -> FieldChannel:
        channel = FieldChannel(
            lambda position, at, on_kept: self._position(feed.name, position, at, on_kept),
            lambda status, at, on_kept: self._camera(feed, status, at, on_kept),
            self.messages,
        )
        session.want_layers = channel.want_layers
        return channel

    def _position(self, name: str, position: Position, received_at: int, on_kept: Callable[[], None]) -> None:
        taken = PositionTaken(
            feed=name,
            position=position,
            received_at=received_at,
            clock_offset_ms=received_at - position.taken_at,
            road="channel",
        )
        self._tell(taken)
        self._keep(taken, on_kept)

    def _camera(self, feed: LiveFeed, status: CameraStatus, received_at: int, on_kept: Callable[[], None]) -> None:
        if not feed.camera(status):
            on_kept()  # a newer word has replaced it
            return
        changed = CameraChanged(feed=feed.name, state=status.state, received_at=received_at)
        self._tell(changed)
        self._look(feed, self._clock())
        self._keep(changed, on_kept)


def _nothing() -> None:
    """Nobody waits to hear that a talk is on record."""

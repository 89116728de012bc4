"""One headless officer: camera, positions, and answers to instructions, each coming back by itself."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from field_agent.agent.answers import Answers
from field_agent.agent.centre import Centre, Whip
from field_agent.agent.configuration import AgentSettings
from field_agent.agent.description import offer, plan, read_answer
from field_agent.agent.errors import AgentError, CentreRefused, SessionLost
from field_agent.agent.link import Link
from field_agent.agent.outbox import Outbox
from field_agent.agent.patience import Patience
from field_agent.agent.player import Player, Score
from field_agent.agent.track import Track
from streams.protocol import (
    DATA_CHANNEL_LABEL,
    MAX_MESSAGE_BYTES,
    PROTOCOL_VERSION,
    SERVER_MESSAGE,
    Ack,
    CameraState,
    CameraStatus,
    Hello,
    InstructionDelivery,
    Position,
    Receipt,
    Refusal,
    Reload,
    SignedOut,
    Welcome,
)

logger = logging.getLogger(__name__)

REFUSED_WAIT_SECONDS = 20.0
"""A centre that said no isn't asked again at once."""
SETTLED_SECONDS = 5.0
"""A session that lasted this long worked."""
HELD_MESSAGES = 256
GOODBYE_SECONDS = 1.0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Officer:
    """Runs until cancelled; whatever fails is tried again."""

    def __init__(self, settings: AgentSettings, server: str, score: Score, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._centre = Centre(server, settings.username, settings.password, client)
        self._score = score
        self._chance = random.Random(settings.username)
        self._track = Track(settings.track, settings.username, settings.speed_mps)
        self._outbox, self._receipts = Outbox(), Outbox(HELD_MESSAGES)
        self._link: Link | None = None
        self._road: object | None = None
        self._socket: ClientConnection | None = None
        self._to_socket: asyncio.Queue[str] = asyncio.Queue(HELD_MESSAGES)

    async def run(self) -> None:
        """Do everything at once, for ever."""
        async with asyncio.TaskGroup() as group:
            self._answers = Answers(self._settings.username, group, self._receipt_made, refuses=self._settings.refuses)
            group.create_task(self._again_and_again(self._media_session, "media"))
            group.create_task(self._again_and_again(self._socket_session, "socket"))
            group.create_task(self._walk())

    async def _again_and_again(self, session: Callable[[], Awaitable[None]], name: str) -> None:
        patience = Patience(random.Random(f"{self._settings.username}/{name}"))
        while True:
            started = time.monotonic()
            wait: float | None = None
            try:
                await session()
            except CentreRefused as error:
                logger.warning("%s: %s: %s", self._settings.device, name, error)
                if error.status not in {401, 409, 429, 502, 503, 504}:
                    wait = REFUSED_WAIT_SECONDS * self._chance.uniform(0.5, 1.0)
            except (AgentError, WebSocketException, OSError) as error:
                logger.info("%s: %s: %s", self._settings.device, name, error)
            if time.monotonic() - started > SETTLED_SECONDS:
                patience.succeeded()
            await asyncio.sleep(patience.next_wait() if wait is None else wait)

    async def _media_session(self) -> None:
        """Publish until the session is lost."""
        settings = self._settings
        operation_id, site_id = await self._centre.site(settings.operation, settings.site_ordinal)
        feed = await self._centre.register_feed(operation_id, site_id, settings.device)
        player: Player | None = None

        def report_received(compound: bytes) -> None:
            if player is not None:
                player.report_received(compound)

        link = Link(report_received, self._message_received)
        link.on_channel_open = self._channel_opened
        session: Whip | None = None
        try:
            media = plan(settings.codec)
            session = await self._centre.publish(feed, offer(media, settings.codec, link.ice.local, link.fingerprint))
            answer = read_answer(session.answer, media)
            await link.ice.connect(answer.credentials, answer.candidates)
            await link.secure(answer.dtls, is_client=answer.is_dtls_client)
            player = Player(self._score, answer.media, link.send_packet, link.send_report, self._chance)
            logger.info("%s: live as %s", settings.device, feed)
            self._link = link
            if answer.sctp_port is not None:
                await link.open_channel(DATA_CHANNEL_LABEL, answer.sctp_port)
            playing = asyncio.create_task(player.play(asyncio.get_running_loop().time))
            try:
                await link.watch()
            finally:
                playing.cancel()
                player.finish()
        finally:
            self._link = None
            await self._part(link, session)

    async def _part(self, link: Link, session: Whip | None) -> None:
        """Leave the node as one would like to find it; it may be gone already."""
        was_dead = link.ice.is_dead
        await link.close()
        if session is not None and not was_dead:
            try:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._centre.unpublish(session)
            except (AgentError, TimeoutError):
                logger.debug("%s: the session could not be ended by request", self._settings.device)

    def _channel_opened(self) -> None:
        self._outbox.add(CameraStatus(id=uuid4(), at=_now_ms(), state=CameraState.LIVE))
        self._flush()

    async def _walk(self) -> None:
        """One position a second, on whichever road is open."""
        start = time.monotonic()
        while True:
            fix = self._track.at(time.monotonic() - start)
            self._outbox.add(
                Position(
                    id=uuid4(),
                    taken_at=_now_ms(),
                    latitude=round(fix.latitude, 7),
                    longitude=round(fix.longitude, 7),
                    accuracy_m=fix.accuracy_m,
                    heading_deg=fix.heading_deg,
                    speed_mps=fix.speed_mps,
                )
            )
            self._flush()
            if self._socket is not None:
                self._receipts.flush(self._tell_socket)
            await asyncio.sleep(1 - (time.monotonic() - start) % 1)

    def _flush(self) -> None:
        """Positions over the data channel, over the WebSocket while that is down."""
        link, socket = self._link, self._socket
        road: object | None = link if link is not None and link.has_channel else socket
        if road is not self._road:
            self._road = road
            self._outbox.road_changed()
        if link is not None and road is link:
            self._outbox.flush(link.send_text)
        elif road is not None:
            self._outbox.flush(self._tell_socket)

    def _tell_socket(self, text: str) -> None:
        if self._to_socket.full():
            # What falls out stays in its outbox and is told again on the next connection.
            self._to_socket.get_nowait()
        self._to_socket.put_nowait(text)

    def _receipt_made(self, receipt: Receipt) -> None:
        self._receipts.add(receipt)
        if self._socket is not None:
            self._receipts.flush(self._tell_socket)

    async def _socket_session(self) -> None:
        """Hold the WebSocket until it closes."""
        token = await self._centre.token()
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with connect(
                self._centre.socket_url,
                additional_headers=headers,
                proxy=None,
                open_timeout=5,
                close_timeout=1,
                ping_interval=10,
                ping_timeout=10,
                max_size=4 * MAX_MESSAGE_BYTES,
                max_queue=64,
            ) as socket:
                await socket.send(Hello(version=PROTOCOL_VERSION, device=self._settings.device).model_dump_json())
                while not self._to_socket.empty():
                    self._to_socket.get_nowait()
                sending = asyncio.create_task(self._send_on(socket))
                try:
                    async for text in socket:
                        if isinstance(text, str):
                            self._message_received(text, socket)
                finally:
                    self._socket = None
                    sending.cancel()
        except InvalidStatus as error:
            self._centre.forget_token()
            raise CentreRefused(error.response.status_code, "socket-refused") from error
        raise SessionLost("the WebSocket closed")

    async def _send_on(self, socket: ClientConnection) -> None:
        while True:
            await socket.send(await self._to_socket.get())

    def _message_received(self, text: str, socket: ClientConnection | None = None) -> None:
        try:
            message = SERVER_MESSAGE.validate_json(text)
        except ValidationError:
            logger.warning("%s: a message that isn't of the protocol", self._settings.device)
            return
        match message:
            case Ack() | Refusal():
                self._settled(message.id)
            case InstructionDelivery():
                self._answers.instruction_received(message)
            case SignedOut():
                self._centre.forget_token()
            case Reload():
                logger.error("%s: the centre speaks version %s", self._settings.device, message.version)
            case Welcome():
                self._welcomed(socket)

    def _settled(self, message_id: UUID | None) -> None:
        if message_id is not None:
            self._outbox.settled(message_id)
            self._receipts.settled(message_id)
            self._flush()

    def _welcomed(self, socket: ClientConnection | None) -> None:
        """From now on the centre takes what we tell."""
        self._socket = socket
        self._receipts.road_changed()
        self._receipts.flush(self._tell_socket)
        self._flush()

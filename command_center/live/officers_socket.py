"""`WS /api/officer`: instructions to one officer's device in order, its receipts and positions back."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from command_center.accounts.identity import Identity, signed_in
from command_center.accounts.permissions import Permission
from command_center.clock import Clock, now
from command_center.live.board import Board
from command_center.live.first import first_of
from command_center.live.officer_line import OfficerLine
from command_center.live.wakeup import Wakeup
from command_center.live.wire import (
    CLOSE_NOT_VALID,
    CLOSE_REFUSED,
    CLOSE_RELOAD,
    CLOSE_SESSION_OVER,
    Closed,
    close,
    receive_text,
    send_text,
)
from command_center.operations.instructions import Instructions
from command_center.operations.positions import Positions
from command_center.operations.records import to_ms
from command_center.operations.service import Operations
from streams.hub.hub import Hub
from streams.protocol import MAX_MESSAGE_BYTES, PROTOCOL_VERSION, Hello, Reload, SignedOut, Welcome

logger = logging.getLogger(__name__)

HELLO_SECONDS = 10.0
RECHECK_SECONDS = 2.0
"""How often the database is looked at though nobody woke the socket: the hub may be away."""
QUEUE_BOUND = 256
"""How many messages of a device wait; it is read no further until there is room."""
BATCH = 100
RETRY_SECONDS = 0.5
MESSAGES_A_SECOND = 100
"""A device that says more is read more slowly; what a phone kept for an hour is through in under a minute."""
MAX_REFUSALS = 50
"""After so many messages that can't be read the socket is closed."""


class OfficersSocket:
    """Serves the devices of every officer."""

    def __init__(
        self,
        board: Board,
        hub: Hub,
        operations: Operations,
        instructions: Instructions,
        positions: Positions,
        clock: Clock = now,
    ) -> None:
        self._board = board
        self._hub = hub
        self._operations = operations
        self._instructions = instructions
        self._positions = positions
        self._clock = clock

    def router(self) -> APIRouter:
        """The one route of the officers' socket."""
        routes = APIRouter()
        routes.add_api_websocket_route("/api/officer", self._serve)
        return routes

    async def _serve(self, websocket: WebSocket) -> None:
        identity = signed_in()
        await websocket.accept()
        try:
            if not identity.may(Permission.PUBLISH):
                raise Closed(CLOSE_REFUSED, "not-permitted")
            hello = await _hello(websocket)
            if hello.version != PROTOCOL_VERSION:
                await _send(websocket, Reload())
                raise Closed(CLOSE_RELOAD, "reload")
            line = OfficerLine(
                identity.user_id,
                hello.device,
                instructions=self._instructions,
                positions=self._positions,
                feeds=self._operations.feeds,
                hub=self._hub,
                clock=self._clock,
            )
            await _send(websocket, Welcome(server_time=to_ms(self._clock())))
            async with self._board.officer(identity) as wakeup:
                await self._talk(websocket, identity, line, wakeup)
        except Closed as closed:
            await close(websocket, closed)
        except (WebSocketDisconnect, OSError):
            logger.debug("device of officer %s is gone", identity.user_id)

    async def _talk(self, websocket: WebSocket, identity: Identity, line: OfficerLine, wakeup: Wakeup) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue(QUEUE_BOUND)
        await first_of(
            _hear(websocket, heard),
            _answer(websocket, line, heard),
            self._deliver(websocket, line, wakeup),
            self._watch_places(identity, wakeup),
            _end(websocket, wakeup),
        )

    async def _deliver(self, websocket: WebSocket, line: OfficerLine, wakeup: Wakeup) -> None:
        looks: tuple[bool, ...] = (True,)
        while True:
            try:
                for is_whole in looks:
                    for delivery in await line.due(is_whole=is_whole):
                        await _send(websocket, delivery)
            except SQLAlchemyError:
                logger.exception("instructions can't be read, trying again")
                await wakeup.wait(RETRY_SECONDS)
                looks = (True,)
                continue
            # What is new comes first; what was answered on another device can wait for the longer look.
            looks = (False, True) if await wakeup.wait(RECHECK_SECONDS) else (False,)

    async def _watch_places(self, identity: Identity, wakeup: Wakeup) -> None:
        """End the socket of an officer that was taken out of an operation, also while the hub is away."""
        had: frozenset[object] = frozenset()
        while True:
            try:
                has = await self._operations.places(identity.user_id)
            except SQLAlchemyError:
                logger.exception("places of officer %s can't be read, trying again", identity.user_id)
            else:
                if had - has:
                    wakeup.end("removed-from-operation")
                had = has
            await asyncio.sleep(RECHECK_SECONDS)


async def _hello(websocket: WebSocket) -> Hello:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            return Hello.model_validate_json(await receive_text(websocket, MAX_MESSAGE_BYTES))
    except TimeoutError as error:
        raise Closed(CLOSE_NOT_VALID, "no-hello") from error
    except ValidationError as error:
        raise Closed(CLOSE_NOT_VALID, "not-valid") from error


async def _hear(websocket: WebSocket, heard: asyncio.Queue[str]) -> None:
    """Read the device, no faster than it is dealt with and no more than MESSAGES_A_SECOND."""
    loop = asyncio.get_running_loop()
    allowance, last = float(MESSAGES_A_SECOND), loop.time()
    while True:
        await heard.put(await receive_text(websocket, MAX_MESSAGE_BYTES))
        now = loop.time()
        allowance = min(MESSAGES_A_SECOND, allowance + (now - last) * MESSAGES_A_SECOND) - 1
        last = now
        if allowance < 0:
            await asyncio.sleep(-allowance / MESSAGES_A_SECOND)


async def _answer(websocket: WebSocket, line: OfficerLine, heard: asyncio.Queue[str]) -> None:
    refusals = 0
    while True:
        texts = [await heard.get()]
        while len(texts) < BATCH and not heard.empty():
            texts.append(heard.get_nowait())
        try:
            answers = await line.take(texts)
        except (OperationalError, InterfaceError):
            # Unanswered, so the device says it again.
            logger.exception("what a device said can't be kept now")
            await asyncio.sleep(RETRY_SECONDS)
            continue
        for answer in answers:
            await _send(websocket, answer)
            refusals += answer.type == "refusal" and answer.code == "not-valid"
        if refusals > MAX_REFUSALS:
            raise Closed(CLOSE_NOT_VALID, "not-valid")


async def _end(websocket: WebSocket, wakeup: Wakeup) -> None:
    code = await wakeup.over()
    await _send(websocket, SignedOut(code=code))
    raise Closed(CLOSE_SESSION_OVER, code)


async def _send(websocket: WebSocket, message: BaseModel) -> None:
    await send_text(websocket, message.model_dump_json())

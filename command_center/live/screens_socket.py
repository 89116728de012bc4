"""`WS /api/live`: a screen says which operation it shows and is sent everything, then what changes."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from command_center.accounts.identity import Identity, signed_in
from command_center.accounts.permissions import Permission
from command_center.clock import now
from command_center.errors import NotFound
from command_center.live.board import Board
from command_center.live.first import first_of
from command_center.live.messages import Beat, Ended, Watch
from command_center.live.page import Page
from command_center.live.scene import Scene
from command_center.live.wire import (
    CLOSE_NOT_FOUND,
    CLOSE_NOT_VALID,
    CLOSE_REFUSED,
    CLOSE_SESSION_OVER,
    Closed,
    close,
    receive_text,
    send_text,
)
from command_center.operations.records import OperationRecord, to_ms
from command_center.operations.service import Operations

logger = logging.getLogger(__name__)

FIRST_MESSAGE_SECONDS = 10.0
MAX_WATCH_BYTES = 1_024
BEAT_SECONDS = 1.0
"""After so long without a change a page is told that the line still stands."""


def router(board: Board, operations: Operations) -> APIRouter:
    """The one route of the screens' socket."""
    routes = APIRouter()

    @routes.websocket("/api/live")
    async def live(websocket: WebSocket) -> None:
        identity = signed_in()
        await websocket.accept()
        try:
            if not identity.may(Permission.SEE_OPERATIONS):
                raise Closed(CLOSE_REFUSED, "not-permitted")
            watch = await _first_watch(websocket)
            while True:
                operation = await _operation(operations, identity, watch)
                async with board.page(identity, operation) as (page, scene):
                    watch = await first_of(_receive_watch(websocket), _show(websocket, page, scene))
        except Closed as closed:
            await close(websocket, closed)
        except (WebSocketDisconnect, OSError):
            logger.debug("screen of session %s is gone", identity.session_id)

    return routes


async def _operation(operations: Operations, identity: Identity, watch: Watch) -> OperationRecord:
    try:
        return await operations.operation(identity, watch.operation_id)
    except NotFound as error:
        raise Closed(CLOSE_NOT_FOUND, error.code) from error


async def _first_watch(websocket: WebSocket) -> Watch:
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            return await _receive_watch(websocket)
    except TimeoutError as error:
        raise Closed(CLOSE_NOT_VALID, "nothing-asked") from error


async def _receive_watch(websocket: WebSocket) -> Watch:
    text = await receive_text(websocket, MAX_WATCH_BYTES)
    try:
        return Watch.model_validate_json(text)
    except ValidationError as error:
        raise Closed(CLOSE_NOT_VALID, "not-valid") from error


async def _show(websocket: WebSocket, page: Page, scene: Scene) -> Watch:
    """Send what changes for as long as the session lasts; ends by an error only."""
    while True:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                keys = await page.take()
        except TimeoutError:
            await send_text(websocket, Beat(server_time=to_ms(now())).model_dump_json())
            continue
        if page.ended is not None:
            await send_text(websocket, Ended(code=page.ended).model_dump_json())
            raise Closed(CLOSE_SESSION_OVER, page.ended)
        for key in keys:
            text = scene.text(key)
            if text is not None:
                await send_text(websocket, text)

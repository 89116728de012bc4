"""The two ends of the live sockets in a test: a screen and an officer's device, as real WebSocket clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from command_center.clock import now
from command_center.live.messages import (
    SCREEN_MESSAGE,
    FeedView,
    InstructionView,
    PartView,
    PositionView,
    ScreenMessage,
    Snapshot,
    Watch,
)
from command_center.operations.records import to_ms
from streams.protocol import (
    PROTOCOL_VERSION,
    SERVER_MESSAGE,
    Ack,
    CameraState,
    CameraStatus,
    Hello,
    InstructionDelivery,
    Position,
    Receipt,
    ReceiptState,
    Welcome,
)
from tests.support.waiting import until
from tests.support.web import RunningWeb


@dataclass
class Screen:
    """A page of the centre: what it was sent, and what it would show after all of it."""

    connection: ClientConnection
    messages: list[ScreenMessage] = field(default_factory=list)
    snapshots: int = 0
    feeds: dict[str, FeedView] = field(default_factory=dict)
    positions: dict[str, PositionView] = field(default_factory=dict)
    instructions: dict[UUID, InstructionView] = field(default_factory=dict)
    parts: dict[str, PartView] = field(default_factory=dict)
    closed: int | None = None

    async def read(self) -> None:
        """Take in everything until the end."""
        try:
            async for text in self.connection:
                self._take(SCREEN_MESSAGE.validate_json(text))
        except ConnectionClosed:
            pass
        self.closed = self.connection.close_code

    def states(self, number: int) -> dict[UUID, str]:
        """Where the instruction of this number stands at each officer."""
        for view in self.instructions.values():
            if view.number == number:
                return {one.officer_id: one.state for one in view.deliveries}
        return {}

    def _take(self, message: ScreenMessage) -> None:
        self.messages.append(message)
        if isinstance(message, Snapshot):
            self.snapshots += 1
            self.feeds = {view.feed: view for view in message.feeds}
            self.positions = {view.feed: view for view in message.positions}
            self.instructions = {view.instruction_id: view for view in message.instructions}
            self.parts = {view.name: view for view in message.parts}
        elif isinstance(message, FeedView):
            self.feeds[message.feed] = message
        elif isinstance(message, PositionView):
            self.positions[message.feed] = message
        elif isinstance(message, InstructionView):
            self.instructions[message.instruction_id] = message
        elif isinstance(message, PartView):
            self.parts[message.name] = message


@dataclass
class Device:
    """An officer's device: it shows each instruction once, answers, and repeats what wasn't acknowledged."""

    connection: ClientConnection
    shown: dict[UUID, InstructionDelivery] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    """What the officer was shown, in the order in which it first came."""
    times_sent: dict[UUID, int] = field(default_factory=dict)
    messages: list[Any] = field(default_factory=list)
    acknowledged: set[UUID] = field(default_factory=set)
    answers_delivered: bool = True
    closed: int | None = None

    async def read(self) -> None:
        """Take in everything until the end."""
        try:
            async for text in self.connection:
                await self._take(SERVER_MESSAGE.validate_json(text))
        except ConnectionClosed:
            pass
        self.closed = self.connection.close_code

    async def say(self, message: Position | CameraStatus | Receipt | Hello) -> None:
        """Send one message."""
        await self.connection.send(message.model_dump_json())

    async def answer(self, delivery_id: UUID, state: ReceiptState, reason: str = "") -> UUID:
        """Tell a step of an instruction."""
        receipt = Receipt(id=uuid4(), delivery_id=delivery_id, state=state, at=to_ms(now()), reason=reason)
        await self.say(receipt)
        return receipt.id

    async def _take(self, message: Any) -> None:
        self.messages.append(message)
        if isinstance(message, Ack):
            self.acknowledged.add(message.id)
        elif isinstance(message, InstructionDelivery):
            self.times_sent[message.delivery_id] = self.times_sent.get(message.delivery_id, 0) + 1
            if message.delivery_id not in self.shown:
                self.texts.append(message.text)
            self.shown[message.delivery_id] = message
            if self.answers_delivered:
                await self.answer(message.delivery_id, ReceiptState.DELIVERED)


def position(second: int = 0, identifier: UUID | None = None) -> Position:
    """A fix of now, a little further with each second."""
    return Position(
        id=identifier or uuid4(),
        taken_at=to_ms(now()),
        latitude=40.8 + second / 1e5,
        longitude=111.7,
        accuracy_m=5,
    )


def camera(state: CameraState) -> CameraStatus:
    """A word of the camera, of now."""
    return CameraStatus(id=uuid4(), at=to_ms(now()), state=state)


def headers_of(client: httpx.AsyncClient, url: str) -> dict[str, str]:
    """What a browser or program sends when it opens a WebSocket."""
    if "Authorization" in client.headers:
        return {"Authorization": client.headers["Authorization"]}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items()), "Origin": url}


def socket(web: RunningWeb, client: httpx.AsyncClient, path: str) -> connect:
    """Open a WebSocket as this signed-in client."""
    url = web.url.replace("http", "ws", 1) + path
    return connect(url, additional_headers=headers_of(client, web.url), proxy=None)


@asynccontextmanager
async def screen(web: RunningWeb, client: httpx.AsyncClient, operation_id: UUID | None = None) -> AsyncIterator[Screen]:
    """A page that watches an operation and has its first snapshot."""
    async with socket(web, client, "/api/live") as connection:
        page = Screen(connection)
        reading = asyncio.create_task(page.read())
        watch = Watch(operation_id=operation_id or web.world.operation_id)
        await connection.send(watch.model_dump_json())
        try:
            await until(lambda: page.snapshots or page.closed is not None, seconds=10)
            yield page
        finally:
            await connection.close()
            await reading


@asynccontextmanager
async def device(
    web: RunningWeb, client: httpx.AsyncClient, name: str = "phone", *, answers_delivered: bool = True
) -> AsyncIterator[Device]:
    """A device that was welcomed."""
    async with socket(web, client, "/api/officer") as connection:
        line = Device(connection, answers_delivered=answers_delivered)
        reading = asyncio.create_task(line.read())
        await line.say(Hello(version=PROTOCOL_VERSION, device=name))
        try:
            await until(lambda: line.messages or line.closed is not None, seconds=10)
            assert line.closed is not None or isinstance(line.messages[0], Welcome)
            yield line
        finally:
            await connection.close()
            await reading


async def register(web: RunningWeb, client: httpx.AsyncClient, name: str = "phone", site: int = 0) -> str:
    """The name of this device's feed."""
    operation = (await client.get(f"/api/operations/{web.world.operation_id}")).json()
    body = {"operation_id": operation["id"], "site_id": operation["sites"][site]["id"], "device": name}
    answer = await client.post("/api/feeds", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["feed"])


async def instruct(web: RunningWeb, client: httpx.AsyncClient, text: str, **changes: Any) -> dict[str, Any]:
    """Send an instruction to all, or as `changes` say."""
    body = {
        "operation_id": str(web.world.operation_id),
        "scope": "all",
        "priority": "urgent",
        "text": text,
        "idempotency_key": str(uuid4()),
    }
    answer = await client.post("/api/instructions", json=body | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found

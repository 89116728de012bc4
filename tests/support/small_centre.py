"""A small centre for tests of the officer's side: the same doors, a real WebRTC peer, switches to break things."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from fastapi import APIRouter, FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse

from command_center.api.field_page import FieldPage
from streams.protocol import (
    DEVICE_MESSAGE,
    Ack,
    CameraStatus,
    Hello,
    InstructionDelivery,
    Position,
    Receipt,
    Welcome,
)
from tests.support.small_line import SmallLine

OFFICER = {
    "id": "018f0000-0000-7000-8000-000000000001",
    "username": "officer",
    "display_name": "巴特尔",
    "role": "officer",
    "court": {"code": "内01", "name_zh": "呼和浩特市中级人民法院", "name_en": "Hohhot Intermediate People's Court"},
    "language": "zh",
    "permissions": ["publish"],
}
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self' ws: wss:"
)
PAGE = Path(__file__).parents[2] / "field_agent" / "page"


OPERATION = ("春雷行动", "Operation Spring Thunder")
PLACES = (
    ("新城区", "Xincheng"),
    ("回民区", "Huimin"),
    ("玉泉区", "Yuquan"),
    ("赛罕区", "Saihan"),
    ("土默特左旗", "Tumd Left Banner"),
)


def _operation(name_zh: str, name_en: str) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "name_zh": name_zh,
        "name_en": name_en,
        "case_number": "（2026）内01执123号",
        "state": "live",
        "is_demonstration": True,
        "sites": [
            {
                "id": str(uuid4()),
                "ordinal": ordinal,
                "name_zh": f"某商贸有限公司第{ordinal}办公楼",
                "name_en": f"Trading firm's office building {ordinal}",
                "district_zh": zh,
                "district_en": en,
                "latitude": 40.84,
                "longitude": 111.75,
            }
            for ordinal, (zh, en) in enumerate(PLACES, start=1)
        ],
    }


@dataclass
class SmallCentre:
    """What it was told, and what it shall do. Nothing of it is a mock of our own parts: messages are the protocol's."""

    url: str = ""
    operations: list[dict[str, Any]] = field(
        default_factory=lambda: [_operation("春雷行动", "Operation Spring Thunder")]
    )
    positions: list[Position] = field(default_factory=list)
    camera: list[CameraStatus] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    roads: list[str] = field(default_factory=list)
    """Of each position: channel or socket."""
    feeds: list[dict[str, str]] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=lambda: {"video": 0, "audio": 0})
    key_frames: int = 0
    size: tuple[int, int] = (0, 0)
    sessions: dict[str, RTCPeerConnection] = field(default_factory=dict)
    voice: SmallLine = field(default_factory=lambda: SmallLine(sends=True))
    """What the phone hears."""
    sockets: set[WebSocket] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    acknowledges: bool = True
    node: tuple[str, str] | None = None
    """Address and token of a real media node that takes the sessions instead."""
    takes_sessions: bool = True
    refuses_restarts: int = 0
    """The status that an ICE restart is refused with."""
    restarts: list[int] = field(default_factory=list)
    """What each ICE restart was answered with."""
    is_signed_in: bool = False
    _readers: set[asyncio.Task[None]] = field(default_factory=set)
    _deliveries: dict[UUID, InstructionDelivery] = field(default_factory=dict)

    async def instruct(self, text: str, *, priority: Any = "urgent") -> InstructionDelivery:
        """Send an instruction to whoever is connected, now or later."""
        number = len(self._deliveries) + 1
        delivery = InstructionDelivery(
            delivery_id=uuid4(),
            sequence=number,
            number=number,
            priority=priority,
            text=text,
            sender="李指挥长",
            issued_at=1_795_000_000_000 + number * 60_000,
            deadline_at=None,
            state="sent",
        )
        self._deliveries[delivery.delivery_id] = delivery
        for socket in list(self.sockets):
            await socket.send_text(delivery.model_dump_json())
        return delivery

    async def lose_sessions(self) -> None:
        """End all media sessions without a word to the device."""
        for connection in list(self.sessions.values()):
            await connection.close()
        self.sessions.clear()

    async def lose_sockets(self) -> None:
        """Close all WebSockets."""
        for socket in list(self.sockets):
            with contextlib.suppress(RuntimeError):
                await socket.close(1012)

    def taken(self, message: Position | CameraStatus | Receipt, road: str) -> Ack | None:
        """Keep one message and acknowledge it, or not."""
        if not self.acknowledges:
            return None
        kept: dict[str, list[Any]] = {"position": self.positions, "camera": self.camera, "receipt": self.receipts}
        known = kept[message.type]
        if message.id not in {one.id for one in known}:
            known.append(message)
            if isinstance(message, Position):
                self.roads.append(road)
        return Ack(id=message.id)

    async def take_session(self, feed: str, sdp: str) -> tuple[str, str]:
        """Answer an offer with a real peer that decodes what comes."""
        self.offers.append(sdp)
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        name = uuid4().hex

        @connection.on("track")
        def track_came(track: MediaStreamTrack) -> None:
            task = asyncio.ensure_future(self._read(track))
            self._readers.add(task)
            task.add_done_callback(self._readers.discard)

        @connection.on("datachannel")
        def channel_came(channel: RTCDataChannel) -> None:
            @channel.on("message")
            def message_came(text: str) -> None:
                message = DEVICE_MESSAGE.validate_json(text)
                assert not isinstance(message, Hello)
                ack = self.taken(message, "channel")
                if ack is not None:
                    channel.send(ack.model_dump_json())

        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        self.sessions[name] = connection
        return name, connection.localDescription.sdp

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            self.frames[track.kind] += 1
            if track.kind == "video":
                self.size = (frame.width, frame.height)
                self.key_frames += bool(frame.key_frame)

    async def hold_socket(self, socket: WebSocket) -> None:
        """One officer's WebSocket."""
        await socket.accept()
        try:
            while True:
                message = DEVICE_MESSAGE.validate_json(await socket.receive_text())
                if isinstance(message, Hello):
                    await socket.send_text(Welcome(server_time=1_795_000_000_000).model_dump_json())
                    for delivery in self._deliveries.values():
                        await socket.send_text(delivery.model_dump_json())
                    self.sockets.add(socket)
                    continue
                if isinstance(message, Receipt) and self.acknowledges:
                    known = self._deliveries.get(message.delivery_id)
                    if known is not None:
                        state = {"state": message.state.value}
                        self._deliveries[message.delivery_id] = known.model_copy(update=state)
                ack = self.taken(message, "socket")
                if ack is not None:
                    await socket.send_text(ack.model_dump_json())
        except WebSocketDisconnect:
            pass
        finally:
            self.sockets.discard(socket)


def _problem(status: int, code: str) -> JSONResponse:
    return JSONResponse({"status": status, "code": code}, status, media_type="application/problem+json")


def build(centre: SmallCentre) -> FastAPI:
    """Its doors."""
    app = FastAPI()

    @app.middleware("http")
    async def policy(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    app.include_router(_sign_in(centre))
    app.include_router(_records(centre))
    app.include_router(_media(centre))
    app.include_router(_voice(centre))
    app.add_api_websocket_route("/api/officer", centre.hold_socket)
    app.add_api_route("/field", _page)
    app.mount("/field", FieldPage(directory=PAGE))
    return app


async def _page() -> FileResponse:
    return FileResponse(PAGE / "index.html")


def _sign_in(centre: SmallCentre) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.post("/token")
    async def token(body: dict[str, str]) -> Response:
        if body["password"] != "right":
            return _problem(401, "wrong-credentials")
        return JSONResponse({"access_token": "device", "token_type": "bearer", "expires_in": 3600})

    @routes.post("/session")
    async def sign_in(body: dict[str, str]) -> Response:
        if body["password"] != "right":
            return _problem(401, "wrong-credentials")
        centre.is_signed_in = True
        response = JSONResponse({"csrf_token": "csrf", "user": OFFICER})
        response.set_cookie("_csrf_token", "csrf")
        return response

    @routes.get("/session")
    async def session() -> Response:
        if not centre.is_signed_in:
            return _problem(401, "not-signed-in")
        return JSONResponse({"csrf_token": "csrf", "user": OFFICER})

    @routes.patch("/session")
    async def language() -> dict[str, Any]:
        return {"csrf_token": "csrf", "user": OFFICER}

    @routes.delete("/session")
    async def sign_out() -> Response:
        centre.is_signed_in = False
        response = Response(status_code=204)
        response.delete_cookie("_csrf_token")
        return response

    return routes


def _records(centre: SmallCentre) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/api/operations")
    async def operations() -> dict[str, Any]:
        return {"items": centre.operations, "next": None}

    @routes.get("/api/assets/mine")
    async def assets() -> dict[str, Any]:
        return {"read_at": "2026-11-22T04:00:00Z", "cases": [], "proposals": []}

    @routes.post("/api/feeds")
    async def feeds(body: dict[str, str]) -> dict[str, str]:
        centre.feeds.append(body)
        return {"feed": f"demo.{body['device']}", "feed_id": str(uuid4())}

    @routes.post("/api/media-tokens")
    async def media_tokens(body: dict[str, str]) -> dict[str, Any]:
        road = "whep/voice." if body["right"] == "listen" else "whip/"
        return {"access_token": "media", "expires_in": 300, "url": f"/{road}{body['feed']}", "ice_servers": []}

    return routes


def _media(centre: SmallCentre) -> APIRouter:
    routes = APIRouter(prefix="/whip")

    @routes.post("/{feed}")
    async def begin(feed: str, request: Request) -> Response:
        if request.headers.get("Authorization") != "Bearer media":
            return _problem(401, "token-invalid")
        if not centre.takes_sessions:
            return _problem(503, "full")
        if centre.node is not None:
            return await _forwarded(centre.node, request)
        name, answer = await centre.take_session(feed, (await request.body()).decode())
        headers = {"Location": f"/whip/{feed}/{name}", "ETag": '"1"'}
        return Response(answer, 201, headers, "application/sdp")

    @routes.patch("/{feed}/{name}")
    async def restart(feed: str, name: str, request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer media"
        if centre.refuses_restarts:
            answer: Response = _problem(centre.refuses_restarts, "refused")
        elif centre.node is not None:
            answer = await _forwarded(centre.node, request)
        else:
            answer = _problem(405, "method-not-allowed")
        centre.restarts.append(answer.status_code)
        return answer

    @routes.delete("/{feed}/{name}")
    async def end(feed: str, name: str, request: Request) -> Response:
        centre.ended.append(name)
        if centre.node is not None:
            return await _forwarded(centre.node, request)
        connection = centre.sessions.pop(name, None)
        if connection is not None:
            await connection.close()
        return Response(status_code=200)

    return routes


def _voice(centre: SmallCentre) -> APIRouter:
    routes = APIRouter(prefix="/whep")

    @routes.post("/{feed}")
    async def begin(feed: str, request: Request) -> Response:
        name, answer = await centre.voice.answer((await request.body()).decode())
        return Response(answer, 201, {"Location": f"/whep/{feed}/{name}", "ETag": '"1"'}, "application/sdp")

    @routes.delete("/{feed}/{name}")
    async def end(feed: str, name: str) -> Response:
        await centre.voice.end(name)
        return Response(status_code=200)

    return routes


async def _forwarded(node: tuple[str, str], request: Request) -> Response:
    url, token = node
    told = {name: request.headers[name] for name in ("Content-Type", "If-Match") if name in request.headers}
    headers = {"Authorization": f"Bearer {token}"} | told
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            answer = await client.request(
                request.method, request.url.path, content=await request.body(), headers=headers
            )
    except httpx.HTTPError:
        return _problem(502, "node-away")
    kept = {name: answer.headers[name] for name in ("Location", "ETag", "Content-Type") if name in answer.headers}
    return Response(answer.content, answer.status_code, kept)


@asynccontextmanager
async def small_centre(port: int = 0) -> AsyncIterator[SmallCentre]:
    """Run one on a free port."""
    centre = SmallCentre()
    server = uvicorn.Server(
        uvicorn.Config(build(centre), port=port, log_level="warning", ws="websockets-sansio", lifespan="off")
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    centre.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield centre
    finally:
        await centre.lose_sockets()
        await centre.lose_sessions()
        await centre.voice.close()
        server.should_exit = True
        await task

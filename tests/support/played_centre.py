"""The real screens with a played centre behind: a test says what the API answers and what the socket tells."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import uvicorn
from dash import Dash
from fastapi import Body, FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from command_center.accounts.headers import content_policy, security_headers
from command_center.accounts.identity import Identity, current_identity
from command_center.accounts.permissions import Role
from command_center.screens import routes
from command_center.screens.app import build
from command_center.screens.shell import Installation
from tests.support.small_line import SmallLine
from tests.support.waiting import until

HUNG_SECONDS = 60.0
INSTALLATION = Installation("呼和浩特市中级人民法院", "Hohhot Intermediate People's Court", demonstration=True)
OFFICERS = ("张力", "王强", "巴特尔", "李娜", "苏日娜", "赵军")
SITES = ((40.852, 111.665), (40.808, 111.59), (40.745, 111.66), (40.79, 111.72), (40.72, 111.16))


def milliseconds() -> int:
    """Now."""
    return int(time.time() * 1000)


NODE = "one"


class PlayedCentre:
    """What the screens are told; change it, and `tell` the page."""

    def __init__(self) -> None:
        self.url = ""
        self.language = "zh"
        self.role = Role.COMMANDER
        self.operation_id = str(uuid4())
        self.feeds: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []
        self.instructions: list[dict[str, Any]] = []
        self.parts: list[dict[str, Any]] = []
        self.lanes: list[dict[str, Any]] = []
        """Of the time line."""
        self.has_operation = True
        self.refusal: str | None = None
        self.posted: list[dict[str, Any]] = []
        self.signed_out = False
        self.sockets: set[WebSocket] = set()
        self.lines: dict[str, SmallLine] = {NODE: SmallLine(sends=False)}
        """Where the page's voice goes: a line for each media node."""
        self.full: set[str] = set()
        """Nodes that take no session."""
        self.hung: set[str] = set()
        """Nodes that don't answer."""
        self.rights_to_talk = 0
        """How often the page asked for one."""
        self.sites = [self._site(number) for number in range(1, len(SITES) + 1)]
        self.officers = [{"user_id": str(uuid4()), "display_name": name, "site_id": None} for name in OFFICERS]

    @property
    def line(self) -> SmallLine:
        """That of the one node."""
        return self.lines[NODE]

    def identity(self) -> Identity:
        """Whoever looks."""
        court = UUID(int=1)
        return Identity(UUID(int=2), UUID(int=3), "li", "林致远", self.role, court, frozenset({court}), self.language)

    def feed(self, index: int, phase: str = "waiting", cause: str | None = None) -> dict[str, Any]:
        """A tile's view."""
        site, officer = self.sites[index % len(SITES)], self.officers[index % len(OFFICERS)]
        return {
            "type": "feed", "feed": f"feed-{index}", "feed_id": str(uuid4()), "site_id": site["id"],
            "site_ordinal": site["ordinal"], "site_zh": site["name_zh"], "site_en": site["name_en"],
            "district_zh": "", "district_en": "", "officer_id": officer["user_id"],
            "officer": officer["display_name"], "phase": phase, "cause": cause, "since": milliseconds(),
            "last_frame_at": None, "video": "H264", "audio": True, "recording": phase == "live", "order": index,
        }  # fmt: skip

    def position(self, index: int, latitude: float, longitude: float) -> dict[str, Any]:
        """A marker's view."""
        at = milliseconds()
        return {
            "type": "position", "feed": f"feed-{index}", "latitude": latitude, "longitude": longitude,
            "accuracy_m": 20, "heading_deg": 90, "speed_mps": 1, "taken_at": at, "received_at": at, "at": at,
        }  # fmt: skip

    def instruction(self, number: int, text: str, states: list[tuple[str, bool]]) -> dict[str, Any]:
        """An instruction's view; `states` are each officer's state and whether the officer is online."""
        at = milliseconds() - 60_000
        return {
            "type": "instruction", "instruction_id": str(UUID(int=number)), "number": number, "priority": "urgent",
            "scope": "all", "target_zh": "全体", "target_en": "Everybody", "text": text, "sender": "林致远",
            "issued_at": at, "deadline_at": None,
            "deliveries": [
                {
                    "delivery_id": str(uuid4()), "officer_id": self.officers[index]["user_id"],
                    "officer": OFFICERS[index], "state": state, "online": online, "sent_at": at,
                    "reason": "现场无人" if state == "refused" else "",
                    "delivered_at": None if state == "sent" else at + 100,
                    "seen_at": None if state in ("sent", "delivered") else at + 900,
                    "answered_at": at + 5000 if state in ("accepted", "refused", "done") else None,
                    "done_at": at + 9000 if state == "done" else None,
                }
                for index, (state, online) in enumerate(states)
            ],
        }  # fmt: skip

    def lane(self, index: int, *spans: tuple[str, float, float]) -> dict[str, Any]:
        """A feed's time line; `spans` are kind, begin and end in minutes before now."""
        at = milliseconds()
        pieces = [(kind, at - round(since * 60_000), at - round(until * 60_000)) for kind, since, until in spans]
        lengths: dict[str, int] = {}
        for kind, since, end in pieces:
            lengths[kind] = lengths.get(kind, 0) + end - since
        return {
            "feed": f"feed-{index}", "kind": "camera", "covered_ms": lengths.pop("covered", 0), "gaps_ms": lengths,
            "spans": [
                {"kind": kind, "since": since, "until": until, "recording": None} for kind, since, until in pieces
            ],
        }  # fmt: skip

    async def tell(self, message: dict[str, Any]) -> None:
        """Send this to every page."""
        for socket in list(self.sockets):
            await socket.send_text(json.dumps(message))

    def snapshot(self) -> dict[str, Any]:
        """Everything."""
        return {
            "type": "snapshot", "server_time": milliseconds(), "operation_id": self.operation_id, "feeds": self.feeds,
            "positions": self.positions, "tracks": [], "instructions": self.instructions, "parts": self.parts,
        }  # fmt: skip

    def operation(self) -> dict[str, Any]:
        """The one operation."""
        return {
            "id": self.operation_id, "name_zh": "春雷行动（演示）", "name_en": "Spring Thunder (demonstration)",
            "case_id": None, "case_number": "（2026）内01执1023号", "state": "live", "commander_id": str(UUID(int=2)),
            "sites": self.sites, "officers": self.officers,
        }  # fmt: skip

    @staticmethod
    def _site(number: int) -> dict[str, Any]:
        latitude, longitude = SITES[number - 1]
        return {
            "id": str(uuid4()), "ordinal": number, "name_zh": f"某现场{number}", "name_en": f"Site {number}",
            "latitude": latitude, "longitude": longitude,
        }  # fmt: skip


class _Door:
    """In the gate's place: the same headers, and everybody is `centre.identity()`."""

    def __init__(self, app: ASGIApp, centre: PlayedCentre, screens: Dash) -> None:
        self._app = app
        self._centre = centre
        self._hashes = screens.csp_hashes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        nonce = "a-nonce" if scope["path"].startswith("/map/") else None
        scope.setdefault("state", {})["csp_nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = security_headers(content_policy(self._hashes, nonce))
                message["headers"] = [*message["headers"], *policy]
            await send(message)

        token = current_identity.set(self._centre.identity())
        try:
            await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
        finally:
            current_identity.reset(token)


def _api(server: FastAPI, centre: PlayedCentre) -> None:
    @server.get("/api/operations/{operation_id}")
    async def operation(operation_id: str) -> dict[str, Any]:
        return centre.operation()

    @server.get("/api/operations/{operation_id}/timeline")
    async def timeline(operation_id: str) -> dict[str, Any]:
        return {"since": 0, "until": milliseconds(), "lanes": centre.lanes}

    @server.get("/api/operations")
    async def operations() -> dict[str, Any]:
        return {"items": [centre.operation()] if centre.has_operation else [], "next": None}

    @server.patch("/api/session")
    async def language(body: Annotated[dict[str, str], Body()]) -> dict[str, Any]:
        centre.language = body["language"]
        return {}

    @server.delete("/api/session", status_code=204)
    async def sign_out() -> Response:
        centre.signed_out = True
        return Response(status_code=204)

    @server.post("/api/instructions", status_code=201, response_model=None)
    async def instruct(body: Annotated[dict[str, Any], Body()]) -> JSONResponse | dict[str, Any]:
        centre.posted.append(body)
        if centre.refusal:
            problem = {"code": centre.refusal, "status": 409}
            return JSONResponse(problem, 409, media_type="application/problem+json")
        return centre.instruction(len(centre.posted), body["text"], [("sent", True)])

    @server.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await socket.receive_json()
            await socket.send_text(json.dumps(centre.snapshot()))
            centre.sockets.add(socket)
            await socket.receive_json()
        except WebSocketDisconnect:
            pass
        finally:
            centre.sockets.discard(socket)


def _line(server: FastAPI, centre: PlayedCentre) -> None:
    @server.post("/api/media-tokens", response_model=None)
    async def token(body: Annotated[dict[str, str], Body()]) -> JSONResponse | dict[str, Any]:
        if body["right"] != "talk":
            return JSONResponse({"code": "not-found"}, 404, media_type="application/problem+json")
        centre.rights_to_talk += 1
        urls = [f"/whip/talk.{body['operation_id']}.{centre.rights_to_talk}.{node}" for node in centre.lines]
        return {"access_token": "media", "expires_in": 300, "url": urls[0], "urls": urls, "ice_servers": []}

    def node_of(feed: str) -> str:
        return feed.split(".", 3)[3]

    @server.post("/whip/{feed}")
    async def begin_line(feed: str, request: Request) -> Response:
        node = node_of(feed)
        if node in centre.full:
            problem = {"code": "node-full", "status": 503}
            return JSONResponse(problem, 503, {"Retry-After": "1"}, "application/problem+json")
        offer = (await request.body()).decode()
        await until(lambda: node not in centre.hung, HUNG_SECONDS)
        name, answer = await centre.lines[node].answer(offer)
        return Response(answer, 201, {"Location": f"/whip/{feed}/{name}"}, "application/sdp")

    @server.delete("/whip/{feed}/{name}")
    async def end_line(feed: str, name: str) -> Response:
        await centre.lines[node_of(feed)].end(name)
        return Response(status_code=200)


@asynccontextmanager
async def played_centre() -> AsyncIterator[PlayedCentre]:
    """The screens, served on a free port."""
    centre = PlayedCentre()
    server = FastAPI()

    async def is_open(secret: str) -> bool:
        return secret == "open"

    routes.install(server, INSTALLATION, is_open)
    _api(server, centre)
    _line(server, centre)
    screens = build(server, INSTALLATION)
    config = uvicorn.Config(
        _Door(server, centre, screens), port=0, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1
    )
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    await until(lambda: running.started)
    centre.url = f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield centre
    finally:
        centre.hung.clear()
        for line in centre.lines.values():
            await line.close()
        running.should_exit = True
        await task

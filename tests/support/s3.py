"""S3-compatible storage for a test: a real server of its own process, and a line to it that can be made bad."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from command_center.evidence.store_client import AccessKey, Bucket
from tests.support.ports import free_ports
from tests.support.waiting import until

START_SECONDS = 30.0
TRICKLE_BYTES, TRICKLE_SECONDS = 1_000, 0.1
KEY = AccessKey("test-key", "test-secret", "us-east-1")
BUCKET = "evidence"


class S3Server:
    """moto's server. It keeps everything in its memory, so one that was killed comes back empty."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is there."""
        return self._process is not None

    def start(self) -> None:
        """Start it, wait until it answers, and make the bucket."""
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.empty()
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("moto did not start")

    def empty(self) -> None:
        """Forget everything; the bucket is there and has nothing."""
        with httpx.Client(base_url=self.url, trust_env=False) as http:
            http.post("/moto-api/reset").raise_for_status()
            http.put(f"/{BUCKET}").raise_for_status()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def bucket(self, **changes: object) -> Bucket:
        """The bucket, by the straight way."""
        return Bucket(url=self.url, name=BUCKET, prefix="court", **changes)  # type: ignore[arg-type]


@dataclass
class BadLine:
    """A proxy before the storage. What is set here happens to requests until it is set back."""

    target: str
    port: int = field(default_factory=lambda: free_ports(1)[0])
    answers: int = 0
    """This status instead of passing on, where not 0."""
    corrupts_uploads: bool = False
    corrupts_downloads: bool = False
    truncates: bool = False
    """Half an answer's body, and the line is cut."""
    is_slow: bool = False
    """An answer's body comes a little at a time, and takes for ever."""
    knows_checksums: bool = True
    """False as with storage that refuses headers it doesn't know."""
    stalls: bool = False
    """Takes a request and doesn't answer."""
    matches: Callable[[str, str], bool] = lambda _method, _path: True
    """Which requests, by method and path, it happens to."""
    seen: list[tuple[str, str]] = field(default_factory=list)
    certificate: tuple[Path, Path] | None = None
    """Speaks TLS with this certificate and key."""
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    def bucket(self) -> Bucket:
        """The bucket, over this line."""
        scheme = "http" if self.certificate is None else "https"
        return Bucket(url=f"{scheme}://127.0.0.1:{self.port}", name=BUCKET, prefix="court")

    async def open(self) -> None:
        """Take connections."""
        certificate, key = self.certificate or (None, None)
        config = uvicorn.Config(
            self._app,
            port=self.port,
            log_level="critical",
            lifespan="off",
            interface="asgi3",
            timeout_graceful_shutdown=1,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        await until(lambda: self._server is not None and self._server.started)

    async def close(self) -> None:
        """Refuse connections, and break off those that there are."""
        server, serving = self._server, self._serving
        if server is not None and serving is not None:
            server.should_exit = server.force_exit = True
            for connection in list(server.server_state.connections):
                connection.transport.abort()  # type: ignore[union-attr]
            await serving
        self._server = self._serving = None

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.seen.append((request.method, request.url.path))
        body = await request.body()
        is_bad = self.matches(request.method, request.url.path)
        if is_bad and self.stalls:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        response = (
            Response(status_code=self.answers) if is_bad and self.answers else await self._passed(request, body, is_bad)
        )
        with suppress(RuntimeError):  # uvicorn's word for an answer that is shorter than it said, as was meant
            await response(scope, receive, send)

    async def _passed(self, request: Request, body: bytes, is_bad: bool) -> Response:
        if not self.knows_checksums and "x-amz-checksum-sha256" in request.headers:
            return Response("<Error><Code>NotImplemented</Code></Error>", 501)
        if is_bad and self.corrupts_uploads and body:
            body = _flipped(body)
        path = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        headers = {name: value for name, value in request.headers.items() if name != "connection"}
        async with httpx.AsyncClient(base_url=self.target, trust_env=False) as http:
            answer = await http.request(request.method, path, content=body, headers=headers)
        content = answer.content
        if is_bad and self.corrupts_downloads and request.method == "GET" and content:
            content = _flipped(content)
        kept = {name: value for name, value in answer.headers.items() if name not in {"connection", "date", "server"}}
        if is_bad and self.is_slow and request.method == "GET":
            return StreamingResponse(_trickle(content), answer.status_code, kept)
        if is_bad and self.truncates and request.method == "GET":
            return StreamingResponse(_half(content), answer.status_code, kept)
        return Response(content, answer.status_code, kept)


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


async def _trickle(content: bytes) -> AsyncIterator[bytes]:
    for position in range(0, len(content), TRICKLE_BYTES):
        yield content[position : position + TRICKLE_BYTES]
        await asyncio.sleep(TRICKLE_SECONDS)


async def _half(content: bytes) -> AsyncIterator[bytes]:
    yield content[: len(content) // 2]


@asynccontextmanager
async def bad_line(server: S3Server) -> AsyncIterator[BadLine]:
    """A line to this server."""
    line = BadLine(server.url)
    await line.open()
    try:
        yield line
    finally:
        await line.close()

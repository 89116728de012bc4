"""The road to the media node: what passes, what doesn't, and a node that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from command_center.api import media, problems
from command_center.live.hub_state import HubState
from command_center.live.nodes import NodeAddress, Nodes
from tests.support.waiting import until


@dataclass
class Node:
    """A node's HTTP side that notes what it was asked."""

    app: FastAPI = field(default_factory=FastAPI)
    asked: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        async def answer(request: Request) -> Response:
            body = await request.body()
            self.asked.append(
                (request.method, str(request.url).split(str(request.base_url))[1], body, dict(request.headers))
            )
            headers = {
                "location": "/whip/feed.1/abc",
                "etag": '"1"',
                "link": '<stun:x>; rel="ice-server"',
                "set-cookie": "a=b",
                "x-internal": "secret",
                "content-type": "application/sdp",
            }
            response = Response(b"answer", 201, headers)
            response.headers.append("link", '<turn:y>; rel="ice-server"')
            return response

        self.app.add_api_route("/{path:path}", answer, methods=media.METHODS)


@pytest.fixture
async def node() -> AsyncIterator[tuple[Node, str]]:
    node = Node()
    config = uvicorn.Config(node.app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield node, f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


def proxy(node_url: str) -> tuple[FastAPI, httpx.AsyncClient]:
    client = media.node_client()
    app = FastAPI()
    problems.install(app)
    nodes = Nodes(HubState(), [NodeAddress("node-1", node_url)])
    app.include_router(media.router(media.Passing(client, nodes)))
    return app, client


async def ask(app: FastAPI, method: str, url: str, **options: object) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
        return await client.request(method, url, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS"])
async def test_what_the_protocols_need_passes_both_ways_and_nothing_else(node: tuple[Node, str], method: str) -> None:
    behind, url = node
    app, client = proxy(url)
    headers = {"content-type": "application/sdp", "authorization": "Bearer t", "if-match": '"1"', "cookie": "session=1"}
    answer = await ask(app, method, "/whip/feed.1/abc?group=page-1", content=b"offer", headers=headers)
    ((asked_method, path, body, given),) = behind.asked
    assert (asked_method, path, body) == (method, "whip/feed.1/abc?group=page-1", b"offer")
    assert (given["content-type"], given["authorization"], given["if-match"]) == (
        "application/sdp",
        "Bearer t",
        '"1"',
    )
    assert "cookie" not in given
    assert (answer.status_code, answer.content) == (201, b"" if method == "HEAD" else b"answer")
    assert answer.headers["location"] == "/whip/feed.1/abc"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers.get_list("link") == ['<stun:x>; rel="ice-server"', '<turn:y>; rel="ice-server"']
    assert "set-cookie" not in answer.headers
    assert "x-internal" not in answer.headers
    await client.aclose()


@pytest.mark.parametrize(
    "path", ["/whip/../metrics", "/whip/%2e%2e/metrics", "/whep/.", "/whip/a%2fb/c", "/whip/a%0ab", "/whip/名"]
)
async def test_nothing_else_of_the_node_is_reached(node: tuple[Node, str], path: str) -> None:
    behind, url = node
    app, client = proxy(url)
    answer = await ask(app, "GET", path)
    assert answer.status_code == 404
    assert behind.asked == []
    await client.aclose()


async def test_a_node_that_is_away_is_503_and_worth_another_try() -> None:
    app, client = proxy("http://127.0.0.1:9")
    answer = await ask(app, "POST", "/whip/feed.1", content=b"offer")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "media-away"
    await client.aclose()


async def test_a_node_that_hangs_takes_no_lines_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_UNDER_WAY", 3)
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    app, client = proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    hung = [asyncio.create_task(ask(app, "GET", f"/whep/feed.{number}")) for number in range(3)]
    await until(lambda: len(taken) == 3)
    answer = await ask(app, "GET", "/whep/feed.4")
    assert (answer.status_code, answer.json()["code"]) == (503, "media-away")
    for writer in taken:
        writer.close()
    assert [(await one).status_code for one in hung] == [503] * 3
    # They make room: the next one is passed on again.
    last = asyncio.create_task(ask(app, "GET", "/whep/feed.5"))
    await until(lambda: len(taken) == 4)
    taken[-1].close()
    await last
    server.close()
    await client.aclose()


async def test_a_page_that_tries_without_end_is_slowed_down(node: tuple[Node, str]) -> None:
    app, client = proxy(node[1])
    statuses = [(await ask(app, "POST", "/whip/feed.1", content=b"x")).status_code for _ in range(media.TRIES + 1)]
    assert statuses == [201] * media.TRIES + [429]
    assert (await ask(app, "POST", "/whip/feed.2", content=b"x")).status_code == 201
    await client.aclose()

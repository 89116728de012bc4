"""WHIP and WHEP on the web process's address: passed on to the right media node as they are, or led there by 307."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus

import httpx
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter

from command_center.accounts.limits import RateLimit
from command_center.api.problems import problem
from command_center.errors import NotFound
from command_center.live.nodes import NodeAddress, Nodes
from streams.signalling.session import NODE_MARK
from streams.signalling.tokens import Grant
from streams.voice_protocol import camera_of, is_talk, is_voice, node_of_talk

TIMEOUT = httpx.Timeout(10.0, connect=1.0)
IMPATIENT = httpx.Timeout(2.5, connect=1.0)
"""Where another node could take the publisher: one that hangs isn't waited for."""
MAX_NODES_TRIED = 3
MAX_UNDER_WAY = 64
"""Requests that one node has yet to answer: more are refused, so that a node that hangs takes no line from others."""
MAX_LINES = 512
TRIES = 40
TRIES_WINDOW_SECONDS = 10.0
PASSED_ON = ("content-type", "authorization", "if-match", "accept", "origin")
PASSED_BACK = (
    "content-type",
    "location",
    "etag",
    "retry-after",
    "www-authenticate",
    "accept-post",
    "accept-patch",
    "allow",
)
NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,256}")
METHODS = ["POST", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS"]


def node_client() -> httpx.AsyncClient:
    """The connections to nodes that the routes below share."""
    limits = httpx.Limits(max_connections=MAX_LINES, max_keepalive_connections=MAX_UNDER_WAY)
    return httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False, follow_redirects=False)


class Passing:
    """Passes requests on; `nodes` says where to."""

    def __init__(self, client: httpx.AsyncClient, nodes: Nodes, registry: CollectorRegistry | None = None) -> None:
        self._client = client
        self._nodes = nodes
        self._under_way: defaultdict[str, int] = defaultdict(int)
        self._limit = RateLimit(TRIES, TRIES_WINDOW_SECONDS)
        self._requests = Counter(
            "command_center_media_requests_total",
            "Requests of WHIP and WHEP by what became of them.",
            ["outcome"],
            registry=registry,
        )

    async def endpoint(self, request: Request, feed: str) -> Response:
        """A feed's own URL: new sessions, and questions about it."""
        _check_names(request)
        is_publisher = request.scope["path"].startswith("/whip/")
        if request.method == "POST":
            self._limit.take(f"{request.client.host if request.client else ''} {request.scope['path']}")
            node = self._own_way(request, feed, is_publisher=is_publisher)
            if node is not None:
                self._requests.labels("led-away").inc()
                return _lead_to(request, node)
            if is_publisher and not is_talk(feed):
                return await self._place(request, feed)
        return await self._ask(request, self._node_of(feed))

    async def session(self, request: Request, feed: str, session: str) -> Response:
        """A session's URL, which names its node."""
        _check_names(request)
        if NODE_MARK not in session:
            return await self._ask(request, self._node_of(feed))
        node = self._nodes.of_session(session)
        if node is None:
            # Its node is gone, and the session went with it: the client opens another.
            self._requests.labels("session-gone").inc()
            return problem(HTTPStatus.NOT_FOUND, "session-unknown")
        return await self._ask(request, node)

    def _node_of(self, feed: str) -> NodeAddress | None:
        """A talker's feed names its node; a phone listens where its camera is, and where viewers of that are sent."""
        return self._nodes.named(node_of_talk(feed)) if is_talk(feed) else self._nodes.for_viewer(camera_of(feed))

    def _own_way(self, request: Request, feed: str, *, is_publisher: bool) -> NodeAddress | None:
        """The node that a program is led to (RFC 9725 §4.5), if it has a public address.

        A program is who holds a token that came from no sign-in. Pages were given the right URL with their token: a
        browser drops Authorization on its way to another origin. If they come here all the same, they are passed on.
        """
        grant: Grant | None = getattr(request.state, "grant", None)
        if grant is None or grant.session_id is not None or is_talk(feed) or is_voice(feed):
            return None
        node = next(iter(self._nodes.for_publisher(feed)), None) if is_publisher else self._nodes.of_feed(feed)
        if node is None or node.public_url is None:
            return None
        if is_publisher:
            self._nodes.placed(feed, node.node)
        return node

    async def _place(self, request: Request, feed: str) -> Response:
        """Offer a publisher to one node after another, until one takes it; the last one's answer counts."""
        nodes = self._nodes.for_publisher(feed)[:MAX_NODES_TRIED]
        answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "media-away")
        for number, node in enumerate(nodes, 1):
            self._nodes.placed(feed, node.node)
            answer = await self._ask(request, node, TIMEOUT if number == len(nodes) else IMPATIENT)
            if answer.status_code == HTTPStatus.CREATED:
                return answer
            self._nodes.not_placed(feed)
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                return answer
        return answer

    async def _ask(self, request: Request, node: NodeAddress | None, timeout: httpx.Timeout = TIMEOUT) -> Response:
        if node is None:
            self._requests.labels("no-node").inc()
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "media-away")
        if self._under_way[node.node] >= MAX_UNDER_WAY:
            self._requests.labels("node-busy").inc()
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "media-away")
        self._under_way[node.node] += 1
        try:
            answer = await self._client.request(
                request.method,
                node.url + request.scope["path"],  # as it was routed; `request.url` leaves out what it finds odd
                params=request.url.query or None,
                headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
                content=await request.body(),
                timeout=timeout,
            )
        except httpx.HTTPError:
            self._nodes.suspect(node.node)
            self._requests.labels("no-answer").inc()
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "media-away")
        finally:
            self._under_way[node.node] -= 1
            if not self._under_way[node.node]:
                del self._under_way[node.node]
        self._requests.labels("passed").inc()
        response = Response(answer.content, answer.status_code, _kept(answer.headers))
        for link in answer.headers.get_list("link"):
            response.headers.append("link", link)  # a header for each relay, as the node wrote them
        return response


def router(passing: Passing) -> APIRouter:
    """The routes of both protocols."""
    routes = APIRouter(tags=["media"])
    for road in ("whip", "whep"):
        routes.add_api_route(f"/{road}/{{feed}}", passing.endpoint, methods=METHODS, include_in_schema=False)
        routes.add_api_route(f"/{road}/{{feed}}/{{session}}", passing.session, methods=METHODS, include_in_schema=False)
    return routes


def _check_names(request: Request) -> None:
    if not all(NAME.fullmatch(part) for part in request.scope["path"].split("/")[2:]):
        raise NotFound("no-such-path")  # nothing else of a node's is reached by this road


def _lead_to(request: Request, node: NodeAddress) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    headers = {"location": f"{node.public_url}{request.scope['path']}{query}", "cache-control": "no-store"}
    return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers=headers)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in PASSED_BACK if name in headers} | {"cache-control": "no-store"}

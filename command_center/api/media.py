"""WHIP and WHEP on the web process's address, passed on to the media node as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx
from fastapi import APIRouter, Request, Response

from command_center.accounts.limits import RateLimit
from command_center.api.problems import problem
from command_center.errors import NotFound

TIMEOUT = httpx.Timeout(10.0, connect=1.0)
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


def node_client(base_url: str) -> httpx.AsyncClient:
    """The connection to the node that the routes below share."""
    return httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT, trust_env=False, follow_redirects=False)


def router(node: httpx.AsyncClient) -> APIRouter:
    """The routes of both protocols."""
    routes = APIRouter(tags=["media"])
    limit = RateLimit(TRIES, TRIES_WINDOW_SECONDS)

    async def pass_on(request: Request) -> Response:
        path: str = request.scope["path"]  # as it was routed; `request.url` leaves out what it finds odd
        if not all(NAME.fullmatch(part) for part in path.split("/")[2:]):
            raise NotFound("no-such-path")  # nothing else of the node's is reached by this road
        if request.method == "POST":
            limit.take(f"{request.client.host if request.client else ''} {path}")
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        try:
            answer = await node.request(
                request.method,
                path,
                params=request.url.query or None,
                headers=headers,
                content=await request.body(),
            )
        except httpx.HTTPError:
            return problem(503, "media-away")
        response = Response(answer.content, answer.status_code, _kept(answer.headers))
        for link in answer.headers.get_list("link"):
            response.headers.append("link", link)  # a header for each relay, as the node wrote them
        return response

    for path in ("/whip/{feed}", "/whip/{feed}/{session}", "/whep/{feed}", "/whep/{feed}/{session}"):
        routes.add_api_route(path, pass_on, methods=METHODS, include_in_schema=False)
    return routes


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in PASSED_BACK if name in headers} | {"cache-control": "no-store"}

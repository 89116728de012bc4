"""WHIP (RFC 9725) and WHEP (draft 03) over HTTP."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from http import HTTPStatus

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from streams.signalling import tokens
from streams.signalling.errors import (
    NoSuchSession,
    OfferRefused,
    PreconditionRefused,
    RightRefused,
    SignallingError,
    TooLarge,
    TooOften,
    WrongMethod,
    WrongType,
)
from streams.signalling.limits import Bucket, Buckets
from streams.signalling.offer import MAX_SDP_BYTES, read_fragment
from streams.signalling.session import Right, Session
from streams.signalling.sessions import Sessions
from streams.signalling.tokens import Grant, TokenRefused
from streams.signalling.turn import NO_TURN, TurnServers
from streams.signalling.wish import read_query, read_wish
from streams.voice_protocol import camera_of

logger = logging.getLogger(__name__)

SDP_TYPE = "application/sdp"
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"
ENDPOINT_METHODS = "POST, GET, HEAD, OPTIONS"
SESSION_METHODS = "PATCH, DELETE, GET, HEAD, OPTIONS"
WISH_TYPE = "application/json"
"""A viewer's wish for a layer, and to be the spotlight."""
EXPOSED_HEADERS = "Location, ETag, Link, Retry-After"
MAX_TOKEN_LENGTH = 4096

POST_BURST, POSTS_PER_SECOND = 120, 20
"""New sessions by one token; a wall of tiles opens many at once."""
MISS_BURST, MISSES_PER_SECOND = 60, 5
"""Requests by one token to sessions that aren't there: more is somebody who guesses."""
REFUSAL_BURST, REFUSALS_PER_SECOND = 100, 20
"""Answers to requests without a valid token, by the whole node; beyond, their tokens aren't even looked at."""

_FEED = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_GROUP = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Endpoint = Callable[[Request], Awaitable[Response]]


class Signalling:
    """The HTTP side of a node's sessions."""

    def __init__(
        self,
        sessions: Sessions,
        token_key: Ed25519PublicKey,
        is_revoked: Callable[[Grant], bool],
        is_feed_revoked: Callable[[str], bool],
        *,
        allowed_origins: Collection[str] = (),
        turn: TurnServers = NO_TURN,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._sessions = sessions
        self._token_key = token_key
        self._is_revoked = is_revoked
        self._is_feed_revoked = is_feed_revoked
        self._allowed_origins = frozenset(allowed_origins)
        self._turn = turn
        self._clock = clock
        self._wall_clock = wall_clock
        self._posts = Buckets(POST_BURST, POSTS_PER_SECOND)
        self._misses = Buckets(MISS_BURST, MISSES_PER_SECOND)
        self.refused: Counter[str] = Counter()
        """Refusals by code; there are only so many codes."""
        self._refusals = Bucket(REFUSAL_BURST, REFUSALS_PER_SECOND)

    @property
    def rates_forgotten(self) -> int:
        """Tokens whose rate was forgotten because too many others came."""
        return self._posts.forgotten + self._misses.forgotten

    def routes(self) -> list[Route]:
        """The routes of both protocols."""
        routes = []
        for right in Right:
            routes += [
                Route(f"/{right}/{{feed}}", self._guarded(right, self._endpoint), methods=_ALL),
                Route(f"/{right}/{{feed}}/{{session}}", self._guarded(right, self._session), methods=_ALL),
            ]
        return routes

    def _guarded(self, right: Right, handle: Callable[[Request, Right], Awaitable[Response]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                response = await handle(request, right)
            except SignallingError as error:
                self.refused[error.code] += 1
                response = problem(error)
            except ClientDisconnect:
                response = Response(status_code=HTTPStatus.BAD_REQUEST)
            self._allow_origin(request, response)
            return response

        return endpoint

    async def _endpoint(self, request: Request, right: Right) -> Response:
        if request.method == "OPTIONS":
            return self._options(request, right)
        feed = _feed_name(request)
        grant = self._authorize(request, right, feed)
        if request.method in ("GET", "HEAD"):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        if request.method != "POST":
            raise WrongMethod(ENDPOINT_METHODS)
        if not self._posts.take(grant.token_id, self._clock()):
            raise TooOften
        body = await _body(request, SDP_TYPE, WrongType("Accept-Post", SDP_TYPE))
        if right is Right.PUBLISH:
            session, answer = self._sessions.publish(feed, grant, body)
        else:
            wish = read_query(request.query_params)
            session, answer = self._sessions.view(feed, grant, body, group=_group(request))
            if wish is not None:
                self._sessions.want(session, wish)
        headers = {"Location": session.path, "ETag": session.etag, "Accept-Patch": _patches(right)}
        response = Response(answer, HTTPStatus.CREATED, headers, SDP_TYPE)
        self._name_relays(response, grant)
        return response

    def _options(self, request: Request, right: Right) -> Response:
        """What the endpoint takes; with a good token also the relays.

        Some programs can't take relays any more once they have made their offer. RFC 9725 §4.6 lets them ask before
        it, and wants none of it in a browser's preflight, which carries no token either.
        """
        response = Response(headers={"Accept-Post": SDP_TYPE, "Allow": ENDPOINT_METHODS})
        is_preflight = "access-control-request-method" in request.headers
        if self._turn.urls and not is_preflight and "authorization" in request.headers:
            with suppress(SignallingError):
                self._name_relays(response, self._authorize(request, right, _feed_name(request)))
        return response

    def _name_relays(self, response: Response, grant: Grant) -> None:
        """Add the relays with credentials of this token's own.

        They carry the token's id, so that the audit, and nothing else, tells whose use a relay's log shows.
        """
        for link in self._turn.links(grant.token_id, self._wall_clock()):
            response.headers.append("Link", link)
            response.headers["Cache-Control"] = "no-store"

    async def _session(self, request: Request, right: Right) -> Response:
        if request.method == "OPTIONS":
            return Response(headers={"Accept-Patch": _patches(right), "Allow": SESSION_METHODS})
        feed = _feed_name(request)
        session = self._find(request, right, feed)
        if request.method in ("GET", "HEAD"):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        if request.method not in ("PATCH", "DELETE"):
            raise WrongMethod(SESSION_METHODS)
        if not session.requests.take(self._clock()):
            raise TooOften
        if request.method == "DELETE":
            self._sessions.end(session, "deleted")
            return Response()
        wrong_type = WrongType("Accept-Patch", _patches(right))
        if session.viewer is not None and _content_type(request) == WISH_TYPE:
            wish = read_wish(await _body(request, WISH_TYPE, wrong_type))
            if session.ended_because is not None:
                raise NoSuchSession
            self._sessions.want(session, wish)
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return self._patch(session, request.headers.get("if-match"), await _body(request, FRAGMENT_TYPE, wrong_type))

    def _patch(self, session: Session, if_match: str | None, body: bytes) -> Response:
        ufrag, password = read_fragment(body)
        if if_match is None:
            raise PreconditionRefused("if-match-required", HTTPStatus.PRECONDITION_REQUIRED)
        is_any = if_match.strip() in ("*", '"*"')
        if not is_any and session.etag not in [tag.strip() for tag in if_match.split(",")]:
            raise PreconditionRefused("if-match-stale", HTTPStatus.PRECONDITION_FAILED)
        if session.ended_because is not None:
            raise NoSuchSession
        if not ufrag or ufrag == session.offer.ufrag:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        if not is_any:
            # Candidates of an ICE generation that we don't know.
            raise PreconditionRefused("if-match-stale", HTTPStatus.PRECONDITION_FAILED)
        if not password:
            raise OfferRefused("sdp-ice")
        fragment = self._sessions.restart_ice(session)
        session.offer.ufrag, session.offer.password = ufrag, password
        return Response(fragment, HTTPStatus.OK, {"ETag": session.etag}, FRAGMENT_TYPE)

    def _authorize(self, request: Request, right: Right, feed: str) -> Grant:
        grant = self._verified(request, may_be_expired=False)
        if not grant.covers(feed) or not right.is_granted_by(grant):
            raise RightRefused("right-missing", HTTPStatus.FORBIDDEN)
        if self._is_feed_revoked(camera_of(feed)):
            raise RightRefused("feed-revoked", HTTPStatus.FORBIDDEN)
        return grant

    def _find(self, request: Request, right: Right, feed: str) -> Session:
        """The session of this URL, for the token that opened it (even expired) or another with the same right."""
        grant = self._verified(request, may_be_expired=True)
        session = self._sessions.by_id.get(request.path_params["session"])
        if session is not None and session.feed == feed and session.right is right:
            if grant.token_id == session.grant.token_id:
                return session
            self._authorize(request, right, feed)
            return session
        self._authorize(request, right, feed)
        if not self._misses.take(grant.token_id, self._clock()):
            raise TooOften
        raise NoSuchSession

    def _verified(self, request: Request, *, may_be_expired: bool) -> Grant:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_LENGTH:
                raise TokenRefused("token-missing")
            grant = tokens.verify(self._token_key, token.strip(), may_be_expired=may_be_expired)
            if self._is_revoked(grant):
                raise TokenRefused("token-revoked")
        except TokenRefused as error:
            if not self._refusals.take(self._clock()):
                raise TooOften from error
            raise RightRefused(error.code) from error
        return grant

    def _allow_origin(self, request: Request, response: Response) -> None:
        """Cross-origin use is off unless the origin was named when the node was started."""
        origin = request.headers.get("origin", "")
        if origin not in self._allowed_origins:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        response.headers["Vary"] = "Origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST, PATCH, DELETE, GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match"
            response.headers["Access-Control-Max-Age"] = "600"


_ALL = ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"]


def problem(error: SignallingError) -> Response:
    """A refusal as problem details."""
    status = HTTPStatus(error.status)
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "code": error.code}
    headers = {"Cache-Control": "no-store"} | error.headers
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return Response(json.dumps(body), status, headers, "application/problem+json")


def make_app(routes: list[Route]) -> Starlette:
    """The node's whole HTTP application."""
    return Starlette(
        routes=routes,
        exception_handlers={
            404: _not_found,
            405: _not_found,
        },
    )


async def _not_found(request: Request, error: Exception) -> Response:
    return problem(SignallingError("not-found", HTTPStatus.NOT_FOUND))


def _patches(right: Right) -> str:
    """What a session's PATCH takes."""
    return f"{FRAGMENT_TYPE}, {WISH_TYPE}" if right is Right.VIEW else FRAGMENT_TYPE


def _feed_name(request: Request) -> str:
    feed = str(request.path_params["feed"])
    if _FEED.fullmatch(feed) is None:
        raise SignallingError("not-found", HTTPStatus.NOT_FOUND)
    return feed


def _group(request: Request) -> str | None:
    """What the viewer's page calls itself, if it does."""
    group = request.query_params.get("group")
    if group is not None and _GROUP.fullmatch(group) is None:
        raise SignallingError("group-invalid", HTTPStatus.BAD_REQUEST)
    return group


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _body(request: Request, content_type: str, wrong_type: WrongType) -> bytes:
    """The body, if it is of this type and no longer than an offer may be."""
    if _content_type(request) != content_type:
        raise wrong_type
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SDP_BYTES:
            raise TooLarge
    return bytes(body)

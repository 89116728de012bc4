"""The one gate around everything, HTTP and WebSocket alike: what no door is listed for is refused."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from command_center.accounts.bodies import (
    BODY_LIMIT_BYTES,
    MEDIA_BODY_LIMIT_BYTES,
    Gone,
    TooLarge,
    TooSlow,
    read_body,
    replay,
)
from command_center.accounts.callbacks import CallbackDoors
from command_center.accounts.credentials import SAFE_METHODS, Credentials, csrf_cookie
from command_center.accounts.doors import (
    HOME,
    SOCKETS,
    Door,
    Loopback,
    MediaToken,
    Public,
    SignedIn,
    find_door,
)
from command_center.accounts.headers import content_policy, security_headers
from command_center.accounts.identity import Identity, current_identity
from command_center.accounts.media_tokens import MediaTokens
from command_center.accounts.permissions import Permission
from command_center.accounts.sign_ins import Recognized, SignIns
from command_center.accounts.sockets import OpenSockets
from command_center.errors import CommandCenterError, NotPermitted, NotSignedIn
from command_center.problem import send_problem
from streams.signalling.tokens import TokenRefused

LOOPBACK = frozenset({"127.0.0.1", "::1"})
CALLBACK_PATH = "/_dash-update-component"
SIGN_IN = "/sign-in"
KEPT_BY_BROWSERS = ("/static/", "/vendor/", "/field", "/_dash-component-suites/", "/_favicon.ico")
"""Files of the product; everything else may hold somebody's data and isn't kept, unless its route says so."""
DENIED_BODY_LIMIT_BYTES = 16_000
"""More of what is refused nobody reads; it names a recording and a reason."""
CLOSE_NOT_SIGNED_IN = 4401
CLOSE_REFUSED = 4403


class Gate:
    """Outermost ASGI application: recognizes who asks, looks for a door, and only then lets the request in."""

    def __init__(
        self,
        app: ASGIApp,
        sign_ins: SignIns,
        media_tokens: MediaTokens,
        sockets: OpenSockets,
        callbacks: CallbackDoors,
        script_hashes: Sequence[str] = (),
        media_origins: Sequence[str] = (),
        denied: Callable[[Identity, str, bytes], Awaitable[None]] | None = None,
    ) -> None:
        self._app = app
        self._sign_ins = sign_ins
        self._media_tokens = media_tokens
        self._sockets = sockets
        self._callbacks = callbacks
        self._script_hashes = script_hashes
        self._media_origins = media_origins
        self._denied = denied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = secrets.token_urlsafe(16) if scope["path"].startswith("/map/") else None
        scope.setdefault("state", {})["csp_nonce"] = nonce
        send = _with_headers(send, self._headers(scope["path"], nonce))
        door: Door | None = None
        recognized: Recognized | None = None
        try:
            door = find_door(scope["path"], scope["method"])
            credentials = Credentials.of(scope)
            recognized = await self._recognize(scope, credentials, door)
            await self._admit(scope, door, credentials, recognized)
            if scope["method"] not in SAFE_METHODS:
                receive = await self._take_body(scope, receive, door, recognized)
        except Gone:
            return
        except CommandCenterError as error:
            await self._tell_denial(scope, receive, door, error, _who(recognized))
            await _refuse(scope, send, door, error, _who(recognized))
            return
        if door.is_page and recognized and credentials.csrf_cookie != recognized.csrf_token:
            # Another installation on this host, on another port, has put its own there.
            send = _with_headers(send, [(b"set-cookie", csrf_cookie(scope, recognized.csrf_token).encode())])
        await self._let_in(scope, receive, send, recognized)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            door = find_door(scope["path"], None, SOCKETS)
            credentials = Credentials.of(scope)
            recognized = await self._recognize(scope, credentials, door)
            if recognized is None:
                raise NotSignedIn("not-signed-in")
            # A browser always tells a socket's origin, and nothing else protects a socket that a cookie opens.
            credentials.check_origin(is_required=not recognized.is_program)
            _check_access(door.access, recognized.identity)
        except CommandCenterError as error:
            code = CLOSE_NOT_SIGNED_IN if isinstance(error, NotSignedIn) else CLOSE_REFUSED
            await send({"type": "websocket.close", "code": code, "reason": error.code})
            return
        token = current_identity.set(recognized.identity)
        try:
            await self._sockets.serve(self._app, scope, receive, send, recognized.identity.session_id)
        finally:
            current_identity.reset(token)

    async def _tell_denial(
        self,
        scope: Scope,
        receive: Receive,
        door: Door | None,
        error: CommandCenterError,
        identity: Identity | None,
    ) -> None:
        """Have it written down who was refused what is evidence; the body says what of it."""
        if self._denied is None or door is None or not door.is_evidence or identity is None:
            return
        if isinstance(error, NotPermitted) and error.code == "not-permitted":
            body = b""
            if scope["method"] not in SAFE_METHODS:
                with suppress(Gone, TooLarge, TooSlow):
                    body = await read_body(scope, receive, DENIED_BODY_LIMIT_BYTES)
            await self._denied(identity, scope["path"], body)

    def _headers(self, path: str, nonce: str | None) -> list[tuple[bytes, bytes]]:
        headers = security_headers(content_policy(self._script_hashes, nonce, self._media_origins))
        if not path.startswith(KEPT_BY_BROWSERS):
            headers.append((b"cache-control", b"no-store"))
        return headers

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, recognized: Recognized | None) -> None:
        token = current_identity.set(_who(recognized))
        try:
            await self._app(scope, receive, send)
        finally:
            current_identity.reset(token)

    async def _recognize(self, scope: Scope, credentials: Credentials, door: Door) -> Recognized | None:
        if isinstance(door.access, Public | MediaToken):
            return None
        if credentials.bearer is not None and scope["path"].startswith("/api/"):
            return await self._sign_ins.recognize(credentials.bearer, is_program=True)
        if credentials.cookie_secret is not None:
            return await self._sign_ins.recognize(credentials.cookie_secret, is_program=False)
        return None

    async def _admit(self, scope: Scope, door: Door, credentials: Credentials, recognized: Recognized | None) -> None:
        """Raise unless this request may pass the door."""
        is_unsafe = scope["method"] not in SAFE_METHODS
        match door.access:
            case Public():
                pass
            case MediaToken(right):
                await self._check_media_token(scope, credentials, right)
            case Loopback():
                if not _is_local(scope):
                    _check_access(SignedIn(frozenset({Permission.RUN_SYSTEM})), _who(recognized))
            case SignedIn():
                _check_access(door.access, _who(recognized))
        if is_unsafe and (recognized is None or not recognized.is_program):
            credentials.check_origin(is_required=False)
        if is_unsafe and recognized is not None and not recognized.is_program:
            credentials.check_csrf(recognized.csrf_token)

    async def _check_media_token(self, scope: Scope, credentials: Credentials, right: str) -> None:
        """A new media session needs a good token; what belongs to one that is open, its node decides.

        A session may well outlive its token, and must still be closed and trickled to then.
        """
        if scope["method"] != "POST":
            return
        if credentials.bearer is None:
            raise NotSignedIn("token-missing")
        feed = scope["path"].split("/")[2]
        try:
            scope["state"]["grant"] = await self._media_tokens.check(credentials.bearer, feed, right)
        except TokenRefused as error:
            if error.code in {"token-feed", "token-right", "feed-revoked"}:
                raise NotPermitted(error.code) from error
            raise NotSignedIn(error.code) from error

    async def _take_body(self, scope: Scope, receive: Receive, door: Door, recognized: Recognized | None) -> Receive:
        limit = MEDIA_BODY_LIMIT_BYTES if isinstance(door.access, MediaToken) else BODY_LIMIT_BYTES
        body = await read_body(scope, receive, limit)
        if scope["path"] == CALLBACK_PATH:
            for access in self._callbacks.access(body):
                _check_access(access, _who(recognized))
        return replay(body, receive)


def _check_access(access: object, identity: Identity | None) -> None:
    if not isinstance(access, SignedIn):
        raise NotPermitted("not-permitted")
    if identity is None:
        raise NotSignedIn("not-signed-in")
    if access.any_of and not any(identity.may(permission) for permission in access.any_of):
        raise NotPermitted("not-permitted")


def _who(recognized: Recognized | None) -> Identity | None:
    return recognized.identity if recognized else None


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    return client is not None and client[0] in LOOPBACK


def _with_headers(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            names = {name for name, _ in given}
            message["headers"] = given + [
                each for each in headers if each[0] != b"cache-control" or each[0] not in names
            ]
        await send(message)

    return add


async def _refuse(
    scope: Scope, send: Send, door: Door | None, error: CommandCenterError, identity: Identity | None
) -> None:
    """Lead a page's visitor on; tell everybody else the problem."""
    if door is not None and door.is_page and scope["method"] in SAFE_METHODS:
        if isinstance(error, NotSignedIn):
            query = scope.get("query_string", b"").decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            return await _redirect(send, f"{SIGN_IN}?next={quote(wanted, safe='/')}")
        if isinstance(error, NotPermitted) and identity is not None:
            return await _redirect(send, HOME.get(identity.role, "/"))
    extra = {"www-authenticate": "Bearer"} if isinstance(error, NotSignedIn) else None
    return await send_problem(send, error, extra)


async def _redirect(send: Send, location: str) -> None:
    headers = [(b"location", location.encode("latin-1")), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

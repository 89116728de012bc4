"""What a request brings to say who it is from: the session's cookie or a program's bearer token, and its origin."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.types import Scope

from command_center.errors import NotPermitted

CSRF_COOKIE = "_csrf_token"
"""Dash reads a cookie of this name and sends it as `X-CSRFToken`."""
CSRF_HEADER = b"x-csrftoken"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SCHEMES = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """One request's headers, as far as they matter here."""

    cookie_secret: str | None
    bearer: str | None
    csrf_cookie: str | None
    csrf_header: str | None
    origin: str | None
    own_origin: str

    @classmethod
    def of(cls, scope: Scope) -> Credentials:
        """Read them from an ASGI scope, HTTP or WebSocket."""
        headers: dict[bytes, bytes] = {}
        cookies: list[str] = []
        for name, value in scope["headers"]:
            if name == b"cookie":
                cookies.append(value.decode("latin-1"))
            else:
                headers[name] = value
        jar = _cookies(cookies)
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        kind, _, token = authorization.partition(" ")
        scheme = _SCHEMES.get(scope["scheme"], scope["scheme"])
        return cls(
            cookie_secret=jar.get(session_cookie(scope)),
            bearer=token.strip() if kind.lower() == "bearer" and token.strip() else None,
            csrf_cookie=jar.get(CSRF_COOKIE),
            csrf_header=_text(headers.get(CSRF_HEADER)),
            origin=_text(headers.get(b"origin")),
            own_origin=f"{scheme}://{_text(headers.get(b'host')) or ''}".lower(),
        )

    def check_origin(self, *, is_required: bool) -> None:
        """Refuse what another site's page sent.

        Raises:
            NotPermitted: the origin isn't ours, or there is none where a browser always tells one.
        """
        if self.origin is None:
            if is_required:
                raise NotPermitted("origin-missing")
            return
        parts = urlsplit(self.origin.lower())
        if f"{parts.scheme}://{parts.netloc}" != self.own_origin:
            raise NotPermitted("origin-foreign")

    def check_csrf(self, expected: str) -> None:
        """Refuse what a foreign page made this browser send with its cookie.

        Raises:
            NotPermitted: the header doesn't hold the session's token.
        """
        given = self.csrf_header or ""
        if not secrets.compare_digest(given.encode(), expected.encode()):
            raise NotPermitted("csrf-token-wrong")


def session_cookie(scope: Scope) -> str:
    """The session cookie's name. Browsers don't keep ports apart, so that the name holds the port."""
    server = scope.get("server")
    return f"cc_session_{server[1] if server else 0}"


def set_cookies(scope: Scope, secret: str, csrf_token: str, expires_at: datetime) -> list[str]:
    """The `Set-Cookie` values of a new session."""
    return [
        _cookie(session_cookie(scope), secret, scope, is_readable=False, expires_at=expires_at),
        csrf_cookie(scope, csrf_token),
    ]


def csrf_cookie(scope: Scope, csrf_token: str) -> str:
    """The `Set-Cookie` value of the readable token."""
    return _cookie(CSRF_COOKIE, csrf_token, scope, is_readable=True)


def clear_cookies(scope: Scope) -> list[str]:
    """The `Set-Cookie` values that take them away."""
    return [f"{name}=; Path=/; Max-Age=0; SameSite=Strict" for name in (session_cookie(scope), CSRF_COOKIE)]


def _cookie(name: str, value: str, scope: Scope, *, is_readable: bool, expires_at: datetime | None = None) -> str:
    parts = [f"{name}={value}", "Path=/", "SameSite=Strict"]
    if not is_readable:
        parts.append("HttpOnly")
    if scope["scheme"] in {"https", "wss"}:
        parts.append("Secure")
    if expires_at is not None:
        parts.append(f"Expires={expires_at.strftime('%a, %d %b %Y %H:%M:%S GMT')}")
    return "; ".join(parts)


def _cookies(values: Iterable[str]) -> dict[str, str]:
    jar: dict[str, str] = {}
    for value in values:
        for part in value.split(";"):
            # One by one: a cookie of another program on this host that can't be read takes none of ours with it.
            try:
                jar.update({name: morsel.value for name, morsel in SimpleCookie(part.strip()).items()})
            except CookieError:
                continue
    return jar


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value is not None else None

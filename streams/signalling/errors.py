"""The refusals of WHIP and WHEP; each is answered as problem details (RFC 9457).

SignallingError(code, status)
├── OfferRefused            400, 422 or 409: the offer can't be read, or can't be met
├── RightRefused            401 or 403: no token, or one without the right
├── FeedNotLive             409 with Retry-After
├── NodeFull                503 with Retry-After
├── TooOften                429 with Retry-After
├── NoSuchSession           404
├── PreconditionRefused     412 or 428
├── WishRefused             400 or 422: what a viewer wants can't be read, or isn't there
├── WrongType               415 with Accept-Post or Accept-Patch
├── WrongMethod             405 with Allow
└── TooLarge                413
"""

from __future__ import annotations

from http import HTTPStatus


class SignallingError(Exception):
    """A refusal with a stable `code`; `retry_after_seconds` where trying again later makes sense.

    `headers` say what would be taken instead.
    """

    def __init__(self, code: str, status: int, retry_after_seconds: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = int(status)
        self.retry_after_seconds = retry_after_seconds
        self.headers: dict[str, str] = {}


class OfferRefused(SignallingError):
    """The offer can't be read (400), asks for what this node doesn't do (422), or doesn't fit the feed (409)."""

    def __init__(self, code: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(code, status)


class RightRefused(SignallingError):
    """No valid token (401), or a valid one without this right (403)."""

    def __init__(self, code: str, status: int = HTTPStatus.UNAUTHORIZED) -> None:
        super().__init__(code, status)


class FeedNotLive(SignallingError):
    """Nobody publishes this feed now."""

    def __init__(self) -> None:
        super().__init__("feed-not-live", HTTPStatus.CONFLICT, 1)


class NodeFull(SignallingError):
    """As many sessions as this node takes."""

    def __init__(self) -> None:
        super().__init__("node-full", HTTPStatus.SERVICE_UNAVAILABLE, 5)


class TooOften(SignallingError):
    """Asked faster than is sensible."""

    def __init__(self) -> None:
        super().__init__("too-often", HTTPStatus.TOO_MANY_REQUESTS, 2)


class NoSuchSession(SignallingError):
    """The session is over, or never was."""

    def __init__(self) -> None:
        super().__init__("session-unknown", HTTPStatus.NOT_FOUND)


class PreconditionRefused(SignallingError):
    """If-Match is missing (428) or names a former ICE session (412)."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code, status)


class WishRefused(SignallingError):
    """What a viewer wants is no JSON object (400), or names nothing that there is (422)."""

    def __init__(self, code: str, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> None:
        super().__init__(code, status)


class WrongType(SignallingError):
    """The body is of another content type than the one that `header` tells of (RFC 5789 §2.2, RFC 9725 §4.2)."""

    def __init__(self, header: str, taken: str) -> None:
        super().__init__("content-type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        self.headers = {header: taken}


class WrongMethod(SignallingError):
    """This URL doesn't do that; Allow tells what it does (RFC 9110 §15.5.6)."""

    def __init__(self, allowed: str) -> None:
        super().__init__("method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED)
        self.headers = {"Allow": allowed}


class TooLarge(SignallingError):
    """The body is longer than any offer."""

    def __init__(self) -> None:
        super().__init__("body-too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

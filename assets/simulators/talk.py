"""How a simulator reads requests and writes answers: JSON or XML as it was asked, signed where keys are given."""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response

from assets import bodies
from assets.bodies import BodyFormat
from assets.signing import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    BadSignature,
    Signer,
    Verifier,
    answer_text,
    check,
    request_text,
)

LARGEST_REQUEST_BYTES = 8_000_000
REMEMBERED_NONCES = 20_000


class BadRequest(Exception):
    """It can't be read, or isn't signed as was agreed; says why."""


@dataclass(slots=True)
class Talk:
    """What was agreed with the callers."""

    callers: Verifier | None = None
    """Believes requests only with this key's signature."""
    signer: Signer | None = None
    """Signs answers."""
    clock: Callable[[], float] = time.time
    _nonces: OrderedDict[str, None] = field(default_factory=OrderedDict)

    async def read(self, request: Request) -> dict[str, Any]:
        """The body of a request.

        Raises:
            BadRequest: it can't be read or believed.
        """
        content = bytearray()
        async for piece in request.stream():
            content += piece
            if len(content) > LARGEST_REQUEST_BYTES:
                raise BadRequest("size")
        self._believe(request, bytes(content))
        try:
            return bodies.read(bytes(content), form_of(request))
        except bodies.BadBody as exc:
            raise BadRequest(str(exc)) from exc

    def respond(self, request: Request, body: Mapping[str, Any], status: int = 200) -> Response:
        """`body`, in the format in which was asked."""
        form = form_of(request)
        return self.respond_bytes(request, bodies.write(body, form), status)

    def respond_bytes(self, request: Request, content: bytes, status: int = 200) -> Response:
        """These bytes, signed where it was agreed."""
        response = Response(content, status, media_type=form_of(request).media_type)
        if self.signer is not None:
            at = str(int(self.clock()))
            text = answer_text(request.headers.get(NONCE_HEADER, ""), status, at, content)
            response.headers[TIME_HEADER] = at
            response.headers[SIGNATURE_HEADER] = base64.b64encode(self.signer.sign(text)).decode()
        return response

    def _believe(self, request: Request, content: bytes) -> None:
        if self.callers is None:
            return
        nonce, at = request.headers.get(NONCE_HEADER, ""), request.headers.get(TIME_HEADER, "")
        try:
            text = request_text("POST", request.url.path, at, nonce, content)
            check(self.callers, text, request.headers, self.clock())
        except BadSignature as exc:
            raise BadRequest(f"signature: {exc}") from exc
        if nonce in self._nonces:
            raise BadRequest("signature: repeated")
        self._nonces[nonce] = None
        if len(self._nonces) > REMEMBERED_NONCES:
            self._nonces.popitem(last=False)


def form_of(request: Request) -> BodyFormat:
    """In which format it was asked."""
    return BodyFormat.XML if "xml" in request.headers.get("Content-Type", "") else BodyFormat.JSON

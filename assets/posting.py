"""Bodies over HTTP to a bank or a registry, with every way of not answering told apart."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from assets import bodies
from assets.bodies import BodyFormat
from assets.breaker import Breaker
from assets.errors import (
    GatewayAccepted,
    GatewayAnsweredGarbage,
    GatewayBroke,
    GatewayBusy,
    GatewayObjected,
    GatewayRefused,
    GatewayTrouble,
    GatewayUnreachable,
)
from assets.pace import Pace
from assets.signing import BadSignature, Signing
from assets.wire import CONTRADICTION

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 8.0
"""How long a screen may wait for an answer; after that the request is asked again later, with its number."""
LARGEST_ANSWER_BYTES = 4_000_000
CONNECTIONS = 32
CONNECT_PAUSES = (0.1, 0.4)
"""How long to wait before each further try of a connection that wasn't made: nothing has been sent by then."""
LONGEST_REASON = 500
"""Of a refusal; what is longer is cut, since a no is a no however long it is."""
LONGEST_NAME = 40
"""Of a field, where it is told which one is wrong: what stands there may come from the other side."""
OBJECTION = "02"
"""`cwdm` of a refusal that is an objection, which the court has to answer."""

Answer = TypeVar("Answer", bound=BaseModel)
_BUSY_POOL_SECONDS = 1.0
_FAILURES = (GatewayUnreachable, GatewayBroke)


class Poster:
    """One connection pool to one gateway, with the breaker, the pace and the signatures that were agreed for it.

    `counts` says how often what happened: answered, retried, busy, and each trouble by its code.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        form: BodyFormat = BodyFormat.JSON,
        tls: ssl.SSLContext | None = None,
        signing: Signing | None = None,
        breaker: Breaker | None = None,
        pace: Pace | None = None,
        connect_pauses: tuple[float, ...] = CONNECT_PAUSES,
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.breaker = breaker
        self._answer_seconds = answer_seconds
        self._form = form
        self._signing = signing
        self._pace = pace
        self._connect_pauses = connect_pauses
        self._client = httpx.AsyncClient(
            base_url=base_url,
            verify=tls or _trusting(),
            timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            # The court's gateways stand on its own network: a proxy from the environment would leak the request.
            trust_env=False,
        )

    async def close(self) -> None:
        """Give back every connection."""
        await self._client.aclose()

    async def post(self, path: str, body: Mapping[str, Any], answer: type[Answer], number_field: str) -> Answer:
        """Send `body`, and read the reply as an `answer` to the number that it carries in `number_field`.

        Raises:
            GatewayRefused, GatewayObjected, GatewayAccepted, GatewayUnreachable, GatewayBusy, GatewayBroke,
            GatewayAnsweredGarbage.
        """
        self._admit()
        try:
            reply = await self._exchange(path, body, answer, number_field)
        except GatewayTrouble as trouble:
            self.counts[trouble.code] += 1
            self._note(trouble)
            raise
        except BaseException:
            if self.breaker is not None:
                self.breaker.abandoned()
            raise
        self.counts["answered"] += 1
        self._note(None)
        return reply

    def _admit(self) -> None:
        for keeper, why in ((self._pace, "pace"), (self.breaker, "rest")):
            if keeper is not None and (seconds := keeper.wait_seconds()) > 0:
                self.counts[GatewayBusy.code_word] += 1
                raise GatewayBusy(self.name, seconds, why)

    def _note(self, trouble: GatewayTrouble | None) -> None:
        if self.breaker is None:
            return
        if isinstance(trouble, _FAILURES):
            self.breaker.failed()
        elif isinstance(trouble, GatewayBusy):
            self.breaker.abandoned()
        else:
            self.breaker.succeeded()

    async def _exchange(self, path: str, body: Mapping[str, Any], answer: type[Answer], number_field: str) -> Answer:
        content = bodies.write(body, self._form)
        status, reply = await self._send(path, content)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise GatewayBroke(self.name, str(status))
        number = body[number_field]
        if status == httpx.codes.UNPROCESSABLE_ENTITY:
            refusal = self._validated(reply, Refusal, number_field, number)
            kind = GatewayObjected if refusal.cwdm == OBJECTION else GatewayRefused
            raise kind(self.name, refusal.cwxx[:LONGEST_REASON])
        if status == httpx.codes.ACCEPTED:
            self._validated(reply, Accepted, number_field, number)
            raise GatewayAccepted(self.name)
        if status != httpx.codes.OK:
            raise GatewayBroke(self.name, str(status))
        return self._validated(reply, answer, number_field, number)

    async def _send(self, path: str, content: bytes) -> tuple[int, bytes]:
        for pause in (*self._connect_pauses, None):
            try:
                async with asyncio.timeout(self._answer_seconds + CONNECT_SECONDS):
                    return await self._once(path, content)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                if pause is None:
                    raise GatewayUnreachable(self.name, type(exc).__name__) from exc
            except httpx.PoolTimeout as exc:
                raise GatewayBusy(self.name, _BUSY_POOL_SECONDS, "connections") from exc
            except (httpx.TransportError, TimeoutError) as exc:
                # It may have acted before we gave up, so no answer is not a failure.
                raise GatewayUnreachable(self.name, type(exc).__name__) from exc
            self.counts["retried"] += 1
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _once(self, path: str, content: bytes) -> tuple[int, bytes]:
        headers = {
            "Content-Type": self._form.media_type,
            "Accept": self._form.media_type,
            # What is packed can grow beyond every bound while it is unpacked.
            "Accept-Encoding": "identity",
        }
        request = self._client.build_request("POST", path, content=content, headers=headers)
        sealed = self._signing.seal("POST", request.url.path, content) if self._signing is not None else None
        if sealed is not None:
            request.headers.update(sealed.headers)
        async with aclosing(await self._client.send(request, stream=True)) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise GatewayAnsweredGarbage(self.name, "encoding")
            reply = bytearray()
            async for piece in response.aiter_raw():
                reply += piece
                if len(reply) > LARGEST_ANSWER_BYTES:
                    raise GatewayAnsweredGarbage(self.name, "size")
        # What broke on the way back was often made by something between, which can't sign.
        if (
            sealed is not None
            and self._signing is not None
            and response.status_code < httpx.codes.INTERNAL_SERVER_ERROR
        ):
            try:
                self._signing.check_answer(sealed, response.status_code, response.headers, bytes(reply))
            except BadSignature as exc:
                raise GatewayAnsweredGarbage(self.name, f"signature: {exc}") from exc
        return response.status_code, bytes(reply)

    def _validated(self, content: bytes, shape: type[Answer], number_field: str, number: str) -> Answer:
        try:
            body = bodies.read(content, self._form)
            answer = shape.model_validate(body)
        except bodies.BadBody as exc:
            raise GatewayAnsweredGarbage(self.name, str(exc)) from None
        except ValidationError as exc:
            # Only the fields' names: an answer holds bank data.
            fields = ", ".join(_field_of(error) for error in exc.errors(include_input=False)[:5])
            raise GatewayAnsweredGarbage(self.name, fields or "body") from None
        # A refusal may leave the number out; where it names one it has to be the right one.
        if body.get(number_field, number if shape is Refusal else None) != number:
            raise GatewayAnsweredGarbage(self.name, number_field)
        return answer


@cache
def _trusting() -> ssl.SSLContext:
    """Believes whom the machine believes; read once, since an installation may have hundreds of gateways."""
    return ssl.create_default_context()


def _field_of(error: ErrorDetails) -> str:
    """Where a reply is wrong: the path of a field, as names and places."""
    path = [str(step)[:LONGEST_NAME] for step in error["loc"]]
    if error["type"] == CONTRADICTION:
        path.append(error["ctx"]["field"])
    return ".".join(path) or "body"


class Refusal(BaseModel):
    """The body of a 422: why the other side won't."""

    model_config = ConfigDict(extra="ignore")
    cwdm: str = "01"
    cwxx: str


class Accepted(BaseModel):
    """The body of a 202: it was taken in, the answer comes later under the same number."""

    model_config = ConfigDict(extra="ignore")

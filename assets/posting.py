"""JSON over HTTP to a bank or a registry, with every way of not answering told apart."""

from __future__ import annotations

from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from assets.errors import GatewayAnsweredGarbage, GatewayBroke, GatewayRefused, GatewayUnreachable

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 8.0
"""How long a screen may wait for an answer; after that the request is asked again later, with its number."""
LARGEST_ANSWER_BYTES = 4_000_000
CONNECTIONS = 32

Answer = TypeVar("Answer", bound=BaseModel)


class Poster:
    """One connection pool to one gateway."""

    def __init__(self, name: str, base_url: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.name = name
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            # The court's gateways stand on its own network: a proxy from the environment would leak the request.
            trust_env=False,
        )

    async def close(self) -> None:
        """Give back every connection."""
        await self._client.aclose()

    async def post(self, path: str, body: dict[str, Any], answer: type[Answer]) -> Answer:
        """Send `body`, and read the reply as an `answer`.

        Raises:
            GatewayRefused, GatewayUnreachable, GatewayBroke, GatewayAnsweredGarbage.
        """
        try:
            response = await self._client.post(path, json=body)
        except httpx.RemoteProtocolError as exc:
            raise GatewayAnsweredGarbage(self.name, "protocol") from exc
        except httpx.TransportError as exc:
            # It may have acted before we gave up, so no answer is not a failure.
            raise GatewayUnreachable(self.name, type(exc).__name__) from exc
        except httpx.DecodingError as exc:
            raise GatewayAnsweredGarbage(self.name, "encoding") from exc
        return self._read(response, answer)

    def _read(self, response: httpx.Response, answer: type[Answer]) -> Answer:
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise GatewayBroke(self.name, str(response.status_code))
        if len(response.content) > LARGEST_ANSWER_BYTES:
            raise GatewayAnsweredGarbage(self.name, "size")
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise GatewayRefused(self.name, self._validated(response, Refusal).cwxx)
        if response.status_code != httpx.codes.OK:
            raise GatewayBroke(self.name, str(response.status_code))
        return self._validated(response, answer)

    def _validated(self, response: httpx.Response, shape: type[Answer]) -> Answer:
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as exc:
            # Only the fields' names: an answer holds bank data.
            fields = ", ".join(".".join(map(str, error["loc"])) for error in exc.errors()[:5])
            raise GatewayAnsweredGarbage(self.name, fields or "json") from None


class Refusal(BaseModel):
    """The body of a 422: why the other side won't."""

    cwxx: str

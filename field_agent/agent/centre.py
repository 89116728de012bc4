"""The command center as a device sees it over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from field_agent.agent.errors import CentreRefused, CentreUnreachable, SessionRefused, TokenOver

TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Whip:
    """A session that the media node has taken."""

    url: str
    answer: str


class Centre:
    """One officer's way in: signs in when needed, and once more when the sign-in is over."""

    def __init__(self, server: str, username: str, password: str, client: httpx.AsyncClient) -> None:
        self._server = server.rstrip("/")
        self._username, self._password = username, password
        self._client = client
        self._token: str | None = None
        self._media_token = ""
        self._signing_in = asyncio.Lock()

    async def token(self) -> str:
        """The bearer token of the sign-in."""
        async with self._signing_in:
            if self._token is None:
                body = {"username": self._username, "password": self._password}
                answer = await self._ask("POST", "/api/token", body, token="")
                self._token = str(answer["access_token"])
            return self._token

    def forget_token(self) -> None:
        """The centre ended the sign-in."""
        self._token = None

    async def site(self, operation: str, ordinal: int) -> tuple[str, str]:
        """The ids of an operation (by id or name) and of one of its sites.

        Raises:
            CentreRefused: there is no such operation or site in this officer's scope.
        """
        answer = await self._ask("GET", "/api/operations")
        for one in answer["items"]:
            if operation in {str(one["id"]), one.get("name_zh"), one.get("name_en")}:
                for site in one["sites"]:
                    if site["ordinal"] == ordinal:
                        return str(one["id"]), str(site["id"])
        raise CentreRefused(404, "no-such-site")

    async def register_feed(self, operation_id: str, site_id: str, device: str) -> str:
        """The name of this device's feed; the same each time."""
        body = {"operation_id": operation_id, "site_id": site_id, "device": device, "source": "camera"}
        answer = await self._ask("POST", "/api/feeds", body)
        return str(answer["feed"])

    async def publish(self, feed: str, offer: str) -> Whip:
        """Open a media session (WHIP, RFC 9725) with a fresh media token."""
        grant = await self._ask("POST", "/api/media-tokens", {"feed": feed, "right": "publish"})
        url = urljoin(self._server + "/", str(grant["url"]))
        headers = {"Authorization": f"Bearer {grant['access_token']}", "Content-Type": "application/sdp"}
        response = await self._send("POST", url, headers=headers, content=offer)
        if response.status_code != httpx.codes.CREATED or "Location" not in response.headers:
            raise SessionRefused(f"{response.status_code} {_code(response)}")
        self._media_token = str(grant["access_token"])
        return Whip(urljoin(str(response.url), response.headers["Location"]), response.text)

    async def unpublish(self, session: Whip) -> None:
        """End a media session."""
        await self._send("DELETE", session.url, headers={"Authorization": f"Bearer {self._media_token}"})

    @property
    def socket_url(self) -> str:
        """Of the officer's WebSocket."""
        return "ws" + self._server.removeprefix("http") + "/api/officer"

    async def _ask(
        self, method: str, path: str, body: dict[str, str] | None = None, token: str | None = None
    ) -> dict[str, Any]:
        bearer = await self.token() if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        response = await self._send(method, self._server + path, headers=headers, json=body)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None
            raise TokenOver(response.status_code, _code(response))
        if response.is_error:
            raise CentreRefused(response.status_code, _code(response))
        try:
            answer = response.json()
        except ValueError as error:
            raise CentreUnreachable(f"{path}: no JSON") from error
        if not isinstance(answer, dict):
            raise CentreUnreachable(f"{path}: no object")
        return answer

    async def _send(self, method: str, url: str, **what: Any) -> httpx.Response:
        try:
            return await self._client.request(method, url, timeout=TIMEOUT_SECONDS, follow_redirects=True, **what)
        except httpx.HTTPError as error:
            raise CentreUnreachable(f"{method} {url}: {type(error).__name__}") from error


def _code(response: httpx.Response) -> str:
    """The stable code of a problem, where the answer is one."""
    try:
        return str(response.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""

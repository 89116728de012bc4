"""How light peers reach a server: by WHIP and WHEP, or by the JSON interface of Janus' video room."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.light_media import LightPublisher
from tests.support.light_peer import TRANSPORT_ID, LightPeer, Numbers

CONNECT_SECONDS = 10


class Whip:
    """A WHIP and WHEP server at `base`; `lead` may turn its answers to where something stands before it."""

    def __init__(self, base: str, token: str, lead: Callable[[str], str] = lambda sdp: sdp) -> None:
        self._lead = lead
        self._sessions: dict[int, str] = {}
        # A connection that rests is closed by the server some time, perhaps just as the next request is sent.
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=base, headers=headers, timeout=30, limits=limits)

    async def publish(self, feed: str, peer: LightPeer) -> None:
        """Offer the peer's stream as `feed`."""
        peer.numbers = Numbers(transport_id=TRANSPORT_ID)
        peer.accept(await self._post(f"/whip/{feed}", peer, peer.describe("sendonly")))

    async def view(self, feed: str, peer: LightPeer, *, group: str = "") -> None:
        """Ask for `feed`; `group` names the page whose line it shares."""
        peer.numbers = Numbers(transport_id=TRANSPORT_ID)
        path = f"/whep/{feed}?group={group}" if group else f"/whep/{feed}"
        peer.accept(await self._post(path, peer, peer.describe("recvonly")))

    async def restart(self, peer: LightPeer) -> None:
        """Give a peer's session new ICE credentials (RFC 9725 §4.3.3)."""
        peer.renew_credentials()
        fragment = f"a=ice-ufrag:{peer.ufrag}\r\na=ice-pwd:{peer.password}\r\n"
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        response = await self._http.patch(self._sessions[peer.ssrc], content=fragment, headers=headers)
        if response.status_code != 200:
            raise RuntimeError(f"restart: {response.status_code} {response.text}")
        peer.restarted(response.text)

    async def leave(self, peer: LightPeer) -> None:
        """End a peer's session as a page does that is closed in order."""
        response = await self._http.delete(self._sessions.pop(peer.ssrc))
        if response.status_code != 200:
            raise RuntimeError(f"leave: {response.status_code} {response.text}")

    def forget(self, peer: LightPeer) -> None:
        """The peer vanished."""
        self._sessions.pop(peer.ssrc, None)

    def path_of(self, peer: LightPeer) -> str:
        """Where a peer's session is."""
        return self._sessions[peer.ssrc]

    async def _post(self, path: str, peer: LightPeer, offer: str) -> str:
        response = await self._http.post(path, content=offer, headers={"Content-Type": "application/sdp"})
        if response.status_code != 201:
            raise RuntimeError(f"{path}: {response.status_code} {response.text}")
        self._sessions[peer.ssrc] = response.headers["Location"]
        return self._lead(response.text)

    async def close(self) -> None:
        """End the client; the sessions stay."""
        await self._http.aclose()


class JanusRooms:
    """Janus' video room plugin: one room a feed."""

    def __init__(self, base: str) -> None:
        self._http = httpx.AsyncClient(base_url=base, timeout=30)
        self._rooms: dict[str, tuple[int, int]] = {}

    async def publish(self, feed: str, peer: LightPublisher) -> None:
        """Make a room and publish into it."""
        room = secrets.randbelow(1 << 30)
        _, handle = await self._attach()
        settings = {"request": "create", "room": room, "publishers": 2, "videocodec": "vp8", "bitrate": 0}
        await self._call(handle, janus="message", body=settings)
        session, handle = await self._attach()
        peer.numbers = Numbers(transport_id=TRANSPORT_ID)
        offer = {"type": "offer", "sdp": peer.describe("sendonly")}
        join = {"request": "joinandconfigure", "room": room, "ptype": "publisher"}
        await self._call(handle, janus="message", body=join, jsep=offer)
        publisher = 0
        while True:
            event = await self._event(session)
            publisher = event["plugindata"]["data"].get("id") or publisher
            if "jsep" in event:
                break
        self._rooms[feed] = (room, publisher)
        peer.accept(event["jsep"]["sdp"])

    async def view(self, feed: str, peer: LightPeer) -> None:
        """Subscribe; here the server makes the offer."""
        room, publisher = self._rooms[feed]
        session, handle = await self._attach()
        join = {"request": "join", "room": room, "ptype": "subscriber", "streams": [{"feed": publisher}]}
        await self._call(handle, janus="message", body=join)
        offer = (await self._event(session))["jsep"]["sdp"]
        mid = re.search(r"a=mid:(\S+)", offer)
        peer.numbers = Numbers.read(offer)
        answer = peer.describe("recvonly", mid=mid[1] if mid else "0", setup="active")
        peer.accept(offer)
        message = {"type": "answer", "sdp": answer}
        await self._call(handle, janus="message", body={"request": "start"}, jsep=message)

    async def close(self) -> None:
        """End the client."""
        await self._http.aclose()

    async def _attach(self) -> tuple[str, str]:
        session = f"/{(await self._call('', janus='create'))['data']['id']}"
        plugin = await self._call(session, janus="attach", plugin="janus.plugin.videoroom")
        return session, f"{session}/{plugin['data']['id']}"

    async def _call(self, path: str, **fields: Any) -> dict[str, Any]:
        response = await self._http.post(path, json={**fields, "transaction": secrets.token_hex(6)})
        answer: dict[str, Any] = response.json()
        if answer.get("janus") == "error":
            raise RuntimeError(f"Janus: {answer['error']}")
        return answer

    async def _event(self, session: str) -> dict[str, Any]:
        while True:
            event: dict[str, Any] = (await self._http.get(f"{session}?maxev=1")).json()
            if event.get("janus") == "event":
                return event

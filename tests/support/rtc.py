"""Real WebRTC peers by aiortc: one that publishes by WHIP, one that views by WHEP."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import httpx
import numpy
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import VideoFrame

NO_SERVERS = RTCConfiguration(iceServers=[])
FRAME_SECONDS = 1 / 15


class CountingPicture(VideoStreamTrack):
    """A small moving picture; each frame differs from the last."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> VideoFrame:
        """The next frame, in time."""
        await asyncio.sleep(FRAME_SECONDS)
        self._count += 1
        picture = numpy.full((120, 160, 3), (self._count * 3) % 200, dtype=numpy.uint8)
        picture[:, (self._count * 4) % 150 :][:, :10] = 255
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = int(self._count * FRAME_SECONDS * 90_000), Fraction(1, 90_000)
        return frame


class Peer:
    """One session with a node; `close` ends it as a browser that is closed does, `delete` by HTTP."""

    def __init__(self, base: str, token: str) -> None:
        self.connection = RTCPeerConnection(NO_SERVERS)
        self.answer = ""
        self.etag = ""
        self.location = ""
        self._base, self._token = base, token

    async def _exchange(self, path: str) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/sdp"}
        async with httpx.AsyncClient(base_url=self._base) as http:
            response = await http.post(path, content=self.connection.localDescription.sdp, headers=headers)
        if response.status_code != 201:
            raise Refused(response)
        self.answer, self.etag = response.text, response.headers["etag"]
        self.location = response.headers["location"]
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))

    async def delete(self) -> int:
        """DELETE the session; the HTTP status."""
        async with httpx.AsyncClient(base_url=self._base) as http:
            response = await http.delete(self.location, headers={"Authorization": f"Bearer {self._token}"})
        return response.status_code

    async def close(self) -> None:
        """Close the connection, with DTLS's goodbye."""
        await self.connection.close()


class Refused(Exception):
    """The node answered something else than 201."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.text)
        self.response = response
        self.code = response.json()["code"]


class Publisher(Peer):
    """Sends a small moving picture, and silence; its `field` channel gives what was answered in `answers`."""

    def __init__(self, base: str, token: str, *, codec: str = "VP8", audio: bool = False) -> None:
        super().__init__(base, token)
        transceiver = self.connection.addTransceiver(CountingPicture(), direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([c for c in known if c.name in (codec, "rtx")])
        if audio:
            self.connection.addTransceiver(AudioStreamTrack(), direction="sendonly")
        self.channel = self.connection.createDataChannel("field")
        self.answers: list[str] = []
        self.channel.on("message", self.answers.append)

    async def publish(self, feed: str) -> None:
        """Offer, and take the answer."""
        await self._exchange(f"/whip/{feed}")


class Watcher(Peer):
    """Receives and decodes; `frames` counts the pictures that came."""

    def __init__(self, base: str, token: str, *, audio: bool = False, codec: str = "") -> None:
        super().__init__(base, token)
        self.frames = 0
        self.sounds = 0
        self._tasks: list[asyncio.Task[None]] = []
        video = self.connection.addTransceiver("video", direction="recvonly")
        if codec:
            known = RTCRtpSender.getCapabilities("video").codecs
            video.setCodecPreferences([c for c in known if c.name in (codec, "rtx")])
        if audio:
            self.connection.addTransceiver("audio", direction="recvonly")
        self.connection.on("track", self._take)

    async def watch(self, feed: str, *, query: str = "") -> None:
        """Offer, and take the answer."""
        await self._exchange(f"/whep/{feed}{query}")

    async def close(self) -> None:
        """Close the connection and what counts its frames."""
        await super().close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._count(track)))

    async def _count(self, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            if track.kind == "video":
                self.frames += 1
            else:
                self.sounds += 1

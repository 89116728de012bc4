"""Who talks and who listens, by aiortc: a page of the centre and a phone as the node knows them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from streams.voice_protocol import TALK_LABEL, VOICE_LABEL, talk_line, talk_name, voice_name
from tests.support.node import RunningNode
from tests.support.rtc import Peer
from tests.support.waiting import until


class Talker(Peer):
    """A page that may talk; it sends sound all the time, whether it talks or not."""

    def __init__(self, base: str, token: str) -> None:
        super().__init__(base, token)
        self.connection.addTransceiver(AudioStreamTrack(), direction="sendonly")
        self.channel = self.connection.createDataChannel(TALK_LABEL)
        self.heard: list[dict[str, Any]] = []
        self.channel.on("message", lambda text: self.heard.append(json.loads(text)))

    async def connect(self, feed: str) -> None:
        """Be ready to talk."""
        await self._exchange(f"/whip/{feed}")
        await until(lambda: self.channel.readyState == "open", 10)

    def talk(self, *feeds: str, talk_id: UUID | None = None) -> UUID:
        """Press the key; gives the talk's id, which may be that of another node's talk."""
        talk_id = talk_id or uuid4()
        self.say(type="talk", id=str(talk_id), to=feeds)
        return talk_id

    def hush(self, talk_id: UUID) -> None:
        """Release the key."""
        self.say(type="hush", id=str(talk_id))

    def say(self, **message: object) -> None:
        """Say anything."""
        self.channel.send(json.dumps(message))

    async def told(self, kind: str, count: int = 1) -> dict[str, Any]:
        """What the node said last of this kind, once it has said so that often."""
        await until(lambda: len(self.of(kind)) >= count, 10)
        return self.of(kind)[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All it said of this kind."""
        return [message for message in self.heard if message["type"] == kind]


class Phone(Peer):
    """A phone that listens: `sounds` counts what it was given to play, `speaking` who is said to speak."""

    def __init__(self, base: str, token: str) -> None:
        super().__init__(base, token)
        self.sounds = 0
        self.speaking: list[dict[str, Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.connection.addTransceiver("audio", direction="recvonly")
        self.connection.on("track", lambda track: self._tasks.append(asyncio.create_task(self._count(track))))
        self.channel = self.connection.createDataChannel(VOICE_LABEL)
        self.channel.on("message", lambda text: self.speaking.append(json.loads(text)))

    async def listen(self, feed: str) -> None:
        """Be ready to hear."""
        await self._exchange(f"/whep/{voice_name(feed)}")
        await until(lambda: bool(self.speaking), 10)

    async def close(self) -> None:
        """Close the connection and what counts its sounds."""
        await super().close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _count(self, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            self.sounds += 1


async def talker_of(
    running: RunningNode,
    operation_id: UUID,
    *,
    name: str = "王法官",
    session_id: UUID | None = None,
    node: str = "test",
) -> Talker:
    """Somebody of this operation's centre, ready to talk by this node."""
    feed = talk_name(talk_line(operation_id, uuid4().hex[:12]), node)
    token = running.token(
        feed, view=False, operation_id=operation_id, speaker=name, user_id=uuid4(), session_id=session_id
    )
    talker = Talker(running.url, token)
    await talker.connect(feed)
    return talker


async def phones_of(running: RunningNode, operation_id: UUID, feeds: Sequence[str]) -> list[Phone]:
    """Phones of this operation, ready to hear."""
    phones = []
    for feed in feeds:
        phone = Phone(
            running.url,
            running.token(voice_name(feed), publish=False, operation_id=operation_id, user_id=uuid4()),
        )
        await phone.listen(feed)
        phones.append(phone)
    return phones

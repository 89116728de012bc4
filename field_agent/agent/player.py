"""Plays a clip into a link at its own pace, as a camera would: packets, reports, repairs, key frames on request."""

from __future__ import annotations

import asyncio
import random
import struct
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from field_agent.agent.clips import AUDIO_CLOCK, VIDEO_CLOCK, Clip
from field_agent.agent.description import Outgoing
from field_agent.agent.packetizer import h264_payloads, vp8_payloads
from field_agent.agent.reports import KeyFrameWanted, Lost, feedback, goodbye, sender_report

RING_PACKETS = 512
"""About three seconds of video; what is older isn't repaired any more."""
REPORT_SECONDS = 1.0
KEY_FRAME_SECONDS = 1.0
"""Between two key frames on request."""
PATIENCE_SECONDS = 0.4
"""A key frame that comes by itself within this time is waited for."""
MAX_LATE_SECONDS = 0.5
"""After a stall the clip goes on from now instead of sending what was missed in one burst."""
MAX_REPAIRS_A_REPORT = 64


@dataclass(frozen=True, slots=True)
class Cue:
    """What is sent at one moment of the clip."""

    at: float
    is_video: bool
    is_key: bool
    payloads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A clip cut into packets once, for all who play it."""

    seconds: float
    is_vp8: bool
    cues: tuple[Cue, ...]
    keys: tuple[int, ...]
    """Indices of the cues that are key frames."""

    @classmethod
    def of(cls, clip: Clip) -> Score:
        """Cut a clip."""
        cues = [Cue(frame.at / AUDIO_CLOCK, False, False, frame.units) for frame in clip.audio]
        for frame in clip.video:
            payloads = h264_payloads(frame.units) if clip.codec == "H264" else vp8_payloads(frame.units[0], 0)
            cues.append(Cue(frame.at / VIDEO_CLOCK, True, frame.is_key, tuple(payloads)))
        cues.sort(key=lambda cue: cue.at)
        keys = tuple(index for index, cue in enumerate(cues) if cue.is_video and cue.is_key)
        return cls(float(clip.seconds), clip.codec == "VP8", tuple(cues), keys)


@dataclass(slots=True)
class _Source:
    """The counters of one RTP stream."""

    out: Outgoing
    sequence: int
    time_base: int
    extension: bytes = b""
    packets: int = 0
    payload_bytes: int = 0
    rtx_sequence: int = 0
    ring: list[bytes | None] = field(default_factory=lambda: [None] * RING_PACKETS)

    def time(self, seconds: float) -> int:
        return (self.time_base + round(seconds * self.out.clock_rate)) & 0xFFFFFFFF

    def packet(self, payload: bytes, rtp_time: int, *, is_last: bool) -> bytes:
        first = 0x90 if self.extension else 0x80
        second = self.out.payload_type | (0x80 if is_last else 0)
        head = struct.pack("!BBHII", first, second, self.sequence, rtp_time, self.out.ssrc)
        packet = head + self.extension + payload
        self.ring[self.sequence % RING_PACKETS] = packet
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.payload_bytes += len(payload)
        return packet

    def repair(self, sequence: int) -> bytes | None:
        """The packet again: as RTX (RFC 4588) where that was agreed, else as it was."""
        packet = self.ring[sequence % RING_PACKETS]
        if packet is None or packet[2:4] != sequence.to_bytes(2, "big"):
            return None
        if self.out.rtx_payload_type is None:
            return packet
        start = 12 + len(self.extension)
        second = (packet[1] & 0x80) | self.out.rtx_payload_type
        head = struct.pack("!BBH4sI", packet[0], second, self.rtx_sequence, packet[4:8], self.out.rtx_ssrc)
        self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
        return head + self.extension + packet[2:4] + packet[start:]


def _mid_extension(out: Outgoing) -> bytes:
    """The media id as a one-byte header extension (RFC 8285), the same in each packet."""
    if out.mid_extension_id is None:
        return b""
    element = bytes([(out.mid_extension_id << 4) | (len(out.mid) - 1)]) + out.mid.encode()
    element += bytes(-len(element) % 4)
    return struct.pack("!HH", 0xBEDE, len(element) // 4) + element


class Player:
    """One clip on its way through one session."""

    def __init__(
        self,
        score: Score,
        media: tuple[Outgoing, ...],
        send_packet: Callable[[bytes], None],
        send_report: Callable[[bytes], None],
        chance: random.Random,
    ) -> None:
        self._score = score
        self._sources = {
            out.kind == "video": _Source(out, chance.randrange(1 << 15), chance.getrandbits(32), _mid_extension(out))
            for out in media
        }
        self._send_packet, self._send_report = send_packet, send_report
        self._cname = f"field-{chance.getrandbits(32):08x}"
        self._next = 0
        self._shift = 0.0
        """The session's time at the clip's start; grows with each loop, falls when a key frame is jumped to."""
        self._now = 0.0
        self._reported_at = 0.0
        self._key_at = -KEY_FRAME_SECONDS
        self._picture = chance.getrandbits(15)
        self.repaired = 0
        self.key_frames_given = 0

    async def play(self, clock: Callable[[], float]) -> None:
        """Send until cancelled."""
        start = clock()
        while True:
            due = self.advance(clock() - start)
            await asyncio.sleep(max(0.001, due - (clock() - start)))

    def advance(self, now: float) -> float:
        """Send all that is due at `now` (seconds of this session); returns when the next is."""
        self._now = now
        if now - self._due() > MAX_LATE_SECONDS:
            self._shift += now - self._due()
        while (due := self._due()) <= now:
            self._send(self._score.cues[self._next], due)
            self._next += 1
            if self._next == len(self._score.cues):
                self._next = 0
                self._shift += self._score.seconds
        if now - self._reported_at >= REPORT_SECONDS or self._reported_at == 0.0:
            self._reported_at = max(now, 1e-9)
            self._report(now)
        return due

    def report_received(self, compound: bytes) -> None:
        """Answer what the server asks for."""
        for wish in feedback(compound):
            if isinstance(wish, KeyFrameWanted):
                self._jump_to_key_frame()
            elif isinstance(wish, Lost):
                self._repair(wish)

    def finish(self) -> None:
        """Say that the streams end."""
        for source in self._sources.values():
            self._send_report(goodbye(source.out.ssrc))

    def _due(self) -> float:
        return self._score.cues[self._next].at + self._shift

    def _send(self, cue: Cue, due: float) -> None:
        source = self._sources.get(cue.is_video)
        if source is None:
            return
        rtp_time, last = source.time(due), len(cue.payloads) - 1
        renumber = cue.is_video and self._score.is_vp8
        if renumber:
            self._picture = (self._picture + 1) & 0x7FFF
            number = (0x8000 | self._picture).to_bytes(2, "big")
        for index, payload in enumerate(cue.payloads):
            body = payload[:2] + number + payload[4:] if renumber else payload
            self._send_packet(source.packet(body, rtp_time, is_last=cue.is_video and index == last))

    def _report(self, now: float) -> None:
        for source in self._sources.values():
            self._send_report(
                sender_report(source.out.ssrc, source.time(now), source.packets, source.payload_bytes, self._cname)
            )

    def _repair(self, lost: Lost) -> None:
        for source in self._sources.values():
            if source.out.ssrc != lost.ssrc:
                continue
            for sequence in lost.sequence_numbers[:MAX_REPAIRS_A_REPORT]:
                packet = source.repair(sequence)
                if packet is not None:
                    self.repaired += 1
                    self._send_packet(packet)

    def _jump_to_key_frame(self) -> None:
        """Go on from the clip's next key frame at once; sound and picture jump together."""
        if self._now - self._key_at < KEY_FRAME_SECONDS:
            return
        cues, keys = self._score.cues, self._score.keys
        place = bisect_left(keys, self._next)
        wraps = place == len(keys)
        index = keys[0] if wraps else keys[place]
        at = cues[index].at + (self._score.seconds if wraps else 0.0)
        ahead = at + self._shift - self._due()
        if ahead <= PATIENCE_SECONDS:
            return
        self._key_at = self._now
        self.key_frames_given += 1
        self._next = index
        self._shift -= ahead
        if wraps:
            self._shift += self._score.seconds

"""What light peers do with media: publish a prepared stream, or watch one with seeded losses and have them repaired."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import OrderedDict
from dataclasses import dataclass

from streams.rtp.header import Header, find_extensions
from streams.rtp.rtcp import Nack, PictureLoss, ReceiverReport, Report, ReportBlock, SenderReport
from streams.rtp.rtx import encapsulate, header_size
from streams.rtp.sequence import Unwrapper
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.arrivals import Arrivals
from streams.sfu.losses import Losses
from tests.support.light_peer import LightPeer, now_ns
from tests.support.stream import VideoStream, mark_of, stamp_of

NTP_EPOCH = 2_208_988_800
TICK_SECONDS = 0.025
"""Each other tick gives feedback: twenty times a second, as a browser does of a stream of 2 Mbit/s."""
KEPT_FRAMES = 256
SAMPLE_EVERY = 16
"""Every so many packets one is opened, to read the stamp in it."""


@dataclass
class LightPublisher(LightPeer):
    """Sends frames at an even pace; loses `loss` of its packets on the way, and repeats what is asked for."""

    seed: int = 1
    parts: int = 8
    size: int = 1100
    loss: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stream = VideoStream(self.seed, parts=self.parts, size=self.size, key_every=60)
        self.stream.ssrc = self.ssrc
        self.nacked = self.repeated = self.picture_losses = self.feedback = 0
        self.sent = self.lost = 0
        self._chance = random.Random(self.seed)
        self._sent: OrderedDict[int, bytes] = OrderedDict()
        self._repeat_sequence = 0
        self._key_wanted = False

    async def publish(self, packets_per_second: float) -> None:
        """Send until cancelled, in bursts of a frame as an encoder does."""
        self.stream.payload_type = self.numbers.vp8
        pause = self.parts / packets_per_second
        due = time.perf_counter()
        report_at = due
        while True:
            key, self._key_wanted = self._key_wanted, False
            stamp, transport = now_ns(), self.numbers.transport_id
            timestamp = self.stream.timestamp
            for packet in self.stream.next_frame(key=key, transport_id=transport, stamp=stamp):
                self._send_media(packet)
            self.stream.timestamp = (timestamp + round(90_000 * pause)) & 0xFFFFFFFF
            if time.perf_counter() >= report_at:
                report_at += 1
                ntp = int((time.time() + NTP_EPOCH) * (1 << 32))
                self.send_reports(SenderReport(self.ssrc, ntp, timestamp, self.sent, self.sent * self.size))
            # A camera that was held up leaves pictures out; it doesn't make them all at once.
            due = max(due, time.perf_counter() - pause / 2) + pause
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def _send_media(self, packet: bytes) -> None:
        self._sent[int.from_bytes(packet[2:4], "big")] = packet
        if len(self._sent) > 1024:
            self._sent.popitem(last=False)
        self.sent += 1
        if self._chance.random() < self.loss:
            self.lost += 1
        else:
            self.send_packet(packet)

    def report_received(self, report: Report) -> None:
        if isinstance(report, Nack):
            self.nacked += len(report.lost)
            for sequence in report.lost:
                self._repeat(sequence)
        elif isinstance(report, PictureLoss):
            self.picture_losses += 1
            self._key_wanted = True
        elif isinstance(report, TransportFeedback):
            self.feedback += 1

    def _repeat(self, sequence: int) -> None:
        packet = self._sent.get(sequence)
        if packet is None:
            return
        self.repeated += 1
        rtx = self.numbers.rtx
        if rtx is None:
            self.send_packet(packet)
            return
        self._repeat_sequence = (self._repeat_sequence + 1) & 0xFFFF
        again = encapsulate(
            packet,
            header_size=header_size(packet),
            payload_type=rtx,
            sequence=self._repeat_sequence,
            ssrc=self.rtx_ssrc,
        )
        self.send_packet(bytes(again))


@dataclass
class LightViewer(LightPeer):
    """Counts whole frames, and does what a browser does about what it misses."""

    seed: int = 2
    loss: float = 0.0
    opens_all: bool = False
    frame_parts: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.packets = self.dropped = self.repaired = self.nacked = 0
        self.feedback_sent = self.reports_sent = self.reports = 0
        self.frames_seen = self.frames_whole = 0
        self.delays_ms: list[float] = []
        self.marks: list[tuple[int, int, int]] = []
        self._chance = random.Random(self.seed)
        self._header = Header()
        self._unwrapper = Unwrapper()
        self._losses = Losses()
        self._arrivals = Arrivals()
        # What came of each frame, by timestamp, and the number of the packet that ends it.
        self._frames: OrderedDict[int, set[int]] = OrderedDict()
        self._ends: dict[int, int] = {}
        self._last_report: tuple[int, float] | None = None

    async def watch(self) -> None:
        """Report and ask again until cancelled."""
        report_at = time.monotonic() + 1
        due = time.monotonic()
        while True:
            due = max(due + TICK_SECONDS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            now = time.monotonic()
            self._ask(now)
            if self.numbers.transport_id:
                for feedback in self._arrivals.build(self.ssrc, self.numbers.ssrc, now):
                    self.feedback_sent += 1
                    self.send_reports(ReceiverReport(self.ssrc), feedback)
            if now >= report_at:
                report_at += 1
                highest = self._unwrapper.highest or 0
                middle, at = self._last_report or (0, now)
                block = ReportBlock(self.numbers.ssrc, 0, 0, highest, 0, middle, int((now - at) * 65536))
                self.reports_sent += 1
                self.send_reports(ReceiverReport(self.ssrc, (block,)))

    def report_received(self, report: Report) -> None:
        if isinstance(report, SenderReport):
            self.reports += 1
            self._last_report = (report.ntp >> 16 & 0xFFFFFFFF, time.monotonic())

    def rtp_received(self, datagram: bytes) -> None:
        header, now = self._header, time.monotonic()
        self.packets += 1
        if not header.read(datagram, len(datagram)):
            return
        if self._chance.random() < self.loss:
            self.dropped += 1
            return
        if self.numbers.transport_id and header.extension_profile:
            for number, at, size in find_extensions(header, datagram):
                if number == self.numbers.transport_id and size == 2:
                    self._arrivals.add(int.from_bytes(datagram[at : at + 2], "big"), now)
        if header.payload_type == self.numbers.rtx:
            self._take_repeat(datagram, now)
        elif header.payload_type == self.numbers.vp8:
            sequence, timestamp, marker = header.sequence, header.timestamp, header.marker
            if self.opens_all or self.packets % SAMPLE_EVERY == 0:
                self._read_payload(datagram)
            self._take(sequence, timestamp, marker, now)

    def _read_payload(self, datagram: bytes) -> None:
        packet = self.open_packet(datagram)
        if packet is not None and self._header.read(packet, len(packet)):
            payload = packet[self._header.payload_start : self._header.payload_end]
            self.delays_ms.append((now_ns() - stamp_of(payload)) / 1e6)
            if self.opens_all:
                self.marks.append(mark_of(payload))

    def _take_repeat(self, datagram: bytes, now: float) -> None:
        packet = self.open_packet(datagram)
        header = self._header
        if packet is None or not header.read(packet, len(packet)) or header.payload_end - header.payload_start < 2:
            return
        (sequence,) = struct.unpack_from("!H", packet, header.payload_start)
        self.repaired += 1
        if self.opens_all:
            self.marks.append(mark_of(packet[header.payload_start + 2 : header.payload_end]))
        self._take(sequence, header.timestamp, header.marker, now)

    def _take(self, sequence: int, timestamp: int, marker: bool, now: float) -> None:
        number = self._unwrapper.unwrap(sequence)
        if self._losses.arrived(number, now):
            self._ask(now)
        parts = self._frames.get(timestamp)
        if parts is None:
            parts = self._frames[timestamp] = set()
            self.frames_seen += 1
            if len(self._frames) > KEPT_FRAMES:
                self._ends.pop(self._frames.popitem(last=False)[0], None)
        parts.add(number)
        if marker:
            self._ends[timestamp] = number
        end = self._ends.get(timestamp)
        # The streams here have frames of equal length: one is whole when it has so many packets, the last the marker's.
        if end is not None and len(parts) == self.frame_parts and end - min(parts) == self.frame_parts - 1:
            self.frames_whole += 1
            parts.add(-1)

    def _ask(self, now: float) -> None:
        wanted = self._losses.due(now)
        if wanted:
            self.nacked += len(wanted)
            self.send_reports(ReceiverReport(self.ssrc), Nack(self.ssrc, self.numbers.ssrc, tuple(wanted)))

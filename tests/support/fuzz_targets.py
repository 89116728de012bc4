"""What is fuzzed: every place where bytes of a stranger, or of a peer gone bad, enter the node."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from aioice import stun as aioice_stun
from aiortc import RTCDataChannel, RTCSctpTransport
from aiortc.rtcsctptransport import crc32c
from OpenSSL import SSL

from streams import native
from streams.recording.h264 import H264Depacketiser
from streams.recording.packets import RtpPacket
from streams.recording.sps import SpsRefused, read_sps
from streams.recording.writer import Counters, FeedWriter
from streams.rtp.header import ABS_CAPTURE_TIME, AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_CC, build_packet
from streams.rtp.rtcp import (
    BitrateEstimate,
    Bye,
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverReport,
    Report,
    ReportBlock,
    SenderReport,
    SourceDescription,
    build,
)
from streams.rtp.rtx import encapsulate
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.feed import Feed
from streams.sfu.forwarder import Forwarder
from streams.sfu.inlet import MAX_INLETS
from streams.sfu.track import Codec, Track
from streams.sfu.viewer import Viewer
from streams.signalling.answer import Endpoint, write_answer
from streams.signalling.errors import SignallingError
from streams.signalling.field_channel import FieldChannel
from streams.signalling.negotiation import agree_to_publish, agree_to_view
from streams.signalling.offer import read_fragment, read_offer
from streams.signalling.wish import read_wish
from streams.transport.dtls import Dtls, Sctp, make_certificate
from streams.transport.link import ADDRESS_BOUND, Link
from streams.transport.port import SOURCES_BOUND, MediaPort
from streams.transport.sockets import bind_media
from tests.streams.recording.publisher import Publisher, clip, tone
from tests.streams.recording.reading import place
from tests.streams.signalling.offers import FINGERPRINT, VP8, VP8_RTX, audio, channel, h264, layers, offer, video
from tests.support.batch import Batch
from tests.support.fuzzing import Target
from tests.support.outlets import PeerOutlet, session_pair
from tests.support.stream import VideoStream

VIDEO = Track(
    "video",
    "0",
    Codec("VP8", 90_000, 96, 97),
    {TRANSPORT_CC: 3, MID: 4, RID: 10, REPAIRED_RID: 11, ABS_CAPTURE_TIME: 5},
    nack=True,
    pli=True,
    transport_cc=True,
    rids=("l", "m", "h"),
)
AUDIO = Track("audio", "1", Codec("opus", 48_000, 111), {TRANSPORT_CC: 3, MID: 4, AUDIO_LEVEL: 1}, transport_cc=True)
LONGEST = 1460
"""The most that fits a datagram on most roads."""
LOT = 8
"""So many packets come in one batch, and each of so many comes by itself."""
SEEN_FROM = ("127.0.0.1", 9)
"""Where the fuzzed peer sends from: what is answered goes to a port where nobody listens."""


class Media(Target):
    """A publisher of three layers and sound, and two viewers: what comes out of SRTP goes to the feed."""

    name = "rtp"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.now = 1000.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.forwarder = Forwarder(self._socket, clock=lambda: self.now)
        self.feed = Feed("fuzzed", self.forwarder, wall_ns=lambda: int(self.now * 1e9))
        self.feed.sink = SimpleNamespace(packet=lambda *_: None, report=lambda *_: None)
        self.outlets = [PeerOutlet(), PeerOutlet(), PeerOutlet()]
        self.feed.publish([VIDEO, AUDIO], self.outlets[0], self.now)
        self.viewers = []
        for number, outlet in enumerate(self.outlets[1:]):
            tracks = (
                Track(
                    "video",
                    "0",
                    Codec("VP8", 90_000, 100, 101),
                    {MID: 1, TRANSPORT_CC: 2},
                    5000 + number,
                    6000 + number,
                    nack=True,
                    pli=True,
                    transport_cc=True,
                ),
                Track("audio", "1", Codec("opus", 48_000, 109), {MID: 1}, 7000 + number),
            )
            viewer = Viewer(tracks, outlet)
            self.feed.add_viewer(viewer, self.now)
            self.viewers.append(viewer)
        self.viewers[1].want("low")
        self._batch = None if native.lib is None else Batch()
        self._lot: list[tuple[bytes, float]] = []
        self._turns = 0
        self._streams = [VideoStream(number, parts=3, size=120) for number in range(3)]
        self._valid = self._packets()
        self._kept: list[bytes] = [next(self._valid) for _ in range(60)]

    def make(self) -> bytes:
        packet = next(self._valid)
        self._kept[self.chance.randrange(len(self._kept))] = packet
        return self.damage.of_bytes(packet, self._kept)

    def take(self, data: bytes) -> None:
        self.now += self.chance.choice((0.0, 0.0005, 0.002, 0.02))
        self._turns += 1
        if self._batch is not None and len(data) >= 12 and self._turns % LOT:
            self._lot.append((data, self.now))
        else:
            if self._batch is not None:
                self._batch.deliver(self.feed, self._lot)
                self._lot.clear()
            buffer = bytearray(2048)
            buffer[: len(data)] = data
            self.feed.rtp_received(buffer, len(data), self.now)
        if self.chance.random() < 0.1:
            self.feed.tick(self.now)

    def check(self) -> None:
        assert len(self.feed._inlets.all()) <= MAX_INLETS
        for outlet in self.outlets:
            outlet.datagrams()
            outlet.reports.clear()
            outlet.compounds.clear()
        if self.feed.publisher_left:
            self.feed.publish([VIDEO, AUDIO], self.outlets[0], self.now)

    def close(self) -> None:
        for outlet in self.outlets:
            outlet.close()
        self._socket.close()

    def _packets(self) -> Iterator[bytes]:
        """Layers in turn, their retransmissions, sound; with jumps of the numbers, and strangers."""
        chance, transport, sequence = self.chance, 0, 0
        while True:
            number = chance.randrange(3)
            stream, rid = self._streams[number], "lmh"[number]
            if chance.random() < 0.02:
                stream.sequence = (stream.sequence + chance.choice((2, 60, 250, 300, 2000, 20_000))) & 0xFFFF
            if chance.random() < 0.02:
                transport += chance.choice((3, 400, 600, 5000, 30_000, 40_000))
            for packet in stream.next_frame(key=chance.random() < 0.1):
                transport = (transport + 1) & 0xFFFF
                extensions = [(3, transport.to_bytes(2, "big"))]
                if chance.random() < 0.5:
                    extensions += [(4, b"0"), (10, rid.encode()), (5, bytes(8 if chance.random() < 0.5 else 16))]
                whole = build_packet(
                    payload_type=96,
                    sequence=int.from_bytes(packet[2:4], "big"),
                    timestamp=int.from_bytes(packet[4:8], "big"),
                    ssrc=stream.ssrc if chance.random() < 0.98 else chance.getrandbits(32),
                    marker=packet[1] > 127,
                    payload=packet[12:],
                    extensions=extensions,
                    padding=chance.choice((0, 0, 0, 5)),
                )
                yield whole
                if chance.random() < 0.2:
                    repeated = build_packet(
                        payload_type=96,
                        sequence=int.from_bytes(packet[2:4], "big"),
                        timestamp=0,
                        ssrc=1,
                        payload=packet[12:],
                        extensions=[(4, b"0"), (11, rid.encode())],
                    )
                    size = len(repeated) - len(packet[12:])
                    yield bytes(
                        encapsulate(
                            repeated, header_size=size, payload_type=97, sequence=transport, ssrc=stream.ssrc ^ 0x55
                        )
                    )
            sequence = (sequence + 1) & 0xFFFF
            yield build_packet(
                payload_type=111,
                sequence=sequence,
                timestamp=960 * sequence,
                ssrc=77,
                payload=b"\x78sound",
                extensions=[(1, b"\x80"), (3, transport.to_bytes(2, "big"))],
            )


class Control(Media):
    """Compounds of every kind, of the publisher and of a viewer."""

    name = "rtcp"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        for packet in self._kept:
            super().take(packet)
        self._compounds = [self._compound() for _ in range(60)]

    def make(self) -> bytes:
        if self.chance.random() < 0.1:
            self._compounds[self.chance.randrange(60)] = self._compound()
        return self.damage.of_bytes(self.chance.choice(self._compounds), self._compounds, longest=LONGEST)

    def take(self, data: bytes) -> None:
        self.now += self.chance.choice((0.0, 0.001, 0.02))
        if self.chance.random() < 0.3:
            self.feed.rtcp_received(data, self.now)
        else:
            self.chance.choice(self.viewers).rtcp_received(data, self.now)
        if self.chance.random() < 0.1:
            super().take(next(self._valid))

    def _compound(self) -> bytes:
        chance = self.chance
        reports = [self._report() for _ in range(chance.choice((1, 1, 2, 3, 8)))]
        return (build(reports) * chance.choice((1, 1, 1, 1, 30)))[:LONGEST]

    def _report(self) -> Report:
        chance = self.chance
        media = chance.choice((5000, 5001, 6000, 7000, self._streams[0].ssrc, self._streams[2].ssrc, 77, 1))
        ntp = chance.getrandbits(64)
        block = ReportBlock(
            media, chance.randrange(256), chance.randrange(1 << 23), 1 << 16, 90, chance.getrandbits(32), 5
        )
        lost = tuple(chance.randrange(65_536) for _ in range(chance.choice((1, 5, 200))))
        arrivals = tuple(
            None if chance.random() < 0.3 else chance.randrange(-99, 9999) for _ in range(chance.choice((1, 20, 900)))
        )
        kinds: list[Report] = [
            SenderReport(media, ntp, chance.getrandbits(32), 5, 500, (block,)),
            ReceiverReport(1, (block,) * chance.choice((0, 1, 31))),
            SourceDescription(media, "name"),
            Bye((media,)),
            Nack(1, media, lost),
            PictureLoss(1, media),
            FullIntraRequest(1, ((media, chance.randrange(256)),) * chance.choice((1, 40))),
            BitrateEstimate(1, chance.choice((0, 1000, 1 << 40)), (media,) * chance.choice((1, 255))),
            TransportFeedback(1, media, chance.randrange(65_536), 3, chance.getrandbits(24), arrivals),
            _EMPTY_FEEDBACK,
        ]
        return chance.choice(kinds)


class _LongFeedback:
    """Feedback that says of as many packets as it can, in as few bytes, that they were lost."""

    def __bytes__(self) -> bytes:
        body = struct.pack("!IIHHI", 1, 2, 3, 2048, 4 << 8) + struct.pack("!H", 2048) + bytes(2)
        return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


_EMPTY_FEEDBACK = cast("Report", _LongFeedback())


def _arrive(port: MediaPort, data: bytes, address: tuple[str, int]) -> None:
    """Let a datagram arrive as if the port had just received it."""
    port._buffers[0][: len(data)] = data
    inbox = port._inbox
    if inbox is None:
        port._received(len(data), address)
        return
    arrival = inbox._arrivals[0]
    arrival.length = len(data)
    arrival.host, arrival.port = int.from_bytes(socket.inet_aton(address[0]), "big"), address[1]
    if native.lib.open_arrival(inbox.batch, 0, inbox._table, time.monotonic()) != native.lib.DONE:
        inbox.batch.todo[0], inbox.batch.todo_count = 0, 1
        port._handle_some(inbox, 0)


class Datagrams(Target):
    """Everything at the port: checks signed and not, sealed media, DTLS garbage, noise."""

    name = "datagrams"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.port = MediaPort(bind_media(0, "127.0.0.1"), make_certificate())
        self.link = self._open()
        self._seal, opening = session_pair()
        self.link.secure(opening, self._seal)
        self._media = Media(chance)
        self._control = Control(chance)
        self.link.on_rtp = self._media.feed.rtp_received
        self.link.on_run = self._media.feed.run_received
        self.link.on_rtcp = self._media.feed.rtcp_received
        self._from = SEEN_FROM
        self._learn(SEEN_FROM)
        self._fresh = [next(self._media._valid) for _ in range(8)]

    def _open(self) -> Link:
        return self.port.open_link(0.0)

    def _learn(self, address: tuple[str, int]) -> None:
        self._hand(self._check(self.link.ufrag, self.link.password), address)

    def make(self) -> bytes:
        chance, kind = self.chance, self.chance.random()
        self._from = SEEN_FROM
        if kind < 0.4:
            self._from = SEEN_FROM if chance.random() < 0.8 else ("127.0.0.1", chance.randrange(1, 30))
            ufrag = self.link.ufrag if chance.random() < 0.9 else chance.randbytes(4).hex()
            good = self._check(ufrag, self.link.password)
            return self.damage.of_bytes(good, self._fresh) if chance.random() < 0.9 else good
        if kind < 0.7:
            inner = self.damage.of_bytes(next(self._media._valid), self._fresh, longest=1400)
            return self._sealed(inner, is_control=False)
        if kind < 0.9:
            return self._sealed(self._control.make()[:1400], is_control=True)
        if kind < 0.95:
            head = struct.pack("!BHHIIH", chance.choice((20, 21, 22, 23, 25)), 0xFEFD, 0, 0, chance.getrandbits(32), 40)
            return self.damage.of_bytes(head + chance.randbytes(40))
        return chance.randbytes(chance.randrange(0, 300))

    def take(self, data: bytes) -> None:
        self._hand(data, self._from)

    def check(self) -> None:
        self._media.check()
        self._control.check()
        assert len(self.link.sources) <= SOURCES_BOUND
        assert len(self.link.addresses) <= ADDRESS_BOUND
        assert len(self.port._by_address) <= ADDRESS_BOUND
        assert len(self.port._by_ufrag) == 1
        if len(self.link.sources) == SOURCES_BOUND:
            self.link.sources.clear()
            self._seal, opening = session_pair()
            self.link.secure(opening, self._seal)
        while not self.link.dtls._pipe._queue.empty():
            self.link.dtls._pipe._queue.get_nowait()

    def close(self) -> None:
        self._media.close()
        self._control.close()
        self.port.close()

    def _hand(self, data: bytes, address: tuple[str, int]) -> None:
        _arrive(self.port, data, address)

    def _sealed(self, inner: bytes, *, is_control: bool) -> bytes:
        try:
            return self._seal.protect_rtcp(inner) if is_control else self._seal.protect(inner)
        except Exception:  # noqa: BLE001 - too damaged to be sealed: sent as it is
            return inner

    def _check(self, ufrag: str, password: str) -> bytes:
        chance = self.chance
        message = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ufrag}:them" + "x" * chance.choice((0, 0, 0, 400, 600))
        if chance.random() < 0.5:
            message.attributes["PRIORITY"] = chance.getrandbits(32)
        if chance.random() < 0.5:
            message.attributes["USE-CANDIDATE"] = None
        name = "ICE-CONTROLLED" if chance.random() < 0.1 else "ICE-CONTROLLING"
        message.attributes[name] = chance.getrandbits(64)
        message.add_message_integrity(password.encode())
        if chance.random() < 0.5:
            message.add_fingerprint()
        return bytes(message)


ENDPOINT = Endpoint(("192.0.2.1",), 8200, "ourufrag", "ourpassword", FINGERPRINT)
FEED = (Track("video", "0", Codec("VP8", 90_000, 96)), Track("audio", "1", Codec("opus", 48_000, 111)))
H264_FEED = (Track("video", "0", Codec("H264", 90_000, 108, None, "packetization-mode=1;profile-level-id=42e01f")),)


class Offers(Target):
    """Offers to publish and to view, and what is answered."""

    name = "offers"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        three = layers("send l;m;h", "l", "m", "h")
        self._valid = [
            one.decode()
            for one in (
                offer(video([*VP8, *VP8_RTX]), audio(), channel()),
                offer(video([*h264(108, "42e01f"), *VP8], extra=three), audio()),
                offer(video(VP8, direction="recvonly"), audio(direction="recvonly")),
                offer(video(h264(108, "42e01f"), direction="recvonly"), setup="passive"),
            )
        ]

    def make(self) -> bytes:
        text = self.damage.of_lines(self.chance.choice(self._valid), self._valid)
        body = text.encode(errors="surrogatepass")
        return self.damage.of_bytes(body, longest=65_000) if self.chance.random() < 0.1 else body[:65_000]

    def take(self, data: bytes) -> None:
        try:
            read = read_offer(data)
        except SignallingError:
            return
        for agree in (
            agree_to_publish,
            lambda one: agree_to_view(one, FEED),
            lambda one: agree_to_view(one, H264_FEED),
        ):
            try:
                answer = write_answer(agree(read), ENDPOINT, 1, "fuzzed")
            except SignallingError:
                continue
            lines = answer.split("\r\n")
            assert all(line[1:2] == "=" and line.isprintable() for line in lines[:-1]), answer


class Fragments(Target):
    """Trickled candidates, restarts, and wishes for a layer."""

    name = "fragments"

    _valid = (
        "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host\r\na=end-of-candidates\r\n"
    )

    def make(self) -> bytes:
        if self.chance.random() < 0.2:
            return self.damage.of_bytes(b'{"layer": "middle", "spotlight": true}')
        return self.damage.of_lines(self._valid).encode(errors="surrogatepass")[:65_000]

    def take(self, data: bytes) -> None:
        for read in (read_fragment, read_wish):
            try:
                read(data)
            except SignallingError:
                continue


class Messages(Target):
    """Texts on an officer's data channel."""

    name = "messages"

    _id = str(UUID(int=5))
    _valid = (
        json.dumps({"type": "position", "id": _id, "taken_at": 5, "latitude": 1.5, "longitude": 2, "accuracy_m": 3}),
        json.dumps({"type": "camera", "id": _id, "at": 5, "state": "live"}),
    )

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.sent = 0
        self.channel = FieldChannel(lambda *_: None, lambda *_: None)
        self.channel._bucket = SimpleNamespace(take=lambda now: True)  # type: ignore[assignment]
        near = SimpleNamespace(label="field", bufferedAmount=0, on=lambda *_: None, send=self._answered)
        self.channel.opened(cast("RTCDataChannel", near))

    def make(self) -> bytes:
        if self.chance.random() < 0.05:
            return b'{"a":' * self.chance.choice((10, 3000)) + b"1" * self.chance.choice((1, 5000))
        return self.damage.of_bytes(self.chance.choice(self._valid).encode(), longest=20_000)

    def take(self, data: bytes) -> None:
        as_text = self.chance.random() < 0.7
        self.channel._received(data.decode(errors="replace") if as_text else data)

    def _answered(self, text: str) -> None:
        self.sent += len(text)


class _Wire:
    """What SCTP takes for its DTLS."""

    state = "connected"
    _role = "server"
    _data_receiver: Any = None

    def __init__(self) -> None:
        self.other: _Wire | None = None
        self.inbox: list[bytes] = []

    def _register_data_receiver(self, receiver: Any) -> None:
        self._data_receiver = receiver

    def _unregister_data_receiver(self, receiver: Any) -> None:
        self._data_receiver = None

    async def _send_data(self, data: bytes) -> None:
        if self.other is not None:
            self.other.inbox.append(data)

    def take_in(self) -> bool:
        """Hand over what came; False if nothing did."""
        inbox, self.inbox = self.inbox, []
        for data in inbox:
            if self._data_receiver is not None:
                _drive(self._data_receiver._handle_data(data))
        return bool(inbox)


class Associations(Target):
    """SCTP packets under a good tag and check sum, inside an association that stands or is just beginning."""

    name = "sctp"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self._loop = asyncio.get_event_loop()
        self._messages = Messages(chance)
        self._begin()

    def _begin(self) -> None:
        self.near, far = _Wire(), _Wire()
        self.sctp = Sctp(cast("Dtls", SimpleNamespace(transport=self.near)), self._messages.channel.opened)
        peer = RTCSctpTransport(cast("Any", far))
        self.near.other, far.other = far, self.near
        _drive(self.sctp.run(5000, 65_536))
        _drive(peer.start(RTCSctpTransport.getCapabilities(), 5000))
        for _ in range(self.chance.choice((0, 1, 9, 9, 9, 9, 9, 9))):
            far.take_in()
            self.near.take_in()
        self.near.other = None
        self._tag = self.sctp._sctp._local_verification_tag
        peer._t1_cancel()
        self._is_over = False

    def make(self) -> bytes:
        chance = self.chance
        if self._is_over:
            self._end()
            self._begin()
        chunks = b"".join(self._chunk() for _ in range(chance.choice((1, 1, 1, 2, 3, 40))))
        if chance.random() < 0.3:
            chunks = self.damage.of_bytes(chunks, [self._chunk()], longest=1400)
        tag = 0 if chunks[:1] == b"\x01" else self._tag
        head = struct.pack("!HHI", 5000, 5000, tag)
        return head + crc32c(head + bytes(4) + chunks).to_bytes(4, "little") + chunks

    def take(self, data: bytes) -> None:
        _drive(self.sctp._handle_data(data))
        self._is_over = self.near._data_receiver is None or self.sctp._sctp.state == "closed"

    def check(self) -> None:
        inner = self.sctp._sctp
        assert len(inner._inbound_streams) <= 200
        assert len(inner._sack_misordered) <= 500
        assert len(inner._data_channels) <= 64

    def _end(self) -> None:
        _drive(self.sctp.close())

    def close(self) -> None:
        self._end()

    def _chunk(self) -> bytes:
        chance = self.chance
        last = self.sctp._sctp._last_received_tsn or 0
        tsn = (last + chance.choice((0, 1, 1, 1, 1, 1, 2, 3, 20, 100, 100, 5000))) & 0xFFFFFFFF
        stream = chance.choice((0, 0, 0, 1, 2, chance.randrange(65_536)))
        if chance.random() < 0.5:
            return self._data_chunk(tsn, stream)
        value = chance.randbytes(chance.choice((0, 4, 12, 14)))
        size = chance.choice((len(value) + 4, len(value) + 4, len(value) + 4, 0, 3, 200))
        parameter = struct.pack("!HH", chance.choice((1, 7, 13, 16, 17, 0x8008, 0xC000)), size) + value
        parameter += bytes(-len(value) % 4)
        reach = chance.choice((9, 9, 200, 65_535))
        pairs = (sorted((chance.randrange(reach), chance.randrange(reach))) for _ in range(chance.choice((0, 1, 40))))
        gaps = b"".join(struct.pack("!HH", *pair) for pair in pairs)
        acknowledged = self.sctp._sctp._last_sacked_tsn + chance.choice((0, 0, 1, 2, 9))
        begin = struct.pack("!IIHHI", self._tag, 1000, 5, 5, tsn) + parameter
        skipped = struct.pack("!I", tsn) + struct.pack("!HH", stream, 1) * chance.choice((0, 1, 60, 300))
        return chance.choice(
            (
                _chunk(1, begin),
                _chunk(2, begin),
                _chunk(3, struct.pack("!IIHH", acknowledged & 0xFFFFFFFF, 1000, len(gaps) // 4, 0) + gaps),
                _chunk(3, struct.pack("!IIHH", acknowledged & 0xFFFFFFFF, 1000, len(gaps) // 4, 0) + gaps),
                _chunk(4, parameter),
                _chunk(chance.choice((5, 6, 7, 8, 9, 14)), parameter),
                _chunk(chance.choice((10, 11)), chance.randbytes(24)),
                _chunk(130, parameter),
                _chunk(130, parameter),
                _chunk(192, skipped),
                _chunk(chance.randrange(256), chance.randbytes(20)),
            )
        )

    def _data_chunk(self, tsn: int, stream: int) -> bytes:
        chance = self.chance
        opening = struct.pack("!BBHIHH", 3, 0, 0, 0, 5, 0) + b"field"
        text = chance.choice(Messages._valid).encode()[: chance.choice((1, 40, 400))]
        protocol, body = chance.choice(
            ((50, opening), (51, text), (51, text), (53, text), (56, b"\x00"), (50, b"\x02"))
        )
        head = struct.pack("!IHHI", tsn, stream, chance.choice((0, 0, 0, 1, 65_535)), protocol)
        return _chunk(0, head + body, chance.choice((3, 3, 3, 0, 1, 2, 7)))


def _chunk(kind: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack("!BBH", kind, flags, len(body) + 4) + body + bytes(-len(body) % 4)


def _drive(job: Any) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        job.send(None)
    except StopIteration:
        return
    job.close()
    raise AssertionError("it waits")


class Recordings(Target):
    """What the recorder's thread makes of packets: pictures of both codecs and sound, into real files."""

    name = "recordings"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self._folder = tempfile.TemporaryDirectory(prefix="fuzzed-")
        self._now_ns = 1_800_000_000 * 1_000_000_000
        self._valid: dict[str, list[tuple[str, bytes]]] = {}
        for codec, number in (("H264", 102), ("VP8", 96)):
            units = [*clip(codec, 1.0), *tone(1.0)]  # type: ignore[arg-type]
            publisher = Publisher(units, video_payload_type=number)
            self._valid[codec] = [(kind, data) for kind, data, _ in publisher.packets()]
        self._codec = "H264"
        self._position = 0
        self._kind = "video"
        self._writer = self._open()

    def _open(self) -> FeedWriter:
        self._codec = self.chance.choice(("H264", "VP8"))
        number = 102 if self._codec == "H264" else 96
        parameters = self.damage.of_bytes(b"sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==").decode(
            "latin-1"
        )
        tracks = [
            Track("video", "0", Codec(self._codec, 90_000, number, None, parameters)),  # type: ignore[arg-type]
            Track("audio", "1", Codec("opus", 48_000, 111)),
        ]
        return FeedWriter(place(Path(self._folder.name)), "feed", tracks, Counters(), lambda event: None, lambda: None)

    def make(self) -> bytes:
        chance, valid = self.chance, self._valid[self._codec]
        self._kind, data = valid[self._position % len(valid)]
        lap = self._position // len(valid)
        self._position += chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 3))
        data = bytearray(data)
        sequence = int.from_bytes(data[2:4], "big") + lap * sum(kind == self._kind for kind, _ in valid)
        struct.pack_into("!H", data, 2, sequence & 0xFFFF)
        seconds = 48_000 if self._kind == "audio" else 90_000
        struct.pack_into("!I", data, 4, (int.from_bytes(data[4:8], "big") + lap * seconds) & 0xFFFFFFFF)
        self._now_ns += 1_000_000_000 // len(valid)
        if chance.random() < 0.8:
            return bytes(data)
        head, payload = bytes(data[:12]), bytes(data[12:])
        if chance.random() < 0.2:
            return self.damage.of_bytes(bytes(data), [other for _, other in valid[:20]])
        return head + self.damage.of_bytes(payload, [other[12:] for _, other in valid[:20]])

    def take(self, data: bytes) -> None:
        self._writer.take((cast("Any", self._kind), data, self._now_ns))
        if self.chance.random() < 0.05:
            self._writer.step(self._now_ns)

    def check(self) -> None:
        self._writer.close("ended")
        for file in Path(self._folder.name).rglob("*.*"):
            if file.is_file():
                file.unlink()
        self._writer = self._open()
        self._now_ns += 20 * 1_000_000_000

    def close(self) -> None:
        self._writer.close("ended")
        self._folder.cleanup()


class ParameterSets(Target):
    """Picture sizes out of sequence parameter sets, and the descriptions that files begin with."""

    name = "sps"

    _valid = tuple(
        bytes.fromhex(text)
        for text in (
            "6742c01ed903c5684000000300400000 0c03c58b92".replace(" ", ""),
            "67640028acd940780227e5c0440000030004000003 00c83c60c658".replace(" ", ""),
            "674d001f965402802dd80880",
            "67f4000d919b28283f6022000003000200000300641e28532c",
        )
    )

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self._timestamp = 0

    def make(self) -> bytes:
        set_ = self.damage.of_bytes(self.chance.choice(self._valid), self._valid)
        return set_ + self.chance.randbytes(70_000) if self.chance.random() < 0.005 else set_

    def take(self, data: bytes) -> None:
        with suppress(SpsRefused):
            read_sps(data)
        depacketiser = H264Depacketiser()
        self._timestamp += 3000
        pictures = [b"\x67" + data[1:], b"\x68\xce\x3c\x80", b"\x65\x88" + bytes(20)]
        for number, unit in enumerate(pictures):
            for piece in _pieces(unit):
                depacketiser.push(RtpPacket(number, self._timestamp, number == 2, 1, 102, piece, 0))


def _pieces(unit: bytes) -> list[bytes]:
    """A unit whole, or in fragments where it is long."""
    if len(unit) < 1200:
        return [unit]
    parts = [unit[start : start + 1200] for start in range(1, len(unit), 1200)]
    kind, head = unit[0] & 0x1F, bytes(((unit[0] & 0xE0) | 28,))
    return [
        head + bytes(((0x80 if not n else 0) | (0x40 if n == len(parts) - 1 else 0) | kind,)) + part
        for n, part in enumerate(parts)
    ]


class Handshakes(Target):
    """DTLS for a session that shakes hands: the flights of a good client, damaged, doubled, out of order."""

    name = "dtls"

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.port = MediaPort(bind_media(0, "127.0.0.1"), make_certificate())
        self._flights = _client_flights()
        self._closing: list[asyncio.Task[None]] = []
        self._begin()

    def _begin(self) -> None:
        self.link = self.port.open_link(0.0)
        self.link.checked(SEEN_FROM, True, 0.0)
        self.link.start("server", [("sha-256", FINGERPRINT)])

    def make(self) -> bytes:
        return self.damage.of_bytes(self.chance.choice(self._flights), self._flights)

    def take(self, data: bytes) -> None:
        _arrive(self.port, data, SEEN_FROM)
        if self.link.is_closed or self.chance.random() < 0.02:
            self._closing.append(asyncio.ensure_future(self.link.close("fuzzed")))
            self._begin()

    def check(self) -> None:
        self._closing = [task for task in self._closing if not task.done()]

    def close(self) -> None:
        self._closing.append(asyncio.ensure_future(self.link.close("fuzzed")))
        self.port.close()


def _client_flights() -> list[bytes]:
    """What a client sends while it shakes hands with us."""
    server, client = (SSL.Connection(make_certificate()._create_ssl_context([]), None) for _ in range(2))
    server.set_accept_state()
    client.set_connect_state()
    flights: list[bytes] = []
    for _ in range(6):
        for end, other, is_client in ((client, server, True), (server, client, False)):
            with suppress(SSL.Error):
                end.do_handshake()
            while True:
                try:
                    data = end.bio_read(1500)
                except SSL.Error:
                    break
                if is_client:
                    flights.append(data)
                other.bio_write(data)
    return flights


TARGETS: dict[type[Target], int] = {
    Media: 28,
    Control: 18,
    Datagrams: 24,
    Offers: 5,
    Fragments: 5,
    Messages: 4,
    Associations: 8,
    Recordings: 5,
    ParameterSets: 2,
    Handshakes: 1,
}
"""How many of a hundred inputs each gets."""

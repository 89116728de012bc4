"""What was negotiated with one peer, and the seams between transport, forwarding and recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pylibsrtp import Session

Kind = Literal["video", "audio"]
CodecName = Literal["H264", "VP8", "opus"]
Layer = Literal["low", "middle", "high"]
LAYERS: tuple[Layer, ...] = ("low", "middle", "high")
"""From the smallest picture to the largest. A publisher of one picture sends "high", one of two no "middle"."""


def rank(layer: Layer) -> int:
    """Where a layer stands among them all: the larger its picture, the higher."""
    return LAYERS.index(layer)


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload format with this peer's own numbers; `fmtp` is the parameter line as written."""

    name: CodecName
    clock_rate: int
    payload_type: int
    rtx_payload_type: int | None = None
    fmtp: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """One m-line with one peer.

    A publisher's `ssrc` and `rtx_ssrc` are what its offer announced, if it did; a viewer's are those that the
    node chose and announced, and are never None. `extensions` maps a URI to the id that this peer uses.
    `transport_cc` means: transport-wide feedback was negotiated (its extension stands in `extensions`); `remb`: that
    a viewer without it says what it can take.
    `rids` are the layers that a publisher sends (simulcast), from low to high; empty where it sends one picture.
    """

    kind: Kind
    mid: str
    codec: Codec
    extensions: Mapping[str, int] = field(default_factory=dict)
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    nack: bool = False
    pli: bool = False
    transport_cc: bool = False
    remb: bool = False
    rids: tuple[str, ...] = ()


class Outlet(Protocol):
    """One peer's secured way out of the node's one UDP socket.

    `address` changes when the peer moves; `address_version` then grows by one. It is None before the peer's first
    authenticated check. `srtp_out` is None until DTLS is done. An address is (host, port) as the socket takes it.
    `on_change` is called after the address changed or the outlet closed.
    """

    on_change: Callable[[], None]

    @property
    def is_open(self) -> bool: ...

    @property
    def srtp_out(self) -> Session | None: ...

    @property
    def address(self) -> tuple[str, int] | None: ...

    @property
    def address_version(self) -> int: ...

    def send_rtcp(self, plain: bytes) -> None:
        """Protect a compound RTCP packet and send it; silently nothing while not open."""


class PacketSink(Protocol):
    """Who keeps a copy of what is published; both calls return at once and never raise."""

    def packet(self, kind: Kind, packet: bytes, arrival_ns: int) -> None:
        """Take one RTP packet in clear, without padding, in the feed's own continuous numbering.

        Packets come as they arrive: late and out of order after a loss, but never twice.
        `arrival_ns` is Unix nanoseconds by the node's clock.
        """

    def report(self, kind: Kind, ntp: int, rtp_timestamp: int) -> None:
        """Take one pair of the publisher's clock: 64-bit NTP time and the RTP timestamp (feed's numbering)."""

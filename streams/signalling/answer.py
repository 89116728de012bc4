"""An SDP answer of an ICE-lite node, written line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.sfu.track import Track
from streams.signalling.negotiation import Agreed, Agreement

HOST_TYPE_PREFERENCE = 126
"""RFC 8445 §5.1.2.2."""

START_BITRATE = "x-google-start-bitrate=1200"
"""Chromium begins with 300 kbit/s otherwise, which shrinks the picture, and it grows back in small steps of seconds.
Feedback corrects the estimate within a second where the road is narrower. Others ignore it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom the node is reached."""

    addresses: Sequence[str]
    port: int
    ufrag: str
    password: str
    fingerprint: str


def candidate_lines(addresses: Sequence[str], port: int) -> list[str]:
    """One host candidate an address, the first preferred."""
    lines = []
    for index, address in enumerate(addresses):
        priority = (HOST_TYPE_PREFERENCE << 24) + ((65_535 - index) << 8) + 255
        lines.append(f"a=candidate:{index + 1} 1 udp {priority} {address} {port} typ host")
    return [*lines, "a=end-of-candidates"]


def write_answer(agreement: Agreement, endpoint: Endpoint, session_number: int, sends: str = "") -> str:
    """Write the answer. `sends` is the media stream's name where the node is the sender (WHEP), else empty."""
    accepted = [line.media.mid for line in agreement.lines if line.track is not None or line.is_channel]
    lines = [
        "v=0",
        f"o=- {session_number} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        *([f"a=group:BUNDLE {' '.join(accepted)}"] if all(accepted) else []),
        "a=msid-semantic: WMS *",
    ]
    for line in agreement.lines:
        if line.track is not None:
            lines += _track_lines(line, line.track, agreement, endpoint, sends)
        elif line.is_channel:
            lines += _channel_lines(line, agreement, endpoint)
        else:
            lines += _rejected_lines(line)
    return "\r\n".join(lines) + "\r\n"


def write_fragment(endpoint: Endpoint, mid: str) -> str:
    """The trickle-ice-sdpfrag that answers an ICE restart (RFC 9725 §4.3.3)."""
    lines = [
        "a=ice-lite",
        f"a=group:BUNDLE {mid}",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        f"a=ice-ufrag:{endpoint.ufrag}",
        f"a=ice-pwd:{endpoint.password}",
        *candidate_lines(endpoint.addresses, endpoint.port),
    ]
    return "\r\n".join(lines) + "\r\n"


def _transport_lines(line: Agreed, agreement: Agreement, endpoint: Endpoint) -> list[str]:
    return [
        f"c=IN IP4 {endpoint.addresses[0]}",
        *([f"a=mid:{line.media.mid}"] if line.media.mid else []),
        f"a=ice-ufrag:{endpoint.ufrag}",
        f"a=ice-pwd:{endpoint.password}",
        f"a=fingerprint:sha-256 {endpoint.fingerprint}",
        f"a=setup:{'active' if agreement.dtls_role == 'client' else 'passive'}",
        *candidate_lines(endpoint.addresses, endpoint.port),
    ]


def _track_lines(line: Agreed, track: Track, agreement: Agreement, endpoint: Endpoint, sends: str) -> list[str]:
    media, codec = line.media, track.codec
    chosen = media.formats[codec.payload_type]
    numbers = [codec.payload_type] + ([codec.rtx_payload_type] if codec.rtx_payload_type is not None else [])
    lines = [
        f"m={media.kind} {endpoint.port} {media.protocol} {' '.join(map(str, numbers))}",
        *_transport_lines(line, agreement, endpoint),
        "a=sendonly" if sends else "a=recvonly",
        "a=rtcp-mux",
        *(["a=rtcp-rsize"] if media.rtcp_rsize else []),
        *(f"a=extmap:{number} {uri}" for uri, number in track.extensions.items()),
        f"a=rtpmap:{codec.payload_type} {chosen.name}/{codec.clock_rate}{'/2' if codec.name == 'opus' else ''}",
    ]
    parameters = [codec.fmtp] if codec.fmtp else []
    if track.kind == "video" and not sends and track.transport_cc:
        parameters.append(START_BITRATE)
    if parameters:
        lines.append(f"a=fmtp:{codec.payload_type} {';'.join(parameters)}")
    feedback = [(track.nack, "nack"), (track.pli, "nack pli"), (track.transport_cc, "transport-cc")]
    feedback.append((track.remb, "goog-remb"))
    lines += [f"a=rtcp-fb:{codec.payload_type} {name}" for is_agreed, name in feedback if is_agreed]
    if codec.rtx_payload_type is not None:
        lines.append(f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate}")
        lines.append(f"a=fmtp:{codec.rtx_payload_type} apt={codec.payload_type}")
    if track.rids:
        # In the offer's order; the track's own is from low to high.
        rids = [rid for rid in dict.fromkeys(media.simulcast) if rid in track.rids]
        lines += [*(f"a=rid:{rid} recv" for rid in rids), f"a=simulcast:recv {';'.join(rids)}"]
    if sends:
        lines += _source_lines(track, sends)
    return lines


def _source_lines(track: Track, stream: str) -> list[str]:
    """Who sends: libdatachannel plays nothing without these."""
    lines = [f"a=msid:{stream} {track.kind}"]
    if track.rtx_ssrc is not None:
        lines.append(f"a=ssrc-group:FID {track.ssrc} {track.rtx_ssrc}")
    for ssrc in (track.ssrc, track.rtx_ssrc):
        if ssrc is not None:
            lines += [f"a=ssrc:{ssrc} cname:{stream}", f"a=ssrc:{ssrc} msid:{stream} {track.kind}"]
    return lines


def _channel_lines(line: Agreed, agreement: Agreement, endpoint: Endpoint) -> list[str]:
    return [
        f"m=application {endpoint.port} {line.media.protocol} webrtc-datachannel",
        *_transport_lines(line, agreement, endpoint),
        "a=sctp-port:5000",
        "a=max-message-size:65536",
    ]


def _rejected_lines(line: Agreed) -> list[str]:
    media = line.media
    formats = " ".join(map(str, media.payload_types)) if media.kind != "application" else "webrtc-datachannel"
    lines = [f"m={media.kind} 0 {media.protocol} {formats}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return [*lines, f"a=mid:{media.mid}"] if media.mid else lines

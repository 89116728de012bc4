"""The offer is what WHIP asks for; the answer decides what is sent."""

from __future__ import annotations

import pytest
from aiortc.sdp import SessionDescription

from field_agent.agent.description import MID_EXTENSION, offer, plan, read_answer
from field_agent.agent.errors import SessionRefused
from field_agent.agent.ice import Credentials

FINGERPRINT = ":".join(["AB"] * 32)
LOCAL = Credentials("frag1234", "p" * 24)

ANSWER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=ice-lite
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 127.0.0.1
a=mid:0
a=recvonly
a=rtcp-mux
a=ice-ufrag:node
a=ice-pwd:nodenodenodenodenodenode
a=fingerprint:sha-256 {fingerprint}
a=setup:passive
a=rtpmap:111 opus/48000/2
a=candidate:1 1 udp 2130706431 192.0.2.7 5004 typ host
a=candidate:2 1 udp 2130706430 2001:db8::7 5004 typ host
m=video 9 UDP/TLS/RTP/SAVPF {types}
c=IN IP4 127.0.0.1
a=mid:1
a=recvonly
a=rtcp-mux
a=ice-ufrag:node
a=ice-pwd:nodenodenodenodenodenode
a=fingerprint:sha-256 {fingerprint}
a=setup:passive
a=rtpmap:102 H264/90000
{more}m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 127.0.0.1
a=mid:2
a=ice-ufrag:node
a=ice-pwd:nodenodenodenodenodenode
a=fingerprint:sha-256 {fingerprint}
a=setup:passive
a=sctp-port:5000
"""


def answer(types: str = "102 103", more: str = "a=rtpmap:103 rtx/90000\na=fmtp:103 apt=102\n") -> str:
    return ANSWER.format(fingerprint=FINGERPRINT, types=types, more=more).replace("\n", "\r\n")


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_the_offer_is_bundled_sendonly_and_names_its_streams(codec: str) -> None:
    media = plan(codec)  # type: ignore[arg-type]
    parsed = SessionDescription.parse(offer(media, codec, LOCAL, FINGERPRINT))  # type: ignore[arg-type]
    assert [section.kind for section in parsed.media] == ["audio", "video", "application"]
    assert parsed.group[0].items == ["0", "1", "2"]
    for section, one in zip(parsed.media, media, strict=False):
        assert section.direction == "sendonly"
        assert section.rtcp_mux
        assert section.ssrc[-1].ssrc == one.ssrc or section.ssrc[0].ssrc in {one.ssrc, one.rtx_ssrc}
        assert section.dtls is not None
        assert section.dtls.role == "auto"
    assert parsed.media[1].rtp.codecs[0].name == codec
    assert parsed.media[2].sctp_port == 5000


def test_what_the_server_takes_is_what_is_sent() -> None:
    media = plan("H264")
    read = read_answer(answer(), media)
    assert [one.payload_type for one in read.media] == [111, 102]
    assert read.media[1].rtx_payload_type == 103
    assert read.media[1].ssrc == media[1].ssrc
    assert read.media[1].mid_extension_id is None
    assert read.candidates == [("192.0.2.7", 5004)]
    assert read.is_dtls_client
    assert read.sctp_port == 5000


def test_repair_and_extension_are_used_only_where_they_were_agreed() -> None:
    read = read_answer(answer("102", f"a=extmap:4 {MID_EXTENSION}\n"), plan("H264"))
    assert read.media[1].rtx_payload_type is None
    assert read.media[1].mid_extension_id == 4


def test_an_answer_without_our_codec_is_refused() -> None:
    with pytest.raises(SessionRefused):
        read_answer(answer().replace("a=rtpmap:102 H264/90000\r\n", "").replace("102 103", "103"), plan("H264"))


@pytest.mark.parametrize("text", ["", "nonsense", "v=0\r\nm=video\r\n"])
def test_an_answer_that_can_not_be_read_is_refused(text: str) -> None:
    with pytest.raises(SessionRefused):
        read_answer(text, plan("H264"))

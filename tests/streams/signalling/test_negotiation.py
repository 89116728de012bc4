"""What is taken of an offer, and what the answer says."""

from __future__ import annotations

import random

import pytest
from aiortc.sdp import SessionDescription

from streams.sfu.track import Codec, Track
from streams.signalling.answer import Endpoint, write_answer
from streams.signalling.errors import OfferRefused, SignallingError
from streams.signalling.negotiation import Agreement, agree_to_publish, agree_to_view
from streams.signalling.offer import read_fragment, read_offer
from tests.streams.signalling.offers import (
    FINGERPRINT,
    MID,
    ROTATION,
    TRANSPORT_CC,
    VP8,
    VP8_RTX,
    audio,
    channel,
    h264,
    layers,
    offer,
    video,
)

ENDPOINT = Endpoint(("192.0.2.1", "127.0.0.1"), 8200, "ourufrag", "ourpassword", FINGERPRINT)
VP8_FEED = Track("video", "0", Codec("VP8", 90_000, 96))
OPUS_FEED = Track("audio", "1", Codec("opus", 48_000, 111))


def h264_feed(profile: str = "42e01f") -> Track:
    return Track("video", "0", Codec("H264", 90_000, 108, None, f"packetization-mode=1;profile-level-id={profile}"))


def publish(*media: list[str], setup: str = "actpass", bundle: str | None = None) -> Agreement:
    return agree_to_publish(read_offer(offer(*media, setup=setup, bundle=bundle)))


def view(feed: list[Track], *media: list[str]) -> Agreement:
    return agree_to_view(read_offer(offer(*media)), feed)


def code_of(refusal: pytest.ExceptionInfo[OfferRefused]) -> tuple[str, int]:
    return refusal.value.code, refusal.value.status


def test_constrained_baseline_h264_is_preferred_over_an_earlier_vp8() -> None:
    formats = [*VP8, *h264(102, "42001f"), *h264(104, "42e01f", mode=0), *h264(108, "42e01f"), *h264(116, "4d001f")]
    (track,) = publish(video(formats)).tracks
    assert (track.codec.name, track.codec.payload_type) == ("H264", 108)


def test_vp8_is_taken_where_h264_is_of_a_higher_profile_only() -> None:
    (track,) = publish(video([*h264(116, "640c1f"), *VP8])).tracks
    assert track.codec.name == "VP8"


def test_a_publisher_with_high_profile_only_is_still_taken() -> None:
    (track,) = publish(video(h264(116, "640c1f"))).tracks
    assert track.codec.payload_type == 116


def test_feedback_retransmission_and_extensions_are_agreed_on_as_offered() -> None:
    sources = ["a=ssrc-group:FID 11 22", "a=ssrc:11 cname:x", "a=ssrc:22 cname:x"]
    (track,) = publish(video([*VP8, *VP8_RTX], extra=[TRANSPORT_CC, MID, ROTATION, *sources])).tracks
    assert (track.nack, track.pli, track.transport_cc) == (True, True, True)
    assert (track.ssrc, track.rtx_ssrc, track.codec.rtx_payload_type) == (11, 22, 97)
    assert sorted(track.extensions.values()) == [3, 4], "the rotation is left to the phone"


def test_feedback_lines_may_stand_before_their_format() -> None:
    (track,) = publish(video([*VP8[1:], VP8[0]])).tracks
    assert track.nack


@pytest.mark.parametrize("formats", [[*VP8, *VP8_RTX], h264(108, "42e01f")])
def test_three_layers_are_asked_for_as_offered(formats: list[str]) -> None:
    agreement = publish(video(formats, extra=layers("send l;m;h", "l", "m", "h")))
    (track,) = agreement.tracks
    assert track.rids == ("l", "m", "h")
    assert track.ssrc is None
    answer = write_answer(agreement, ENDPOINT, 1).split("\r\n")
    assert [line for line in answer if "rid" in line or "simulcast" in line] == [
        "a=rid:l recv",
        "a=rid:m recv",
        "a=rid:h recv",
        "a=simulcast:recv l;m;h",
    ]
    numbers = {line.split()[0] for line in answer if line.startswith("a=extmap")}
    assert numbers >= {"a=extmap:4", "a=extmap:10", "a=extmap:11"}


@pytest.mark.parametrize(
    ("line", "rids", "ordered", "answered"),
    [
        ("send h;m;l", "hml", "lmh", "h;m;l"),
        ("send q;h;f", "qhf", "qhf", "q;h;f"),
        ("send f;h;q", "fhq", "qhf", "f;h;q"),
        ("send 1;2", "12", "12", "1;2"),
        ("recv 9 send ~a,b;c", "abc", "ac", "a;c"),
        ("send a;b;c;d", "abcd", "abc", "a;b;c"),
        ("send a;a;b", "ab", "ab", "a;b"),
        ("send a;x;b", "ab", "ab", "a;b"),
    ],
)
def test_layers_are_ordered_by_what_their_names_mean_else_as_they_come(
    line: str, rids: str, ordered: str, answered: str
) -> None:
    agreement = publish(video(VP8, extra=layers(line, *rids)))
    assert agreement.tracks[0].rids == tuple(ordered)
    assert f"a=simulcast:recv {answered}\r\n" in write_answer(agreement, ENDPOINT, 1)


def test_layers_that_could_not_be_told_apart_are_answered_with_the_first_only() -> None:
    lines = ["a=rid:h send", "a=rid:l send", "a=simulcast:send h;l", "a=ssrc:5 cname:x"]
    agreement = publish(video(VP8, extra=lines))
    assert agreement.tracks[0].ssrc is None, "with layers the announced SSRC says nothing"
    assert "rid" not in write_answer(agreement, ENDPOINT, 1)


@pytest.mark.parametrize(
    ("media", "code"),
    [
        ([video(["a=rtpmap:98 VP9/90000"])], "codec-unsupported"),
        ([channel()], "no-tracks"),
        ([video(VP8, port=0)], "no-tracks"),
        ([video(VP8), ["m=audio 9 RTP/AVP 0", "a=mid:1", "a=rtcp-mux"]], "protocol-unsupported"),
    ],
)
def test_what_cannot_be_received_whole_is_refused(media: list[list[str]], code: str) -> None:
    with pytest.raises(OfferRefused) as refusal:
        publish(*media)
    assert code_of(refusal) == (code, 422)


def test_a_viewer_gets_its_own_numbers_and_sources_of_ours() -> None:
    formats = [
        *h264(41, "4d001f"),
        *h264(42, "42e01f"),
        "a=rtcp-fb:42 nack",
        "a=rtpmap:43 rtx/90000",
        "a=fmtp:43 apt=42",
    ]
    agreement = view([h264_feed(), OPUS_FEED], video(formats, direction="recvonly"), audio(direction="recvonly"))
    picture, sound = agreement.tracks
    assert (picture.codec.payload_type, picture.codec.rtx_payload_type) == (42, 43)
    assert sound.codec.payload_type == 111
    assert len({picture.ssrc, picture.rtx_ssrc, sound.ssrc, None}) == 4
    answer = write_answer(agreement, ENDPOINT, 1, sends="site-1")
    assert f"a=ssrc:{picture.ssrc} cname:site-1" in answer
    assert f"a=ssrc-group:FID {picture.ssrc} {picture.rtx_ssrc}" in answer


def test_a_viewer_with_another_baseline_profile_still_plays() -> None:
    (track,) = view([h264_feed("42e01f")], video(h264(102, "42001f"), direction="recvonly")).tracks
    assert track.codec.payload_type == 102


def test_a_viewer_is_not_sent_a_higher_profile_than_it_plays() -> None:
    with pytest.raises(OfferRefused) as refusal:
        view([h264_feed("640c1f")], video(h264(102, "42e01f"), direction="recvonly"))
    assert code_of(refusal) == ("codec-mismatch", 409)


def test_a_viewer_without_the_feeds_codec_is_refused_with_the_reason() -> None:
    with pytest.raises(OfferRefused) as refusal:
        view([VP8_FEED], video(h264(102, "42e01f"), direction="recvonly"))
    assert code_of(refusal) == ("codec-mismatch", 409)


def test_sound_that_the_feed_lacks_is_left_out_of_the_answer() -> None:
    agreement = view([VP8_FEED], video(VP8, direction="recvonly"), audio(direction="recvonly"))
    answer = write_answer(agreement, ENDPOINT, 1, sends="site-1")
    assert "m=audio 0 " in answer
    assert "a=group:BUNDLE 0\r\n" in answer


def test_a_viewers_channel_is_taken_if_it_is_offered() -> None:
    offered = video(VP8, direction="recvonly")
    agreement = view([VP8_FEED], offered, channel("1"))
    answer = write_answer(agreement, ENDPOINT, 1, sends="site-1")
    assert agreement.channel is not None
    assert "m=application 8200 UDP/DTLS/SCTP webrtc-datachannel" in answer
    assert "a=group:BUNDLE 0 1\r\n" in answer
    assert view([VP8_FEED], offered).channel is None


def test_a_viewer_gives_transport_wide_feedback_where_its_packets_can_be_numbered() -> None:
    numbered = video([*VP8, *VP8_RTX], direction="recvonly", extra=[TRANSPORT_CC])
    agreement = view([VP8_FEED], numbered)
    assert agreement.tracks[0].transport_cc
    answer = write_answer(agreement, ENDPOINT, 1, sends="site-1")
    assert TRANSPORT_CC in answer
    assert "a=rtcp-fb:96 transport-cc" in answer
    # Without a stream of their own repeats can't be numbered.
    (track,) = view([VP8_FEED], video(VP8, direction="recvonly", extra=[TRANSPORT_CC])).tracks
    assert not track.transport_cc
    assert not track.extensions


def test_a_viewer_without_that_feedback_says_what_it_can_take() -> None:
    named = video([*VP8[:1], *VP8[2:], "a=rtcp-fb:96 goog-remb"], direction="recvonly")
    agreement = view([VP8_FEED], named)
    assert agreement.tracks[0].remb
    assert "a=rtcp-fb:96 goog-remb" in write_answer(agreement, ENDPOINT, 1, sends="site-1")


def test_the_answer_is_read_back_by_aiortc() -> None:
    agreement = publish(video([*VP8, *VP8_RTX], extra=[TRANSPORT_CC, MID]), audio(), channel())
    read = SessionDescription.parse(write_answer(agreement, ENDPOINT, 7))
    assert [media.kind for media in read.media] == ["video", "audio", "application"]
    assert [media.direction for media in read.media] == ["recvonly", "recvonly", None]
    for media in read.media:
        assert media.ice.iceLite
        assert [candidate.ip for candidate in media.ice_candidates] == ["192.0.2.1", "127.0.0.1"]
        assert media.ice_candidates_complete
        assert media.dtls is not None
        assert media.dtls.role == "server"
    first, second = read.media[0].ice_candidates
    assert first.priority > second.priority


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"v=0\r\n",
        b"v=0\r\nthis is not SDP\r\n",
        b"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF x\r\n",
    ],
)
def test_what_is_no_offer_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(OfferRefused) as refusal:
        read_offer(body)
    assert refusal.value.status == 400


def test_a_damaged_offer_is_answered_or_refused_and_nothing_else() -> None:
    source = random.Random(3)
    whole = offer(
        video([*VP8, *VP8_RTX, *h264(108, "42e01f")], extra=[*layers("send l;h", "l", "h"), "a=ssrc:1 cname:x"]),
        audio(),
        channel(),
    )
    statuses = set()
    for _ in range(4000):
        lines = whole.split(b"\r\n")
        for _ in range(source.randint(1, 3)):
            place = source.randrange(len(lines))
            line = bytearray(lines[place])
            kind = source.randrange(4)
            if kind == 0 and line:
                line[source.randrange(len(line))] = source.randrange(256)
            elif kind == 1:
                del line[source.randint(0, len(line)) :]
            elif kind == 2:
                line *= 2
            lines[place] = bytes(line)
            if kind == 3:
                lines.insert(source.randrange(len(lines)), bytes(line))
        try:
            write_answer(agree_to_publish(read_offer(b"\r\n".join(lines))), ENDPOINT, 1)
        except SignallingError as error:
            statuses.add(error.status)
        else:
            statuses.add(201)
    assert statuses == {201, 400, 422}


@pytest.mark.parametrize("unseen", ["\r", "\x00", "\x0b", "\x1b", "\x7f", "\x85", "\u2028"])
def test_characters_that_nobody_sees_are_refused_rather_than_echoed(unseen: str) -> None:
    of_format = f"a=fmtp:96 x-{unseen}a=setup:passive"
    of_extension = f"a=extmap:5 urn:{unseen}a=setup:passive"
    for line in (of_format, of_extension):
        with pytest.raises(OfferRefused):
            read_offer(offer(video([*VP8, line])))
    with pytest.raises(OfferRefused):
        read_fragment(f"a=mid:0{unseen}1\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n".encode())


def test_a_fragment_gives_its_credentials_or_none() -> None:
    assert read_fragment(b"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n") == (
        "EsAw",
        "P2uYro0UCOQ4zxjKXaWCBui1",
    )
    assert read_fragment(b"m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n") == (
        "",
        "",
    )
    with pytest.raises(OfferRefused):
        read_fragment(b"nothing like it")

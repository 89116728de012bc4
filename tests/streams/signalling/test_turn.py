"""Credentials for TURN relays, by the convention that coturn follows, and settings that can't be meant."""

from __future__ import annotations

import pytest

from streams.signalling.turn import CREDENTIAL_LIFE_SECONDS, NO_TURN, TurnMisconfigured, TurnServers, read_urls

URL = "turn:turn.example.cn:3478?transport=udp"


def test_the_credential_is_the_hmac_of_the_name_that_carries_its_end() -> None:
    """`printf '%s' 1700043200:abc | openssl dgst -sha1 -hmac north -binary | base64`"""
    one = TurnServers((URL,), "north").credentials("abc", 1_700_000_000.9)
    assert CREDENTIAL_LIFE_SECONDS == 43_200
    assert one.username == "1700043200:abc"
    assert one.password == "PW9QPOzlnjUV5cyVtp58KPtMUIQ="


def test_each_relay_has_a_link_of_its_own() -> None:
    servers = TurnServers((URL, "turns:[2001:db8::1]:443?transport=tcp"), "north")
    password = servers.credentials("abc", 1_700_000_000).password
    assert servers.links("abc", 1_700_000_000) == [
        f'<{url}>; rel="ice-server"; username="1700043200:abc"; credential="{password}"; credential-type="password"'
        for url in servers.urls
    ]
    assert NO_TURN.links("abc", 0) == []


@pytest.mark.parametrize("url", [URL, "turn:relay", "turn:192.0.2.7:3478", "turns:turn.example.cn", "turn:[::1]:3478"])
def test_an_address_of_a_relay_is_taken(url: str) -> None:
    assert TurnServers((url,), "north").urls == (url,)


@pytest.mark.parametrize(
    "url",
    [
        "turn.example.cn:3478",
        "stun:turn.example.cn",
        "turn://turn.example.cn",
        "turn:user:password@turn.example.cn",
        "turn:turn.example.cn?transport=sctp",
        'turn:a>; rel="next"',
        "turn:a\r\nSet-Cookie: b=c",
        "turn:turn.example.cn\n",
    ],
)
def test_what_is_no_address_or_would_break_a_header_is_refused(url: str) -> None:
    with pytest.raises(TurnMisconfigured, match="is no TURN address"):
        TurnServers((url,), "north")


def test_addresses_without_a_secret_are_refused() -> None:
    with pytest.raises(TurnMisconfigured, match="without the relays' shared secret"):
        TurnServers((URL,))


def test_the_secret_and_the_passwords_are_in_no_repr() -> None:
    servers = TurnServers((URL,), "north")
    assert "north" not in repr(servers)
    one = servers.credentials("abc", 0)
    assert one.password not in repr(one)


def test_several_addresses_stand_in_one_setting() -> None:
    assert read_urls(f" {URL}, turns:b ,") == (URL, "turns:b")
    assert read_urls("") == ()

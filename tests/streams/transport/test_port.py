"""The one UDP port: who is listened to, what is dropped, and that nothing unsigned changes anything."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator

import pytest
from aioice import stun as aioice_stun

from streams.native import Data
from streams.transport.dtls import make_certificate
from streams.transport.link import (
    ADDRESS_BOUND,
    CONNECT_SECONDS,
    CONSENT_SECONDS,
    RETURN_SECONDS,
    SILENT_SECONDS,
    Link,
)
from streams.transport.port import NAPS_SPARED, SOURCES_BOUND, MediaPort
from streams.transport.sockets import bind_media
from tests.support.batch import needs_loops
from tests.support.outlets import session_pair
from tests.support.waiting import until


@pytest.fixture
async def port() -> AsyncIterator[MediaPort]:
    port = MediaPort(bind_media(0, "127.0.0.1"), make_certificate())
    port.start()
    yield port
    port.close()


class Client:
    """A UDP socket that sends checks."""

    def __init__(self, port: MediaPort) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address = self.socket.getsockname()
        self._to = ("127.0.0.1", port.number)

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self._to)

    def check(
        self, link: Link, *, nominate: bool = True, password: str | None = None, ufrag: str | None = None
    ) -> None:
        message = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ufrag or link.ufrag}:them"
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((password or link.password).encode())
        self.send(bytes(message))

    async def answer(self) -> aioice_stun.Message:
        async with asyncio.timeout(3):
            data = await asyncio.get_running_loop().sock_recv(self.socket, 2000)
        return aioice_stun.parse_message(data)

    def close(self) -> None:
        self.socket.close()


async def test_a_signed_check_is_answered_and_gives_the_address(port: MediaPort) -> None:
    link, client = port.open_link(0.0), Client(port)
    client.check(link)
    answer = await client.answer()
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == client.address
    assert link.address == client.address
    client.close()
    await link.close("done")
    assert not port.has_links


async def test_an_unsigned_check_is_neither_answered_nor_believed(port: MediaPort) -> None:
    link, client = port.open_link(0.0), Client(port)
    client.check(link, password="wrong" * 5)
    client.check(link, ufrag="nobody")
    await until(lambda: port.refused["stun-unauthenticated"] == 2)
    assert link.address is None
    assert port.packets_out == 0
    client.close()
    await link.close("done")


async def test_only_a_nominating_check_moves_a_session(port: MediaPort) -> None:
    link, first, second = port.open_link(0.0), Client(port), Client(port)
    first.check(link)
    await first.answer()
    second.check(link, nominate=False)
    await second.answer()
    assert link.address == first.address
    version = link.address_version
    second.check(link)
    await second.answer()
    assert link.address == second.address
    assert link.address_version == version + 1
    first.close()
    second.close()
    await link.close("done")


async def test_a_session_follows_its_peer_to_a_new_mapping_once_the_old_is_silent(port: MediaPort) -> None:
    link = port.open_link(0.0)
    old, new = ("192.0.2.1", 1000), ("192.0.2.1", 2000)
    link.checked(old, use_candidate=True, now=100.0)
    link.checked(old, use_candidate=False, now=105.0)
    link.checked(new, use_candidate=False, now=105.0 + SILENT_SECONDS - 0.1)
    assert link.address == old
    link.checked(new, use_candidate=False, now=105.0 + SILENT_SECONDS + 0.1)
    assert link.address == new
    await link.close("done")


async def test_learned_addresses_are_bounded_and_the_present_one_is_kept(port: MediaPort) -> None:
    link = port.open_link(0.0)
    clients = [Client(port) for _ in range(ADDRESS_BOUND + 5)]
    for index, client in enumerate(clients):
        client.check(link, nominate=index == 0)
        await client.answer()
    assert len(link.addresses) == ADDRESS_BOUND
    assert clients[0].address in link.addresses
    for client in clients:
        client.close()
    await link.close("done")
    assert not port.has_links


async def test_new_credentials_replace_the_old_once_they_are_used(port: MediaPort) -> None:
    link, client = port.open_link(0.0), Client(port)
    old = (link.ufrag, link.password)
    client.check(link)
    await client.answer()
    ufrag, password = link.restart_ice(time.monotonic())
    client.check(link, ufrag=old[0], password=old[1])
    await client.answer()
    client.check(link, ufrag=ufrag, password=password)
    await client.answer()
    client.check(link, ufrag=old[0], password=old[1])
    await until(lambda: port.refused["stun-unauthenticated"] == 1)
    client.close()
    await link.close("done")
    assert not port.has_links


async def test_a_silent_peer_expires(port: MediaPort) -> None:
    link, client = port.open_link(100.0), Client(port)
    assert not link.is_expired(100.0 + CONNECT_SECONDS - 1)
    assert link.is_expired(100.0 + CONNECT_SECONDS + 1)
    link.is_open = True
    client.check(link)
    await client.answer()
    assert not link.is_expired(time.monotonic() + CONSENT_SECONDS - 1)
    assert link.is_expired(time.monotonic() + CONSENT_SECONDS + 1)
    client.close()
    await link.close("done")


async def test_restarts_alone_keep_no_link(port: MediaPort) -> None:
    link = port.open_link(100.0)
    link.is_open = True
    link.restart_ice(100.0 + CONSENT_SECONDS)
    assert not link.is_expired(100.0 + CONSENT_SECONDS + 1)
    link.restart_ice(100.0 + 2 * CONSENT_SECONDS)
    assert link.is_expired(100.0 + 2 * CONSENT_SECONDS + 1)
    await link.close("done")


async def test_garbage_of_every_first_byte_is_counted_and_disturbs_nothing(port: MediaPort) -> None:
    source = random.Random(11)
    link, client = port.open_link(0.0), Client(port)
    client.check(link)
    await client.answer()
    link.start("server", [("sha-256", ":".join(["00"] * 32))])
    for first in range(256):
        for length in (0, 1, 2, 11, 12, 13, 40, 1400):
            client.send(bytes([first]) + source.randbytes(length))
        await asyncio.sleep(0)
    client.send(b"")
    await until(lambda: port.packets_in >= 256 * 8 + 2)
    assert port.refused["unhandled"] == 0
    assert set(port.refused) <= {"stun-malformed", "media-unknown", "unknown-kind", "dtls-unknown", "srtp", "srtcp"}
    client.check(link)
    assert (await client.answer()).attributes["XOR-MAPPED-ADDRESS"] == client.address
    client.close()
    await link.close("done")


async def test_a_handler_that_fails_is_counted_and_the_next_datagram_is_served(
    port: MediaPort, caplog: pytest.LogCaptureFixture
) -> None:
    link, client = port.open_link(0.0), Client(port)
    link.credentials_used = lambda ufrag: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    client.check(link)
    await until(lambda: port.refused["unhandled"] == 1)
    other = port.open_link(0.0)
    client.check(other)
    await client.answer()
    assert "was not handled" in caplog.text
    client.close()
    await link.close("done")
    await other.close("done")


async def test_a_peer_cannot_make_srtp_contexts_without_end(port: MediaPort) -> None:
    link, client = port.open_link(0.0), Client(port)
    client.check(link)
    await client.answer()
    sender, link.srtp_in = session_pair()
    link.is_open = True
    heard: list[int] = []
    link.on_rtp = lambda buffer, length, now: heard.append(length)
    for ssrc in range(SOURCES_BOUND + 10):
        header = b"\x80\x60\x00\x01" + bytes(4) + ssrc.to_bytes(4, "big")
        client.send(sender.protect(header + b"payload"))
    await until(lambda: port.refused["sources-full"] == 10)
    assert heard == [12 + len(b"payload")] * SOURCES_BOUND
    client.send(sender.protect(b"\x80\x60\x00\x02" + bytes(8) + b"payload"))
    await until(lambda: len(heard) == SOURCES_BOUND + 1)
    client.close()
    await link.close("done")


async def test_a_forged_packet_is_refused_and_a_repeated_one_too(port: MediaPort) -> None:
    link, client = port.open_link(0.0), Client(port)
    client.check(link)
    await client.answer()
    sender, link.srtp_in = session_pair()
    link.is_open = True
    heard: list[int] = []
    link.on_rtp = lambda buffer, length, now: heard.append(length)
    sealed = sender.protect(b"\x80\x60\x00\x01" + bytes(8) + b"payload")
    client.send(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    client.send(sealed)
    client.send(sealed)
    await until(lambda: port.refused["srtp"] == 2)
    assert len(heard) == 1
    client.close()
    await link.close("done")


async def test_a_check_that_was_late_does_not_move_a_session_back(port: MediaPort) -> None:
    link = port.open_link(0.0)
    before, after = ("192.0.2.1", 5000), ("192.0.2.2", 5000)
    link.checked(before, True, 1.0)
    link.checked(after, True, 2.0)
    link.checked(before, True, 2.0 + RETURN_SECONDS / 2)
    assert link.address == after
    link.checked(before, True, 2.0 + RETURN_SECONDS)
    assert link.address == before
    link.checked(("192.0.2.3", 5000), True, 2.0 + RETURN_SECONDS)
    assert link.address == ("192.0.2.3", 5000)
    await link.close("done")


async def test_only_a_nomination_moves_a_session_whose_address_is_alive(port: MediaPort) -> None:
    link = port.open_link(0.0)
    link.checked(("192.0.2.1", 5000), True, 1.0)
    for other in range(3):
        link.checked((f"192.0.2.{2 + other}", 5000), False, 2.0)
    assert (link.address, link.moves) == (("192.0.2.1", 5000), 0)
    await link.close("done")


class Peer:
    """A client whose link is open, with the session that seals for it; `heard` tells in order what the port gave."""

    def __init__(self, port: MediaPort, heard: list[str]) -> None:
        self.client = Client(port)
        self.link = port.open_link(0.0)
        self.link.checked(self.client.address, use_candidate=True, now=0.0)
        self.sender, self.link.srtp_in = session_pair()
        self.link.is_open = True
        self.link.on_rtp = lambda buffer, length, now: heard.append("packet")
        self.link.on_rtcp = lambda packet, now: heard.append("report")
        self._sequence = 0

    def secure(self) -> None:
        """Let what it sends be opened in C, where that is done."""
        if self.link.srtp_in is not None:
            self.link.secure(self.link.srtp_in, self.sender)

    def send_packet(self) -> None:
        self._sequence += 1
        self.client.send(self.sender.protect(b"\x80\x60" + self._sequence.to_bytes(2, "big") + bytes(8) + b"payload"))

    def send_report(self) -> None:
        self.client.send(self.sender.protect_rtcp(b"\x80\xc9\x00\x01" + bytes(4)))

    async def close(self) -> None:
        self.client.close()
        await self.link.close("done")


@pytest.mark.parametrize("splits", [True, False])
async def test_reports_are_heard_whether_or_not_the_kernel_sets_them_apart(
    splits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not splits:
        monkeypatch.setattr("streams.transport.port.split_reports", lambda sock: None)
    port = MediaPort(bind_media(0, "127.0.0.1"), make_certificate())
    port.start()
    heard: list[str] = []
    peer = Peer(port, heard)
    for count in range(1, 200):
        peer.send_report()
        await until(lambda count=count: heard.count("report") >= count - 100)
    await until(lambda: heard.count("report") == 199)
    # After a while without any they are waited for again.
    await until(lambda: port._reports_timer is None)
    peer.send_packet()
    peer.send_report()
    await until(lambda: heard.count("report") == 200 and "packet" in heard)
    await peer.close()
    port.close()


async def test_media_that_wait_are_handled_before_reports_that_came_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.transport.port.REPORTS_WAIT", 60.0)
    monkeypatch.setattr("streams.transport.port.REPORTS_PAUSE", -1.0)
    port = MediaPort(bind_media(0, "127.0.0.1"), make_certificate())
    heard: list[str] = []
    port.on_round = lambda: heard.append("round")
    peer = Peer(port, heard)
    port.start()
    peer.send_report()
    await until(lambda: heard == ["report"])
    heard.clear()
    # The timer is far away, and all this waits in the sockets when the port is woken.
    for _ in range(3):
        peer.send_report()
    for _ in range(3):
        peer.send_packet()
    await until(lambda: heard.count("report") == 3)
    assert heard == ["packet"] * 3 + ["round"] + ["report"] * 3
    await peer.close()
    port.close()


async def test_the_port_of_a_node_is_taken_though_it_has_two_sockets(port: MediaPort) -> None:
    with pytest.raises(OSError, match="in use"):
        bind_media(port.number, "127.0.0.1")


async def test_the_rest_of_a_frame_is_awaited_and_sent_with_its_beginning(
    port: MediaPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    peer = Peer(port, heard)
    port.awaits_more = lambda: heard.count("packet") < 3
    port.on_round = lambda: heard.append("round")

    def rest_comes(seconds: float) -> None:
        heard.append("wait")
        peer.send_packet()

    monkeypatch.setattr("streams.transport.port.time.sleep", rest_comes)
    peer.send_packet()
    await until(lambda: "round" in heard)
    assert heard == ["packet", "wait", "packet", "wait", "packet", "round"]
    await peer.close()


async def test_a_publisher_that_spreads_its_packets_is_not_waited_for_each_time(
    port: MediaPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    peer = Peer(port, heard)
    port.awaits_more = lambda: True
    monkeypatch.setattr("streams.transport.port.time.sleep", lambda seconds: heard.append("wait"))
    for count in range(1, NAPS_SPARED + 3):
        peer.send_packet()
        await until(lambda count=count: heard.count("packet") == count)
    assert heard.count("wait") == 2
    await peer.close()


@needs_loops
async def test_what_is_taken_several_at_a_time_is_not_given_again(port: MediaPort) -> None:
    heard: list[str] = []
    peer = Peer(port, heard)
    left = [2, 0, 1]

    def take(batch: Data, step: int, ssrc: int) -> int:
        waiting = batch.todo_count - step
        taken = min(left.pop(0), waiting) if left else 0
        heard.append(f"{taken} of {waiting}")
        return taken

    peer.secure()
    # The first packet of a source isn't known to C yet, and comes by itself.
    peer.send_packet()
    await until(lambda: heard == ["packet"])
    heard.clear()
    peer.link.on_run = take
    port._loop.remove_reader(port.socket.fileno())
    for _ in range(5):
        peer.send_packet()
    port._readable()
    assert heard == ["2 of 5", "0 of 3", "packet", "1 of 2", "0 of 1", "packet"]
    await peer.close()


@needs_loops
async def test_a_taker_that_fails_costs_one_packet(port: MediaPort) -> None:
    heard: list[str] = []
    peer = Peer(port, heard)
    peer.secure()
    peer.send_packet()
    await until(lambda: heard == ["packet"])
    calls = iter([True, False, False])
    peer.link.on_run = lambda batch, step, ssrc: 1 // 0 if next(calls) else 0
    port._loop.remove_reader(port.socket.fileno())
    for _ in range(3):
        peer.send_packet()
    port._readable()
    assert (heard, port.refused["unhandled"]) == (["packet"] * 3, 1)
    await peer.close()

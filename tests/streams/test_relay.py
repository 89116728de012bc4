"""The bad line that the tests here lead media over: it does what it says, the same for the same seed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.support.impairment import Bursts, Impairment, Line
from tests.support.relay import CLIENTS_BOUND, HELD_BOUND, Address, Relay, relayed
from tests.support.waiting import until

EVERYTHING = Impairment(
    loss=0.05,
    bursts=Bursts(0.02, 0.3, 0.9),
    delay_seconds=0.05,
    jitter_seconds=0.01,
    rate_kbps=2000,
    queue_datagrams=20,
    reorder=0.03,
    duplicate=0.02,
)
COUNT = 5000


def fates(impairment: Impairment, seed: int = 1, *, count: int = COUNT, pause: float = 0.002) -> list[list[float]]:
    line = Line("a way", seed, impairment)
    return [line.arrivals(500, 100 + number * pause) for number in range(count)]


def test_the_same_seed_and_datagrams_have_the_same_fates() -> None:
    assert fates(EVERYTHING) == fates(EVERYTHING)
    assert fates(EVERYTHING) != fates(EVERYTHING, seed=2)


def test_the_two_directions_have_troubles_of_their_own() -> None:
    relay = Relay(("127.0.0.1", 9), seed=1)
    for way in (relay.to_node, relay.to_client):
        way.line.impairment = Impairment(loss=0.5)
    one, other = ([way.line.arrivals(1, 1.0) for _ in range(100)] for way in (relay.to_node, relay.to_client))
    assert one != other
    relay.close()


def test_a_clear_line_does_nothing() -> None:
    assert fates(Impairment(), count=3) == [[100.0], [100.002], [100.004]]


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_losses_are_as_many_as_asked_for(share: float) -> None:
    lost = sum(not at for at in fates(Impairment(loss=share)))
    assert lost == pytest.approx(share * COUNT, rel=0.15)


def test_other_troubles_leave_what_is_lost_as_it_was() -> None:
    plain, more = Impairment(loss=0.1), Impairment(loss=0.1, delay_seconds=1, jitter_seconds=0.5, duplicate=0.5)
    assert [bool(at) for at in fates(plain)] == [bool(at) for at in fates(more)]


def test_losses_in_bursts_come_together() -> None:
    lost = [not at for at in fates(Impairment(bursts=Bursts(0.01, 0.2)), count=20_000)]
    runs = [len(run) for run in "".join(".x"[gone] for gone in lost).replace(".", " ").split()]
    assert sum(runs) / len(runs) == pytest.approx(1 / 0.2, rel=0.2)
    assert sum(lost) / len(lost) == pytest.approx(0.01 / (0.01 + 0.2), rel=0.25)


def test_delay_and_jitter_stay_in_their_bounds_and_keep_the_order() -> None:
    found = [at[0] for at in fates(Impairment(delay_seconds=0.05, jitter_seconds=0.01))]
    waits = [at - 100 - number * 0.002 for number, at in enumerate(found)]
    assert min(waits) >= 0.04 - 1e-9
    assert max(waits) <= 0.06 + 1e-9
    assert max(waits) - min(waits) > 0.015
    assert found == sorted(found)


def test_a_narrow_line_spaces_datagrams_and_drops_what_its_queue_cannot_hold() -> None:
    line = Line("a way", 1, Impairment(rate_kbps=1000, queue_datagrams=5))
    found = [line.arrivals(1250, 10.0) for _ in range(8)]
    assert [at for arrivals in found for at in arrivals] == pytest.approx([10.01, 10.02, 10.03, 10.04, 10.05])
    assert line.counts["full"] == 3
    assert line.arrivals(1250, 10.025) == pytest.approx([10.06])
    assert line.arrivals(1250, 11.0) == pytest.approx([11.01]), "a line that was idle is free at once"


def test_reordered_datagrams_are_passed_by_others() -> None:
    found = [at[0] for at in fates(Impairment(delay_seconds=0.02, reorder=0.1, reorder_seconds=0.03))]
    passed = sum(later < earlier for earlier, later in pairwise(found))
    assert passed == pytest.approx(0.09 * COUNT, rel=0.2)


def test_duplicates_arrive_twice() -> None:
    twice = sum(len(at) == 2 for at in fates(Impairment(duplicate=0.1)))
    assert twice == pytest.approx(0.1 * COUNT, rel=0.15)


class Node:
    """A socket in the node's place: it remembers who sent what."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = int(self.socket.getsockname()[1])
        self._found: list[tuple[bytes, Address]] = []

    def received(self) -> list[tuple[bytes, Address]]:
        """What came so far."""
        with suppress(BlockingIOError):
            while True:
                self._found.append(self.socket.recvfrom(2048))
        return self._found


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node()
    yield node
    node.socket.close()


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.setblocking(False)
        yield client


async def test_every_datagram_goes_both_ways_in_order_from_the_first_on(node: Node, client: socket.socket) -> None:
    async with relayed(node.port) as relay:
        client.connect(("127.0.0.1", relay.number))
        for number in range(20):
            client.send(bytes([number]))
        await until(lambda: len(node.received()) == 20)
        got = node.received()
        assert [data for data, _ in got] == [bytes([number]) for number in range(20)]
        assert {address for _, address in got} == {relay.address_of(client.getsockname())}
        node.socket.sendto(b"back", got[0][1])
        assert await asyncio.get_running_loop().sock_recv(client, 100) == b"back"


async def test_a_delayed_datagram_comes_late_and_not_before(node: Node, client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    async with relayed(node.port) as relay:
        relay.to_node.line.impairment = Impairment(delay_seconds=0.1)
        sent_at = loop.time()
        client.sendto(b"late", ("127.0.0.1", relay.number))
        assert await loop.sock_recv(node.socket, 100) == b"late"
        assert loop.time() - sent_at >= 0.099


async def test_a_cut_line_carries_nothing_not_even_what_was_under_way(node: Node, client: socket.socket) -> None:
    async with relayed(node.port) as relay:
        client.connect(("127.0.0.1", relay.number))
        relay.to_node.line.impairment = Impairment(delay_seconds=0.05)
        client.send(b"under way")
        await until(lambda: relay.to_node.line.counts["passed"] == 1)
        relay.is_cut = True
        client.send(b"cut")
        await until(lambda: not relay.to_node._held)
        relay.is_cut = False
        relay.to_node.line.impairment = Impairment()
        client.send(b"again")
        got = await until(node.received)
        assert [data for data, _ in got] == [b"again"]


async def test_losses_to_the_client_are_counted_and_do_not_reach_the_other_way(
    node: Node, client: socket.socket
) -> None:
    async with relayed(node.port) as relay:
        relay.loss = 1.0
        client.connect(("127.0.0.1", relay.number))
        client.send(b"there")
        got = await until(node.received)
        node.socket.sendto(b"back", got[0][1])
        await until(lambda: relay.dropped == 1)
        with pytest.raises(BlockingIOError):
            client.recv(100)


async def test_a_client_that_moved_is_seen_elsewhere_and_its_former_address_is_deaf(
    node: Node, client: socket.socket
) -> None:
    async with relayed(node.port) as relay:
        client.connect(("127.0.0.1", relay.number))
        addresses: list[Address] = []
        for count in range(1, 4):
            client.send(b"here")
            await until(lambda count=count: len(node.received()) == count)  # type: ignore[misc]
            addresses.append(node.received()[-1][1])
            relay.move()
        assert len(set(addresses)) == 3
        for address in addresses:
            node.socket.sendto(b"deaf", address)
        node.socket.sendto(b"heard", relay.address_of(client.getsockname()))
        assert await asyncio.get_running_loop().sock_recv(client, 100) == b"heard"


async def test_what_is_held_and_who_is_served_is_bounded(node: Node) -> None:
    async with relayed(node.port) as relay:
        relay.to_node.line.impairment = Impairment(delay_seconds=60)
        for _ in range(HELD_BOUND + 7):
            relay.to_node.carry(1, lambda: None)
        assert relay.to_node.overflowed == 7
        for _ in range(CLIENTS_BOUND + 3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.bind(("127.0.0.1", 0))
                client.sendto(b"x", ("127.0.0.1", relay.number))
                await until(lambda: not relay_waits(relay))
        assert len(relay._backs) + relay.refused >= CLIENTS_BOUND
        assert len(relay._backs) <= CLIENTS_BOUND


def relay_waits(relay: Relay) -> bool:
    """Whether a datagram waits in the relay's own socket."""
    try:
        return bool(relay._front.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_an_answer_is_led_through_candidate_by_candidate() -> None:
    relay = Relay(("127.0.0.1", 9))
    answer = (
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8200 typ host\r\na=candidate:2 1 UDP 1 10.0.0.1 8200 typ host\r\n"
    )
    led = relay.lead(answer).splitlines()
    assert led == [
        f"a=candidate:1 1 udp 2130706431 127.0.0.1 {relay.number} typ host",
        f"a=candidate:2 1 UDP 1 127.0.0.1 {relay.number} typ host",
    ]
    relay.close()


def test_a_setting_may_change_under_way() -> None:
    line = Line("a way", 1, Impairment(loss=1.0))
    assert line.arrivals(1, 1.0) == []
    line.impairment = replace(line.impairment, loss=0.0)
    assert line.arrivals(1, 2.0) == [2.0]

"""How bodies travel: bounded, timed, retried only where nothing was sent, signed and encrypted where it was agreed."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import BaseModel

from assets.banks.http import HttpBank
from assets.bodies import BodyFormat
from assets.breaker import Breaker
from assets.errors import (
    GatewayAccepted,
    GatewayAnsweredGarbage,
    GatewayBroke,
    GatewayBusy,
    GatewayObjected,
    GatewayRefused,
    GatewayTrouble,
    GatewayUnreachable,
)
from assets.gateway_settings import BreakerSettings, GatewaySettings, PaceSettings, SigningSettings, TlsSettings
from assets.kinds import open_gateways
from assets.pace import Pace
from assets.posting import Poster
from assets.signing import HmacKey, PrivateKey, PublicKey, Signing
from assets.simulators.talk import Talk
from tests.assets.simulators.orders import ACCOUNT, order, query
from tests.support.certificates import authority, leaf
from tests.support.ports import free_ports
from tests.support.simulator import Simulator

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SECRET = HmacKey("court", b"n" * 32)


class Answer(BaseModel):
    """The least that is an answer."""

    number: str


@asynccontextmanager
async def _server(speak: Speak) -> AsyncIterator[str]:
    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        await reader.readexactly(length)
        try:
            await speak(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _says(body: bytes, status: str = "200 OK", headers: str = "") -> Speak:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        await writer.drain()

    return speak


PACKED = _says(gzip.compress(b'{"number": "N1"}'), headers="Content-Encoding: gzip\r\n")


async def _ask(speak: Speak, **options: Any) -> GatewayTrouble | Answer:
    async with _server(speak) as url:
        poster = Poster("bank", url, answer_seconds=0.5, **options)
        try:
            return await poster.post("/x", {"number": "N1"}, Answer, "number")
        except GatewayTrouble as trouble:
            return trouble
        finally:
            await poster.close()


async def test_an_answer_without_end_is_cut_off_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.posting.LARGEST_ANSWER_BYTES", 100_000)
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"8000\r\n" + b"a" * 0x8000 + b"\r\n")
            sent += 0x8000
            try:
                await writer.drain()
            except ConnectionError:
                return

    trouble = await _ask(flood)
    assert isinstance(trouble, GatewayAnsweredGarbage)
    assert trouble.reason == "size"
    assert sent < 20_000_000


async def test_an_answer_that_drips_is_given_up_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.posting.CONNECT_SECONDS", 0.2)

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _piece in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    assert isinstance(await _ask(drip), GatewayUnreachable)


async def test_a_connection_that_breaks_off_leaves_it_unknown() -> None:
    async def nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"number":')
        await writer.drain()

    for speak in (nothing, half):
        assert isinstance(await _ask(speak), GatewayUnreachable)


@pytest.mark.parametrize(
    ("speak", "expected", "reason"),
    [
        (_says(b'{"number": "N1"}'), Answer, ""),
        (_says(b'{"number": "N2"}'), GatewayAnsweredGarbage, "number"),
        (_says(b'{"number": "N1", "x": "\\u0000"}'), GatewayAnsweredGarbage, "characters"),
        (_says(b'{"number": "N1", "x": "\\ud800"}'), GatewayAnsweredGarbage, "characters"),
        (_says(b"[" * 50_000), GatewayAnsweredGarbage, "json"),
        (_says(b'{"a":' * 40 + b"1" + b"}" * 40), GatewayAnsweredGarbage, "size"),
        (
            _says(gzip.compress(b'{"number": "N1"}'), headers="Content-Encoding: gzip\r\n"),
            GatewayAnsweredGarbage,
            "enc",
        ),
        (_says(b'{"number": "N1"}', "202 Accepted"), GatewayAccepted, ""),
        (_says(b"{}", "202 Accepted"), GatewayAnsweredGarbage, "number"),
        (_says(b'{"cwxx": "no"}', "422 No"), GatewayRefused, "no"),
        (_says(b'{"cwxx": "no", "number": "N2"}', "422 No"), GatewayAnsweredGarbage, "number"),
        (_says(b'{"cwdm": "02", "cwxx": "no", "number": "N1"}', "422 No"), GatewayObjected, "no"),
        (_says(b"", "500 Broken"), GatewayBroke, "500"),
        (_says(b"", "302 Found", "Location: http://127.0.0.1:9/\r\n"), GatewayBroke, "302"),
        (_says(b'{"number": "N1"}', "201 Created"), GatewayBroke, "201"),
    ],
)
async def test_each_answer_is_taken_for_what_it_is(speak: Speak, expected: type[object], reason: str) -> None:
    answer = await _ask(speak)
    assert type(answer) is expected
    if isinstance(answer, GatewayTrouble):
        assert answer.reason.startswith(reason)


@pytest.mark.parametrize(("code", "kind"), [("01", GatewayRefused), ("02", GatewayObjected)])
async def test_a_no_that_is_too_long_to_keep_is_a_no_all_the_same(code: str, kind: type[GatewayTrouble]) -> None:
    words = json.dumps({"cwdm": code, "cwxx": "不" * 4_000}).encode()
    answer = await _ask(_says(words, "422 No"))
    assert type(answer) is kind
    assert answer.reason == "不" * 500


async def test_a_connection_that_is_refused_is_tried_again_with_the_same_number() -> None:
    port = free_ports(1)[0]
    numbers = []

    async def late() -> asyncio.Server:
        await asyncio.sleep(0.3)

        async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            numbers.append((await reader.readexactly(16)).decode())
            body = b'{"number": "N1"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + body)
            await writer.drain()
            writer.close()

        return await asyncio.start_server(taken, "127.0.0.1", port)

    poster = Poster("bank", f"http://127.0.0.1:{port}", connect_pauses=(0.1,) * 40)
    opening = asyncio.create_task(late())
    assert (await poster.post("/x", {"number": "N1"}, Answer, "number")).number == "N1"
    assert numbers == ['{"number": "N1"}']
    assert poster.counts["retried"] >= 1
    assert poster.counts["answered"] == 1
    (await opening).close()
    await poster.close()


async def test_what_was_sent_is_never_sent_again_by_itself() -> None:
    asked = 0

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()

    assert isinstance(await _ask(silent), GatewayUnreachable)
    assert asked == 1


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_after_failures_in_a_row_lets_one_try_and_closes_again() -> None:
    clock = _Clock()
    breaker = Breaker(failures=3, rest_seconds=30, clock=clock)
    for _ in range(2):
        breaker.failed()
    breaker.succeeded()
    for _ in range(3):
        assert breaker.wait_seconds() == 0
        breaker.failed()
    assert (breaker.state, breaker.wait_seconds(), breaker.openings) == ("open", 30, 1)
    clock.now += 29
    assert breaker.wait_seconds() == 1
    clock.now += 1
    assert breaker.wait_seconds() == 0  # this one is the probe
    assert (breaker.state, breaker.wait_seconds()) == ("half-open", 30)
    breaker.failed()
    assert (breaker.state, breaker.wait_seconds(), breaker.openings) == ("open", 30, 2)
    clock.now += 30
    assert breaker.wait_seconds() == 0
    breaker.abandoned()
    assert breaker.wait_seconds() == 0  # the probe that was given up says nothing: another one goes
    breaker.succeeded()
    assert (breaker.state, breaker.wait_seconds()) == ("closed", 0)


def test_a_pace_lets_a_burst_through_and_then_so_many_a_second() -> None:
    clock = _Clock()
    pace = Pace(per_second=2, burst=3, clock=clock)
    assert [pace.wait_seconds() for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert pace.wait_seconds() == 0
    clock.now += 1000
    assert [pace.wait_seconds() > 0 for _ in range(4)] == [False, False, False, True]


async def test_a_gateway_that_keeps_breaking_is_left_alone_for_a_while(other: Simulator) -> None:
    clock = _Clock()
    breaker = Breaker(failures=3, rest_seconds=30, clock=clock)
    poster = Poster("bank", other.url, answer_seconds=1, breaker=breaker)
    bank = HttpBank(poster)
    other.behave("broken")
    for number in range(3):
        with pytest.raises(GatewayBroke):
            await bank.query(query(f"C{number}"))
    with pytest.raises(GatewayBusy) as busy:
        await bank.query(query("C4"))
    assert (busy.value.seconds, busy.value.reason) == (30, "rest")
    assert other.ledger.count_of("C4") == 0  # nothing was sent
    other.behave_as_scripted()
    clock.now += 30
    assert (await bank.query(query("C4"))).assets
    assert poster.counts == {"gateway-broke": 3, "gateway-busy": 1, "answered": 1}
    other.behave("refuses")
    for number in range(4):  # a refusal is an answer
        with pytest.raises(GatewayRefused):
            await bank.query(query(f"D{number}"))
    await bank.close()


async def test_a_probe_that_is_cancelled_does_not_bar_the_next(other: Simulator) -> None:
    clock = _Clock()
    breaker = Breaker(failures=1, rest_seconds=30, clock=clock)
    bank = HttpBank(Poster("bank", other.url, breaker=breaker))
    breaker.failed()
    clock.now += 30
    other.behave("silent", requests=1)
    probe = asyncio.create_task(bank.query(query("C1")))
    while other.ledger.count_of("C1") == 0:
        await asyncio.sleep(0.01)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert (await bank.query(query("C2"))).assets
    await bank.close()


async def test_a_gateway_is_never_asked_faster_than_agreed(other: Simulator) -> None:
    bank = HttpBank(Poster("bank", other.url, pace=Pace(per_second=0.1, burst=2)))
    await bank.query(query("C1"))
    await bank.query(query("C2"))
    with pytest.raises(GatewayBusy) as busy:
        await bank.query(query("C3"))
    assert 5 < busy.value.seconds <= 10
    assert other.ledger.count_of("C3") == 0
    await bank.close()


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Simulator]:
    """The simulated bank."""
    simulator = Simulator("bank", tmp_path / "bank.sqlite3", delay_seconds=0)
    await simulator.start()
    yield simulator
    await simulator.stop()


async def test_a_bank_that_speaks_xml_says_the_same(other: Simulator) -> None:
    plain, xml = HttpBank(Poster("bank", other.url)), HttpBank(Poster("bank", other.url, form=BodyFormat.XML))
    first = await plain.query(query("C1"))
    assert (await xml.query(query("C1"))).assets == first.assets
    receipt = await xml.control(order("A1", cents=5_000))
    assert receipt == await xml.control(order("A1", cents=5_000))
    waiting = await xml.control(order("B1", cents=5_000, court="saihan"))
    assert (receipt.controlled_cents, waiting.waiting_rank, waiting.earlier[0].order_number) == (5_000, 1, "A1")
    with pytest.raises(GatewayRefused, match="请求单号重复"):
        await xml.control(order("A1", cents=6_000))
    assert len(other.ledger.controls(ACCOUNT)) == 2
    for gateway in (plain, xml):
        await gateway.close()


def _ed25519() -> tuple[PrivateKey, PublicKey]:
    key = ed25519.Ed25519PrivateKey.generate()
    return PrivateKey("court", key), PublicKey(key.public_key())


def _rsa() -> tuple[PrivateKey, PublicKey]:
    key = rsa.generate_private_key(65537, 2048)
    return PrivateKey("court", key), PublicKey(key.public_key())


@pytest.mark.parametrize("keys", [lambda: (SECRET, SECRET), _ed25519, _rsa])
async def test_signed_requests_are_believed_and_so_are_signed_answers(tmp_path: Path, keys: Callable[[], Any]) -> None:
    private, public = keys()
    simulator = Simulator("bank", tmp_path / "b.sqlite3", delay_seconds=0, talk=Talk(callers=public, signer=private))
    await simulator.start()
    bank = HttpBank(Poster("bank", simulator.url, signing=Signing(private, public)))
    assert (await bank.query(query("C1"))).assets
    assert (await bank.control(order("A1", cents=100))).controlled_cents == 100
    simulator.behave("refuses", reason="不")
    with pytest.raises(GatewayRefused, match="不"):
        await bank.query(query("C2"))
    numbered = HttpBank(Poster("bank", f"{simulator.url}/b/001", signing=Signing(private, public)))
    simulator.behave_as_scripted()
    simulator.conduct.most_seconds = 0
    await numbered.query(query("C3"))
    unsigned = HttpBank(Poster("bank", simulator.url))
    with pytest.raises(GatewayBroke, match="400"):
        await unsigned.query(query("C4"))
    for gateway in (bank, numbered, unsigned):
        await gateway.close()
    await simulator.stop()


async def test_an_answer_that_is_not_signed_as_agreed_is_garbage(other: Simulator, tmp_path: Path) -> None:
    silent = HttpBank(Poster("bank", other.url, signing=Signing(SECRET, SECRET)))
    with pytest.raises(GatewayAnsweredGarbage, match="signature: missing"):
        await silent.query(query())
    stranger = Simulator("bank", tmp_path / "s.sqlite3", talk=Talk(signer=HmacKey("x", b"s" * 32)))
    late = Simulator("bank", tmp_path / "l.sqlite3", talk=Talk(signer=SECRET, clock=lambda: 1_000_000.0))
    for simulator, why in ((stranger, "wrong"), (late, "time")):
        await simulator.start()
        bank = HttpBank(Poster("bank", simulator.url, signing=Signing(SECRET, SECRET)))
        with pytest.raises(GatewayAnsweredGarbage, match=f"signature: {why}"):
            await bank.query(query())
        await bank.close()
        await simulator.stop()
    await silent.close()


async def test_a_request_that_is_repeated_on_the_way_is_not_taken_again(tmp_path: Path) -> None:
    class Repeating(Signing):
        def seal(self, method: str, path: str, body: bytes) -> Any:
            return first.setdefault(path, super().seal(method, path, body))

    first: dict[str, Any] = {}
    simulator = Simulator("bank", tmp_path / "b.sqlite3", delay_seconds=0, talk=Talk(callers=SECRET))
    await simulator.start()
    bank = HttpBank(Poster("bank", simulator.url, signing=Repeating(SECRET)))
    await bank.query(query("C1"))
    with pytest.raises(GatewayBroke, match="400"):
        await bank.query(query("C1"))
    await bank.close()
    await simulator.stop()


def test_secrets_are_long_and_never_shown_and_other_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        HmacKey("k", b"short")
    assert "nnn" not in repr(SECRET)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for load in (lambda: PrivateKey.load("k", pem), lambda: PublicKey.load(public)):
        with pytest.raises(ValueError, match="Ed25519 or RSA"):
            load()


async def test_both_sides_show_certificates_and_believe_only_the_agreed_ones(tmp_path: Path) -> None:
    ours, theirs, strangers = (authority(tmp_path / name) for name in ("ours", "theirs", "strangers"))
    server = leaf(theirs, tmp_path / "server", "127.0.0.1")
    court = leaf(ours, tmp_path / "court", "court")
    simulator = Simulator(
        "bank",
        tmp_path / "bank.sqlite3",
        delay_seconds=0,
        tls={
            "ssl_certfile": server.certificate,
            "ssl_keyfile": server.key,
            "ssl_ca_certs": ours.certificate,
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
        },
    )
    await simulator.start()
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET.secret)

    def gateway(tls: TlsSettings) -> Any:
        settings = GatewaySettings(
            name="bank",
            kind="bank",
            url=simulator.url,
            format=BodyFormat.XML,
            tls=tls,
            signing=SigningSettings(algorithm="hmac-sha256", key_id="court", file=secret),
            pace=PaceSettings(per_second=100, burst=100),
            breaker=BreakerSettings(failures=100, rest_seconds=1),
        )
        return open_gateways([settings])[0]

    agreed = gateway(TlsSettings(authority=theirs.certificate, certificate=court.certificate, key=court.key))
    assert (await agreed.query(query("C1"))).assets
    nobody = gateway(TlsSettings(authority=theirs.certificate))
    foreign = gateway(TlsSettings(authority=strangers.certificate, certificate=court.certificate, key=court.key))
    for refused in (nobody, foreign):
        with pytest.raises(GatewayUnreachable):
            await refused.query(query("C2"))
    assert simulator.ledger.count_of("C2") == 0
    for one in (agreed, nobody, foreign):
        await one.close()
    await simulator.stop()

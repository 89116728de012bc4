"""How bodies travel: bounded, timed, retried only where nothing was sent, and each answer taken for what it is."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel

from assets.banks.http import HttpBank
from assets.bodies import BodyFormat
from assets.errors import (
    GatewayAccepted,
    GatewayAnsweredGarbage,
    GatewayBroke,
    GatewayObjected,
    GatewayRefused,
    GatewayTrouble,
    GatewayUnreachable,
)
from assets.posting import Poster
from tests.assets.simulators.orders import ACCOUNT, order, query
from tests.support.ports import free_ports
from tests.support.simulator import Simulator
from tests.support.waiting import until

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


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
        (PACKED, GatewayAnsweredGarbage, "enc"),
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
        await until(lambda: poster.counts["retried"])

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


async def test_a_bank_that_speaks_xml_says_the_same(bank_simulator: Simulator) -> None:
    plain, xml = (
        HttpBank(Poster("bank", bank_simulator.url)),
        HttpBank(Poster("bank", bank_simulator.url, form=BodyFormat.XML)),
    )
    first = await plain.query(query("C1"))
    assert (await xml.query(query("C1"))).assets == first.assets
    receipt = await xml.control(order("A1", cents=5_000))
    assert receipt == await xml.control(order("A1", cents=5_000))
    waiting = await xml.control(order("B1", cents=5_000, court="saihan"))
    assert (receipt.controlled_cents, waiting.waiting_rank, waiting.earlier[0].order_number) == (5_000, 1, "A1")
    with pytest.raises(GatewayRefused, match="请求单号重复"):
        await xml.control(order("A1", cents=6_000))
    assert len(bank_simulator.ledger.controls(ACCOUNT)) == 2
    for gateway in (plain, xml):
        await gateway.close()

"""What goes over the wire to a bank and a registry, and what of their answers is believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from assets.banks.http import HttpBank
from assets.documents import NEEDED, Action
from assets.errors import GatewayAnsweredGarbage, GatewayBroke, GatewayRefused, GatewayTrouble, GatewayUnreachable
from assets.gateway import ControlOrder, Letterhead, QueryOrder, Subject
from assets.posting import Poster
from assets.registry.http import HttpRegistry
from assets.terms import AssetKind
from tests.support.waiting import until

PERSON = Subject("张某甲（虚构）", False, "150105199001010018")
FIRM = Subject("某某公司（虚构）", True, "91150100MA0000007W")
ACCOUNT = {"khzh": "6217000060000000008", "khwd": "某支行", "ye": "100.00", "kyye": "60.50", "fksj": "20261122120000"}
UNIT = "150105001002GB00014F00310202"


@dataclass
class OtherSide:
    """A server that answers what the test says and keeps what it was sent."""

    answer: str | bytes | dict[str, Any] = field(default_factory=dict)
    status: int = 200
    is_silent: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def app(self) -> FastAPI:
        """The web application."""
        app = FastAPI()

        @app.post("/{rest:path}")
        async def take(request: Request) -> Response:
            self.sent.append(await request.json())
            if self.is_silent:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
            answer = json.dumps(self.answer) if isinstance(self.answer, dict) else self.answer
            return Response(answer, self.status, media_type="application/json")

        return app


@pytest.fixture
async def other() -> AsyncIterator[OtherSide]:
    """The other side, listening."""
    other = OtherSide()
    server = uvicorn.Server(
        uvicorn.Config(other.app(), port=0, log_level="error", timeout_graceful_shutdown=1, ws="none")
    )
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    other.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield other
    server.should_exit = True
    await task


@pytest.fixture
async def bank(other: OtherSide) -> AsyncIterator[HttpBank]:
    """The bank's gateway."""
    gateway = HttpBank(Poster("bank", other.url, answer_seconds=0.5))
    yield gateway
    await gateway.close()


@pytest.fixture
async def registry(other: OtherSide) -> AsyncIterator[HttpRegistry]:
    """The registry's gateway."""
    gateway = HttpRegistry(Poster("registry", other.url, answer_seconds=0.5))
    yield gateway
    await gateway.close()


def _head(action: Action) -> Letterhead:
    return Letterhead(
        number="D20261122ABC",
        case_number="（2026）内01执123号",
        court_code="内01",
        court_name="某中级人民法院",
        judge="某法官",
        work_card="GZ1",
        duty_card="GW1",
        documents=NEEDED[action],
    )


def _order(action: Action, reference: str) -> ControlOrder:
    return ControlOrder(
        head=_head(action),
        subject=PERSON,
        action=action,
        reference=reference,
        description="某路1号",
        ruling_number="（2026）内01执123号之一",
        amount_cents=5_000_050 if action is Action.FREEZE else None,
        starts_on=date(2026, 11, 22),
        ends_on=date(2027, 11, 21),
        details={"BDCQZH": "蒙（2021）呼和浩特市不动产权第0012345号"},
    )


QUERY = QueryOrder(_head(Action.QUERY), PERSON)
FREEZE = _order(Action.FREEZE, "6217000060000000008")
SEIZE = _order(Action.SEIZE, UNIT)
FROZEN = {
    "bdhm": "D20261122ABC",
    "kzzt": "1",
    "kzcs": "01",
    "skje": "60.50",
    "ceskje": "49940.00",
    "djxe": "50000.50",
    "ye": "100.00",
    "kyye": "0.00",
    "csksrq": "20261122",
    "csjsrq": "20271121",
    "hzwsbh": "HZ1",
}

SEIZED = {
    "CXQQDH": "D20261122ABC",
    "JSZT": "1",
    "KZZT": "1",
    "CSKSRQ": "20261122",
    "CSJSRQ": "20291121",
    "CFYWH": "CF1",
}


async def test_a_query_carries_the_banks_fields(other: OtherSide, bank: HttpBank) -> None:
    other.answer = {"bdhm": "D20261122ABC", "zhxx": [ACCOUNT]}
    answer = await bank.query(QUERY)
    assert other.sent == [
        {
            "bdhm": "D20261122ABC",
            "lb": "1",
            "xz": "1",
            "xm": "张某甲（虚构）",
            "zjlx": "1",
            "dsrzjhm": "150105199001010018",
            "fymc": "某中级人民法院",
            "fydm": "内01",
            "cbr": "某法官",
            "ah": "（2026）内01执123号",
            "gzzbh": "GZ1",
            "gwzbh": "GW1",
            "ckh": "协助查询通知书",
        }
    ]
    found = answer.assets[0]
    assert (found.kind, found.value_cents, found.available_cents) == (AssetKind.BANK_ACCOUNT, 10_000, 6_050)
    assert answer.answered_at is not None
    assert answer.answered_at.isoformat() == "2026-11-22T04:00:00+00:00"


async def test_a_freeze_carries_amount_term_ruling_and_its_two_papers(other: OtherSide, bank: HttpBank) -> None:
    other.answer = FROZEN
    receipt = await bank.control(FREEZE)
    sent = other.sent[0]
    assert {name: sent[name] for name in ("xz", "kzcs", "kznr", "khzh", "je", "ksrq", "jsrq", "ckwh", "ckh")} == {
        "xz": "2",
        "kzcs": "01",
        "kznr": "1",
        "khzh": "6217000060000000008",
        "je": "50000.50",
        "ksrq": "20261122",
        "jsrq": "20271121",
        "ckwh": "（2026）内01执123号之一",
        "ckh": "执行裁定书、协助冻结通知书",
    }
    assert (receipt.is_registered, receipt.waiting_rank, receipt.controlled_cents) == (True, 0, 6_050)
    assert receipt.ends_on == date(2027, 11, 21)


async def test_a_seizure_carries_the_registrys_fields(other: OtherSide, registry: HttpRegistry) -> None:
    other.answer = SEIZED
    receipt = await registry.control(SEIZE)
    certificates, sent = other.sent
    assert [one["ZJBH"] for one in certificates["ZJXX"]] == ["GZ1", "GW1"]
    assert {name: sent[name] for name in ("XZ", "KZCS", "BDCDYH", "BDCQZH", "ZL", "CKWH", "FIFTEENZJH", "CKH")} == {
        "XZ": "2",
        "KZCS": "11",
        "BDCDYH": UNIT,
        "BDCQZH": "蒙（2021）呼和浩特市不动产权第0012345号",
        "ZL": "某路1号",
        "CKWH": "（2026）内01执123号之一",
        "FIFTEENZJH": "150105900101001",
        "CKH": "工作证、执行裁定书、协助执行通知书",
    }
    assert (receipt.is_registered, receipt.ends_on, receipt.receipt_number) == (True, date(2029, 11, 21), "CF1")


async def test_a_firm_is_asked_about_as_a_firm(other: OtherSide, bank: HttpBank, registry: HttpRegistry) -> None:
    other.answer = {
        "bdhm": "D20261122ABC",
        "zhxx": [{"khzh": "查无开户信息", "fksj": "20261122120000"}],
        "CXQQDH": "D20261122ABC",
        "FKSJ": "20261122120000",
        "BDCQL": [],
    }
    order = QueryOrder(_head(Action.QUERY), FIRM)
    assert (await bank.query(order)).assets == ()
    assert (await registry.query(order)).assets == ()
    assert [other.sent[0]["zjlx"], other.sent[1]["ZJZL"], other.sent[1]["FIFTEENZJH"]] == ["2", "2", ""]


def _accounts(*accounts: dict[str, Any], number: str = "D20261122ABC") -> dict[str, Any]:
    return {"bdhm": number, "zhxx": list(accounts)}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"<html></html>",
        {},
        _accounts(),  # a bank says "nothing found" in words, never by an empty list
        _accounts(ACCOUNT, number="D20261122XYZ"),
        _accounts({"khzh": "查无开户信息", "fksj": "20261122120000"}, ACCOUNT),
        _accounts(ACCOUNT | {"ye": 100}),
        _accounts(ACCOUNT | {"ye": "1,00.005"}),
        _accounts(ACCOUNT | {"ye": "-5.00"}),
        _accounts(ACCOUNT | {"fksj": "yesterday"}),
        _accounts({"fksj": "20261122120000"}),
    ],
)
async def test_garbage_from_a_bank_is_never_an_answer(other: OtherSide, bank: HttpBank, answer: Any) -> None:
    other.answer = answer
    with pytest.raises(GatewayAnsweredGarbage):
        await bank.query(QUERY)


@pytest.mark.parametrize(
    "change",
    [
        {"bdhm": "another"},
        {"kzzt": "3"},
        {"kzcs": "99"},
        {"skje": None},
        {"csjsrq": "20271332"},
        {"kzcs": "03"},  # waiting, behind nobody
        {"kzcs": "03", "zxdj": [{"djjg": "某院", "djje": "1.00"}]},  # waiting, and yet money is held
    ],
)
async def test_garbage_after_a_freeze_is_no_receipt(other: OtherSide, bank: HttpBank, change: dict[str, Any]) -> None:
    other.answer = FROZEN | change
    with pytest.raises(GatewayAnsweredGarbage):
        await bank.control(FREEZE)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        {"BDCQL": []},
        {"CXQQDH": "another", "FKSJ": "20261122120000", "BDCQL": []},
        {"CXQQDH": "D20261122ABC", "FKSJ": "20261122120000"},
        {"CXQQDH": "D20261122ABC", "FKSJ": "20261122120000", "BDCQL": [{"BDCDYH": "1501", "ZL": "x"}]},
    ],
)
async def test_garbage_from_a_registry_is_never_nothing_found(
    other: OtherSide, registry: HttpRegistry, answer: Any
) -> None:
    other.answer = answer
    with pytest.raises(GatewayAnsweredGarbage):
        await registry.query(QUERY)


Ask = Callable[[HttpBank], Awaitable[object]]


@pytest.mark.parametrize("ask", [lambda bank: bank.query(QUERY), lambda bank: bank.control(FREEZE)])
async def test_the_ways_of_not_answering_are_told_apart(other: OtherSide, bank: HttpBank, ask: Ask) -> None:
    kinds: list[type[GatewayTrouble]] = []
    for status, answer in ((503, b"{}"), (404, b"{}"), (422, b'{"cwxx": "no"}'), (422, b"{}")):
        other.status, other.answer = status, answer
        with pytest.raises(GatewayTrouble) as trouble:
            await ask(bank)
        kinds.append(trouble.type)
    assert kinds == [GatewayBroke, GatewayBroke, GatewayRefused, GatewayAnsweredGarbage]
    other.is_silent = True
    with pytest.raises(GatewayUnreachable):
        await ask(bank)


async def test_a_bank_that_does_not_listen_is_unreachable() -> None:
    gateway = HttpBank(Poster("bank", "http://127.0.0.1:9", answer_seconds=0.5))
    with pytest.raises(GatewayUnreachable):
        await gateway.query(QUERY)
    await gateway.close()


async def test_the_words_of_a_refusal_are_kept_and_account_numbers_stay_out_of_errors(
    other: OtherSide, bank: HttpBank
) -> None:
    other.status, other.answer = 422, {"cwxx": "通知书编号有误"}
    with pytest.raises(GatewayRefused) as refused:
        await bank.query(QUERY)
    assert refused.value.reason == "通知书编号有误"
    other.status, other.answer = 200, _accounts(ACCOUNT | {"ye": "many"})
    with pytest.raises(GatewayAnsweredGarbage) as garbage:
        await bank.query(QUERY)
    assert ACCOUNT["khzh"] not in repr(garbage.value)
    assert "ye" in garbage.value.reason

"""What goes out for each action, and which answers contradict themselves or what was asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from assets import bodies
from assets.banks import messages as bank_messages
from assets.banks.http import HttpBank
from assets.bodies import BodyFormat
from assets.documents import Action
from assets.errors import GatewayAnsweredGarbage, GatewayTrouble
from assets.gateway import ControlReceipt, FoundAsset, QueryAnswer, QueryOrder
from assets.posting import Poster
from assets.registry import messages as registry_messages
from assets.registry.http import HttpRegistry
from assets.terms import AssetKind
from tests.assets.simulators.orders import PERSON, UNIT, head, order, query

NOW = "20261122120000"


class Told(Poster):
    """Reads what it is told to have received."""

    def __init__(self, *replies: bytes, form: BodyFormat = BodyFormat.JSON) -> None:
        super().__init__("bank", "http://127.0.0.1:9", form=form)
        self._replies = list(replies)
        self.sent: list[dict[str, Any]] = []

    async def _send(self, path: str, content: bytes) -> tuple[int, bytes]:
        self.sent.append(bodies.read(content, self._form) | {"path": path})
        return httpx.codes.OK, self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def _told(*replies: dict[str, Any]) -> Told:
    return Told(*(json.dumps(reply).encode() for reply in replies))


def _bank(**change: Any) -> HttpBank:
    good = {
        "bdhm": "A1",
        "kzzt": "1",
        "kzcs": "01",
        "skje": "10.00",
        "ceskje": "0.00",
        "djxe": "10.00",
        "ye": "100.00",
        "kyye": "90.00",
        "csksrq": "20261122",
        "csjsrq": "20271121",
    }
    return HttpBank(_told(good | change))


@pytest.mark.parametrize(
    ("action", "code", "fields"),
    [
        (Action.FREEZE, "01", {"kznr": "1", "je": "10.00", "ksrq": "20261122", "jsrq": "20271121"}),
        (Action.RENEW, "02", {"ydjdh": "D0", "ydjah": "（2026）内01执123号", "ksrq": "20261122", "jsrq": "20271121"}),
        (Action.RELEASE, "04", {"ydjdh": "D0", "ksrq": "", "jsrq": ""}),
        (Action.PART_RELEASE, "04", {"ydjdh": "D0", "kznr": "1", "je": "10.00"}),
        (Action.TRANSFER, "06", {"ydjdh": "D0", "zxkzh": "15001000000000000001", "zxkhhh": "313191000011"}),
        (Action.WITHDRAW_INCOME, "07", {"zxkzh": "15001000000000000001", "zxkkhh": "虚构银行"}),
        (Action.FREEZE_AND_TRANSFER, "08", {"zxkzh": "15001000000000000001", "ksrq": "20261122"}),
    ],
)
def test_each_action_has_its_code_and_fields(action: Action, code: str, fields: dict[str, str]) -> None:
    body = bank_messages.control(order("A1", action, cents=1_000, original="" if action.is_first else "D0"))
    assert body["kzcs"] == code
    assert {name: body[name] for name in fields} == fields
    assert body["wsxx"][0]["wsmc"] == "执行裁定书"
    assert body["kzlx"] == "1"


def test_a_waiting_freeze_is_released_and_a_fund_is_frozen_by_codes_of_their_own() -> None:
    waiting = bank_messages.control(order("A1", Action.RELEASE, original="D0", is_waiting=True))
    assert (waiting["kzcs"], waiting["kznr"], waiting["je"]) == ("05", "2", "")
    fund = bank_messages.control(
        order("A1", cents=1_000, kind=AssetKind.OTHER_RIGHT, reference="LC1", details={"se": "1000"}), "B001"
    )
    assert (fund["kzlx"], fund["khzh"], fund["se"], fund["yhdh"]) == ("2", "LC1", "1000", "B001")


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Action.SEIZE, "11"),
        (Action.RENEW, "12"),
        (Action.RELEASE, "14"),
        (Action.TRANSFER, "15"),
        (Action.PRE_REGISTER, "16"),
    ],
)
def test_each_action_on_land_has_its_code(action: Action, code: str) -> None:
    asked = order("A1", action, original="" if action.is_first else "D0", reference=UNIT, kind=AssetKind.REAL_ESTATE)
    body = registry_messages.control(asked)
    assert (body["KZCS"], body["CKH"].startswith("工作证")) == (code, True)
    assert body.get("YDJDH", "") == ("" if action.is_first else "D0")


async def test_statements_are_asked_for_a_period() -> None:
    poster = _told({"bdhm": "C1", "zhxx": [{"khzh": "查无开户信息", "fksj": NOW}]})
    asked = QueryOrder(head("C1", Action.QUERY), PERSON, (), date(2026, 1, 1), date(2026, 6, 30))
    await HttpBank(poster).query(asked)
    assert (poster.sent[0]["ckkssj"], poster.sent[0]["ckjssj"]) == ("20260101", "20260630")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kyye": "100.01"}, "kyye"),
        ({"skje": "100.01", "ye": "100.00"}, "skje"),
        ({"skje": "10.01"}, "skje"),  # more than was asked
        ({"ceskje": "10.01"}, "ceskje"),
        ({"kzzt": "2"}, "skje"),  # not controlled, and yet an amount is
        ({"kzzt": "0"}, "kzzt"),
        ({"kzcs": "09"}, "kzcs"),
        ({"kzcs": "02"}, "kzcs"),  # a freeze is no renewal
        ({"csksrq": "20270101", "csjsrq": "20261231"}, "csjsrq"),
        ({"csjsrq": "20271122"}, "csjsrq"),  # longer than a year
        ({"csjsrq": "20260230"}, "csjsrq"),
        ({"csjsrq": "0001010"}, "csjsrq"),
        ({"csjsrq": "99991231"}, "csjsrq"),
        ({"skje": "-1.00"}, "skje"),
        ({"skje": 10}, "skje"),
        ({"skje": "1e1"}, "skje"),
        ({"hznr": "no base64!"}, "hznr"),
        ({"wnkzyy": "长" * 501}, "wnkzyy"),
        ({"hzwsbh": "9" * 65}, "hzwsbh"),
        ({"zxdj": [{"djjg": "某院", "djje": "1.00", "lhsx": "x"}]}, "lhsx"),
    ],
)
async def test_a_receipt_that_contradicts_is_garbage_and_only_fields_are_named(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(GatewayAnsweredGarbage) as garbage:
        await _bank(**change).control(order("A1", cents=1_000))
    assert field in garbage.value.reason
    assert not any(str(value) in garbage.value.reason for value in change.values() if len(str(value)) > 3)


async def test_jieshi_485_a_term_longer_than_the_law_allows_is_no_answer_from_the_registry() -> None:
    reply = {"CXQQDH": "A1", "JSZT": "1", "KZZT": "1", "CSKSRQ": "20261122", "CSJSRQ": "20291122"}
    asked = order("A1", Action.SEIZE, reference=UNIT, kind=AssetKind.REAL_ESTATE)
    with pytest.raises(GatewayAnsweredGarbage, match="CSJSRQ"):
        await HttpRegistry(_told(reply)).control(asked)
    waiting = reply | {"CSJSRQ": "20291121", "CFXX": [{"CFJG": "某院"}]}
    with pytest.raises(GatewayAnsweredGarbage, match="CFXX"):
        await HttpRegistry(_told(waiting)).control(asked)


async def test_a_transfer_or_part_release_has_to_say_what_stays_frozen() -> None:
    for action, code in ((Action.TRANSFER, "06"), (Action.FREEZE_AND_TRANSFER, "08"), (Action.PART_RELEASE, "04")):
        with pytest.raises(GatewayAnsweredGarbage, match="sydjje"):
            await _bank(kzcs=code, csksrq="", csjsrq="").control(order("A1", action, cents=1_000, original="D0"))
        receipt = await _bank(kzcs=code, sydjje="5.00").control(order("A1", action, cents=1_000, original="D0"))
        assert receipt.controlled_cents == 500
        assert receipt.transferred_cents == (0 if action is Action.PART_RELEASE else 1_000)


ACCOUNT = {"khzh": "6217000060000000008", "ye": "100.00", "kyye": "50.00", "fksj": NOW}


@pytest.mark.parametrize(
    ("accounts", "field"),
    [
        ([ACCOUNT, ACCOUNT], "zhxx"),
        ([ACCOUNT | {"kyye": "100.01"}], "kyye"),
        ([ACCOUNT | {"zhxz": "9"}], "zhxz"),
        ([ACCOUNT | {"khrq": "20200101", "xhrq": "20190101"}], "xhrq"),
        ([ACCOUNT | {"jymx": [{"jysj": NOW, "jdbz": "3", "jyje": "1.00"}]}], "jdbz"),
        ([ACCOUNT | {"jrzcxx": [{"zcbh": "LC1", "zczje": "1.00", "kyje": "2.00"}]}], "kyje"),
        ([ACCOUNT | {"fksj": "2026112212"}], "fksj"),
        ([ACCOUNT | {"fksj": "00010101000000"}], "fksj"),
        ([ACCOUNT | {"fksj": "99991231235959"}], "fksj"),
    ],
)
async def test_accounts_that_contradict_are_garbage(accounts: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(GatewayAnsweredGarbage) as garbage:
        await HttpBank(_told({"bdhm": "C1", "zhxx": accounts})).query(query())
    assert field in garbage.value.reason
    assert ACCOUNT["khzh"] not in garbage.value.reason


async def test_everything_about_an_account_is_read() -> None:
    account = ACCOUNT | {
        "zhxz": "1",
        "zxdj": [{"djjg": "某院", "djje": "20.00", "jsrq": "20270101", "ah": "案", "djdh": "D9", "lhsx": "0"}],
        "yxq": [{"qlr": "某行", "yxje": "30.00"}],
        "zzhxx": [{"zzhh": "01", "zzhlb": "定期", "ye": "5.00", "kyye": "5.00"}],
        "gyrxx": [{"gyr": "某人", "gybl": "50%"}],
        "jymx": [{"jysj": NOW, "jdbz": "1", "jyje": "8.00", "zy": "工资"}],
        "jrzcxx": [{"zcbh": "LC1", "zcmc": "理财", "zclx": "基金", "se": "700", "zczje": "9.00", "kyje": "9.00"}],
    }
    found = (await HttpBank(_told({"bdhm": "C1", "zhxx": [account]})).query(query())).assets
    assert [(one.kind, one.reference, one.value_cents) for one in found] == [
        (AssetKind.BANK_ACCOUNT, ACCOUNT["khzh"], 10_000),
        (AssetKind.OTHER_RIGHT, "LC1", 900),
    ]
    first = found[0]
    assert first.special == "migrant_wage"
    assert [(one.kind, one.order_number, one.case_number, one.until) for one in first.encumbrances] == [
        ("freeze", "D9", "案", date(2027, 1, 1)),
        ("priority", "", "", None),
    ]
    assert first.lists == {"zzhxx": ("01 定期 CNY 5.00",), "gyrxx": ("某人 50%",)}
    assert [(one.cents, one.purpose) for one in first.statements] == [(800, "工资")]
    assert found[1].details["se"] == "700"


async def test_everything_about_a_unit_is_read() -> None:
    right = {
        "BDCDYH": UNIT,
        "ZL": "某路1号",
        "DJZT": "2",
        "SDZT": "司法锁定",
        "CFXX": [{"CFJG": "某院", "CFWH": "文", "JSRQ": "20280101", "CFDH": "F9", "LHSX": "0"}],
        "DYXX": [{"DYQR": "某行", "BDBZZQSE": "100.00"}],
        "YYXX": [{"YYR": "某人"}],
        "GYRXX": [{"GYR": "某人", "GYFE": "1/2"}],
    }
    reply = {"CXQQDH": "C1", "FKSJ": NOW, "BDCQL": [right]}
    unit = (await HttpRegistry(_told(reply)).query(query())).assets[0]
    assert [(one.kind, one.order_number, one.case_number) for one in unit.encumbrances] == [
        ("seizure", "F9", "文"),
        ("mortgage", "", ""),
        ("objection", "", ""),
        ("lock", "", ""),
    ]
    assert (unit.details["DJZT"], unit.lists) == ("2", {"GYRXX": ("某人 1/2",)})
    twice = reply | {"BDCQL": [right, right]}
    with pytest.raises(GatewayAnsweredGarbage, match="BDCQL"):
        await HttpRegistry(_told(twice)).query(query())


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY c "&a;&a;&a;">]><body><bdhm>&c;</bdhm></body>',
        '<!DOCTYPE b SYSTEM "file:///etc/passwd"><body><bdhm>C1</bdhm></body>',
        "<!DOCTYPE body><body><bdhm>C1</bdhm></body>",
        "<body><bdhm>&unknown;</bdhm></body>",
        "<body><bdhm>C1</bdhm>",
        "<body>" + "<a>" * 40 + "</a>" * 40 + "</body>",
        "<body>" + "<a/>" * 20 + "</body>",
        "<body>text<bdhm>C1</bdhm></body>",
        "<body/><body/>",
        '<?xml version="1.0" encoding="made-up"?><body/>',
        "",
        "{}",
    ],
)
async def test_xml_that_could_do_harm_or_is_none_is_garbage(text: str) -> None:
    with pytest.raises(GatewayAnsweredGarbage):
        await HttpBank(Told(text.encode(), form=BodyFormat.XML)).query(query())


def test_what_is_written_is_read_again_in_both_formats() -> None:
    body = {"a": '1 < 2 & "3" 中\n文', "empty": "", "none": [], "list": [{"x": "1"}, {"x": "2"}], "in": {"y": "z"}}
    for form in BodyFormat:
        assert bodies.read(bodies.write(body, form), form) == body
    assert bodies.read(bodies.write({"a": "x\x00\x08y"}, BodyFormat.XML), BodyFormat.XML) == {"a": "xy"}


def _accounts_reply() -> dict[str, Any]:
    freeze = {"djjg": "某院", "djje": "20.00", "jsrq": "20270101", "ah": "案", "djdh": "D9", "lhsx": "0"}
    account = ACCOUNT | {"zxdj": [freeze], "yxq": [{"qlr": "某行", "yxje": "30.00"}], "zhxz": "0"}
    return {"bdhm": "C1", "zhxx": [account]}


def _control_reply() -> dict[str, Any]:
    return {
        "bdhm": "A1", "kzzt": "1", "kzcs": "01", "skje": "10.00", "ceskje": "0.00", "djxe": "10.00", "ye": "100.00",
        "kyye": "90.00", "csksrq": "20261122", "csjsrq": "20271121", "zxdj": [], "yxq": [], "hznr": "",
    }  # fmt: skip


ROUNDS = 1_500
JUNK: tuple[Any, ...] = (
    None, "", "0", "-1", "1.001", "99999999999999.99", "20269999", "00000000", "00010101000000",
    "x" * 5000, "\ud800", "\x00", 1, 1e308,
    -0.5, True, [], {}, [[]], ["a"], {"a": {}}, "＊", "查无开户信息", "１２", " 1.00 ", "1,0.00",
)  # fmt: skip


def _spoiled(value: Any, chance: random.Random) -> Any:
    """The same reply with one or two things in it changed, taken out or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        changed = dict(value)
        if chance.random() < 0.2:
            del changed[name]
        else:
            changed[name] = _spoiled(value[name], chance)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.8:
        return (
            [_spoiled(value[0], chance), *value] if chance.random() < 0.2 else [_spoiled(value[0], chance), *value[1:]]
        )
    return chance.choice(JUNK)


def _sane_receipt(receipt: ControlReceipt) -> bool:
    return (
        0 <= receipt.controlled_cents <= 1_000
        and receipt.controlled_cents <= (receipt.balance_cents or 0)
        and not (receipt.waiting_rank and receipt.controlled_cents)
        and (receipt.is_registered or receipt.controlled_cents == 0)
    )


def _sane_asset(asset: FoundAsset) -> bool:
    return 0 <= (asset.available_cents or 0) <= (asset.value_cents or 0) and bool(asset.reference)


@pytest.mark.parametrize("form", BodyFormat)
@pytest.mark.parametrize(
    ("make", "is_control"), [(_accounts_reply, False), (_control_reply, True)], ids=["query", "control"]
)
async def test_no_spoiled_answer_is_believed_or_breaks_anything(
    make: Callable[[], dict[str, Any]], is_control: bool, form: BodyFormat
) -> None:
    chance = random.Random(20261129)
    counts = {"believed": 0, "garbage": 0}
    for _ in range(ROUNDS):
        spoiled = _spoiled(make(), chance)
        content = _bytes_of(spoiled, form)
        if chance.random() < 0.2:
            content = _torn(content, chance)
        bank = HttpBank(Told(content, form=form))
        try:
            answer = await (bank.control(order("A1", cents=1_000)) if is_control else bank.query(query()))
        except GatewayTrouble as trouble:
            counts["garbage"] += len(trouble.reason) < 300
            continue
        counts["believed"] += 1
        if isinstance(answer, ControlReceipt):
            assert _sane_receipt(answer)
        else:
            assert isinstance(answer, QueryAnswer)
            assert all(map(_sane_asset, answer.assets))
            assert answer.assets or "查无开户信息" in content.decode() or "\\u67e5" in content.decode()
    assert sum(counts.values()) == ROUNDS
    assert min(counts.values()) > 50


def _bytes_of(value: Any, form: BodyFormat) -> bytes:
    if form is BodyFormat.JSON:
        return json.dumps(value).encode()
    body = value if isinstance(value, dict) else {"x": value}
    return bodies.write(body, form)


def _torn(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    if chance.random() < 0.5:
        return content[:place]
    return content[:place] + bytes(chance.randrange(256) for _ in range(3)) + content[place:]

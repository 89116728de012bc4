"""No route of the asset domain tells a masked name, number or address; only unmasking does, for a logged reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from openpyxl import load_workbook

from assets.search import Order
from assets.tables import (
    Asset,
    AssetRequest,
    Case,
    ControlMeasure,
    MeasureEvent,
    Objection,
    Person,
    Proposal,
    TermAlarm,
)
from assets.terms import AssetKind
from command_center.clock import now, today
from command_center.database import new_id
from tests.support.access_table import WAYS, Way
from tests.support.access_world import AccessWorld, new_access_world
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME, ID_NUMBER = "欧阳震华", "150105198807070013"
ACCOUNT, ADDRESS, PHONE = "6217999988887777666", "呼和浩特市回民区虚构大街77号9-9-909", "13812345678"
HOLDER = "司马相"
SECRETS = (NAME, ID_NUMBER, ACCOUNT, "77号", PHONE, HOLDER)
WORDS = f"户主{NAME}（{ID_NUMBER}，{PHONE}）称{ACCOUNT}不属本人"
FORMULA = '=HYPERLINK("http://example.test")'
READING = [way for way in WAYS if way.method == "GET" and way.path.startswith("/api/assets")]


@dataclass
class Planted:
    """A case with something secret in everything that a route could tell."""

    world: AccessWorld
    ids: dict[str, UUID] = field(default_factory=dict)

    def address(self, way: Way) -> str:
        return self.world.fill(way.address)

    async def client(self, username: str) -> httpx.AsyncClient:
        return await self.world.client(username)

    async def entries(self, action: str) -> list[dict[str, Any]]:
        """What the audit has of an action, newest first."""
        audit = await self.client("audit")
        found: list[dict[str, Any]] = (await audit.get(f"/api/audit?action={action}&limit=50")).json()["items"]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def planted(web: RunningWeb) -> AsyncIterator[Planted]:
    planted = Planted(await new_access_world(web))
    await _plant(planted)
    yield planted


async def _plant(planted: Planted) -> None:
    things = planted.world.things
    async with planted.world.running.web.database.write() as session:
        case = await session.get_one(Case, UUID(things["city_case"]))
        person = await session.get_one(Person, UUID(things["city_person"]))
        person.name, person.id_number = NAME, ID_NUMBER
        account = await session.get_one(Asset, UUID(things["city_asset"]))
        account.reference, account.description = ACCOUNT, f"户名{NAME} {FORMULA}"
        account.encumbrances = [{"kind": "priority", "holder": HOLDER, "amount_cents": 5, "until": None}]
        flat = Asset(
            case_id=case.id, person_id=person.id, kind=AssetKind.REAL_ESTATE.value, gateway="registry",
            reference="150105001002GB00014F00310202", description=ADDRESS, answered_at=now(), details={"ZL": ADDRESS},
        )  # fmt: skip
        session.add(flat)
        await session.flush()
        request = AssetRequest(
            id=new_id(), number="D0001", case_id=case.id, person_id=person.id, asset_id=account.id, action="freeze",
            gateway="bank", state="answered", idempotency_key=new_id(), actor_id=case.judge_id, created_at=now(),
            sent_at=now(), answered_at=now(), reason=WORDS, decision_reason=WORDS, decided_at=now(),
            override_reason=WORDS, ruling_number="（2026）内01执123号之一", amount_cents=100,
            particulars={"reference": ACCOUNT, "description": NAME},
        )  # fmt: skip
        session.add(request)
        await session.flush()
        measure = ControlMeasure(
            id=new_id(), case_id=case.id, court_id=case.court_id, asset_id=account.id, request_id=request.id,
            line=f"bank/bank_account/{ACCOUNT}", action="freeze", state="in_force", asked_cents=100,
            controlled_cents=60, starts_on=today(), ends_on=today() + timedelta(days=20), reason=WORDS,
            changed_at=now(), keeper=NAME,
        )  # fmt: skip
        session.add(measure)
        await session.flush()
        session.add_all(
            [
                MeasureEvent(
                    measure_id=measure.id, request_id=request.id, at=now(), what="in_force", details={"reason": WORDS}
                ),
                Objection(request_id=request.id, raised_at=now(), due_on=today(), words=WORDS, answer=WORDS),
                Proposal(
                    case_id=case.id, asset_id=account.id, kind=account.kind, reference=ACCOUNT, description=WORDS,
                    action="freeze", words=WORDS, idempotency_key=new_id(), officer_id=new_id(), proposed_at=now(),
                    decided_at=now(), state="taken_up", decision_reason=WORDS,
                ),
                TermAlarm(
                    measure_id=measure.id, case_id=case.id, court_id=case.court_id, ends_on=today(), days_before=30,
                    due_on=today(), raised_at=now(),
                ),
            ]
        )  # fmt: skip
        planted.ids = {"account": account.id, "flat": flat.id}


@pytest.mark.parametrize("way", READING, ids=str)
async def test_no_route_tells_what_is_masked(planted: Planted, way: Way) -> None:
    client = await planted.client(way.right)
    answer = await client.get(planted.address(way))
    assert answer.status_code == way.status, answer.text
    text = answer.text + answer.content.decode("utf-8", "ignore")
    if answer.headers["content-type"].startswith("application/vnd."):
        book = load_workbook(BytesIO(answer.content))
        text = "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    assert not [secret for secret in SECRETS if secret in text]


async def test_the_time_line_of_an_asset_has_all_that_happened_with_times_and_persons(planted: Planted) -> None:
    judge = await planted.client("judge")
    told = (await judge.get(f"/api/assets/items/{planted.ids['account']}/history")).json()
    kinds = {(entry["kind"], entry["what"]) for entry in told["entries"]}
    assert {
        ("measure", "in_force"), ("request", "ordered"), ("request", "disapproved"), ("request", "answered"),
        ("objection", "raised"), ("proposal", "proposed"), ("proposal", "taken_up"), ("alarm", "raised"),
    } <= kinds  # fmt: skip
    assert told["left_off"] == 0
    times = [entry["at"] for entry in told["entries"]]
    assert times == sorted(times, reverse=True)
    ordered = next(entry for entry in told["entries"] if entry["what"] == "ordered" and entry["action"] == "freeze")
    assert ordered["by"] == "苏和"
    assert "欧*" in ordered["words"]
    assert "138****5678" in ordered["words"]


async def test_the_cases_own_judge_sees_all_for_a_reason_that_is_logged(planted: Planted) -> None:
    judge = await planted.client("judge")
    case = planted.world.things["city_case"]
    answer = await judge.post(f"/api/assets/cases/{case}/unmask", json={"reason": f"核对{NAME}身份"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    bare = answer.json()
    assert {"name": NAME, "id_number": ID_NUMBER} in [
        {name: one[name] for name in ("name", "id_number")} for one in bare["persons"]
    ]
    assert {(one["reference"], one["description"]) for one in bare["assets"]} >= {
        ("150105001002GB00014F00310202", ADDRESS)
    }
    assert HOLDER in answer.text
    entry = (await planted.entries("asset.unmasked"))[0]
    assert entry["details"]["fields"] == "name,id_number,reference,description,holder,details"
    assert entry["details"]["reason"] == "核对欧*身份"
    again = (await judge.get(f"/api/assets/cases/{case}/summary")).text
    assert NAME not in again  # for that answer only


async def test_one_asset_unmasked_shows_no_other(planted: Planted) -> None:
    judge = await planted.client("judge")
    body = {"reason": "核对房屋坐落", "asset_id": str(planted.ids["flat"])}
    answer = await judge.post(f"/api/assets/cases/{planted.world.things['city_case']}/unmask", json=body)
    assert [one["description"] for one in answer.json()["assets"]] == [ADDRESS]
    assert ACCOUNT not in answer.text


@pytest.mark.parametrize("username", ["commander", "saihan-judge", "supervisor", "approver", "officer1"])
async def test_nobody_else_unmasks(planted: Planted, username: str) -> None:
    client = await planted.client(username)
    address = f"/api/assets/cases/{planted.world.things['city_case']}/unmask"
    before = len(await planted.entries("asset.unmask-refused"))
    answer = await client.post(address, json={"reason": "好奇"})
    assert answer.status_code == (404 if username.startswith("saihan") else 403)
    assert not [secret for secret in SECRETS if secret in answer.text]
    is_asked_of_the_service = username == "commander"
    assert len(await planted.entries("asset.unmask-refused")) - before == is_asked_of_the_service


@pytest.mark.parametrize("reason", ["", "   ", "…"])
async def test_without_a_reason_nothing_is_unmasked(planted: Planted, reason: str) -> None:
    judge = await planted.client("judge")
    address = f"/api/assets/cases/{planted.world.things['city_case']}/unmask"
    assert (await judge.post(address, json={"reason": reason})).status_code == 422


async def test_the_workbook_has_typed_cells_and_no_formula(planted: Planted) -> None:
    judge = await planted.client("judge")
    address = f"/api/assets/cases/{planted.world.things['city_case']}/workbook"
    async with planted.world.running.web.database.write() as session:
        account = await session.get_one(Asset, planted.ids["account"])
        account.description = FORMULA
        flat = await session.get_one(Asset, planted.ids["flat"])
        order = AssetRequest(
            id=new_id(), number="F0001", case_id=flat.case_id, person_id=flat.person_id, asset_id=flat.id,
            action="seize", gateway="registry", state="objected", idempotency_key=new_id(), actor_id=new_id(),
            created_at=now(), answered_at=now(),
        )  # fmt: skip
        session.add(order)
        await session.flush()
        session.add(
            ControlMeasure(
                case_id=flat.case_id,
                court_id=new_id(),
                asset_id=flat.id,
                request_id=order.id,
                line="registry/x/y",
                action="seize",
                state="intended",
                asked_cents=100,
                changed_at=now(),
            )
        )
    answer = await judge.get(address)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    book = load_workbook(BytesIO(answer.content))
    assets, case = book["资产"], book["案件"]
    cells = {str(cell.value): cell for row in assets.iter_rows() for cell in row}
    assert cells[FORMULA].data_type == "s"
    assert cells[FORMULA].quotePrefix
    assert not [cell for cell in cells.values() if cell.data_type == "f"]
    heads = [cell.value for cell in assets[1]]
    row = next(row for row in assets.iter_rows(min_row=2) if row[4].value == "****7666")
    by_name = dict(zip(heads, row, strict=True))
    assert (by_name["实际控制（元）"].value, by_name["实际控制（元）"].number_format) == (0.6, "#,##0.00")
    assert by_name["止"].value.date() == today() + timedelta(days=20)
    state = by_name["控制状态"]
    assert (state.value, state.number_format, state.fill.fgColor.rgb) == ("部分控制", '"▲ "@', "00fce83a")
    # An objection is told with its day, and no nought claims that nothing is held.
    objected = next(row for row in assets.iter_rows(min_row=2) if row[heads.index("控制状态")].value == "被异议")
    by_name = dict(zip(heads, objected, strict=True))
    assert by_name["实际控制（元）"].value is None
    assert by_name["异议答复期限"].value.date() == today() + timedelta(days=15)
    facts = {row[0].value: row[1].value for row in case.iter_rows()}
    assert facts["被异议（项，不计入）"] == 1
    assert "演示数据" in str(case.cell(row=case.max_row, column=2).value)
    assert (await planted.entries("asset.listed"))[0]["details"]["rows"] == 3


async def test_a_cursor_that_is_none_of_ours_is_refused(planted: Planted) -> None:
    judge = await planted.client("judge")
    values = ("nonsense", "", "9" * 30, "2026-13-45", "0001-01-01T00:00:00+23:59", "\x00")
    for order in Order:
        for cursor in (*[f"{value}~{new_id()}" for value in values], "nonsense", "~"):
            answer = await judge.get("/api/assets/search", params={"order": order, "cursor": cursor})
            assert answer.status_code == 422, (order, cursor)
    for address in ("/api/assets/search", "/api/assets/search/cases"):
        assert (await judge.get(address, params={"text": "\x00"})).status_code == 422


async def test_each_court_of_the_demonstration_has_its_own_judge_for_its_case(planted: Planted) -> None:
    users, things = planted.world.running.world.users, planted.world.things
    async with planted.world.running.web.database.read() as session:
        for name, judge in (("city_case", "judge"), ("district_case", "saihan-judge")):
            assert (await session.get_one(Case, UUID(things[name]))).judge_id == users[judge]

"""The panel's parts without a browser: two hundred banks summed up, what is missing first, never as nothing found."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from plotly.utils import PlotlyJSONEncoder

from assets.term_table import TermCounts, TermPage
from assets.views import (
    AnswerCount,
    AssetView,
    CaseHead,
    CaseView,
    LastAnswer,
    PersonView,
    Progress,
    RequestView,
    Standing,
    Standings,
)
from command_center.screens.components import assets_parts as parts
from command_center.screens.components.assets_strip import strip
from command_center.translations import translate

AT = datetime(2026, 11, 22, 4, tzinfo=UTC)
PERSON = PersonView(UUID(int=1), "张*", "150***********0018", is_firm=False, is_under_enforcement=True)
BANKS = tuple(f"bank-{number}" for number in range(200))


def request(number: int, state: str) -> RequestView:
    """One query of the person."""
    told: dict[str, Any] = {
        "id": UUID(int=100 + number),
        "number": f"C{number}",
        "person_id": PERSON.id,
        "gateway": BANKS[number],
        "state": state,
        "found": 0,
        "attempts": 1,
        "reason": "",
        "sent_at": AT,
    }
    return RequestView(**(dict.fromkeys(field.name for field in fields(RequestView)) | told))


@pytest.fixture
def view() -> CaseView:
    """A case of one person who was asked about at two hundred banks."""
    counts = {"answered": 40, "nothing_found": 146, "failed": 8, "no_answer": 4, "sent": 1, "accepted": 1}
    return CaseView(
        head=CaseHead(
            UUID(int=9), UUID(int=8), "（2026）内01执123号", 1_000_000, is_demonstration=False, acting_court=""
        ),
        controlled_cents=250_000,
        persons=[PERSON],
        assets=[],
        assets_total=300,
        standings=[
            Standings("bank_account", Standing.CONTROLLED, 2, 250_000),
            Standings("bank_account", Standing.WAITING, 7, 0),
            Standings("bank_account", Standing.UNKNOWN, 3, 0),
            Standings("real_estate", Standing.NONE, 288, 0),
        ],
        answers=[request(number, "failed") for number in range(8)]
        + [request(8 + number, "no_answer") for number in range(4)],
        answer_counts=[AnswerCount(PERSON.id, state, count) for state, count in counts.items()],
        transferred_cents=0,
        last_answer=LastAnswer(AT, "bank", "freeze"),
        progress=Progress(194, 200),
        described_at=AT,
    )


def drawn(part: object) -> str:
    """A part as it goes to the page."""
    return json.dumps(part, cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_two_hundred_banks_are_summed_up_and_the_failed_are_named_first(view: CaseView) -> None:
    table = drawn(parts.answers(view, BANKS, AT, may_query=True))
    for state, count in (("answered", 40), ("nothing_found", 146), ("failed", 8), ("no_answer", 4), ("under_way", 2)):
        word = translate(f"asset.answers.state.{state}", "zh")
        assert translate("asset.answers.sum", "zh", word=word, count=count) in table
    named = [bank for bank in BANKS if f'"gateway": "{bank}"' in table]
    assert named == [*BANKS[: parts.MOST_MISSING]]
    assert translate("asset.answers.more", "zh", count=14 - parts.MOST_MISSING) in table
    missing = table[table.index("assets-missing") - 4000 :]
    assert translate("asset.request.failed", "zh") in missing


def test_what_waits_is_no_money_and_the_bar_is_as_long_as_the_claim(view: CaseView) -> None:
    held, taken, rest = parts.money_chart(replace(view, transferred_cents=500_000))["data"]
    assert (held["x"], taken["x"], rest["x"]) == ([2500.0], [5000.0], [2500.0])
    head = drawn(parts.headline(view, AT))
    assert "2,500.00" in head
    assert "25.0%" in head
    assert translate("asset.headline.last", "zh", time="12:00:00", who="银行", what="冻结") in head
    # Nobody has entered a claim: there is no share of it, and no nought.
    unclaimed = replace(view, head=replace(view.head, claim_cents=0))
    told = drawn(parts.headline(unclaimed, AT))
    assert translate("asset.claim.none", "zh") in told
    assert "%" not in told


def test_an_objected_order_is_told_as_that_with_its_clock_and_is_none_of_the_intended(view: CaseView) -> None:
    told: dict[str, Any] = dict.fromkeys(field.name for field in fields(AssetView)) | {
        "kind": "bank_account", "standing": Standing.OBJECTED, "answer_by": date(2026, 12, 4), "encumbrances": [],
        "person_id": PERSON.id, "asked_cents": 100, "controlled_cents": 0, "reference": "****0008", "gateway": "bank",
        "description": "", "reason": "", "receipt_number": "",
    }  # fmt: skip
    counts = [Standings("bank_account", Standing.OBJECTED, 1, 0)]
    shown = replace(view, assets=[AssetView(**told)], standings=counts)
    (row,) = parts.rows(shown, AT)
    assert (row["state"], row["mark"]) == (translate("asset.state.objected.clock", "zh", days=12), "serious")
    assert row["controlled"] is None
    counted = {bar["name"]: bar["x"] for bar in parts.chart(shown)["data"] if bar["x"] != [0]}
    assert counted == {translate("asset.chart.objected", "zh"): [1]}


def test_the_strip_tells_of_what_is_unknown_under_way_and_left_out(view: CaseView) -> None:
    counts = TermCounts(date(2026, 11, 22), 2, {7: 0, 30: 0, 60: 0}, alarms=5, lapsed=1)
    told = drawn(strip(view, TermPage(date(2026, 11, 22), [], None, ()), counts))
    for key, parameters in (
        ("asset.strip.unknown", {"count": 3}),
        ("asset.strip.progress", {"done": 194, "total": 200}),
        ("asset.strip.alarms", {"count": 5}),
        ("asset.strip.cut", {"shown": 0, "total": 300}),
    ):
        assert translate(key, "zh", **parameters) in told
    assert "mark-critical" in told


def test_many_assets_are_no_grey_plane_of_lines(view: CaseView) -> None:
    assert "dtick" not in parts.chart(view)["layout"]["xaxis"]

"""The rules of sanctions that need no records: states, terms, checks, the text of a publication."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from assets.errors import BadFormat, IllegalTransition
from assets.guard import Cover
from assets.sanctions.checks import CheckCode, Outcome, Question, check_of_json, failing, run_checks, without_data
from assets.sanctions.grounds import OFFICIAL_GROUNDS, Ground, SanctionKind, Security, check_extension, listing_ends_on
from assets.sanctions.publication import publication_text, published_fields
from assets.sanctions.states import LIVE, NEXT, STANDING, SanctionState
from assets.sanctions.tables import Sanction
from assets.tables import Case, Person

TODAY = date(2026, 11, 29)
MAIN_ROAD = ["proposed", "under_review", "decided", "served", "published"]


def covered(cents: int, claim: int = 100_00, unvalued: int = 0) -> Cover:
    """A cover of which half is money and half things."""
    return Cover(claim, cents // 2, cents - cents // 2, collected_cents=0, intended_cents=50_00, unvalued=unvalued)


SHORT_COVER = covered(40_00)


def question(number: str = "150105199001010018", *, is_firm: bool = False, **changes: Any) -> Question:
    person = Person(id=uuid4(), name="张某甲", is_firm=is_firm, id_number=number, role="under_enforcement")
    usual: dict[str, Any] = {
        "kind": SanctionKind.LISTING,
        "person": person,
        "ground": Ground.EVADES,
        "security": Security.NONE,
        "cover": SHORT_COVER,
        "today": TODAY,
        "received_cents": 0,
        "limit_served_on": None,
    }
    return Question(**(usual | changes))


def outcome(code: CheckCode, asked: Question) -> Outcome:
    return next(check.outcome for check in run_checks(asked) if check.code is code)


def test_the_main_road_is_proposal_review_decision_service_publication_and_its_end() -> None:
    for here, there in pairwise(MAIN_ROAD):
        assert SanctionState(there) in NEXT[SanctionState(here)]
        after = [SanctionState(one) for one in MAIN_ROAD[MAIN_ROAD.index(here) + 2 :]]
        assert not NEXT[SanctionState(here)] & set(after), "no step may be left out"
    for public in (SanctionState.PUBLISHED, SanctionState.SHIELDED, SanctionState.CORRECTED):
        assert {SanctionState.DELETED, SanctionState.EXPIRED} <= NEXT[public]


def test_what_has_ended_never_begins_again() -> None:
    ended = set(SanctionState) - LIVE
    assert ended == {SanctionState(one) for one in ("deleted", "expired", "refused", "withdrawn")}
    assert not any(NEXT[state] for state in ended)
    assert set(NEXT) == set(SanctionState)
    assert STANDING < LIVE


def test_a_step_that_is_no_step_is_refused() -> None:
    sanction = Sanction(id=uuid4(), state="proposed")
    with pytest.raises(IllegalTransition):
        sanction.move_to(SanctionState.PUBLISHED)
    assert sanction.state == "proposed"


@pytest.mark.parametrize("ground", [ground for ground in Ground if ground is not Ground.REFUSES])
def test_fashi_2017_7_grounds_two_to_six_last_two_years_and_one_to_three_more_if_serious(ground: Ground) -> None:
    for extra, end in ((0, "2028-11-28"), (1, "2029-11-28"), (3, "2031-11-28")):
        assert listing_ends_on(ground, extra, TODAY) == date.fromisoformat(end)
    check_extension(ground, 0, "")
    check_extension(ground, 3, "情节严重")
    for extra, reason, why in ((4, "情节严重", "too-long"), (-1, "情节严重", "too-long"), (1, "  ", "reason")):
        with pytest.raises(BadFormat) as refused:
            check_extension(ground, extra, reason)
        assert refused.value.why == why


def test_fashi_2017_7_the_first_ground_has_no_fixed_term() -> None:
    assert listing_ends_on(Ground.REFUSES, 0, TODAY) is None
    with pytest.raises(BadFormat, match="fixed-term-only"):
        check_extension(Ground.REFUSES, 1, "情节严重")


def test_practice_a_term_from_29_february_ends_as_every_term_does() -> None:
    assert listing_ends_on(Ground.EVADES, 0, date(2028, 2, 29)) == date(2030, 2, 27)


def test_fashi_2017_7_there_are_six_grounds() -> None:
    assert len(Ground) == len(OFFICIAL_GROUNDS) == 6


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("150105199001010018", Outcome.PASS),
        ("150102200811290011", Outcome.PASS),  # eighteen today
        ("150102200811300013", Outcome.FAIL),  # eighteen tomorrow
        ("110105491231002", Outcome.PASS),
        ("no number at all!", Outcome.NO_DATA),
    ],
)
def test_fashi_2017_7_minors_are_not_listed(number: str, expected: Outcome) -> None:
    assert outcome(CheckCode.NOT_MINOR, question(number)) is expected


def test_a_firm_has_no_age() -> None:
    asked = question("91150100MA0000007W", is_firm=True)
    assert outcome(CheckCode.NOT_MINOR, asked) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (Security.ADEQUATE, Outcome.FAIL),
        (Security.INADEQUATE, Outcome.PASS),
        (Security.NONE, Outcome.PASS),
        (Security.UNKNOWN, Outcome.NO_DATA),
    ],
)
def test_fashi_2017_7_adequate_security_bars_a_listing(stated: Security, expected: Outcome) -> None:
    assert outcome(CheckCode.NO_ADEQUATE_SECURITY, question(security=stated)) is expected


@pytest.mark.parametrize(
    ("cover", "expected"),
    [
        (covered(100_00), Outcome.FAIL),
        (covered(99_99), Outcome.PASS),
        (covered(0, unvalued=1), Outcome.NO_DATA),
        (covered(100_00, unvalued=1), Outcome.FAIL),
        (covered(0, 0), Outcome.NO_DATA),
    ],
)
def test_fashi_2017_7_seized_assets_that_suffice_bar_a_listing(cover: Cover, expected: Outcome) -> None:
    assert outcome(CheckCode.ASSETS_DO_NOT_SUFFICE, question(cover=cover)) is expected


def test_who_is_not_under_enforcement_is_not_sanctioned() -> None:
    asked = question()
    asked.person.role = "outsider"
    for kind in SanctionKind:
        found = run_checks(Question(kind, asked.person, None, Security.NONE, SHORT_COVER, TODAY, 0, None))
        assert [check.code for check in failing(found)] == [CheckCode.UNDER_ENFORCEMENT]


def test_only_somebody_under_a_limit_can_break_it() -> None:
    asked = question(ground=Ground.LIMIT_BROKEN)
    assert [check.code for check in without_data(run_checks(asked))] == [CheckCode.LIMIT_BEFORE]
    asked = question(ground=Ground.LIMIT_BROKEN, limit_served_on=date(2026, 5, 1))
    assert outcome(CheckCode.LIMIT_BEFORE, asked) is Outcome.PASS
    assert outcome(CheckCode.LIMIT_BEFORE, question()) is Outcome.NOT_APPLICABLE


def test_what_bars_a_listing_does_not_bar_a_limit() -> None:
    asked = question(kind=SanctionKind.LIMIT, ground=None, security=Security.ADEQUATE, cover=covered(100_00))
    assert failing(run_checks(asked)) == []


def test_a_kept_check_is_read_back_as_it_was() -> None:
    for check in run_checks(question()):
        assert check_of_json(check.as_json()) == check


def test_a_publication_names_what_the_rules_ask_for_and_masks_the_number() -> None:
    case = Case(court_name="某中级人民法院（虚构）", number="（2026）内01执123号")
    sanction = Sanction(
        kind="listing",
        ground="evades",
        basis_document="（2025）内0105民初88号",
        duty="偿还借款10万元",
        performance="partly",
    )
    fields = published_fields(sanction, case, question().person, TODAY)
    assert fields == {
        "被执行人姓名": "张某甲",
        "性别": "男",
        "年龄": "36",
        "身份证号码": "150***********0018",
        "执行法院": "某中级人民法院（虚构）",
        "案号": "（2026）内01执123号",
        "执行依据文号": "（2025）内0105民初88号",
        "生效法律文书确定的义务": "偿还借款10万元",
        "被执行人的履行情况": "部分未履行",
        "失信被执行人行为具体情形": "以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行",
    }
    text = publication_text(sanction, fields, TODAY)
    assert text.startswith("失信被执行人信息\n被执行人姓名：张某甲")
    assert text.endswith("发布时间：2026-11-29")
    assert "199001010018" not in text


def test_a_firms_publication_has_its_code_and_a_limits_no_ground() -> None:
    case = Case(court_name="某院", number="（2026）内01执123号")
    sanction = Sanction(kind="limit", ground="", basis_document="甲", duty="乙", performance="none")
    firm = question("91150100MA0000007W", is_firm=True).person
    fields = published_fields(sanction, case, firm, TODAY)
    assert list(fields)[:2] == ["被执行人名称", "统一社会信用代码"]
    assert fields["统一社会信用代码"] == "91150100MA0000007W"
    assert "失信被执行人行为具体情形" not in fields

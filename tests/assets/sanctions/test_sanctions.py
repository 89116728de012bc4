"""Sanctions in the records: who may take which step, what bars it, what is kept, what ends it. On both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from assets.documents import Action
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted, NotUnderEnforcement
from assets.sanctions.checks import CheckCode, Outcome
from assets.sanctions.grounds import DeletionGround, Ground, Performance, SanctionKind, Security, ServiceManner
from assets.sanctions.tables import Sanction, SanctionStep
from assets.sanctions.views import SanctionView
from command_center.audit import AuditEntry
from tests.assets.sanctions.conftest import DECISION, FIRM, MINOR, SEEN, Bench

DAY = 86_400


def why_not(view: SanctionView, deed: str) -> str:
    return next(one.why_not for one in view.deeds if one.deed == deed)


async def actions(bench: Bench) -> list[str]:
    async with bench.database.read() as session:
        entries = await session.scalars(select(AuditEntry.action).order_by(AuditEntry.sequence))
        return list(entries)


async def test_a_listing_goes_from_proposal_to_publication_and_the_public_text_is_kept(bench: Bench) -> None:
    listing, limit = await bench.propose()
    assert [listing.line.kind, limit.line.kind] == ["listing", "limit"]
    assert [listing.line.state, limit.line.state] == ["proposed", "proposed"]
    assert "被执行人姓名：张*" in listing.draft_text, "no name is public yet"
    await bench.published(limit.line.id)
    shown = await bench.published(listing.line.id)
    assert (shown.line.state, shown.line.starts_on, shown.line.ends_on) == (
        "published", date(2026, 11, 22), date(2028, 11, 21),
    )  # fmt: skip
    assert [step.new for step in shown.steps] == ["proposed", "under_review", "decided", "served", "published"]
    assert [one.ended_at for one in shown.publications] == [None]
    assert "张某甲" in shown.publications[0].text
    assert shown.checked_at_decision
    assert bench.changes


async def test_fashi_2017_7_no_listing_is_decided_without_a_standing_limit(bench: Bench) -> None:
    listing, limit = await bench.propose()
    shown = await bench.steps.review(bench.president, listing.line.id, uuid4())
    assert why_not(shown, "decide") == "sanction-needs-limit"
    with pytest.raises(Conflict, match="sanction-needs-limit"):
        await bench.steps.decide(bench.president, listing.line.id, uuid4(), decision_number=DECISION, seen=SEEN)
    await bench.decided(limit.line.id)
    shown = await bench.sanctions.view(bench.president, listing.line.id)
    assert why_not(shown, "decide") == ""


async def test_fashi_2017_7_the_one_who_proposed_never_decides(bench: Bench) -> None:
    both = replace(bench.judge, may_decide_sanction=True)
    bench.judge = both
    listing, _ = await bench.propose()
    assert why_not(await bench.sanctions.view(both, listing.line.id), "review") == "sanction-needs-two"
    for step in (bench.steps.review(both, listing.line.id, uuid4()),
                 bench.steps.refuse(both, listing.line.id, uuid4(), reason="不宜")):  # fmt: skip
        with pytest.raises(Conflict, match="sanction-needs-two"):
            await step


async def test_who_may_propose_may_not_decide_and_the_other_way_round(bench: Bench) -> None:
    with pytest.raises(NotPermitted):
        await bench.sanctions.propose(bench.president, bench.proposal(), uuid4())
    listing, _ = await bench.propose()
    with pytest.raises(NotPermitted):
        await bench.steps.review(bench.judge, listing.line.id, uuid4())
    assert why_not(listing, "review") == "not-permitted"
    with pytest.raises(NotPermitted):
        await bench.steps.serve(
            bench.president, listing.line.id, uuid4(), served_on=date(2026, 11, 22), manner=ServiceManner.POST
        )


async def test_a_court_above_looks_on_and_takes_no_step(bench: Bench) -> None:
    _, limit = await bench.propose()
    above = replace(bench.president, own_court_id=uuid4(), may_propose_sanction=True)
    shown = await bench.sanctions.view(above, limit.line.id)
    assert {why_not(shown, deed) for deed in ("review", "refuse")} == {"not-own-court"}
    with pytest.raises(NotPermitted, match="not-own-court"):
        await bench.steps.review(above, limit.line.id, uuid4())
    with pytest.raises(NotPermitted, match="not-own-court"):
        await bench.sanctions.propose(above, bench.proposal(person_id=bench.persons[FIRM]), uuid4())


async def test_another_court_knows_nothing_of_it(bench: Bench) -> None:
    listing, _ = await bench.propose()
    stranger = replace(bench.judge, court_ids=frozenset({uuid4()}))
    with pytest.raises(NotFound, match="no-such-sanction"):
        await bench.sanctions.view(stranger, listing.line.id)
    with pytest.raises(NotFound):
        await bench.steps.withdraw(stranger, listing.line.id, uuid4(), reason="不宜")
    assert await bench.sanctions.listed(stranger) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"security": Security.ADEQUATE}, CheckCode.NO_ADEQUATE_SECURITY),
        ({"person": MINOR}, CheckCode.NOT_MINOR),
        ({"cover": 100_000_00}, CheckCode.ASSETS_DO_NOT_SUFFICE),
    ],
)
async def test_fashi_2017_7_what_bars_a_listing_bars_its_proposal(
    bench: Bench, changes: dict[str, Any], code: CheckCode
) -> None:
    changes = dict(changes)
    if cover := changes.pop("cover", None):
        await bench.control(cover)
    if person := changes.pop("person", None):
        changes["person_id"] = bench.persons[person]
    with pytest.raises(Conflict, match="sanction-check-fails") as refused:
        await bench.propose(**changes)
    assert refused.value.parameters == {"checks": code.value}
    assert await bench.sanctions.listed(bench.judge) == []


async def test_what_comes_up_after_the_proposal_bars_the_decision(bench: Bench) -> None:
    listing, limit = await bench.propose()
    await bench.decided(limit.line.id)
    await bench.steps.review(bench.president, listing.line.id, uuid4())
    await bench.control(100_000_00)
    shown = await bench.sanctions.view(bench.president, listing.line.id)
    assert why_not(shown, "decide") == "sanction-check-fails"
    with pytest.raises(Conflict, match="sanction-check-fails"):
        await bench.steps.decide(bench.president, listing.line.id, uuid4(), decision_number=DECISION, seen=SEEN)
    assert why_not(shown, "refuse") == ""


async def test_what_nobody_knows_must_be_named_by_the_one_who_decides(bench: Bench) -> None:
    listing, limit = await bench.propose()
    await bench.decided(limit.line.id)
    await bench.steps.review(bench.president, listing.line.id, uuid4())
    with pytest.raises(Conflict, match="sanction-unseen-checks") as refused:
        await bench.steps.decide(bench.president, listing.line.id, uuid4(), decision_number=DECISION, seen=())
    assert refused.value.parameters == {"checks": "no_adequate_security, not_performed"}
    decided = await bench.steps.decide(bench.president, listing.line.id, uuid4(), decision_number=DECISION, seen=SEEN)
    kept = {check.code: check.outcome for check in decided.checks}
    assert kept[CheckCode.NO_ADEQUATE_SECURITY] is Outcome.NO_DATA


@pytest.mark.parametrize("number", ["", "决定书", "（2027）内01执123号之一"])
async def test_a_decision_has_a_number(bench: Bench, number: str) -> None:
    _, limit = await bench.propose()
    await bench.steps.review(bench.president, limit.line.id, uuid4())
    with pytest.raises(BadFormat):
        await bench.steps.decide(bench.president, limit.line.id, uuid4(), decision_number=number, seen=SEEN)


async def test_cover_counts_money_in_force_and_what_a_sale_may_bring_and_nothing_that_waits(bench: Bench) -> None:
    async def cover() -> tuple[int, int]:
        checks = await bench.sanctions.checks(
            bench.judge, case_id=bench.case_id, person_id=bench.persons[FIRM], kind=SanctionKind.LISTING
        )
        found = next(one.evidence for one in checks if one.code is CheckCode.ASSETS_DO_NOT_SUFFICE)
        return int(found["cover_cents"]), int(found["unvalued"])

    await bench.control(30_00)
    await bench.control(70_00, state="waiting")
    await bench.control(70_00, ends_on=date(2026, 11, 21))
    assert await cover() == (30_00, 0)
    await bench.control(0, action=Action.SEIZE, value=100_00, prior=20_00)
    assert await cover() == (30_00 + 36_00, 0)
    await bench.control(0, action=Action.SEIZE)
    assert await cover() == (66_00, 1)


async def test_money_that_reaches_the_claim_is_told_wherever_a_sanction_stands(bench: Bench) -> None:
    async def outcome() -> Outcome:
        checks = await bench.sanctions.checks(
            bench.judge, case_id=bench.case_id, person_id=bench.persons[FIRM], kind=SanctionKind.LIMIT
        )
        return next(one.outcome for one in checks if one.code is CheckCode.NOT_PERFORMED)

    listing, _ = await bench.listed()
    assert await outcome() is Outcome.NO_DATA
    await bench.pay_in(99_999_99)
    assert await outcome() is Outcome.PASS
    assert not (await bench.sanctions.view(bench.judge, listing)).line.may_be_performed
    await bench.pay_in(1)
    assert await outcome() is Outcome.NO_DATA, "interest may still be owed: a person has to look"
    assert all(line.may_be_performed for line in await bench.sanctions.listed(bench.judge))
    await bench.steps.note_ground(
        bench.judge, listing, uuid4(), ground=DeletionGround.PERFORMED, since=date(2026, 11, 20), reason="案款到账"
    )
    assert not any(line.may_be_performed for line in await bench.sanctions.listed(bench.judge))


async def test_only_the_person_under_enforcement_is_sanctioned(bench: Bench) -> None:
    with pytest.raises(NotUnderEnforcement):
        await bench.propose(person_id=bench.persons["150102198503121021"])
    with pytest.raises(NotFound, match="no-such-person"):
        await bench.propose(person_id=uuid4())


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"facts": "  "}, "sanction-facts"),
        ({"basis_document": ""}, "sanction-basis"),
        ({"duty": ""}, "sanction-duty"),
        ({"ground": None}, "sanction-ground"),
        ({"kind": SanctionKind.LIMIT}, "sanction-ground"),
        ({"ground": Ground.REFUSES, "extra_years": 1, "extra_reason": "情节严重"}, "sanction-term"),
        ({"kind": SanctionKind.LIMIT, "ground": None, "extra_years": 1}, "sanction-term"),
    ],
)
async def test_a_proposal_says_all_that_a_publication_needs(bench: Bench, changes: dict[str, Any], item: str) -> None:
    with pytest.raises(BadFormat) as refused:
        await bench.propose(**changes)
    assert refused.value.item == item


async def test_a_second_listing_waits_for_the_end_of_the_first_and_takes_the_limit_that_stands(bench: Bench) -> None:
    listing, _ = await bench.propose()
    with pytest.raises(Conflict, match="sanction-live"):
        await bench.propose()
    await bench.steps.withdraw(bench.judge, listing.line.id, uuid4(), reason="材料不全")
    (again,) = await bench.sanctions.propose(bench.judge, bench.proposal(), uuid4())
    assert again.line.kind == "listing"


async def test_the_same_key_proposes_once_even_at_once(bench: Bench) -> None:
    key = uuid4()
    made = await asyncio.gather(*(bench.sanctions.propose(bench.judge, bench.proposal(), key) for _ in range(4)))
    assert len({view.line.id for views in made for view in views}) == 2
    assert (await actions(bench)).count("sanction.proposed") == 2
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await bench.sanctions.propose(bench.judge, bench.proposal(duty="别的义务"), key)


async def test_the_same_key_takes_a_step_once_and_another_use_of_it_is_refused(bench: Bench) -> None:
    listing, limit = await bench.propose()
    key = uuid4()
    views = [await bench.steps.review(bench.president, limit.line.id, key) for _ in range(3)]
    assert {view.line.state for view in views} == {"under_review"}
    assert (await actions(bench)).count("sanction.review") == 1
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await bench.steps.review(bench.president, listing.line.id, key)
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await bench.steps.refuse(bench.president, limit.line.id, key, reason="不宜")


async def test_of_two_who_press_at_once_one_is_first(bench: Bench) -> None:
    _, limit = await bench.propose()
    await bench.steps.review(bench.president, limit.line.id, uuid4())
    pressed = [
        bench.steps.decide(bench.president, limit.line.id, uuid4(), decision_number=DECISION, seen=SEEN),
        bench.steps.refuse(bench.president, limit.line.id, uuid4(), reason="不宜"),
    ]
    came = await asyncio.gather(*pressed, return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["Conflict", "SanctionView"]


@pytest.mark.parametrize(("served_on", "why"), [("2026-11-23", "future"), ("2026-11-21", "order")])
async def test_service_is_after_the_decision_and_not_in_the_future(bench: Bench, served_on: str, why: str) -> None:
    _, limit = await bench.propose()
    await bench.decided(limit.line.id)
    with pytest.raises(BadFormat) as refused:
        await bench.steps.serve(
            bench.judge, limit.line.id, uuid4(), served_on=date.fromisoformat(served_on), manner=ServiceManner.POST
        )
    assert refused.value.why == why


async def test_shielding_and_correction_keep_what_the_public_read_before(bench: Bench) -> None:
    listing, _ = await bench.listed()
    same = {"basis_document": "（2025）内0105民初88号"}
    with pytest.raises(Conflict, match="sanction-nothing-corrected"):
        await bench.steps.correct(bench.judge, listing, uuid4(), reason="核对", performance=Performance.NONE, **same)
    await bench.steps.correct(
        bench.judge, listing, uuid4(), reason="已履行部分", performance=Performance.PARTLY, **same
    )
    bench.clock.move(DAY)
    shielded = await bench.steps.shield(bench.judge, listing, uuid4(), reason="异议审查期间")
    assert why_not(shielded, "publish") == why_not(shielded, "correct") == "sanction-not-now"
    assert all(one.ended_at for one in shielded.publications)
    bench.clock.move(DAY)
    shown = await bench.steps.unshield(bench.judge, listing, uuid4(), reason="异议不成立")
    assert shown.line.state == "corrected"
    assert [(one.number, one.ended_by) for one in shown.publications] == [(1, "correct"), (2, "shield"), (3, "")]
    first, second, third = (one.text for one in shown.publications)
    assert "全部未履行" in first
    assert "部分未履行" in second
    assert second == third


async def test_fashi_2017_7_it_is_deleted_within_three_working_days(bench: Bench) -> None:
    listing, limit = await bench.listed()
    shown = await bench.sanctions.view(bench.judge, listing)
    assert why_not(shown, "delete") == "sanction-no-ground"
    bench.clock.move(7 * DAY)  # Sunday, 29 November
    noted = await bench.steps.note_ground(
        bench.judge, listing, uuid4(), ground=DeletionGround.PERFORMED, since=date(2026, 11, 27), reason="案款已到账"
    )
    assert noted.line.clock is not None
    assert (await actions(bench)).count("sanction.note_ground") == 2, "the limit's clock was started with it"
    assert (noted.line.clock.due_on, noted.line.clock.is_overdue) == (date(2026, 12, 2), False)
    other = await bench.sanctions.view(bench.judge, limit)
    assert other.line.clock is not None
    assert other.line.clock.due_on == date(2026, 12, 2)
    assert why_not(other, "delete") == "sanction-listing-stands"
    assert await bench.sanctions.listed(bench.judge, is_overdue=True) == []
    bench.clock.move(4 * DAY)
    overdue = await bench.sanctions.listed(bench.judge, is_overdue=True)
    assert {line.id for line in overdue} == {listing, limit}
    assert all(line.clock and line.clock.is_overdue for line in overdue)
    gone = await bench.steps.delete(bench.judge, listing, uuid4())
    assert (gone.line.state, gone.publications[-1].ended_by) == ("deleted", "delete")
    assert gone.line.clock is not None
    assert gone.line.clock.is_overdue, "that it went late is still told"
    lifted = await bench.steps.delete(bench.president, limit, uuid4())
    assert lifted.line.state == "deleted"
    assert await bench.sanctions.listed(bench.judge, is_overdue=True) == []


async def test_a_creditors_consent_to_the_listings_deletion_leaves_the_limit(bench: Bench) -> None:
    listing, limit = await bench.listed()
    await bench.steps.note_ground(
        bench.judge, listing, uuid4(), ground=DeletionGround.CREDITOR_CONSENTS, since=date(2026, 11, 20), reason="申请"
    )
    await bench.steps.delete(bench.judge, listing, uuid4())
    shown = await bench.sanctions.view(bench.judge, limit)
    assert (shown.line.state, shown.line.clock) == ("published", None)


async def test_a_clock_that_one_started_only_another_stops(bench: Bench) -> None:
    listing, limit = await bench.listed()
    ground = {"ground": DeletionGround.PERFORMED, "since": date(2026, 11, 16), "reason": "案款到账"}
    await bench.steps.note_ground(bench.judge, listing, uuid4(), **ground)  # type: ignore[arg-type]
    later = ground | {"since": date(2026, 11, 20)}
    with pytest.raises(Conflict, match="sanction-ground-noted"):
        await bench.steps.note_ground(bench.judge, listing, uuid4(), **later)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        await bench.steps.drop_ground(bench.judge, listing, uuid4(), reason="登记有误")
    shown = await bench.steps.drop_ground(bench.president, listing, uuid4(), reason="登记有误")
    assert (shown.line.state, shown.line.clock, shown.steps[-1].given) == ("published", None, {"reason": "登记有误"})
    assert why_not(shown, "delete") == "sanction-no-ground"
    other = await bench.sanctions.view(bench.judge, limit)
    assert other.line.clock is not None, "each has its own clock"
    assert other.line.clock.is_overdue


async def test_what_comes_up_after_the_decision_bars_the_publication(bench: Bench) -> None:
    listing, limit = await bench.propose()
    await bench.published(limit.line.id)
    await bench.decided(listing.line.id)
    today = bench.sanctions.today()
    await bench.steps.serve(bench.judge, listing.line.id, uuid4(), served_on=today, manner=ServiceManner.DIRECT)
    await bench.control(100_000_00)
    shown = await bench.sanctions.view(bench.judge, listing.line.id)
    assert (why_not(shown, "publish"), shown.checked_at_decision) == ("sanction-check-fails", False)
    assert [one.code for one in shown.checks if one.outcome == "fail"] == [CheckCode.ASSETS_DO_NOT_SUFFICE]
    with pytest.raises(Conflict, match="sanction-check-fails"):
        await bench.steps.publish(bench.judge, listing.line.id, uuid4())


async def test_what_must_go_is_not_published_any_more(bench: Bench) -> None:
    _, limit = await bench.propose()
    await bench.decided(limit.line.id)
    today = bench.sanctions.today()
    await bench.steps.serve(bench.judge, limit.line.id, uuid4(), served_on=today, manner=ServiceManner.DIRECT)
    await bench.steps.note_ground(
        bench.judge, limit.line.id, uuid4(), ground=DeletionGround.PERFORMED, since=today, reason="已履行"
    )
    with pytest.raises(Conflict, match="sanction-must-go"):
        await bench.steps.publish(bench.judge, limit.line.id, uuid4())
    assert (await bench.steps.delete(bench.judge, limit.line.id, uuid4())).publications == []


async def test_a_deletion_deadline_in_a_year_without_holidays_says_so(bench: Bench) -> None:
    _, limit = await bench.listed()
    bench.clock.instant = datetime(2026, 12, 31, 4, 0, tzinfo=UTC)
    noted = await bench.steps.note_ground(
        bench.judge, limit, uuid4(), ground=DeletionGround.CREDITOR_CONSENTS, since=date(2026, 12, 31), reason="申请"
    )
    assert noted.line.clock is not None
    assert noted.line.clock.years_without_holidays == (2027,)


async def test_a_listing_past_its_term_expires_once_and_its_limit_stays(bench: Bench) -> None:
    listing, limit = await bench.listed()
    last = datetime(2028, 11, 21, 15, 59, tzinfo=UTC)  # a minute before midnight in China
    assert await bench.expiry.expire_due(last) == 0
    over = last + timedelta(minutes=1)
    ended = await asyncio.gather(*(bench.expiry.expire_due(over) for _ in range(3)))
    assert sum(ended) == 1
    assert await bench.expiry.expire_due(over) == 0
    shown = await bench.sanctions.view(bench.judge, listing)
    assert (shown.line.state, shown.publications[-1].ended_by) == ("expired", "expired")
    assert (await bench.sanctions.view(bench.judge, limit)).line.state == "published"
    assert (await actions(bench)).count("sanction.expired") == 1


async def test_a_listing_on_the_first_ground_never_expires_by_itself(bench: Bench) -> None:
    listing, _ = await bench.listed(ground=Ground.REFUSES)
    assert await bench.expiry.expire_due(datetime(2099, 1, 1, tzinfo=UTC)) == 0
    assert (await bench.sanctions.view(bench.judge, listing)).line.ends_on is None


async def test_a_failed_step_leaves_nothing_behind(bench: Bench) -> None:
    _, limit = await bench.propose()
    before = await actions(bench)
    with pytest.raises(Conflict):
        await bench.steps.publish(bench.judge, limit.line.id, uuid4())
    async with bench.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SanctionStep)) == 2
        states = set(await session.scalars(select(Sanction.state)))
    assert states == {"proposed"}
    assert await actions(bench) == before


async def test_the_list_is_filtered_and_paged(bench: Bench) -> None:
    listing, limit = await bench.listed()
    (other,) = await bench.sanctions.propose(
        bench.judge,
        bench.proposal(person_id=bench.persons[FIRM], kind=SanctionKind.LIMIT, ground=None),
        uuid4(),
    )

    async def ids(**filters: Any) -> set[UUID]:
        return {line.id for line in await bench.sanctions.listed(bench.judge, **filters)}

    assert await ids() == {listing, limit, other.line.id}
    assert await ids(kind=SanctionKind.LISTING) == {listing}
    assert await ids(states={"proposed"}) == {other.line.id}
    assert await ids(case_id=uuid4()) == set()
    first = await bench.sanctions.listed(bench.judge, limit=2)
    rest = await bench.sanctions.listed(bench.judge, after=first[-1].id, limit=2)
    assert len(first) == 2
    assert len(rest) == 1


async def test_free_words_tell_no_name_and_no_number(bench: Bench) -> None:
    facts = "张某甲将款项转入6217000060000000008"
    listing, _ = await bench.propose(facts=facts)
    assert (listing.facts, listing.steps[0].given["facts"]) == ("张*将款项转入****0008",) * 2


async def test_the_audit_holds_every_step_and_nothing_personal(bench: Bench) -> None:
    await bench.listed()
    assert await actions(bench) == [
        "sanction.proposed", "sanction.proposed",
        *(["sanction.review", "sanction.decide", "sanction.serve", "sanction.publish"] * 2),
    ]  # fmt: skip
    async with bench.database.read() as session:
        told = str([entry.details for entry in await session.scalars(select(AuditEntry))])
    for secret in ("张某甲", "150105199001010018", "无偿转让", "借款"):
        assert secret not in told

"""What officers propose: what is taken, what is refused, kept once, and decided by one judge."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from assets.audit import Actor
from assets.demonstration import CITY_CASE, DISTRICT_CASE, seed
from assets.documents import Action
from assets.errors import AssetsError, BadFormat, Conflict, NotFound, NotPermitted, NotUnderEnforcement
from assets.proposal_drafts import ProposedControl
from assets.proposal_views import ProposalView
from assets.proposals import Proposals
from assets.proposed_things import checked_reference
from assets.tables import Asset, AssetRequest, ControlMeasure, Person, Proposal, line_of
from assets.terms import AssetKind
from command_center.asset_access import AssetTrail
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import TODAY, MovedClock

OPERATION = uuid4()
PLATE, UNIT, CARD = "蒙A23456", "150105001002GB00014F00310202", "6217000060000000008"


@dataclass
class Field:
    """Two courts with a case each, officers in the first one's, and a judge of each."""

    database: Database
    case_id: UUID = field(default_factory=uuid4)
    other_case_id: UUID = field(default_factory=uuid4)
    clock: MovedClock = field(default_factory=MovedClock)
    court: UUID = field(default_factory=uuid4)
    other_court: UUID = field(default_factory=uuid4)
    changes: list[UUID] = field(default_factory=list)
    proposals: Proposals = field(init=False)
    account: Asset = field(init=False)

    def __post_init__(self) -> None:
        async def changed(case_id: UUID) -> None:
            self.changes.append(case_id)

        keepers = {"bank": AssetKind.BANK_ACCOUNT, "registry": AssetKind.REAL_ESTATE}
        trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        self.proposals = Proposals(self.database, keepers, trail, self.clock, changed)

    async def open(self) -> None:
        """Seed both cases, with an account in the first."""
        async with self.database.write() as session:
            self.case_id = await self._case(session, self.court, CITY_CASE)
            other = replace(DISTRICT_CASE, number="（2026）内0105执876号")
            self.other_case_id = await self._case(session, self.other_court, other)
            self.account = await self.asset(session, AssetKind.BANK_ACCOUNT, CARD)

    async def _case(self, session: Any, court: UUID, script: Any) -> UUID:
        return await seed(session, court, court_code="内01", court_name="某院（虚构）", today=TODAY, script=script)

    async def person(self, session: Any, case_id: UUID, role: str = "under_enforcement") -> Person:
        """The first of this role."""
        found = select(Person).where(Person.case_id == case_id, Person.role == role).order_by(Person.ordinal).limit(1)
        person: Person = (await session.scalars(found)).one()
        return person

    async def asset(self, session: Any, kind: AssetKind, reference: str) -> Asset:
        """One more asset of the first person."""
        person = await self.person(session, self.case_id)
        asset = Asset(
            case_id=self.case_id,
            person_id=person.id,
            kind=kind.value,
            gateway="bank",
            reference=reference,
            description="某账户",
        )
        session.add(asset)
        await session.flush()
        return asset

    async def order(self, asset: Asset, state: str = "sent", measure: str = "intended") -> UUID:
        """A freeze that was ordered of the asset."""
        async with self.database.write() as session:
            request = AssetRequest(
                number=f"D{uuid4().hex[:20]}",
                case_id=asset.case_id,
                person_id=asset.person_id,
                asset_id=asset.id,
                action=Action.FREEZE.value,
                gateway="bank",
                state=state,
                idempotency_key=uuid4(),
                actor_id=uuid4(),
                created_at=self.clock(),
            )
            session.add(request)
            await session.flush()
            session.add(
                ControlMeasure(
                    case_id=asset.case_id,
                    court_id=self.court,
                    asset_id=asset.id,
                    request_id=request.id,
                    line=line_of(asset),
                    action=request.action,
                    state=measure,
                    changed_at=self.clock(),
                )
            )
            return request.id

    def officer(self, *cases: UUID) -> Actor:
        """An officer of the first case, or of others."""
        known = frozenset(cases or (self.case_id,))
        return Actor(uuid4(), frozenset({self.court, self.other_court}), may_propose=True, case_ids=known)

    def judge(self, court: UUID | None = None) -> Actor:
        """A judge of the first court, or another."""
        return Actor(
            uuid4(), frozenset({court or self.court}), may_see=True, may_control=True, own_court_id=court or self.court
        )

    def wish(self, **changes: Any) -> ProposedControl:
        """To freeze the known account."""
        values = {"case_id": self.case_id, "operation_id": OPERATION, "action": Action.FREEZE}
        return ProposedControl(**(values | {"asset_id": self.account.id, "idempotency_key": uuid4()} | changes))

    def found(self, **changes: Any) -> ProposedControl:
        """To impound a car that stands in the yard."""
        values = {"asset_id": None, "kind": AssetKind.MOVABLE, "action": Action.IMPOUND, "reference": PLATE}
        return self.wish(**(values | changes))

    async def made(self, officer: Actor | None = None) -> ProposalView:
        """A proposal that waits."""
        return await self.proposals.propose(officer or self.officer(), self.wish())

    async def stored(self) -> list[Proposal]:
        """All that is in the records."""
        async with self.database.read() as session:
            return list(await session.scalars(select(Proposal)))


@pytest.fixture
async def field_desk(database: Database) -> Field:
    desk = Field(database)
    await desk.open()
    return desk


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        (AssetKind.MOVABLE, "蒙a·2 3456", PLATE),
        (AssetKind.MOVABLE, "蒙Ａ２３４５６", PLATE),
        (AssetKind.MOVABLE, "", ""),
        (AssetKind.REAL_ESTATE, " 150105 001002 GB00014 F00310202 ", UNIT),
        (AssetKind.BANK_ACCOUNT, "6217 0000 6000 0000 008", CARD),
        (AssetKind.BANK_ACCOUNT, "0602 0208-0920 0012345", "0602020809200012345"),
        (AssetKind.OTHER_RIGHT, "某公司 30% 股权", "某公司30%股权"),
    ],
)
def test_a_number_read_off_a_thing_has_one_form(kind: AssetKind, written: str, normal: str) -> None:
    assert checked_reference(kind, written) == normal


def test_a_vehicle_is_known_by_its_identification_number_too() -> None:
    assert checked_reference(AssetKind.MOVABLE, "1m8gdm9axkp042788") == "1M8GDM9AXKP042788"


@pytest.mark.parametrize(
    ("kind", "written", "item"),
    [
        (AssetKind.MOVABLE, "京A12345", "plate"),
        (AssetKind.MOVABLE, "1M8GDM9AXKP042789", "vin"),
        (AssetKind.REAL_ESTATE, "蒙（2021）呼和浩特市不动产权第0012345号", "real-estate-unit"),
        (AssetKind.BANK_ACCOUNT, "6217000060000000009", "bank-card"),
        (AssetKind.BANK_ACCOUNT, "1234567", "account"),
        (AssetKind.OTHER_RIGHT, "股" * 65, "reference"),
    ],
)
def test_a_number_that_can_not_be_one_is_refused(kind: AssetKind, written: str, item: str) -> None:
    with pytest.raises(BadFormat) as refused:
        checked_reference(kind, written)
    assert refused.value.item == item


async def test_officers_propose_in_another_courts_case_and_its_own_judges_decide(field_desk: Field) -> None:
    of_the_city = replace(field_desk.officer(), court_ids=frozenset({field_desk.other_court}))
    made = await field_desk.made(of_the_city)
    assert [one.id for one in await field_desk.proposals.own(of_the_city)] == [made.id]
    city_judge = replace(field_desk.judge(), own_court_id=field_desk.other_court)
    assert [one.id for one in await field_desk.proposals.open(city_judge)] == [made.id]
    for decide in (
        lambda: field_desk.proposals.decline(city_judge, made.id, "no"),
        lambda: field_desk.proposals.take_up(city_judge, made.id, uuid4()),
        lambda: field_desk.proposals.record(city_judge, made.id, uuid4(), ""),
    ):
        with pytest.raises(NotPermitted, match="not-own-court"):
            await decide()
    assert (await field_desk.proposals.decline(field_desk.judge(), made.id, "no")).state == "declined"


async def test_a_proposal_that_is_sent_again_stays_one(field_desk: Field) -> None:
    officer, wish = field_desk.officer(), field_desk.wish(amount_cents=5_000_000, words="在柜台看到的存单")
    made = await field_desk.proposals.propose(officer, wish)
    # All at once, as after a blackout, when nobody knows what arrived.
    again = await asyncio.gather(*[field_desk.proposals.propose(officer, wish) for _ in range(4)])
    assert {one.id for one in again} == {made.id}
    assert len(await field_desk.stored()) == 1
    assert (made.state, made.reference, made.person_name[1:]) == ("open", "****0008", "*")
    async with field_desk.database.read() as session:
        noted = list(await session.scalars(select(AuditEntry).where(AuditEntry.action == "asset.proposal.made")))
    assert [(one.subject_id, json.loads(one.details)) for one in noted] == [
        (str(made.id), {"operation": str(OPERATION)})
    ]
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await field_desk.proposals.propose(officer, replace(wish, amount_cents=1))
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await field_desk.proposals.propose(field_desk.officer(), wish)


async def test_a_repeat_gives_the_decision_even_where_the_thing_is_controlled_now(field_desk: Field) -> None:
    officer, wish = field_desk.officer(), field_desk.wish()
    made = await field_desk.proposals.propose(officer, wish)
    await field_desk.proposals.take_up(field_desk.judge(), made.id, await field_desk.order(field_desk.account))
    again = await field_desk.proposals.propose(officer, wish)
    assert (again.id, again.state, again.request_state) == (made.id, "taken_up", "sent")


async def test_an_officer_proposes_in_the_cases_of_the_own_operations_only(field_desk: Field) -> None:
    stranger = field_desk.officer(field_desk.other_case_id)
    with pytest.raises(NotFound, match="no-such-case"):
        await field_desk.proposals.propose(stranger, field_desk.wish())
    with pytest.raises(NotFound, match="no-such-asset"):
        await field_desk.proposals.propose(stranger, field_desk.wish(case_id=field_desk.other_case_id))
    made = await field_desk.made()
    with pytest.raises(NotFound, match="no-such-proposal"):
        await field_desk.proposals.withdraw(stranger, made.id)
    assert await field_desk.proposals.own(stranger) == []
    with pytest.raises(NotPermitted):
        await field_desk.proposals.propose(field_desk.judge(), field_desk.wish())


async def test_2013_20_article_7_nothing_of_anyone_else_is_proposed(field_desk: Field) -> None:
    async with field_desk.database.read() as session:
        applicant = await field_desk.person(session, field_desk.case_id, "applicant")
        stranger = await field_desk.person(session, field_desk.other_case_id)
    with pytest.raises(NotUnderEnforcement):
        await field_desk.proposals.propose(field_desk.officer(), field_desk.found(person_id=applicant.id))
    with pytest.raises(NotFound, match="no-such-person"):
        await field_desk.proposals.propose(field_desk.officer(), field_desk.found(person_id=stranger.id))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": None}, "bad-format"),
    ({"reference": ""}, "bad-format"),
    ({"reference": "蒙A"}, "bad-format"),
    ({"amount_cents": 100}, "bad-format"),
    ({"action": Action.FREEZE}, "not-controllable-so"),
    ({"action": Action.RELEASE}, "not-controllable-so"),
]


@pytest.mark.parametrize(("change", "code"), WRONG)
async def test_what_can_not_be_controlled_so_is_not_proposed(
    field_desk: Field, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(AssetsError) as refused:
        await field_desk.proposals.propose(field_desk.officer(), field_desk.found(**change))
    assert refused.value.code == code
    assert await field_desk.stored() == []


async def test_what_is_controlled_or_proposed_already_is_not_proposed_again(field_desk: Field) -> None:
    await field_desk.proposals.propose(field_desk.officer(), field_desk.found())
    with pytest.raises(Conflict, match="already-proposed"):
        await field_desk.proposals.propose(field_desk.officer(), field_desk.found())
    await field_desk.order(field_desk.account)
    with pytest.raises(Conflict, match="measure-stands"):
        await field_desk.proposals.propose(field_desk.officer(), field_desk.wish())


async def test_what_is_found_under_a_number_that_the_case_knows_is_that_asset(field_desk: Field) -> None:
    found = field_desk.found(kind=AssetKind.BANK_ACCOUNT, reference="6217 0000 6000 0000 008", action=Action.FREEZE)
    made = await field_desk.proposals.propose(field_desk.officer(), found)
    assert (made.asset_id, made.person_id) == (field_desk.account.id, field_desk.account.person_id)
    with pytest.raises(Conflict, match="already-proposed"):
        await field_desk.proposals.propose(field_desk.officer(), field_desk.wish())


async def test_one_judge_decides_and_says_why(field_desk: Field) -> None:
    officer, judge = field_desk.officer(), field_desk.judge()
    made = await field_desk.made(officer)
    assert [one.id for one in await field_desk.proposals.open(judge)] == [made.id]
    assert await field_desk.proposals.open_count(judge, field_desk.case_id) == 1
    declined = await field_desk.proposals.decline(judge, made.id, "账户为工资专户")
    assert declined == await field_desk.proposals.decline(judge, made.id, "账户为工资专户")
    for other in (
        field_desk.proposals.decline(field_desk.judge(), made.id, "不同的理由"),
        field_desk.proposals.withdraw(officer, made.id),
        field_desk.proposals.take_up(judge, made.id, await field_desk.order(field_desk.account)),
    ):
        with pytest.raises(Conflict, match="proposal-decided"):
            await other
    assert await field_desk.proposals.open_count(judge, field_desk.case_id) == 0
    (own,) = await field_desk.proposals.own(officer)
    assert (own.state, own.decision_reason, own.decided_by) == ("declined", "账户为工资专户", judge.user_id)
    assert [one.id for one in await field_desk.proposals.ended(judge)] == [made.id]
    assert await field_desk.proposals.ended(judge, after=made.id) == []


async def test_two_judges_at_once_decide_once(field_desk: Field) -> None:
    made = await field_desk.made()
    decisions = await asyncio.gather(
        *[field_desk.proposals.decline(field_desk.judge(), made.id, f"理由{number}") for number in range(4)],
        return_exceptions=True,
    )
    assert sum(isinstance(one, ProposalView) for one in decisions) == 1
    assert {one.code for one in decisions if isinstance(one, AssetsError)} == {"proposal-decided"}


async def test_another_court_sees_and_decides_nothing(field_desk: Field) -> None:
    made, stranger = await field_desk.made(), field_desk.judge(field_desk.other_court)
    assert await field_desk.proposals.open(stranger) == []
    order = await field_desk.order(field_desk.account)
    person = field_desk.account.person_id
    for attempt in (
        field_desk.proposals.decline(stranger, made.id, "不同意"),
        field_desk.proposals.take_up(stranger, made.id, order),
        field_desk.proposals.record(stranger, made.id, person, ""),
    ):
        with pytest.raises(NotFound, match="no-such-proposal"):
            await attempt
    with pytest.raises(NotFound, match="no-such-case"):
        await field_desk.proposals.open_count(stranger, field_desk.case_id)


async def test_a_proposal_is_taken_up_by_an_order_of_its_own_asset(field_desk: Field) -> None:
    judge, made = field_desk.judge(), await field_desk.made()
    async with field_desk.database.write() as session:
        other = await field_desk.asset(session, AssetKind.BANK_ACCOUNT, "6217000060000000016")
    for order, code in (
        (await field_desk.order(other), "other-asset"),
        (await field_desk.order(field_desk.account, "declined", "not_controlled"), "never-sent"),
        (uuid4(), "no-such-request"),
    ):
        with pytest.raises(AssetsError, match=code):
            await field_desk.proposals.take_up(judge, made.id, order)
    order = await field_desk.order(field_desk.account)
    (waiting,) = await field_desk.proposals.open(judge)
    assert waiting.standing_request_id == order
    taken = await field_desk.proposals.take_up(judge, made.id, order)
    assert taken == await field_desk.proposals.take_up(judge, made.id, order)
    assert (taken.state, taken.request_id, taken.standing_request_id) == ("taken_up", order, None)


async def test_what_was_found_becomes_a_clue_that_can_be_controlled(field_desk: Field) -> None:
    judge = field_desk.judge()
    account = field_desk.found(
        kind=AssetKind.BANK_ACCOUNT, action=Action.FREEZE, reference="0602020809200012345", description="现场存折"
    )
    made = await field_desk.proposals.propose(field_desk.officer(), account)
    person = field_desk.account.person_id
    with pytest.raises(Conflict, match="not-controllable-so"):
        await field_desk.proposals.record(judge, made.id, person, "registry")
    with pytest.raises(NotFound, match="no-such-gateway"):
        await field_desk.proposals.record(judge, made.id, person, "nobody")
    recorded = await field_desk.proposals.record(judge, made.id, person, "bank")
    assert recorded == await field_desk.proposals.record(judge, made.id, person, "bank")
    async with field_desk.database.read() as session:
        asset = await session.get_one(Asset, recorded.asset_id)
    assert (asset.origin, asset.gateway, asset.person_id) == ("clue", "bank", person)
    assert (asset.reference, asset.description) == ("0602020809200012345", "现场存折")
    taken = await field_desk.proposals.take_up(judge, made.id, await field_desk.order(asset))
    assert taken.state == "taken_up"


async def test_a_thing_without_a_number_is_known_by_its_proposals(field_desk: Field) -> None:
    machine = field_desk.found(reference="", description="数控机床一台")
    made = await field_desk.proposals.propose(field_desk.officer(), machine)
    recorded = await field_desk.proposals.record(field_desk.judge(), made.id, field_desk.account.person_id, "")
    assert recorded.reference == f"P{made.id.hex[-12:].upper()}"


async def test_an_own_proposal_is_withdrawn_once(field_desk: Field) -> None:
    officer = field_desk.officer()
    made = await field_desk.made(officer)
    with pytest.raises(NotFound):  # of the same operation, and not the one who made it
        await field_desk.proposals.withdraw(field_desk.officer(), made.id)
    withdrawn = await field_desk.proposals.withdraw(officer, made.id)
    assert withdrawn == await field_desk.proposals.withdraw(officer, made.id)
    assert withdrawn.state == "withdrawn"
    await field_desk.made(officer)
    assert field_desk.changes.count(field_desk.case_id) == 4

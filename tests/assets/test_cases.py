"""Registering cases, persons and claims: forms checked, totals in step, roles kept, each press done once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_file import CaseFile
from assets.case_intake import CaseGiven, ClaimGiven, ClaimKind, CourtRef, PersonGiven, Role
from assets.cases import Cases
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person, line_of
from command_center.asset_access import AssetTrail
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import MovedClock

DEBTOR = PersonGiven("张某甲", False, "150105199001010018", Role.UNDER_ENFORCEMENT)
FIRM = PersonGiven("某商贸有限公司（虚构）", True, "91150100MA0000007W", Role.UNDER_ENFORCEMENT)
APPLICANT = PersonGiven("某小额贷款有限公司（虚构）", True, "91350100M000100Y43", Role.APPLICANT)
OLD = PersonGiven("赵某丁", False, "11010519491231002X", Role.OUTSIDER)


@dataclass
class Office:
    """Where cases are filed: two courts, and a judge of the upper one."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    city: CourtRef = field(default_factory=lambda: CourtRef(uuid4(), "内01", "某中级人民法院（虚构）"))
    district: CourtRef = field(default_factory=lambda: CourtRef(uuid4(), "内0105", "某区人民法院（虚构）"))

    def __post_init__(self) -> None:
        self.judge = Actor(
            uuid4(),
            frozenset({self.city.id, self.district.id}),
            may_see=True,
            may_manage_cases=True,
            own_court_id=self.city.id,
        )
        self.district_judge = replace(
            self.judge, user_id=uuid4(), court_ids=frozenset({self.district.id}), own_court_id=self.district.id
        )
        trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        self.cases = Cases(self.database, trail, self.clock, self._changed, self._court_of)

    async def _changed(self, _case_id: UUID) -> None:
        return None

    async def _court_of(self, _session: AsyncSession, code: str) -> CourtRef | None:
        return {court.code: court for court in (self.city, self.district)}.get(code)

    def given(self, **changes: Any) -> CaseGiven:
        """A case as an application states it."""
        usual = CaseGiven(
            number="(2026)内01执 700号",
            filed_on=date(2026, 11, 2),
            judge_name="承办法官（虚构）",
            work_card="NM01-1",
            duty_card="NM01-ZX-1",
            is_own=True,
            persons=(DEBTOR, APPLICANT),
        )
        return replace(usual, **changes)

    async def register(self, **changes: Any) -> CaseFile:
        """Register it."""
        return await self.cases.register(self.judge, self.given(**changes), uuid4())

    async def claim(self, file: CaseFile, cents: int, **changes: Any) -> CaseFile:
        """A claim of the applicant's."""
        creditor = next(one.id for one in file.persons if one.role == Role.APPLICANT)
        given = replace(ClaimGiven(creditor, ClaimKind.ORDINARY, cents, cents), **changes)
        return await self.cases.add_claim(self.judge, file.id, given, uuid4())

    async def audit(self) -> list[AuditEntry]:
        """What was written into the audit."""
        async with self.database.read() as session:
            return list(await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))


@pytest.fixture
async def office(database: Database) -> Office:
    return Office(database)


def person(file: CaseFile, number_end: str) -> UUID:
    return next(one.id for one in file.persons if one.id_number.endswith(number_end))


async def test_a_case_is_registered_at_the_court_that_its_number_names(office: Office) -> None:
    file = await office.register()
    assert (file.number, file.court_code, file.court_name) == ("（2026）内01执700号", "内01", office.city.name)
    assert (file.judge_id, file.claim_cents, file.claim_in_capitals) == (office.judge.user_id, 0, "零元整")
    assert [(one.name, one.id_number, one.role) for one in file.persons] == [
        ("张*", "150***********0018", "under_enforcement"),
        ("某小额贷款有限公司（虚构）", "91350100M000100Y43", "applicant"),
    ]
    assert [entry.what for entry in file.entries] == ["registered"]
    of_district = office.given(number="（2026）内0105执8号", is_own=False)
    with pytest.raises(NotPermitted, match="not-own-court"):  # the city's court sees it, and registers none for it
        await office.cases.register(office.judge, of_district, uuid4())
    district = await office.cases.register(office.district_judge, of_district, uuid4())
    assert (district.court_code, district.judge_id) == ("内0105", None)
    with pytest.raises(NotPermitted, match="case-other-court"):
        await office.cases.register(office.district_judge, office.given(number="（2026）内01执9号"), uuid4())
    with pytest.raises(NotPermitted, match="case-other-court"):
        await office.register(number="（2026）内0102执9号")


@pytest.mark.parametrize(
    ("changes", "item", "why"),
    [
        ({"number": "2026年执7号"}, "case-number", "shape"),
        ({"number": "（2027）内01执7号"}, "case-number", "year"),
        ({"number": "（2026）内0199执7号"}, "case-number", "court"),
        ({"filed_on": date(2026, 11, 23)}, "filed-on", "future"),
        ({"judge_name": " "}, "judge-name", "empty"),
        ({"work_card": ""}, "work-card", "empty"),
        ({"duty_card": ""}, "duty-card", "empty"),
        ({"persons": (replace(DEBTOR, id_number="150105199001010019"),)}, "resident-id", "check"),
        ({"persons": (replace(FIRM, id_number="150105199001010018"),)}, "firm-code", "check"),
        ({"persons": (replace(DEBTOR, name="  "),)}, "name", "empty"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_reason(changes: dict[str, Any], item: str, why: str) -> None:
    office = Office(Database("sqlite+aiosqlite://"))  # refused before anything is read or written
    with pytest.raises(BadFormat) as refused:
        await office.register(**changes)
    assert (refused.value.item, refused.value.why) == (item, why)
    await office.database.close()


async def test_a_case_is_registered_once_and_names_somebody_under_enforcement_once(office: Office) -> None:
    await office.register()
    with pytest.raises(Conflict, match="case-exists"):
        await office.register()
    with pytest.raises(Conflict, match="case-needs-debtor"):
        await office.register(number="（2026）内01执701号", persons=(APPLICANT,))
    twice = replace(DEBTOR, role=Role.OUTSIDER)
    with pytest.raises(Conflict, match="person-exists"):
        await office.register(number="（2026）内01执701号", persons=(DEBTOR, twice))


async def test_the_same_key_registers_once_even_at_once(office: Office) -> None:
    key = uuid4()
    made = await asyncio.gather(*(office.cases.register(office.judge, office.given(), key) for _ in range(4)))
    assert len({file.id for file in made}) == 1
    assert [entry.action for entry in await office.audit()] == ["case.registered"]
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await office.cases.register(office.judge, office.given(number="（2026）内01执8号"), key)
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await office.cases.add_person(office.judge, made[0].id, FIRM, key)


async def test_a_person_is_added_once_under_either_form_of_the_number(office: Office) -> None:
    file, key = await office.register(), uuid4()
    for _ in range(2):
        file = await office.cases.add_person(office.judge, file.id, OLD, key)
    assert [one.role for one in file.persons].count("outsider") == 1
    with pytest.raises(Conflict, match="person-exists"):
        await office.cases.add_person(office.judge, file.id, replace(OLD, id_number="110105491231002"), uuid4())


async def test_a_role_changes_and_what_it_was_is_kept(office: Office) -> None:
    file = await office.register(persons=(DEBTOR, FIRM, APPLICANT))
    firm = person(file, "0007W")
    file = await office.cases.change_role(office.judge, firm, Role.OUTSIDER, "追加被驳回", uuid4())
    assert next(one.role for one in file.persons if one.id == firm) == "outsider"
    assert file.entries[-1].details == {"before": "under_enforcement", "role": "outsider", "reason": "追加被驳回"}
    last = (await office.audit())[-1]
    assert last.action == "case.role-changed"
    assert '"party_before":"under_enforcement"' in last.details
    assert "追加" not in last.details
    with pytest.raises(Conflict, match="person-has-role"):
        await office.cases.change_role(office.judge, firm, Role.OUTSIDER, "再次", uuid4())
    with pytest.raises(Conflict, match="case-needs-debtor"):
        await office.cases.change_role(office.judge, person(file, "0018"), Role.OUTSIDER, "误列", uuid4())


async def test_a_role_on_which_something_hangs_stays(office: Office) -> None:
    file = await office.register(persons=(DEBTOR, FIRM, APPLICANT))
    await office.claim(file, 100_00)
    with pytest.raises(Conflict, match="person-has-claims"):
        await office.cases.change_role(office.judge, person(file, "00Y43"), Role.OUTSIDER, "误列", uuid4())
    debtor = person(file, "0018")
    await _control(office, file.id, debtor)
    with pytest.raises(Conflict, match="person-has-measures"):
        await office.cases.change_role(office.judge, debtor, Role.OUTSIDER, "误列", uuid4())


async def test_a_person_is_corrected_until_somebody_was_asked_about_them(office: Office) -> None:
    file, key = await office.register(), uuid4()
    debtor = person(file, "0018")
    for _ in range(2):
        file = await office.cases.correct_person(
            office.judge, debtor, name="张某乙", id_number="", reason="笔误", key=key
        )
    assert [entry.what for entry in file.entries] == ["registered", "person-corrected"]
    with pytest.raises(BadFormat):
        await office.cases.correct_person(
            office.judge, debtor, name="", id_number="15010519900101001", reason="笔误", key=uuid4()
        )
    await _control(office, file.id, debtor)
    with pytest.raises(Conflict, match="person-was-queried"):
        await office.cases.correct_person(office.judge, debtor, name="张某丙", id_number="", reason="笔误", key=uuid4())


async def test_the_total_of_a_case_is_the_sum_of_its_claims(office: Office) -> None:
    file = await office.register()
    file = await office.claim(file, 1_860_000_00, principal_cents=1_500_000_00, capitals="壹佰捌拾陆万元整")
    file = await office.claim(file, 40_000_01, kind=ClaimKind.PRIORITY)
    assert (file.claim_cents, file.claim_in_capitals) == (1_900_000_01, "壹佰玖拾万元零壹分")
    assert [one.is_priority for one in file.claims] == [False, True]
    first = file.claims[0]
    less = ClaimGiven(first.creditor_id, ClaimKind.ORDINARY, 1_000_000_00, 1_000_000_00)
    file = await office.cases.change_claim(office.judge, first.id, less, "部分清偿", uuid4())
    assert file.claim_cents == 1_040_000_01
    assert file.entries[-1].details["before_cents"] == 1_860_000_00
    nothing = replace(less, amount_cents=0, principal_cents=0)
    file = await office.cases.change_claim(office.judge, first.id, nothing, "清偿完毕", uuid4())
    async with office.database.read() as session:
        assert (await session.get_one(Case, file.id)).claim_cents == file.claim_cents == 40_000_01


@pytest.mark.parametrize(
    ("changes", "item", "why"),
    [
        ({"amount_cents": 0, "principal_cents": 0}, "amount", "not-positive"),
        ({"amount_cents": -1, "principal_cents": 0}, "amount", "not-positive"),
        ({"principal_cents": 100_01}, "principal", "too-much"),
        ({"capitals": "玖拾玖元整"}, "capitals", "disagree"),
        ({"capitals": "一百元"}, "capitals", "shape"),
    ],
)
async def test_a_claim_that_cannot_be_is_refused(office: Office, changes: dict[str, Any], item: str, why: str) -> None:
    file = await office.register()
    with pytest.raises(BadFormat) as refused:
        await office.claim(file, 100_00, **changes)
    assert (refused.value.item, refused.value.why) == (item, why)


async def test_only_an_applicant_has_claims(office: Office) -> None:
    file = await office.register()
    with pytest.raises(Conflict, match="claim-needs-applicant"):
        await office.claim(file, 100, creditor_id=person(file, "0018"))
    other = await office.register(number="（2026）内01执701号")
    with pytest.raises(NotFound, match="no-such-person"):
        await office.claim(file, 100, creditor_id=person(other, "00Y43"))


async def test_claims_added_at_once_are_all_in_the_total(office: Office) -> None:
    file = await office.register()
    await asyncio.gather(*(office.claim(file, 100) for _ in range(8)))
    assert (await office.cases.file(office.judge, file.id)).claim_cents == 800


async def test_another_court_gets_nothing_and_does_nothing(office: Office) -> None:
    file = await office.claim(await office.register(), 100)
    stranger, debtor = office.district_judge, person(file, "0018")
    claim = ClaimGiven(person(file, "00Y43"), ClaimKind.ORDINARY, 1, 1)
    for attempt in (
        office.cases.file(stranger, file.id),
        office.cases.add_person(stranger, file.id, FIRM, uuid4()),
        office.cases.change_role(stranger, debtor, Role.OUTSIDER, "误列", uuid4()),
        office.cases.correct_person(stranger, debtor, name="甲", id_number="", reason="笔误", key=uuid4()),
        office.cases.add_claim(stranger, file.id, claim, uuid4()),
        office.cases.change_claim(stranger, file.claims[0].id, claim, "变更", uuid4()),
    ):
        with pytest.raises(NotFound):
            await attempt
    onlooker = replace(office.judge, may_manage_cases=False)
    with pytest.raises(NotPermitted):
        await office.cases.register(onlooker, office.given(number="（2026）内01执702号"), uuid4())


async def test_the_audit_holds_what_was_entered_and_nothing_personal(office: Office) -> None:
    file = await office.claim(await office.register(), 100)
    await office.cases.add_person(office.judge, file.id, OLD, uuid4())
    entries = await office.audit()
    assert [one.action for one in entries] == ["case.registered", "case.claim-added", "case.person-added"]
    told = str([one.details for one in entries]) + str((await office.cases.file(office.judge, file.id)).entries)
    for secret in ("张某甲", "赵某丁", "150105199001010018", "11010519491231002X"):
        assert secret not in told


async def _control(office: Office, case_id: UUID, person_id: UUID) -> None:
    """A measure on something of this person's."""
    async with office.database.write() as session:
        person = await session.get_one(Person, person_id)
        asset = Asset(
            case_id=case_id, person_id=person.id, kind="bank_account", gateway="bank", reference=uuid4().hex,
            description="虚构",
        )  # fmt: skip
        request = AssetRequest(
            number=uuid4().hex[:30], case_id=case_id, person_id=person.id, action="freeze", gateway="bank",
            state="answered", idempotency_key=uuid4(), actor_id=uuid4(), created_at=office.clock(),
        )  # fmt: skip
        session.add_all([asset, request])
        await session.flush()
        session.add(
            ControlMeasure(
                case_id=case_id, court_id=office.city.id, asset_id=asset.id, line=line_of(asset),
                request_id=request.id, action="freeze", state="in_force", changed_at=office.clock(),
            )
        )  # fmt: skip

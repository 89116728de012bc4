"""A court's bench: a case with a debtor, a minor, a firm and an outsider, a judge, a president, and a moved clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from assets.audit import Actor
from assets.case_accounts.ledger_tables import MainAccount, SubAccount
from assets.case_accounts.tables import Arrival
from assets.documents import Action
from assets.guard import CoverRules
from assets.holidays import announced
from assets.identifiers import new_id
from assets.sanctions.expiry import Expiry
from assets.sanctions.grounds import Ground, Performance, SanctionKind, Security, ServiceManner
from assets.sanctions.service import Proposal, Sanctions
from assets.sanctions.views import SanctionView
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person, line_of
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import MovedClock

DEBTOR, MINOR = "150105199001010018", "150105201001010012"
FIRM = "91150100MA0000007W"
DECISION = "（2026）内01执123号之三"
SEEN = ("no_adequate_security", "not_performed")
"""What nobody knows in this case: nothing is stated about security, and no account is kept."""


@dataclass
class Bench:
    """What a test of sanctions needs; `judge` proposes, `president` decides."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    court_id: UUID = field(default_factory=uuid4)
    case_id: UUID = field(default_factory=new_id)
    persons: dict[str, UUID] = field(default_factory=dict)
    changes: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        courts = frozenset({self.court_id})
        self.judge = Actor(uuid4(), courts, may_see=True, may_propose_sanction=True, own_court_id=self.court_id)
        self.president = Actor(uuid4(), courts, may_see=True, may_decide_sanction=True, own_court_id=self.court_id)
        trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        self.sanctions = Sanctions(self.database, trail, self.clock, self._changed, announced(), CoverRules())
        self.steps = self.sanctions.steps
        self.expiry = Expiry(self.database, trail, self.clock, self._changed)

    async def _changed(self, case_id: UUID) -> None:
        self.changes.append(case_id)

    async def open(self) -> None:
        """Put the case into the records."""
        async with self.database.write() as session:
            session.add(
                Case(
                    id=self.case_id,
                    court_id=self.court_id,
                    court_code="内01",
                    court_name="某中级人民法院（虚构）",
                    number="（2026）内01执123号",
                    claim_cents=100_000_00,
                    judge_name="承办法官（虚构）",
                    work_card="1",
                    duty_card="2",
                    filed_on=date(2026, 3, 2),
                )
            )
            await session.flush()
            for number, name, is_firm, role in (
                (DEBTOR, "张某甲", False, "under_enforcement"),
                (MINOR, "李某乙", False, "under_enforcement"),
                (FIRM, "某商贸有限公司（虚构）", True, "under_enforcement"),
                ("150102198503121021", "王某丙", False, "outsider"),
            ):
                person = Person(case_id=self.case_id, name=name, is_firm=is_firm, id_number=number, role=role)
                session.add(person)
                await session.flush()
                self.persons[number] = person.id

    def proposal(self, **changes: Any) -> Proposal:
        """A listing of the debtor; whether security was given isn't stated."""
        usual = Proposal(
            case_id=self.case_id,
            person_id=self.persons[DEBTOR],
            kind=SanctionKind.LISTING,
            ground=Ground.EVADES,
            facts="将名下车辆无偿转让给亲属（虚构）",
            basis_document="（2025）内0105民初88号",
            duty="偿还借款本金10万元及利息",
            performance=Performance.NONE,
        )
        return replace(usual, **changes)

    async def propose(self, **changes: Any) -> tuple[SanctionView, SanctionView]:
        """A listing and the limit that goes with it."""
        listing, limit = await self.sanctions.propose(self.judge, self.proposal(**changes), uuid4())
        return listing, limit

    async def decided(self, sanction_id: UUID) -> SanctionView:
        """Take it up and sign it."""
        await self.steps.review(self.president, sanction_id, uuid4())
        return await self.steps.decide(self.president, sanction_id, uuid4(), decision_number=DECISION, seen=SEEN)

    async def published(self, sanction_id: UUID) -> SanctionView:
        """All the way to the public, on today's date."""
        await self.decided(sanction_id)
        today = self.sanctions.today()
        await self.steps.serve(self.judge, sanction_id, uuid4(), served_on=today, manner=ServiceManner.DIRECT)
        return await self.steps.publish(self.judge, sanction_id, uuid4())

    async def listed(self, **changes: Any) -> tuple[UUID, UUID]:
        """A published listing with its published limit."""
        listing, limit = await self.propose(**changes)
        await self.published(limit.line.id)
        await self.published(listing.line.id)
        return listing.line.id, limit.line.id

    async def control(
        self, cents: int, *, action: Action = Action.FREEZE, state: str = "in_force", value: int | None = None,
        ends_on: date | None = None, prior: int = 0,
    ) -> None:  # fmt: skip
        """A measure on something of the debtor's."""
        async with self.database.write() as session:
            asset = Asset(
                case_id=self.case_id, person_id=self.persons[DEBTOR], gateway="bank", reference=uuid4().hex,
                kind="bank_account" if action is Action.FREEZE else "other_right", description="虚构",
                valuation_cents=value, prior_cents=prior,
            )  # fmt: skip
            request = AssetRequest(
                number=uuid4().hex[:30], case_id=self.case_id, person_id=self.persons[DEBTOR], action=action.value,
                gateway="bank", state="answered", idempotency_key=uuid4(), actor_id=uuid4(), created_at=self.clock(),
            )  # fmt: skip
            session.add_all([asset, request])
            await session.flush()
            session.add(
                ControlMeasure(
                    case_id=self.case_id, asset_id=asset.id, request_id=request.id, action=action.value, state=state,
                    controlled_cents=cents, ends_on=ends_on, changed_at=self.clock(), court_id=self.court_id,
                    line=line_of(asset),
                )
            )  # fmt: skip

    async def pay_in(self, cents: int) -> None:
        """Money that comes into the case's account."""
        async with self.database.write() as session:
            main = (await session.scalars(select(MainAccount))).one_or_none()
            if main is None:
                main = MainAccount(
                    court_id=self.court_id, number="1", bank_name="某银行（虚构）", fee_holder="某院", fee_number="2",
                    opened_at=self.clock(),
                )  # fmt: skip
                session.add(main)
                await session.flush()
                session.add(SubAccount(main_id=main.id, case_id=self.case_id, number="3", opened_at=self.clock()))
            session.add(
                Arrival(
                    main_id=main.id, bank_serial=uuid4().hex, cents=cents, payer_name="张某甲", payer_account="4",
                    remark="", sub_number="3", arrived_at=self.clock(), notified_at=self.clock(),
                    purpose="enforcement", case_id=self.case_id, state="matched", receipt_number=uuid4().hex[:20],
                )
            )  # fmt: skip


@pytest.fixture
async def bench(database: Database) -> Bench:
    """A bench with its case, on each kind of database."""
    bench = Bench(database)
    await bench.open()
    return bench


__all__ = ["DEBTOR", "DECISION", "FIRM", "MINOR", "SEEN", "Bench", "Security"]

"""The fictional money of the demonstration: two courts' main accounts and what arrived on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.accounts import open_missing
from assets.case_accounts.bank import Movement
from assets.case_accounts.intake import Intake
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.tables import Payee
from assets.identifiers import new_id
from assets.tables import Case, Claim, Person


@dataclass(frozen=True, slots=True)
class FictionalArrival:
    """Money that came in so many days before the demonstration began."""

    serial: str
    days_ago: int
    cents: int
    payer: str
    account: str
    remark: str
    sub: int = 0
    """Which sub-account the payer named; 0 is none."""


@dataclass(frozen=True, slots=True)
class FictionalMain:
    """A court's main account."""

    number: str
    bank_name: str
    fee_holder: str
    fee_number: str
    arrivals: tuple[FictionalArrival, ...]


CITY_MAIN = FictionalMain(
    "0610013200001234",
    "某商业银行呼和浩特分行（虚构）",
    "某中级人民法院诉讼费专户（虚构）",
    "0610013200009999",
    (
        FictionalArrival("YH0000000101", 26, 320_000_00, "张某甲（虚构）", "6217000060000000008", "还款", sub=1),
        FictionalArrival(
            "YH0000000102",
            12,
            45_600_50,
            "呼和浩特某某商贸有限公司（虚构）",
            "0610013200004567",
            "（2026）内01执123号案款",
        ),
        FictionalArrival("YH0000000103", 9, 2_300_00, "王某某（虚构）", "6217000060000004016", "预交诉讼费", sub=1),
        FictionalArrival("YH0000000104", 3, 8_800_00, "李某某（虚构）", "6217000060000003018", "法院案款"),
    ),
)
DISTRICT_MAIN = FictionalMain(
    "0610013200005678",
    "某商业银行呼和浩特分行（虚构）",
    "赛罕区人民法院诉讼费专户（虚构）",
    "0610013200008888",
    (FictionalArrival("YH0000000201", 34, 60_000_00, "乌某某（虚构）", "6217000060000005013", "案款", sub=1),),
)
MAINS = (CITY_MAIN, DISTRICT_MAIN)


async def seed_money(
    session: AsyncSession, intake: Intake, court_id: UUID, script: FictionalMain, now: datetime
) -> None:
    """Open a court's main account with its cases' sub-accounts and what arrived, once; the cases stand already."""
    known = select(MainAccount.id).where(MainAccount.court_id == court_id)
    if (await session.scalars(known)).first() is not None:
        return
    main = MainAccount(
        id=new_id(),
        court_id=court_id,
        number=script.number,
        bank_name=script.bank_name,
        fee_holder=script.fee_holder,
        fee_number=script.fee_number,
        balance_cents=0,
        postings=0,
        sub_accounts=0,
        opened_at=now,
    )
    session.add(main)
    await session.flush()
    await open_missing(session, main, now)
    for case in await session.scalars(select(Case).where(Case.court_id == court_id)):
        await _claims(session, case, now)
    for one in sorted(script.arrivals, key=lambda one: -one.days_ago):
        movement = Movement(
            serial=one.serial,
            at=now - timedelta(days=one.days_ago),
            cents=one.cents,
            counterparty_name=one.payer,
            counterparty_account=one.account,
            remark=one.remark,
            sub_number=sub_number(script, one),
            order_number="",
        )
        await intake.take_one(session, main, movement, notified_at=movement.at)


async def _claims(session: AsyncSession, case: Case, now: datetime) -> None:
    """What the applicant has to get, half of it secured by a mortgage, and where people get their money."""
    people = list(await session.scalars(select(Person).where(Person.case_id == case.id).order_by(Person.ordinal)))
    debtor, applicant = people[0], people[-1]
    known = select(Claim.id).where(Claim.case_id == case.id)
    if (await session.scalars(known)).first() is None:
        secured = case.claim_cents // 4
        principal = (case.claim_cents - secured) * 9 // 10
        mine = {"case_id": case.id, "creditor_id": applicant.id, "interest_from": date(2026, 3, 16)}
        session.add(
            Claim(id=new_id(), amount_cents=secured, principal_cents=secured, is_priority=True, kind="priority", **mine)
        )
        session.add(Claim(id=new_id(), amount_cents=case.claim_cents - secured, principal_cents=principal, **mine))
    accounts = ((applicant, "0610013200007777", ""), (debtor, "6217000060000000008", ""))
    for person, number, bank_code in accounts:
        session.add(
            Payee(
                id=new_id(),
                case_id=case.id,
                person_id=person.id,
                account_number=number,
                bank_name="某商业银行（虚构）",
                bank_code=bank_code,
                named_at=now,
            )
        )
    await session.flush()


def sub_number(script: FictionalMain, arrival: FictionalArrival) -> str:
    """The sub-account that the payer named."""
    return f"{script.number}{arrival.sub:06d}" if arrival.sub else ""

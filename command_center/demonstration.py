"""Filling an empty installation with the demonstration, once; done again, it only puts back what is missing."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.books import Books
from assets.case_accounts.demonstration import CITY_MAIN, DISTRICT_MAIN, seed_money
from assets.case_accounts.intake import Intake
from assets.case_accounts.ledger import Ledger
from assets.case_accounts.practice import Practice
from assets.demonstration import CITY_CASE, DISTRICT_CASE
from assets.demonstration import seed as seed_case
from assets.guard import CoverRules
from assets.holidays import announced
from assets.sanctions.demonstration import seed_sanctions
from assets.sanctions.service import Sanctions
from assets.tables import Case, Person
from command_center.accounts.passwords import Passwords, generate_password
from command_center.accounts.revocations import Revocations
from command_center.accounts.service import Accounts, NewUser
from command_center.accounts.tables import Court, User
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.clock import now, today
from command_center.config import Settings
from command_center.database import Database
from command_center.demonstration_plan import (
    CITY,
    DISTRICT,
    DISTRICT_OPERATION_EN,
    DISTRICT_OPERATION_ZH,
    DISTRICT_SITE,
    FREE_OFFICER,
    OPERATION_EN,
    OPERATION_ZH,
    PEOPLE,
    SITES,
    DemonstrationCourt,
    DemonstrationSite,
)
from command_center.journal import Journal
from command_center.operations.service import OperationPlan, Operations, SitePlan
from command_center.operations.tables import Operation
from command_center.outbox import Outbox
from streams.hub.hub import Hub

ACCOUNTS_FILE = "demo-accounts.json"
AGENTS_FILE = "demo/agents.json"
DISTRICT_CASE_NUMBER = "（2026）内0105执876号"
_JUDGES = {CITY: "judge", DISTRICT: "saihan-judge"}
"""Whose case each court's is: who may look behind its masks."""
LISTED, LIMITED = CITY_CASE.persons[1], CITY_CASE.persons[3]
"""By their numbers: on whom the demonstration has sanctions."""
AGENT_SPEED_MPS = 8.0
"""A car in a town: fast enough to see a marker move on a map of the whole city."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What stands after seeding: names to ids."""

    users: Mapping[str, UUID]
    courts: Mapping[str, UUID]
    operation_id: UUID
    district_operation_id: UUID
    passwords: Mapping[str, str]


async def seed(database: Database, settings: Settings, passwords: Passwords | None = None) -> Demonstration:
    """Make the demonstration's courts, accounts, operations and cases, and write the files that go with them."""
    known = await asyncio.to_thread(_read_accounts, settings.data / ACCOUNTS_FILE)
    chosen = {person.username: known.get(person.username) or generate_password() for person in PEOPLE}
    passwords = passwords or Passwords()
    async with database.read() as session:
        present = set(await session.scalars(select(User.username)))
    hashes = {
        person.username: await passwords.hash(chosen[person.username])
        for person in PEOPLE
        if person.username not in known or person.username not in present
    }
    hub = Hub(settings.hub_url)
    try:
        audit, revocations = Audit(), Revocations(Outbox(database, hub), hub)
        accounts = Accounts(database, audit, revocations)
        operations = Operations(database, hub, audit, Journal(), revocations)
        async with database.write() as session:
            courts = await _courts(session)
            users = await _people(session, accounts, courts, hashes)
            cases = await _cases(session, courts, users)
            await _money(session, database, audit, courts)
        await _sanctions(database, audit, courts[CITY.code].id, users, cases[CITY.code].id)
        async with database.write() as session:
            main, district = await _operations(session, operations, courts, users, cases)
    finally:
        await hub.close()
    demonstration = Demonstration(users, {code: court.id for code, court in courts.items()}, main, district, chosen)
    await asyncio.to_thread(_write_files, settings.data, demonstration)
    return demonstration


async def _courts(session: AsyncSession) -> dict[str, Court]:
    city = await _court(session, CITY, None)
    return {CITY.code: city, DISTRICT.code: await _court(session, DISTRICT, city.id)}


async def _court(session: AsyncSession, wanted: DemonstrationCourt, parent_id: UUID | None) -> Court:
    court = await session.scalar(select(Court).where(Court.code == wanted.code))
    if court is None:
        court = Court(code=wanted.code, name_zh=wanted.name_zh, name_en=wanted.name_en, parent_id=parent_id)
        session.add(court)
        await session.flush()
    return court


async def _people(
    session: AsyncSession, accounts: Accounts, courts: Mapping[str, Court], hashes: Mapping[str, str]
) -> dict[str, UUID]:
    users = {row.username: row.id for row in await session.execute(select(User.username, User.id))}
    for person in PEOPLE:
        if person.username in users:
            if person.username in hashes:  # its password was lost with the file
                await session.execute(
                    update(User).where(User.id == users[person.username]).values(password_hash=hashes[person.username])
                )
            continue
        new = NewUser(person.username, "", person.role, person.court.code, person.display_name, person.badge_number)
        made = await accounts.add_user(session, new, courts[person.court.code], hashes[person.username], None)
        users[person.username] = made.id
    return users


async def _cases(session: AsyncSession, courts: Mapping[str, Court], users: Mapping[str, UUID]) -> dict[str, Case]:
    found = {}
    scripts = {CITY: CITY_CASE, DISTRICT: replace(DISTRICT_CASE, number=DISTRICT_CASE_NUMBER)}
    for court, script in scripts.items():
        case_id = await seed_case(
            session,
            courts[court.code].id,
            court_code=court.code,
            court_name=court.name_zh,
            today=today(),
            script=script,
        )
        found[court.code] = case = await session.get_one(Case, case_id)
        case.judge_id = case.judge_id or users[_JUDGES[court]]
    return found


async def _money(session: AsyncSession, database: Database, audit: Audit, courts: Mapping[str, Court]) -> None:
    """Each court's main account, and what arrived on it."""
    intake = Intake(Books(database, Ledger(now), audit, now, Practice()))
    for court, script in {CITY: CITY_MAIN, DISTRICT: DISTRICT_MAIN}.items():
        await seed_money(session, intake, courts[court.code].id, script, now())


async def _sanctions(
    database: Database, audit: Audit, court_id: UUID, users: Mapping[str, UUID], case_id: UUID
) -> None:
    """Before there is an operation: its journal begins with what happens in it."""
    async with database.read() as session:
        persons = await session.execute(select(Person.id_number, Person.id).where(Person.case_id == case_id))
        ids = {row.id_number: row.id for row in persons}
    judge = Actor(users["judge"], frozenset({court_id}), may_see=True, may_propose_sanction=True, own_court_id=court_id)
    president = Actor(
        users["approver"], frozenset({court_id}), may_see=True, may_decide_sanction=True, own_court_id=court_id
    )
    sanctions = Sanctions(database, AssetTrail(audit, Journal()), now, _nobody_told, announced(), CoverRules())
    await seed_sanctions(sanctions, judge, president, case_id, listed_id=ids[LISTED], limited_id=ids[LIMITED])


async def _nobody_told(_case_id: UUID) -> None:
    """No screen is open yet."""


async def _operations(
    session: AsyncSession,
    operations: Operations,
    courts: Mapping[str, Court],
    users: Mapping[str, UUID],
    cases: Mapping[str, Case],
) -> tuple[UUID, UUID]:
    main = OperationPlan(
        court_id=courts[CITY.code].id,
        name_zh=OPERATION_ZH,
        name_en=OPERATION_EN,
        case_number=cases[CITY.code].number,
        case_id=cases[CITY.code].id,
        commander_id=users["commander"],
        starts_at=now(),
        sites=tuple(_site(site, users) for site in SITES),
        is_demonstration=True,
        officer_ids=(users[FREE_OFFICER],),
    )
    district = OperationPlan(
        court_id=courts[DISTRICT.code].id,
        name_zh=DISTRICT_OPERATION_ZH,
        name_en=DISTRICT_OPERATION_EN,
        case_number=cases[DISTRICT.code].number,
        case_id=cases[DISTRICT.code].id,
        commander_id=users["saihan-commander"],
        starts_at=now(),
        sites=(_site(DISTRICT_SITE, users),),
        is_demonstration=True,
    )
    return await _operation(session, operations, main), await _operation(session, operations, district)


async def _operation(session: AsyncSession, operations: Operations, plan: OperationPlan) -> UUID:
    found = await session.scalar(
        select(Operation.id).where(Operation.court_id == plan.court_id, Operation.name_zh == plan.name_zh)
    )
    return found or await operations.plan(session, plan)


def _site(site: DemonstrationSite, users: Mapping[str, UUID]) -> SitePlan:
    return SitePlan(
        name_zh=site.name_zh,
        name_en=site.name_en,
        district_zh=site.district_zh,
        district_en=site.district_en,
        latitude=site.latitude,
        longitude=site.longitude,
        officer_ids=(users[site.officer],),
    )


def _read_accounts(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return {account["username"]: account["password"] for account in json.loads(path.read_text())}


def _write_files(data: Path, made: Demonstration) -> None:
    accounts = [
        {
            "username": person.username,
            "password": made.passwords[person.username],
            "role": person.role.value,
            "court": person.court.code,
        }
        for person in PEOPLE
    ]
    agents = [
        {
            "username": site.officer,
            "password": made.passwords[site.officer],
            "operation": str(made.operation_id),
            "site_ordinal": ordinal,
            "device": f"demo-camera-{ordinal}",
            "clip": site.clip,
            "codec": site.codec,
            "track": site.track,
            "site_zh": site.name_zh,
            "site_en": site.name_en,
            "speed_mps": AGENT_SPEED_MPS,
            "refuses": site.refuses,
        }
        for ordinal, site in enumerate(SITES, start=1)
    ]
    _write_private(data / ACCOUNTS_FILE, accounts)
    _write_private(data / AGENTS_FILE, agents)


def _write_private(path: Path, content: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.write("\n")
    part.replace(path)

"""Two courts with their people and operations, in a real database: what tests of the services work on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

import command_center.schema  # noqa: F401 - every table is known
from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Role
from command_center.accounts.revocations import Revocations
from command_center.accounts.tables import Court, SignIn, User
from command_center.audit import Audit
from command_center.clock import now
from command_center.database import Database, new_id
from command_center.journal import Journal
from command_center.operations.instructions import Instructions, Order
from command_center.operations.positions import Positions
from command_center.operations.records import OperationRecord, Priority, Scope
from command_center.operations.service import OperationPlan, Operations, SitePlan
from command_center.outbox import Outbox
from streams.hub.hub import Hub


@dataclass
class World:
    """The services on one database and hub, and who and what is in it."""

    database: Database
    hub: Hub
    audit: Audit
    journal: Journal
    outbox: Outbox
    operations: Operations
    instructions: Instructions
    positions: Positions
    people: dict[str, Identity] = field(default_factory=dict)
    operation: OperationRecord = field(init=False)
    """The city court's, with the officers `li` and `zhang` at its two sites and `wang`, who has chosen none."""
    district_operation: OperationRecord = field(init=False)
    """The district court's, with the officer `bao`."""

    def order(self, text: str, scope: Scope = Scope.ALL, **changes: object) -> Order:
        """An instruction for the city's operation."""
        values: dict[str, object] = {
            "operation_id": self.operation.id,
            "scope": scope,
            "priority": Priority.URGENT,
            "text": text,
            "idempotency_key": new_id(),
        }
        return Order(**(values | changes))  # type: ignore[arg-type]

    async def sign_in(self, name: str) -> Identity:
        """A further session of this person."""
        person = self.people[name]
        async with self.database.write() as session:
            row = _sign_in(person.user_id)
            session.add(row)
            await session.flush()
            return Identity(**{**_fields(person), "session_id": row.id})

    async def ended_sessions(self) -> set[UUID]:
        """The sessions that are over."""
        async with self.database.read() as session:
            return set(await session.scalars(select(SignIn.id).where(SignIn.ended_at.is_not(None))))


@asynccontextmanager
async def new_world(url: str, hub: Hub, clock: Callable[[], datetime] = now) -> AsyncIterator[World]:
    """Build it in the database at `url`, which has the tables and nothing in them."""
    database = Database(url)
    audit, journal, outbox = Audit(), Journal(), Outbox(database, hub)
    world = World(
        database,
        hub,
        audit,
        journal,
        outbox,
        Operations(database, hub, audit, journal, Revocations(outbox, hub), clock),
        Instructions(database, hub, audit, journal, clock),
        Positions(database, journal),
    )
    try:
        await _settle(world)
        yield world
    finally:
        await database.close()


async def _settle(world: World) -> None:
    city = Court(id=new_id(), code="内01", name_zh="市中级法院", name_en="City court")
    district = Court(id=new_id(), code="内0105", name_zh="区法院", name_en="District court", parent_id=city.id)
    async with world.database.write() as session:
        session.add(city)
        await session.flush()
        session.add(district)
        await session.flush()
        both, own = frozenset({city.id, district.id}), frozenset({district.id})
        for name, role, court, scope in (
            ("commander", Role.COMMANDER, city, both),
            ("judge", Role.JUDGE, city, both),
            ("li", Role.OFFICER, city, both),
            ("zhang", Role.OFFICER, city, both),
            ("wang", Role.OFFICER, city, both),
            ("security", Role.SECURITY_ADMINISTRATOR, city, both),
            ("auditor", Role.AUDIT_ADMINISTRATOR, city, both),
            ("district-commander", Role.COMMANDER, district, own),
            ("bao", Role.OFFICER, district, own),
        ):
            user = User(
                id=new_id(),
                court_id=court.id,
                username=name,
                display_name=f"{name} 甲",
                role=role.value,
                password_hash="none",
                created_at=now(),
            )
            session.add(user)
            await session.flush()
            sign_in = _sign_in(user.id)
            session.add(sign_in)
            await session.flush()
            world.people[name] = Identity(user.id, sign_in.id, name, user.display_name, role, court.id, scope)
    people = world.people
    world.operation = await world.operations.create(
        people["commander"],
        _plan(
            city.id,
            people["commander"],
            (people["li"].user_id, people["zhang"].user_id),
            (people["wang"].user_id,),
        ),
    )
    world.district_operation = await world.operations.create(
        people["district-commander"],
        _plan(district.id, people["district-commander"], (people["bao"].user_id,), ()),
    )


def _plan(court: UUID, commander: Identity, at_sites: tuple[UUID, ...], others: tuple[UUID, ...]) -> OperationPlan:
    return OperationPlan(
        court_id=court,
        name_zh="行动",
        name_en="Operation",
        case_number="（2026）内01执123号",
        commander_id=commander.user_id,
        starts_at=datetime(2026, 3, 1, 1, tzinfo=UTC),
        sites=tuple(
            SitePlan(f"现场{number}", f"Site {number}", "赛罕区", "Saihan", 40.8, 111.7, (officer,))
            for number, officer in enumerate(at_sites, start=1)
        ),
        officer_ids=others,
    )


def _sign_in(user_id: UUID) -> SignIn:
    at = now()
    identifier = new_id()
    return SignIn(
        id=identifier,
        user_id=user_id,
        secret_hash=identifier.bytes * 2,
        csrf_token="csrf",
        created_at=at,
        last_seen_at=at,
        expires_at=at + timedelta(hours=12),
    )


def _fields(person: Identity) -> dict[str, object]:
    return {name: getattr(person, name) for name in Identity.__slots__}

"""Operations with their sites and teams: who may see them, who has a place in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission, Role
from command_center.accounts.revocations import Revocations
from command_center.accounts.tables import User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.errors import Invalid, NotFound
from command_center.journal import Journal, JournalKind
from command_center.operations.feeds import Feeds
from command_center.operations.records import OfficerRecord, OperationRecord, SiteRecord, to_ms
from command_center.operations.scope import (
    check_site,
    commanded_operation,
    must,
    visible_operation,
    visible_operations,
)
from command_center.operations.tables import Assignment, Operation, Site
from streams.hub.hub import Hub
from streams.hub.topics import FeedsChanged, Revoked

PAGE = 100
MAX_SITES = 50
MAX_OFFICERS = 500


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A place that an operation is to have; WGS-84."""

    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    latitude: float
    longitude: float
    officer_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """An operation that is to be; the sites get their numbers in this order, from 1."""

    court_id: UUID
    name_zh: str
    name_en: str
    case_number: str
    commander_id: UUID
    starts_at: datetime
    sites: tuple[SitePlan, ...]
    case_id: UUID | None = None
    is_demonstration: bool = False
    officer_ids: tuple[UUID, ...] = field(default=())
    """Officers who choose their site on the phone."""


class Operations:
    """The operations; `feeds` are the cameras in them."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        audit: Audit,
        journal: Journal,
        revocations: Revocations,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._hub = hub
        self._audit = audit
        self._journal = journal
        self._revocations = revocations
        self._clock = clock
        self.feeds = Feeds(database, hub, audit, journal, revocations, clock)

    async def in_scope(self, identity: Identity) -> list[OperationRecord]:
        """The operations that this person may see, the newest first: those it commands, its own court's, others."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(Operation)
                .where(visible_operations(identity))
                .order_by(
                    (Operation.commander_id == identity.user_id).desc(),
                    (Operation.court_id == identity.court_id).desc(),
                    Operation.starts_at.desc(),
                    Operation.id.desc(),
                )
                .limit(PAGE)
            )
            return await _records(session, list(rows))

    async def operation(self, identity: Identity, operation_id: UUID) -> OperationRecord:
        """One operation.

        Raises:
            NotFound: there is none, or none that this person may know of.
        """
        async with self._database.read() as session:
            row = await visible_operation(session, identity, operation_id)
            return (await _records(session, [row]))[0]

    async def places(self, officer_id: UUID) -> frozenset[UUID]:
        """The operations in which this officer has a place now."""
        async with self._database.read() as session:
            found = await session.scalars(
                select(Assignment.operation_id).where(Assignment.user_id == officer_id, Assignment.removed_at.is_(None))
            )
            return frozenset(found)

    async def create(self, identity: Identity, plan: OperationPlan) -> OperationRecord:
        """Make an operation in one of this person's courts.

        Raises:
            NotPermitted: the role doesn't command.
            Invalid: a court, commander or officer that isn't this person's to name.
        """
        must(identity, Permission.SEND_INSTRUCTIONS)
        if plan.court_id not in identity.court_ids:
            raise Invalid("court-unknown")
        async with self._database.write() as session:
            await _check_people(session, identity, plan)
            operation_id = await self.plan(session, plan)
            await self._note(session, identity, operation_id, "created")
            await self._record(session, identity, plan.court_id, "operation.created", operation_id)
        return await self.operation(identity, operation_id)

    async def plan(self, session: AsyncSession, plan: OperationPlan) -> UUID:
        """Write an operation with its sites and places in the caller's transaction, unchecked, and return its id."""
        operation = Operation(
            court_id=plan.court_id,
            name_zh=plan.name_zh,
            name_en=plan.name_en,
            case_id=plan.case_id,
            case_number=plan.case_number,
            commander_id=plan.commander_id,
            is_demonstration=plan.is_demonstration,
            starts_at=plan.starts_at,
        )
        session.add(operation)
        await session.flush()
        for ordinal, site_plan in enumerate(plan.sites, start=1):
            site = Site(
                operation_id=operation.id,
                ordinal=ordinal,
                name_zh=site_plan.name_zh,
                name_en=site_plan.name_en,
                district_zh=site_plan.district_zh,
                district_en=site_plan.district_en,
                latitude=site_plan.latitude,
                longitude=site_plan.longitude,
            )
            session.add(site)
            await session.flush()
            for user_id in site_plan.officer_ids:
                session.add(Assignment(operation_id=operation.id, user_id=user_id, site_id=site.id))
        for user_id in plan.officer_ids:
            session.add(Assignment(operation_id=operation.id, user_id=user_id))
        await session.flush()
        return operation.id

    async def assign(self, identity: Identity, operation_id: UUID, user_id: UUID, site_id: UUID | None = None) -> None:
        """Give an officer a place, or move it to another site; one that was removed comes back.

        Raises:
            NotPermitted, NotFound: as for every command.
            Invalid: the officer or site isn't known here.
        """
        async with self._database.write() as session:
            operation = await commanded_operation(session, identity, operation_id)
            await _check_officers(session, identity, {user_id})
            if site_id is not None:
                await check_site(session, operation_id, site_id)
            place = await session.scalar(
                select(Assignment).where(Assignment.operation_id == operation_id, Assignment.user_id == user_id)
            )
            if place is None:
                place = Assignment(operation_id=operation_id, user_id=user_id)
                session.add(place)
            place.site_id, place.removed_at = site_id, None
            site = str(site_id) if site_id else None
            await self._note(session, identity, operation_id, "officer-assigned", officer=str(user_id), site=site)
            await self._record(
                session, identity, operation.court_id, "operation.officer-assigned", operation_id, officer=user_id
            )

    async def remove_officer(self, identity: Identity, operation_id: UUID, user_id: UUID) -> None:
        """Take an officer out of an operation: its pictures and sockets there end at once.

        Raises:
            NotPermitted, NotFound: as for every command; also where the officer has no place.
        """
        at = self._clock()
        revoked = Revoked(user_id=user_id, operation_id=operation_id, at=to_ms(at))
        async with self._database.write() as session:
            operation = await commanded_operation(session, identity, operation_id)
            place = await session.scalar(
                select(Assignment).where(
                    Assignment.operation_id == operation_id,
                    Assignment.user_id == user_id,
                    Assignment.removed_at.is_(None),
                )
            )
            if place is None:
                raise NotFound("officer-not-in-operation")
            place.removed_at = at
            self._revocations.add(session, revoked)
            await self._note(session, identity, operation_id, "officer-removed", officer=str(user_id))
            await self._record(
                session, identity, operation.court_id, "operation.officer-removed", operation_id, officer=user_id
            )
        await self._revocations.tell(revoked)
        await self._hub.publish(FeedsChanged(operation_id=operation_id))

    async def _note(
        self, session: AsyncSession, identity: Identity, operation_id: UUID, what: str, **more: str | None
    ) -> None:
        body = {"what": what, "by": str(identity.user_id), **more}
        await self._journal.note(session, operation_id, JournalKind.OPERATION, body)

    async def _record(
        self,
        session: AsyncSession,
        identity: Identity,
        court_id: UUID,
        action: str,
        operation_id: UUID,
        **details: UUID,
    ) -> None:
        await self._audit.record(
            session,
            actor=identity.user_id,
            court_id=court_id,
            action=action,
            subject_type="operation",
            subject_id=str(operation_id),
            details={name: str(value) for name, value in details.items()},
        )


async def _check_people(session: AsyncSession, identity: Identity, plan: OperationPlan) -> None:
    officers = {user_id for site in plan.sites for user_id in site.officer_ids} | set(plan.officer_ids)
    named = sum(len(site.officer_ids) for site in plan.sites) + len(plan.officer_ids)
    if not 1 <= len(plan.sites) <= MAX_SITES or named > MAX_OFFICERS:
        raise Invalid("operation-size", sites=MAX_SITES, officers=MAX_OFFICERS)
    if named != len(officers):
        raise Invalid("officer-named-twice")
    await _check_officers(session, identity, officers)
    commander = await session.get(User, plan.commander_id)
    if commander is None or commander.court_id not in identity.court_ids or commander.role != Role.COMMANDER:
        raise Invalid("commander-unknown")


async def _check_officers(session: AsyncSession, identity: Identity, user_ids: set[UUID]) -> None:
    known = await session.scalars(
        select(User.id).where(
            User.id.in_(user_ids),
            User.role == Role.OFFICER.value,
            User.court_id.in_(identity.court_ids),
            User.disabled_at.is_(None),
        )
    )
    if set(known) != user_ids:
        raise Invalid("officer-unknown")


async def _records(session: AsyncSession, rows: list[Operation]) -> list[OperationRecord]:
    ids = [row.id for row in rows]
    sites: dict[UUID, list[SiteRecord]] = {operation_id: [] for operation_id in ids}
    for site in await session.scalars(select(Site).where(Site.operation_id.in_(ids)).order_by(Site.ordinal)):
        sites[site.operation_id].append(_site(site))
    officers: dict[UUID, list[OfficerRecord]] = {operation_id: [] for operation_id in ids}
    places = await session.execute(
        select(Assignment.operation_id, Assignment.user_id, User.display_name, Assignment.site_id)
        .join(User, User.id == Assignment.user_id)
        .where(Assignment.operation_id.in_(ids), Assignment.removed_at.is_(None))
        .order_by(Assignment.id)
    )
    for operation_id, user_id, display_name, site_id in places:
        officers[operation_id].append(OfficerRecord(user_id, display_name, site_id))
    return [_record(row, tuple(sites[row.id]), tuple(officers[row.id])) for row in rows]


def _record(row: Operation, sites: tuple[SiteRecord, ...], officers: tuple[OfficerRecord, ...]) -> OperationRecord:
    return OperationRecord(
        id=row.id,
        court_id=row.court_id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        case_id=row.case_id,
        case_number=row.case_number,
        commander_id=row.commander_id,
        state=row.state,
        is_demonstration=row.is_demonstration,
        starts_at=row.starts_at,
        ended_at=row.ended_at,
        sites=sites,
        officers=officers,
    )


def _site(row: Site) -> SiteRecord:
    return SiteRecord(
        id=row.id,
        ordinal=row.ordinal,
        name_zh=row.name_zh,
        name_en=row.name_en,
        district_zh=row.district_zh,
        district_en=row.district_en,
        latitude=row.latitude,
        longitude=row.longitude,
    )

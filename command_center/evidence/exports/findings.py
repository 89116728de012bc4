"""What the records hold that goes into a package, read in one go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.tables import Asset, AssetRequest, Person
from command_center.accounts.tables import Court, User
from command_center.audit import AuditEntry
from command_center.database import Database
from command_center.errors import NotFound
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.exports.known_people import known_people
from command_center.evidence.exports.plan import VOICE, Fix, Wanted
from command_center.evidence.exports.tables import ExportJob
from command_center.evidence.tables import Recording
from command_center.journal import JournalEntry
from command_center.operations.instruction_rows import instruction_records
from command_center.operations.records import InstructionRecord, from_ms, to_ms
from command_center.operations.tables import Feed, Instruction, Operation, PositionRecord, Site

MAX_INSTRUCTIONS = 5_000
MAX_CUSTODY = 5_000
MAX_FIXES = 20_000
"""Of one device: half a day, one in two seconds; a longer track is thinned."""
MOST_READ = 200_000
CUSTODY_ACTIONS = ("recording.", "review.", "export.", "evidence.", "retention.", "deletion.", "hold.")
"""How the actions of an audit's entries begin that tell who saw or took what."""


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed, or the centre's voice (without sites), and the manifests of its recordings in the span."""

    name: str
    sites: tuple[tuple[int, Site], ...]
    """Where its device was, each with since when (Unix milliseconds)."""
    officer: str
    manifests: tuple[str, ...]
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry of the audit, and who it was."""

    entry: AuditEntry
    who: str

    @property
    def details(self) -> dict[str, str | int]:
        """What it tells beside."""
        found = json.loads(self.entry.details)
        return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class Findings:
    """Everything that the records tell of what was asked for."""

    operation: Operation
    court: Court
    sites: list[Site]
    feeds: list[FoundFeed] = field(default_factory=list)
    instructions: list[InstructionRecord] = field(default_factory=list)
    custody: list[FoundEntry] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Of people who may be named in a text."""
    called: dict[str, str] = field(default_factory=dict)
    """What ids in the journal stand for: people, sites, and the assets of requests."""
    noted: int = 0
    """The newest entry of the operation's journal; 0 where there is none."""


async def find(database: Database, wanted: Wanted) -> Findings:
    """Read it.

    Raises:
        NotFound: the operation isn't there any more.
    """
    async with database.read() as session:
        operation = await session.get(Operation, wanted.operation)
        if operation is None:
            raise NotFound("operation-not-found")
        sites = await session.scalars(select(Site).where(Site.operation_id == operation.id).order_by(Site.ordinal))
        found = Findings(operation, await session.get_one(Court, operation.court_id), list(sites))
        recordings = await _recordings(session, wanted)
        for name in wanted.feeds:
            found.feeds.append(await _feed(session, wanted, name, recordings, found.sites))
        found.instructions = await _instructions(session, wanted)
        found.custody = await _custody(session, wanted, recordings)
        found.names = await known_people(session)
        found.called = await _called(session, operation, found.sites)
        newest = select(func.max(JournalEntry.id)).where(JournalEntry.operation_id == operation.id)
        found.noted = await session.scalar(newest) or 0
    return found


async def _recordings(session: AsyncSession, wanted: Wanted) -> list[tuple[Recording, str]]:
    """Those that may hold something of the span, with the name of their feed (`VOICE` for the centre's)."""
    since, until = from_ms(wanted.since), from_ms(wanted.until)
    query = (
        select(Recording, Feed.name)
        .outerjoin(Feed, Recording.feed_id == Feed.id)
        .where(
            Recording.operation_id == wanted.operation,
            Recording.covered_by.is_(None),
            Recording.started_at < until,
            or_(Recording.ended_at.is_(None), Recording.ended_at > since),
        )
        .order_by(Recording.started_at, Recording.id)
    )
    rows = [(recording, name or VOICE) for recording, name in await session.execute(query)]
    return [row for row in rows if row[1] in wanted.feeds]


async def _feed(
    session: AsyncSession, wanted: Wanted, name: str, recordings: list[tuple[Recording, str]], sites: list[Site]
) -> FoundFeed:
    own = [recording for recording, feed in recordings if feed == name]
    manifests = tuple(one.manifest for one in own)
    if name == VOICE:
        speakers = {one.speaker_id for one in own if one.speaker_id is not None}
        names = await session.scalars(select(User.display_name).where(User.id.in_(speakers)).order_by(User.id))
        return FoundFeed(VOICE, (), "、".join(names), manifests)
    feed, officer = (
        await session.execute(
            select(Feed, User.display_name).join(User, User.id == Feed.officer_id).where(Feed.name == name)
        )
    ).one()
    known = {site.id: site for site in sites}
    # Where the device was when each recording began: what it recorded there stays that site's.
    told = [(to_ms(one.started_at), known[one.site_id]) for one in own if one.site_id in known]
    moves = [place for number, place in enumerate(told) if number == 0 or place[1] is not told[number - 1][1]]
    places = tuple(moves) or ((wanted.since, known[feed.site_id]),)
    return FoundFeed(name, places, officer, manifests, await _fixes(session, feed.id, wanted))


async def _fixes(session: AsyncSession, feed_id: UUID, wanted: Wanted) -> tuple[Fix, ...]:
    """Where the device was, by the node's clock."""
    since, until = from_ms(wanted.since), from_ms(wanted.until)
    own = PositionRecord.feed_id == feed_id
    # The least of received minus taken is the device's clock error: what came late only makes it greater.
    received = and_(PositionRecord.received_at >= since, PositionRecord.received_at <= until)
    shift = timedelta(
        milliseconds=await session.scalar(select(func.min(PositionRecord.clock_offset_ms)).where(own, received)) or 0
    )
    rows = await session.execute(
        select(PositionRecord.taken_at, PositionRecord.latitude, PositionRecord.longitude)
        .where(own, PositionRecord.taken_at >= since - shift, PositionRecord.taken_at < until - shift)
        .order_by(PositionRecord.taken_at, PositionRecord.id)
        .limit(MOST_READ)
    )
    found = rows.all()
    step = max(1, -(-len(found) // MAX_FIXES))
    return tuple(
        Fix(at=to_ms(taken_at + shift), latitude=latitude, longitude=longitude)
        for taken_at, latitude, longitude in found[::step]
    )


async def _instructions(session: AsyncSession, wanted: Wanted) -> list[InstructionRecord]:
    rows = await session.scalars(
        select(Instruction)
        .where(
            Instruction.operation_id == wanted.operation,
            Instruction.issued_at >= from_ms(wanted.since),
            Instruction.issued_at < from_ms(wanted.until),
        )
        .order_by(Instruction.number)
        .limit(MAX_INSTRUCTIONS)
    )
    return await instruction_records(session, list(rows))


async def _custody(session: AsyncSession, wanted: Wanted, recordings: list[tuple[Recording, str]]) -> list[FoundEntry]:
    """Who saw, took or was refused these recordings, up to when the export was begun."""
    exports = await session.scalars(select(ExportJob.id).where(ExportJob.operation_id == wanted.operation))
    subjects = {str(wanted.operation), *(str(one.id) for one, _ in recordings), *(str(one) for one in exports)}
    actions = or_(*(AuditEntry.action.startswith(begin, autoescape=True) for begin in CUSTODY_ACTIONS))
    rows = await session.execute(
        select(AuditEntry, User.display_name)
        .outerjoin(User, User.id == AuditEntry.actor_id)
        .where(AuditEntry.subject_id.in_(subjects), actions, AuditEntry.at <= _moment(wanted.at))
        .order_by(AuditEntry.sequence.desc())
        .limit(MAX_CUSTODY)
    )
    return [FoundEntry(entry, who or "") for entry, who in reversed(rows.all())]


def _moment(milliseconds: int) -> datetime:
    """The end of this millisecond."""
    return from_ms(milliseconds) + timedelta(milliseconds=1)


async def _called(session: AsyncSession, operation: Operation, sites: list[Site]) -> dict[str, str]:
    rows = await session.execute(select(User.id, User.display_name).where(User.court_id == operation.court_id))
    called = {str(user_id): name for user_id, name in rows}
    decided = select(Deletion).where(Deletion.operation_id == operation.id).subquery()
    deciders = await session.execute(
        select(User.id, User.display_name).where(
            or_(User.id.in_(select(decided.c.proposed_by)), User.id.in_(select(decided.c.approved_by)))
        )
    )
    called |= {str(user_id): name for user_id, name in deciders}
    called |= {str(site.id): site.name_zh for site in sites}
    if operation.case_id is not None:
        people = await session.execute(select(Person.id, Person.name).where(Person.case_id == operation.case_id))
        called |= {str(person_id): name for person_id, name in people}
        requests = await session.execute(
            select(AssetRequest.id, Asset.description, Asset.reference)
            .join(Asset, Asset.id == AssetRequest.asset_id)
            .where(AssetRequest.case_id == operation.case_id)
        )
        called |= {str(request): f"{description} {reference}" for request, description, reference in requests}
    return called

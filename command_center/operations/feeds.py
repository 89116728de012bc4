"""Feeds: the cameras of an operation, who may publish and view them, and how a lost phone is shut out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.revocations import Revocations
from command_center.accounts.sessions import end_sign_ins, open_sign_ins
from command_center.accounts.tables import MediaToken
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import Conflict, NotFound, NotPermitted
from command_center.journal import Journal, JournalKind
from command_center.operations.feed_rows import feed_record, feed_rows, new_name
from command_center.operations.records import FeedRecord, from_ms, to_ms
from command_center.operations.scope import check_site, must, visible_operation, visible_operations
from command_center.operations.tables import Assignment, Feed, FeedSite, Operation, Site
from streams.hub.hub import Hub
from streams.hub.topics import FeedsChanged, Revoked
from streams.protocol import CameraState
from streams.voice_protocol import voice_name

MAX_FEEDS = 500
"""How many feeds of one operation are listed; more than any wall shows."""
MAX_DEVICES = 10
"""How many devices one officer may register in one operation."""


class Feeds:
    """The register of feeds."""

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

    async def register(
        self, identity: Identity, operation_id: UUID, site_id: UUID, device: str, source: str = "camera"
    ) -> FeedRecord:
        """Give an officer's device its feed at a site; asked again, the same feed, at the site of now.

        Raises:
            NotPermitted: the role doesn't publish.
            NotFound: the officer has no place in this operation.
            Invalid: the site isn't one of the operation.
            Conflict: the operation is over, the device was revoked, or there are too many of this officer.
        """
        must(identity, Permission.PUBLISH)
        async with self._database.write() as session:
            operation, place = await _own_place(session, identity, operation_id)
            site = await check_site(session, operation_id, site_id)
            feed = await self._registered(session, identity, operation, device, source)
            change = None
            if feed is None:
                feed = await self._make(session, identity, operation, site, device, source)
                change = "registered"
            elif feed.site_id != site_id:
                session.add(FeedSite(feed_id=feed.id, site_id=site_id, since=self._clock()))
                change = "moved"
            feed.registered_at = self._clock()
            feed.site_id = place.site_id = site_id
            feed_id = feed.id
            if change is not None:
                await self._note(session, feed, change)
            if change == "registered":
                await self._record(session, identity.user_id, feed, operation.court_id, "feed.registered")
        await self._hub.publish(FeedsChanged(operation_id=operation_id))
        async with self._database.read() as session:
            return feed_record((await session.execute(feed_rows().where(Feed.id == feed_id))).one())

    async def for_publishing(self, identity: Identity, name: str) -> FeedRecord:
        """The feed, where this officer may publish it now.

        Raises:
            NotPermitted: the role doesn't publish, or the device was revoked.
            NotFound: there is none of this officer's, or its place was taken away.
            Conflict: the operation is over.
        """
        must(identity, Permission.PUBLISH)
        feed = await self._one(identity, name)
        if feed.officer_id != identity.user_id:
            raise NotFound("feed-not-found")
        if feed.revoked_at is not None:
            raise NotPermitted("feed-revoked")
        if feed.operation_state == "ended":
            raise Conflict("operation-ended")
        return feed

    async def for_viewing(self, identity: Identity, name: str) -> FeedRecord:
        """The feed, where this person may watch it now.

        Raises:
            NotPermitted: the role doesn't view, or the device was revoked.
            NotFound: there is none in this person's courts.
        """
        must(identity, Permission.VIEW_FEEDS)
        feed = await self._one(identity, name)
        if feed.revoked_at is not None:
            raise NotPermitted("feed-revoked")
        return feed

    async def for_talking(self, identity: Identity, operation_id: UUID) -> UUID:
        """The court of the operation, where this person may speak to its officers now.

        Raises:
            NotPermitted: the role doesn't talk.
            NotFound: there is none in this person's courts.
            Conflict: the operation is over.
        """
        must(identity, Permission.TALK)
        async with self._database.read() as session:
            operation = await visible_operation(session, identity, operation_id)
        if operation.state == "ended":
            raise Conflict("operation-ended")
        return operation.court_id

    async def listed(self, identity: Identity, operation_id: UUID | None = None) -> list[FeedRecord]:
        """The feeds in this person's scope, site by site; an officer's are its own."""
        query = feed_rows().where(visible_operations(identity)).limit(MAX_FEEDS)
        if not identity.may(Permission.SEE_OPERATIONS):
            query = query.where(Feed.officer_id == identity.user_id)
        if operation_id is not None:
            query = query.where(Feed.operation_id == operation_id)
        async with self._database.read() as session:
            return [feed_record(row) for row in await session.execute(query)]

    async def of_operation(self, operation_id: UUID) -> list[FeedRecord]:
        """Every feed of an operation whose reader was checked before."""
        async with self._database.read() as session:
            query = feed_rows().where(Feed.operation_id == operation_id).limit(MAX_FEEDS)
            return [feed_record(row) for row in await session.execute(query)]

    async def operation_of(self, name: str) -> UUID | None:
        """Which operation a feed belongs to, for the process that routes its events."""
        async with self._database.read() as session:
            return await session.scalar(select(Feed.operation_id).where(Feed.name == name))

    async def of_device(self, officer_id: UUID, device: str) -> FeedRecord | None:
        """The feed that this officer's device works for now: the one it asked for last, if it still may."""
        query = (
            feed_rows()
            .join(Assignment, (Assignment.operation_id == Feed.operation_id) & (Assignment.user_id == Feed.officer_id))
            .where(
                Feed.officer_id == officer_id,
                Feed.device == device,
                Feed.revoked_at.is_(None),
                Assignment.removed_at.is_(None),
                Operation.state != "ended",
            )
            .order_by(None)
            .order_by(Feed.registered_at.desc(), Feed.id.desc())
            .limit(1)
        )
        async with self._database.read() as session:
            row = (await session.execute(query)).first()
        return None if row is None else feed_record(row)

    async def camera_changed(self, name: str, state: CameraState, at_ms: int) -> None:
        """Keep a device's last own word on its camera; an older word changes nothing."""
        at = from_ms(at_ms)
        async with self._database.write() as session:
            feed = await session.scalar(select(Feed).where(Feed.name == name).with_for_update())
            if feed is None or (feed.camera_changed_at is not None and feed.camera_changed_at > at):
                return
            is_news = (feed.camera_state, feed.camera_changed_at) != (state.value, at)
            feed.camera_state, feed.camera_changed_at = state.value, at
            if is_news:
                await self._note(session, feed, "state", state=state.value, told_at=at_ms)

    async def is_revoked(self, name: str) -> bool:
        """Whether this feed was shut, which is for good: a revoked device isn't registered again."""
        async with self._database.read() as session:
            return await session.scalar(select(Feed.revoked_at).where(Feed.name == name)) is not None

    async def revoke(self, identity: Identity, name: str) -> None:
        """Shut a phone out, at once and for good: its feed, its tokens, and its officer's sessions.

        Sessions of the same officer that are known to publish another device's feed go on.

        Raises:
            NotPermitted: the role doesn't revoke.
            NotFound: there is none in this person's courts.
        """
        must(identity, Permission.REVOKE_DEVICES)
        at = self._clock()
        async with self._database.write() as session:
            row = (
                await session.execute(
                    select(Feed, Operation.court_id)
                    .join(Operation)
                    .where(Feed.name == name, Operation.court_id.in_(identity.court_ids))
                )
            ).first()
            if row is None:
                raise NotFound("feed-not-found")
            feed, court_id = row
            feed.revoked_at = feed.revoked_at or at
            events = await end_sign_ins(session, await _sessions_of(session, feed), at, self._revocations)
            events += await self._revoke_tokens(session, name, at)
            # A token for many feeds, or one made later, isn't known here: the nodes shut the feed itself.
            shut = Revoked(feed=name, at=to_ms(at))
            self._revocations.add(session, shut)
            events.append(shut)
            await self._note(session, feed, "revoked", by=str(identity.user_id))
            await self._record(session, identity.user_id, feed, court_id, "feed.revoked")
            operation_id = feed.operation_id
        await self._revocations.tell(*events)
        await self._hub.publish(FeedsChanged(operation_id=operation_id))

    async def _one(self, identity: Identity, name: str) -> FeedRecord:
        query = feed_rows().where(Feed.name == name, visible_operations(identity))
        async with self._database.read() as session:
            row = (await session.execute(query)).first()
        if row is None:
            raise NotFound("feed-not-found")
        return feed_record(row)

    async def _registered(
        self, session: AsyncSession, identity: Identity, operation: Operation, device: str, source: str
    ) -> Feed | None:
        """The feed that this device has already; None where another may be made for it."""
        own = list(
            await session.scalars(
                select(Feed).where(Feed.operation_id == operation.id, Feed.officer_id == identity.user_id)
            )
        )
        for feed in own:
            if (feed.device, feed.source) == (device, source):
                if feed.revoked_at is not None:
                    raise Conflict("feed-revoked")
                return feed
        if len(own) >= MAX_DEVICES:
            raise Conflict("too-many-devices", limit=MAX_DEVICES)
        return None

    async def _make(
        self, session: AsyncSession, identity: Identity, operation: Operation, site: Site, device: str, source: str
    ) -> Feed:
        feed = Feed(
            id=new_id(),
            name=new_name(operation, site, identity.username, device),
            operation_id=operation.id,
            site_id=site.id,
            officer_id=identity.user_id,
            device=device,
            source=source,
            created_at=self._clock(),
        )
        session.add(feed)
        await session.flush()
        session.add(FeedSite(feed_id=feed.id, site_id=site.id, since=feed.created_at))
        return feed

    async def _revoke_tokens(self, session: AsyncSession, name: str, at: datetime) -> list[Revoked]:
        live = (
            MediaToken.feed.in_((name, voice_name(name)))
            & MediaToken.revoked_at.is_(None)
            & (MediaToken.expires_at > at)
        )
        ids = list(await session.scalars(select(MediaToken.id).where(live)))
        await session.execute(update(MediaToken).where(MediaToken.id.in_(ids)).values(revoked_at=at))
        events = [Revoked(token_id=token, at=to_ms(at)) for token in ids]
        for event in events:
            self._revocations.add(session, event)
        return events

    async def _note(self, session: AsyncSession, feed: Feed, what: str, **more: str | int) -> None:
        body = {"what": what, "feed": feed.name, "officer": str(feed.officer_id), "site": str(feed.site_id), **more}
        await self._journal.note(session, feed.operation_id, JournalKind.CAMERA, body)

    async def _record(self, session: AsyncSession, actor: UUID, feed: Feed, court_id: UUID, action: str) -> None:
        await self._audit.record(
            session,
            actor=actor,
            court_id=court_id,
            action=action,
            subject_type="feed",
            subject_id=feed.name,
            details={"operation": str(feed.operation_id), "officer": str(feed.officer_id)},
        )


async def _own_place(session: AsyncSession, identity: Identity, operation_id: UUID) -> tuple[Operation, Assignment]:
    # The lock keeps two requests of one device from making two feeds.
    place = await session.scalar(
        select(Assignment)
        .where(
            Assignment.operation_id == operation_id,
            Assignment.user_id == identity.user_id,
            Assignment.removed_at.is_(None),
        )
        .with_for_update()
    )
    operation = await session.get(Operation, operation_id)
    if place is None or operation is None:
        raise NotFound("operation-not-found")
    if operation.state == "ended":
        raise Conflict("operation-ended")
    return operation, place


async def _sessions_of(session: AsyncSession, feed: Feed) -> Sequence[UUID]:
    sign_ins = await open_sign_ins(session, feed.officer_id)
    published = await session.execute(
        select(MediaToken.session_id, MediaToken.feed).where(
            MediaToken.session_id.in_(sign_ins), MediaToken.may_publish
        )
    )
    feeds: dict[UUID | None, set[str]] = {}
    for sign_in, name in published:
        feeds.setdefault(sign_in, set()).add(name)
    return [sign_in for sign_in in sign_ins if feed.name in feeds.get(sign_in, {feed.name})]

"""Handing out tokens for media, each kept so that it can be revoked and accounted for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from command_center.accounts.identity import Identity
from command_center.accounts.tables import MediaToken, SignIn
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import NotSignedIn
from streams.signalling.tokens import LONGEST_LIFE_SECONDS, Grant, TokenRefused, issue, verify
from streams.voice_protocol import NAME_BOUND, camera_of, is_talk, is_voice


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A bearer token and how long it lives. Its id is no secret, and tells nobody but the audit whose it is."""

    token_id: UUID
    access_token: str
    expires_in: int


class MediaTokens:
    """Signs tokens with the centre's key; whether the person may have one, the caller has checked.

    `is_feed_revoked` is asked when a token is checked; who only issues needs none.
    """

    def __init__(
        self,
        database: Database,
        audit: Audit,
        key: Ed25519PrivateKey,
        *,
        minutes: int,
        is_feed_revoked: Callable[[str], Awaitable[bool]] | None = None,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._key = key
        self._minutes = minutes
        self._is_feed_revoked = is_feed_revoked
        self._clock = clock

    async def issue(
        self,
        identity: Identity | None,
        feed: str,
        *,
        operation_id: UUID | None,
        court_id: UUID | None,
        may_publish: bool = False,
        may_view: bool = False,
        minutes: int | None = None,
        speaker: str | None = None,
    ) -> IssuedToken:
        """Make a token for `feed`; it dies with the session that it came from, or after its minutes.

        `speaker` is how somebody who talks is named to those who hear it.

        Raises:
            NotSignedIn: the session was ended meanwhile.
        """
        at = self._clock()
        expires_at = at + timedelta(seconds=min((minutes or self._minutes) * 60, LONGEST_LIFE_SECONDS))
        row = MediaToken(
            id=new_id(),
            user_id=identity.user_id if identity else None,
            session_id=identity.session_id if identity else None,
            feed=feed,
            may_publish=may_publish,
            may_view=may_view,
            issued_at=at,
            expires_at=expires_at,
        )
        async with self._database.write() as session:
            if identity is not None:
                # Asked in this transaction, so that a sign-out in the same moment leaves no token behind.
                sign_in = await session.get(SignIn, identity.session_id, with_for_update=True)
                if sign_in is None or sign_in.ended_at is not None:
                    raise NotSignedIn("not-signed-in")
            session.add(row)
            await self._audit.record(
                session,
                actor=row.user_id,
                court_id=court_id,
                action=(
                    ("talk.awaited" if may_view else "talk.prepared")
                    if is_voice(feed) or is_talk(feed)
                    else ("feed.viewed" if may_view else "feed.published")
                ),
                subject_type="feed",
                subject_id=feed,
                details={"token": str(row.id)},
            )
        grant = Grant(
            token_id=row.id,
            feed=feed,
            may_publish=may_publish,
            may_view=may_view,
            expires_at=int(expires_at.timestamp()),
            user_id=row.user_id,
            session_id=row.session_id,
            operation_id=operation_id,
            speaker=None if speaker is None else speaker[:NAME_BOUND],
        )
        return IssuedToken(row.id, issue(self._key, grant), int((expires_at - at).total_seconds()))

    async def check(self, token: str, feed: str, right: str) -> Grant:
        """What this token allows.

        Raises:
            TokenRefused: forged, over, revoked, or not for this feed and right, or the feed is shut; `code` says which.
        """
        grant = verify(self._key.public_key(), token)
        if not grant.covers(feed):
            raise TokenRefused("token-feed")
        if not (grant.may_publish if right == "publish" else grant.may_view):
            raise TokenRefused("token-right")
        async with self._database.read() as session:
            row = (
                await session.execute(
                    select(MediaToken.revoked_at, SignIn.ended_at)
                    .outerjoin(SignIn, SignIn.id == MediaToken.session_id)
                    .where(MediaToken.id == grant.token_id)
                )
            ).first()
        if row is None or row.revoked_at is not None or row.ended_at is not None:
            raise TokenRefused("token-revoked")
        if self._is_feed_revoked is not None and await self._is_feed_revoked(camera_of(feed)):
            raise TokenRefused("feed-revoked")
        return grant

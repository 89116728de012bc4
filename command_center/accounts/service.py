"""The accounts of people: made, listed and disabled by the security administrator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.passwords import Passwords
from command_center.accounts.permissions import Permission, Role
from command_center.accounts.revocations import Revocations
from command_center.accounts.sessions import end_sign_ins, open_sign_ins
from command_center.accounts.tables import Court, User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted, NotSignedIn

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
ISSUER = "Enforcement Command Center"


@dataclass(frozen=True, slots=True)
class NewUser:
    """What an account is made from."""

    username: str
    password: str
    role: Role
    court_code: str
    display_name: str = ""
    badge_number: str = ""
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class MadeUser:
    """A new account; `totp_uri` is for the authenticator and is told this once."""

    id: UUID
    totp_uri: str | None


@dataclass(frozen=True, slots=True)
class UserView:
    """An account as the security administrator sees it."""

    id: UUID
    username: str
    display_name: str
    badge_number: str
    role: Role
    court_code: str
    created_at: datetime
    disabled_at: datetime | None
    open_sessions: int


class Accounts:
    """People's accounts. Whoever acts must have MANAGE_ACCOUNTS; None as actor is the command line."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        revocations: Revocations,
        *,
        second_factor_roles: frozenset[Role] = frozenset(),
        passwords: Passwords | None = None,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._revocations = revocations
        self._second_factor_roles = second_factor_roles
        self._passwords = passwords or Passwords()
        self._clock = clock

    async def create_user(self, actor: Identity | None, new: NewUser) -> MadeUser:
        """Make an account.

        Raises:
            Invalid: the name, the password or the court isn't right.
            Conflict: the name is taken.
            NotFound: the court isn't known, or isn't in the actor's scope.
        """
        _check(actor)
        password_hash = await self._passwords.hash(new.password)
        async with self._database.write() as session:
            court = await self._court(session, actor, new.court_code)
            return await self.add_user(session, new, court, password_hash, actor.user_id if actor else None)

    async def hash_password(self, password: str) -> str:
        """The hash to keep of a new password, made before a transaction begins.

        Raises:
            Invalid: too short or too long.
        """
        return await self._passwords.hash(password)

    async def add_user(
        self, session: AsyncSession, new: NewUser, court: Court, password_hash: str, actor_id: UUID | None
    ) -> MadeUser:
        """Make an account in the caller's transaction, with a hash made before it began."""
        if not USERNAME.fullmatch(new.username):
            raise Invalid("username-form")
        secret = pyotp.random_base32() if new.role in self._second_factor_roles else None
        user = User(
            id=new_id(),
            court_id=court.id,
            username=new.username,
            display_name=new.display_name or new.username,
            badge_number=new.badge_number,
            role=new.role.value,
            password_hash=password_hash,
            totp_secret=secret,
            language=new.language,
            created_at=self._clock(),
        )
        session.add(user)
        try:
            await session.flush()
        except IntegrityError as error:
            raise Conflict("username-taken") from error
        await self._audit.record(
            session,
            actor=actor_id,
            court_id=court.id,
            action="user.created",
            subject_type="user",
            subject_id=str(user.id),
            details={"role": new.role.value},
        )
        uri = pyotp.TOTP(secret).provisioning_uri(name=new.username, issuer_name=ISSUER) if secret else None
        return MadeUser(user.id, uri)

    async def disable_user(self, actor: Identity | None, user_id: UUID) -> None:
        """Let this account sign in no more, and end what it has open at once."""
        await self._end(actor, user_id, action="user.disabled", is_disabling=True)

    async def end_sessions(self, actor: Identity | None, user_id: UUID) -> None:
        """End every session of this account; it may sign in again."""
        await self._end(actor, user_id, action="user.sessions_ended", is_disabling=False)

    async def change_password(self, identity: Identity, old: str, new: str) -> None:
        """Change one's own password; every other session of the account ends.

        Raises:
            NotSignedIn: the old password is wrong.
            Invalid: the new one is too short or too long.
        """
        async with self._database.read() as session:
            user = await session.get(User, identity.user_id)
        if not await self._passwords.matches(old, user.password_hash if user else None):
            raise NotSignedIn("wrong-credentials")
        password_hash, at = await self._passwords.hash(new), self._clock()
        async with self._database.write() as session:
            await session.execute(update(User).where(User.id == identity.user_id).values(password_hash=password_hash))
            others = [each for each in await open_sign_ins(session, identity.user_id) if each != identity.session_id]
            events = await end_sign_ins(session, others, at, self._revocations)
            await self._audit.record(
                session,
                actor=identity.user_id,
                court_id=identity.court_id,
                action="user.password_changed",
                subject_type="user",
                subject_id=str(identity.user_id),
            )
        await self._revocations.tell(*events)

    async def list_users(self, actor: Identity) -> list[UserView]:
        """The accounts of the actor's court and its district courts, by name."""
        _check(actor)
        async with self._database.read() as session:
            rows = (
                await session.execute(
                    select(User, Court.code)
                    .join(Court, Court.id == User.court_id)
                    .where(User.court_id.in_(actor.court_ids))
                    .order_by(User.username)
                )
            ).all()
            return [
                UserView(
                    id=row.User.id,
                    username=row.User.username,
                    display_name=row.User.display_name,
                    badge_number=row.User.badge_number,
                    role=Role(row.User.role),
                    court_code=row.code,
                    created_at=row.User.created_at,
                    disabled_at=row.User.disabled_at,
                    open_sessions=len(await open_sign_ins(session, row.User.id)),
                )
                for row in rows
            ]

    async def list_courts(self, actor: Identity) -> list[Court]:
        """The courts in the actor's scope, by code."""
        _check(actor)
        async with self._database.read() as session:
            return list(await session.scalars(select(Court).where(Court.id.in_(actor.court_ids)).order_by(Court.code)))

    async def court_of(self, identity: Identity) -> Court:
        """The person's own court."""
        async with self._database.read() as session:
            return (await session.scalars(select(Court).where(Court.id == identity.court_id))).one()

    async def _end(self, actor: Identity | None, user_id: UUID, *, action: str, is_disabling: bool) -> None:
        _check(actor)
        at = self._clock()
        async with self._database.write() as session:
            user = await session.get(User, user_id)
            if user is None or (actor is not None and user.court_id not in actor.court_ids):
                raise NotFound("user-not-found")
            if is_disabling:
                if actor is not None and actor.user_id == user_id:
                    raise Conflict("own-account")
                user.disabled_at = user.disabled_at or at
            events = await end_sign_ins(session, await open_sign_ins(session, user_id), at, self._revocations)
            await self._audit.record(
                session,
                actor=actor.user_id if actor else None,
                court_id=user.court_id,
                action=action,
                subject_type="user",
                subject_id=str(user_id),
            )
        await self._revocations.tell(*events)

    async def _court(self, session: AsyncSession, actor: Identity | None, code: str) -> Court:
        court = await session.scalar(select(Court).where(Court.code == code))
        if court is None or (actor is not None and court.id not in actor.court_ids):
            raise NotFound("court-not-found", court=code)
        return court


def _check(actor: Identity | None) -> None:
    if actor is not None and not actor.may(Permission.MANAGE_ACCOUNTS):
        raise NotPermitted("not-permitted", permission=Permission.MANAGE_ACCOUNTS.value)

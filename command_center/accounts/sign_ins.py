"""Signing in and out, and who a cookie or a program's token stands for."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.limits import RateLimit
from command_center.accounts.passwords import Passwords
from command_center.accounts.permissions import Role
from command_center.accounts.revocations import Revocations
from command_center.accounts.sessions import end_sign_ins
from command_center.accounts.tables import Court, SignIn, User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import Invalid, NotSignedIn

ABSOLUTE_HOURS = 24
"""A session ends then, however busy it was."""
PROGRAM_HOURS = 12
SEEN_EVERY_SECONDS = 60
"""How exactly the last use of a session is kept; a write for each request would cost more than it tells."""
TRIES_FOR_A_USER_FROM_AN_ADDRESS = 10
TRIES_FOR_A_USER = 200
"""From all addresses together: strangers who know a name would otherwise lock its owner out with a few tries."""
TRIES_OF_AN_ADDRESS = 200
"""A whole court may stand behind one address."""
TRIES_WINDOW_SECONDS = 300.0
TOTP_STEP_SECONDS = 30
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody who just signed in; `secret` is told once, its hash is kept."""

    secret: str
    csrf_token: str
    identity: Identity
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Recognized:
    """Whom a secret stands for, and the CSRF token that goes with it."""

    identity: Identity
    csrf_token: str
    is_program: bool


class SignIns:
    """The sessions of all people and programs."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        revocations: Revocations,
        *,
        idle_minutes: int,
        second_factor_roles: frozenset[Role] = frozenset(),
        passwords: Passwords | None = None,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._revocations = revocations
        self._idle = timedelta(minutes=idle_minutes)
        self._second_factor_roles = second_factor_roles
        self._passwords = passwords or Passwords()
        self._clock = clock
        self._by_address = RateLimit(TRIES_OF_AN_ADDRESS, TRIES_WINDOW_SECONDS)
        self._by_user_and_address = RateLimit(TRIES_FOR_A_USER_FROM_AN_ADDRESS, TRIES_WINDOW_SECONDS)
        self._by_user = RateLimit(TRIES_FOR_A_USER, TRIES_WINDOW_SECONDS)
        self._used_codes: dict[UUID, int] = {}

    async def sign_in(
        self, username: str, password: str, code: str | None, address: str, *, is_program: bool = False
    ) -> Admission:
        """Begin a session.

        Raises:
            NotSignedIn: `wrong-credentials`, `second-factor-required` or `second-factor-wrong`.
            TooMany: too many wrong tries for this user from this address, for this user, or from this address.
        """
        # In this order: what one address is refused doesn't count against the user everywhere.
        tries = (
            (self._by_address, address),
            (self._by_user_and_address, f"{address} {username}"),
            (self._by_user, username),
        )
        for limit, key in tries:
            limit.take(key)
        async with self._database.read() as session:
            user = await session.scalar(select(User).where(User.username == username))
        is_right = await self._passwords.matches(password, user.password_hash if user else None)
        if user is None or not is_right or user.disabled_at is not None:
            await self._record_refusal(user, "wrong-credentials")
            raise NotSignedIn("wrong-credentials")
        await self._check_second_factor(user, code)
        for limit, key in tries:
            limit.give_back(key)
        return await self._admit(user, is_program)

    async def recognize(self, secret: str, *, is_program: bool) -> Recognized | None:
        """Who holds this secret; None when it is unknown, over, idle for too long, or its user disabled."""
        at = self._clock()
        async with self._database.read() as session:
            row = (
                await session.execute(
                    select(SignIn, User)
                    .join(User, User.id == SignIn.user_id)
                    .where(SignIn.secret_hash == _hash(secret))
                )
            ).first()
            if row is None or row.SignIn.is_program is not is_program or not self._is_alive(row.SignIn, row.User, at):
                return None
            identity = await _identity(session, row.SignIn, row.User)
        if at - row.SignIn.last_seen_at > timedelta(seconds=SEEN_EVERY_SECONDS):
            async with self._database.write() as session:
                await session.execute(update(SignIn).where(SignIn.id == row.SignIn.id).values(last_seen_at=at))
        return Recognized(identity, row.SignIn.csrf_token, is_program)

    async def alive(self, sessions: set[UUID]) -> set[UUID]:
        """Which of these sessions are not over; open sockets are checked by it.

        An open socket is a use of its session, so being idle ends none here.
        """
        if not sessions:
            return set()
        async with self._database.read() as session:
            found = await session.scalars(
                select(SignIn.id)
                .join(User, User.id == SignIn.user_id)
                .where(
                    SignIn.id.in_(sessions),
                    SignIn.ended_at.is_(None),
                    SignIn.expires_at > self._clock(),
                    User.disabled_at.is_(None),
                )
            )
            return set(found)

    async def keep_seen(self, sessions: set[UUID]) -> None:
        """Note that these sessions are in use now: their sockets are open."""
        async with self._database.write() as session:
            await session.execute(update(SignIn).where(SignIn.id.in_(sessions)).values(last_seen_at=self._clock()))

    async def sign_out(self, identity: Identity) -> None:
        """End the session; its media sessions and sockets end with it."""
        async with self._database.write() as session:
            events = await end_sign_ins(session, [identity.session_id], self._clock(), self._revocations)
            await self._audit.record(
                session,
                actor=identity.user_id,
                court_id=identity.court_id,
                action="session.ended",
                subject_type="session",
                subject_id=str(identity.session_id),
            )
        await self._revocations.tell(*events)

    async def set_language(self, identity: Identity, language: str) -> None:
        """Have this session, and the next ones, speak `language`.

        Raises:
            Invalid: neither zh nor en.
        """
        if language not in LANGUAGES:
            raise Invalid("unknown-language", language=language)
        async with self._database.write() as session:
            await session.execute(update(SignIn).where(SignIn.id == identity.session_id).values(language=language))
            await session.execute(update(User).where(User.id == identity.user_id).values(language=language))

    def _is_alive(self, sign_in: SignIn, user: User, at: datetime) -> bool:
        return (
            sign_in.ended_at is None
            and user.disabled_at is None
            and sign_in.expires_at > at
            and (sign_in.is_program or sign_in.last_seen_at + self._idle > at)
        )

    async def _check_second_factor(self, user: User, code: str | None) -> None:
        if Role(user.role) not in self._second_factor_roles:
            return
        if not code:
            raise NotSignedIn("second-factor-required")
        at = self._clock()
        step = int(at.timestamp()) // TOTP_STEP_SECONDS
        totp = pyotp.TOTP(user.totp_secret) if user.totp_secret else None
        used = self._used_codes.get(user.id, -1)
        for candidate in (step - 1, step, step + 1):
            expected = totp.generate_otp(candidate) if totp else ""
            # A code that was used is over, so one looked at over the shoulder opens nothing.
            if expected and candidate > used and secrets.compare_digest(expected.encode(), code.encode()):
                self._used_codes[user.id] = candidate
                return
        await self._record_refusal(user, "second-factor-wrong")
        raise NotSignedIn("second-factor-wrong")

    async def _admit(self, user: User, is_program: bool) -> Admission:
        secret, at = secrets.token_urlsafe(32), self._clock()
        sign_in = SignIn(
            id=new_id(),
            user_id=user.id,
            secret_hash=_hash(secret),
            csrf_token=secrets.token_urlsafe(24),
            is_program=is_program,
            language=user.language,
            created_at=at,
            last_seen_at=at,
            expires_at=at + timedelta(hours=PROGRAM_HOURS if is_program else ABSOLUTE_HOURS),
        )
        async with self._database.write() as session:
            session.add(sign_in)
            identity = await _identity(session, sign_in, user)
            await self._audit.record(
                session,
                actor=user.id,
                court_id=user.court_id,
                action="session.began",
                subject_type="session",
                subject_id=str(sign_in.id),
                details={"program": int(is_program)},
            )
        return Admission(secret, sign_in.csrf_token, identity, sign_in.expires_at)

    async def _record_refusal(self, user: User | None, code: str) -> None:
        """A wrong try at a known account is kept; one at an unknown name isn't, strangers could fill the audit."""
        if user is None:
            return
        async with self._database.write() as session:
            await self._audit.record(
                session,
                actor=None,
                court_id=user.court_id,
                action="session.refused",
                subject_type="user",
                subject_id=str(user.id),
                details={"code": code},
            )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def _identity(session: AsyncSession, sign_in: SignIn, user: User) -> Identity:
    courts = await session.scalars(
        select(Court.id).where(or_(Court.id == user.court_id, Court.parent_id == user.court_id))
    )
    return Identity(
        user_id=user.id,
        session_id=sign_in.id,
        username=user.username,
        display_name=user.display_name,
        role=Role(user.role),
        court_id=user.court_id,
        court_ids=frozenset(courts),
        language=sign_in.language,
    )

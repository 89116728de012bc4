"""The one-time link that makes an installation's first administrator."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import func, select, update

from command_center.accounts.permissions import Role
from command_center.accounts.service import Accounts, MadeUser, NewUser
from command_center.accounts.tables import Court, SetupLink, User
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.errors import NotFound

LINK_HOURS = 24
CITY_COURT = "内01"


class SetupLinks:
    """Makes the link while there are no accounts, and turns it into the first one."""

    def __init__(
        self,
        database: Database,
        *,
        court_name_zh: str,
        court_name_en: str,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._court_name_zh = court_name_zh
        self._court_name_en = court_name_en
        self._clock = clock

    async def make(self) -> str | None:
        """A new path `/setup/{secret}`; earlier ones stop working. None once there is any account."""
        secret = secrets.token_urlsafe(32)
        async with self._database.write() as session:
            if await session.scalar(select(func.count()).select_from(User)):
                return None
            at = self._clock()
            await session.execute(update(SetupLink).where(SetupLink.used_at.is_(None)).values(used_at=at))
            session.add(SetupLink(secret_hash=_hash(secret), created_at=at))
        return f"/setup/{secret}"

    async def is_open(self, secret: str) -> bool:
        """Whether this link can still be used."""
        async with self._database.read() as session:
            if await session.scalar(select(func.count()).select_from(User)):
                return False
            link = await session.scalar(select(SetupLink).where(SetupLink.secret_hash == _hash(secret)))
            return link is not None and self._is_usable(link)

    async def use(
        self, accounts: Accounts, secret: str, *, username: str, display_name: str, password: str
    ) -> MadeUser:
        """Make the first account, a security administrator of the court, and use the link up.

        Raises:
            NotFound: there is no such link, or it was used, or is over.
            Invalid: the name or the password isn't right; the link stays usable.
        """
        password_hash = await accounts.hash_password(password)
        async with self._database.write() as session:
            link = await session.scalar(
                select(SetupLink).where(SetupLink.secret_hash == _hash(secret)).with_for_update()
            )
            users = await session.scalar(select(func.count()).select_from(User))
            if link is None or users or not self._is_usable(link):
                raise NotFound("setup-link-over")
            court = await session.scalar(select(Court).where(Court.code == CITY_COURT))
            if court is None:
                court = Court(code=CITY_COURT, name_zh=self._court_name_zh, name_en=self._court_name_en)
                session.add(court)
                await session.flush()
            new = NewUser(username, password, Role.SECURITY_ADMINISTRATOR, CITY_COURT, display_name)
            made = await accounts.add_user(session, new, court, password_hash, None)
            link.used_at = self._clock()
            return made

    def _is_usable(self, link: SetupLink) -> bool:
        return link.used_at is None and self._clock() < link.created_at + timedelta(hours=LINK_HOURS)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

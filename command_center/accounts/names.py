"""What the accounts are called: the audit's reader is shown names beside the ids, and may ask by a name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select

from command_center.accounts.tables import User
from command_center.database import Database


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account's two names."""

    username: str
    display_name: str


class AccountNames:
    """The names of accounts, disabled ones too; of everything else in an account it tells nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, ids: Collection[UUID]) -> dict[UUID, AccountName]:
        """The names of those of `ids` that are accounts."""
        if not ids:
            return {}
        async with self._database.read() as session:
            rows = await session.execute(select(User.id, User.username, User.display_name).where(User.id.in_(set(ids))))
            return {row.id: AccountName(row.username, row.display_name) for row in rows}

    async def called(self, text: str) -> frozenset[UUID]:
        """Whom `text` means: the account of that id, and those whose user name or display name it is."""
        meant = id_in(text)
        async with self._database.read() as session:
            found = frozenset(
                await session.scalars(select(User.id).where(or_(User.username == text, User.display_name == text)))
            )
        return found if meant is None else found | {meant}


def id_in(text: str) -> UUID | None:
    """The id that `text` is; None where it isn't one."""
    try:
        return UUID(text)
    except ValueError:
        return None

"""Where frozen money of a case goes to: its own account with the court (一案一账户)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.ledger_tables import MainAccount, SubAccount
from assets.gateway import Payee
from assets.tables import Case


class CaseAccounts:
    """The sub-accounts that the worker opens, one for each case."""

    async def payee(self, session: AsyncSession, case: Case) -> Payee | None:
        """The case's sub-account at the court's bank; None where none is opened yet."""
        account = (
            select(SubAccount.number, MainAccount.bank_name)
            .join(MainAccount, MainAccount.id == SubAccount.main_id)
            .where(SubAccount.case_id == case.id)
        )
        found = (await session.execute(account)).one_or_none()
        return None if found is None else Payee(case.court_name, found[0], found[1], "")

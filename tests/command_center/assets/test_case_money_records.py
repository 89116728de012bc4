"""The books of case money in records that the migrations made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from assets.case_accounts.accounts import locked_main
from assets.case_accounts.ledger import Ledger, arriving
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.states import AccountKind, PostingKind
from command_center.config import Settings
from command_center.database import Database
from command_center.schema import prepare


@pytest.mark.parametrize("table", ["ledger_postings", "ledger_entries"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET id = id", "DELETE FROM {}"])
async def test_the_database_itself_keeps_what_was_posted_from_being_changed(
    records_url: str, tmp_path: Path, table: str, deed: str
) -> None:
    settings = Settings(data=tmp_path, database_url=records_url)
    await prepare(settings)
    database = Database(settings.records_url)
    main_id = uuid4()
    async with database.write() as session:
        session.add(
            MainAccount(
                id=main_id, court_id=uuid4(), number="0610013200001111", bank_name="b", fee_holder="f",
                fee_number="0610013200009999", opened_at=datetime.now(UTC),
            )
        )  # fmt: skip
    async with database.write() as session:
        main = await locked_main(session, main_id)
        await Ledger(lambda: datetime.now(UTC)).post(
            session, main, PostingKind.ARRIVAL, arriving(5, AccountKind.UNCLAIMED, None),
            cause_id=uuid4(), case_id=None, bank_cents=5,
        )  # fmt: skip

    async def change() -> None:
        async with database.write() as session:
            await session.execute(text(deed.format(table)))

    with pytest.raises(DatabaseError, match="append-only"):
        await change()
    await database.close()

"""How fast the money of many cases is posted and shown: `python -m tests.bench.case_money [CASES]`.

SQLite and, where it is installed, PostgreSQL, each with so many cases of one court, two arrivals in every account.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert

from assets.audit import Actor
from assets.case_accounts.bank import Movement
from assets.case_accounts.ledger_tables import Entry, LedgerAccount, MainAccount, Posting, SubAccount
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.tables import Arrival
from assets.identifiers import new_id
from assets.tables import Case
from command_center.audit import Audit
from command_center.database import Database
from tests.support.money_kills import COURT
from tests.support.money_poster import PlainBank
from tests.support.postgresql import is_installed, start_or_skip
from tests.support.records import postgresql_records, sqlite_records

CASES = 10_000
ROUNDS = 40
CENTS = 1_234_50


async def fill(database: Database, cases: int) -> UUID:
    """A main account with so many cases, written as their postings would have left them."""
    main_id, now = new_id(), datetime.now(UTC) - timedelta(days=3)
    rows: dict[type, list[dict[str, object]]] = {
        kind: [] for kind in (Case, SubAccount, LedgerAccount, Arrival, Posting, Entry)
    }
    posted = 0
    for number in range(1, cases + 1):
        case_id, received, there = new_id(), new_id(), new_id()
        rows[Case].append(
            {
                "id": case_id, "court_id": COURT, "court_code": "内01", "court_name": "某院（虚构）",
                "number": f"（2026）内01执{number}号", "claim_cents": 10**10, "judge_name": "苏和", "work_card": "1",
                "duty_card": "2", "filed_on": date(2026, 3, 2), "is_demonstration": True,
            }
        )  # fmt: skip
        sub = {"id": new_id(), "main_id": main_id, "case_id": case_id, "number": f"S{number}", "opened_at": now}
        rows[SubAccount].append(sub)
        for account_id, kind, sign in ((received, "received", -1), (there, "undistributed", 1)):
            balance = sign * 2 * CENTS
            account = {
                "id": account_id,
                "main_id": main_id,
                "owner_id": case_id,
                "kind": kind,
                "balance_cents": balance,
            }
            rows[LedgerAccount].append(account)
        for place in range(2):
            posted += 1
            arrival_id, posting_id = new_id(), new_id()
            rows[Arrival].append(
                {
                    "id": arrival_id, "main_id": main_id, "bank_serial": f"B{posted}", "cents": CENTS,
                    "payer_name": "张某甲", "payer_account": "6217", "remark": "", "sub_number": "", "arrived_at": now,
                    "notified_at": now, "purpose": "enforcement", "case_id": case_id, "state": "matched",
                    "receipt_number": f"R{posted}",
                }
            )  # fmt: skip
            rows[Posting].append(
                {
                    "id": posting_id, "main_id": main_id, "number": posted, "kind": "arrival", "case_id": case_id,
                    "at": now, "bank_cents": CENTS, "cause_id": arrival_id,
                }
            )  # fmt: skip
            for account_id, sign in ((received, -1), (there, 1)):
                entry = {"id": new_id(), "posting_id": posting_id, "account_id": account_id, "cents": sign * CENTS}
                rows[Entry].append(entry | {"balance_cents": sign * CENTS * (place + 1)})
    async with database.write() as session:
        session.add(
            MainAccount(
                id=main_id, court_id=COURT, number="0610013200001111", bank_name="b", fee_holder="f",
                fee_number="0610013200009999", opened_at=now, balance_cents=posted * CENTS, postings=posted,
                sub_accounts=cases,
            )
        )  # fmt: skip
        await session.flush()
        for kind, values in rows.items():
            for first in range(0, len(values), 2000):
                await session.execute(insert(kind), values[first : first + 2000])
    return main_id


async def timed(words: str, deed: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> None:
    """Do it so often, and print how long it took."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        await deed()
        took.append((time.perf_counter() - began) * 1000)
    late = statistics.quantiles(took, n=20)[-1] if rounds > 1 else took[0]
    print(f"  {words}: median {statistics.median(took):.1f} ms, p95 {late:.1f} ms")


async def measure(name: str, database: Database, cases: int) -> None:
    """All figures of one database."""
    main_id = await fill(database, cases)

    async def nobody(_case_id: UUID | None) -> None:
        """There is nobody to tell."""

    accounts = CaseAccounts(
        database, PlainBank(), Audit(), lambda: datetime.now(UTC), nobody, lambda facts: facts.case_number
    )
    judge = Actor(uuid4(), frozenset({COURT}), may_see=True, may_handle_money=True, own_court_id=COURT)
    lines = await accounts.accounts(judge, limit=1)
    serials = iter(range(10**6))

    async def arrive() -> None:
        movement = Movement(f"N{next(serials)}", datetime.now(UTC), 100, "张某甲", "6217", lines[0].case_number, "", "")
        await accounts.intake.take(main_id, [movement])

    today = datetime.now(UTC)
    print(f"{name}, {cases} cases")
    await timed("one arrival: matched, posted, the books held against each other, audited", arrive)
    await timed("the list, the most urgent first", lambda: accounts.accounts(judge, limit=100), 10)
    await timed("one case's account", lambda: accounts.account(judge, lines[0].case_id))
    await timed(
        "the month's report, with every entry checked",
        lambda: accounts.reconciliation(judge, COURT, today.year, today.month),
        3,
    )


async def main(cases: int) -> None:
    """SQLite, then PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="money-") as folder:
        database = Database(sqlite_records(Path(folder)))
        await measure("SQLite", database, cases)
        await database.close()
    if is_installed():
        server = start_or_skip()
        database = Database(postgresql_records(server))
        try:
            await measure("PostgreSQL", database, cases)
        finally:
            await database.close()
            server.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else CASES))

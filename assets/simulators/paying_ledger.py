"""What the simulated paying bank has in its books: movements of main accounts and orders by number, across restarts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS movements (
    serial TEXT PRIMARY KEY, main TEXT NOT NULL, at TEXT NOT NULL, cents INTEGER NOT NULL, name TEXT NOT NULL,
    account TEXT NOT NULL, remark TEXT NOT NULL, sub TEXT NOT NULL, number TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_movements_main ON movements (main, at);
CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, reply TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class BankLine:
    """One movement as the bank has it; `at` is `yyyymmddHHMMSS`, `cents` negative for what went out."""

    serial: str
    main: str
    at: str
    cents: int
    name: str
    account: str
    remark: str
    sub: str
    number: str = ""


class PayingLedger:
    """The bank's own truth; a payment and its reply are written in one transaction."""

    def __init__(self, path: Path | None = None) -> None:
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, lines: Iterable[BankLine]) -> None:
        """Write movements down; one whose serial is known stays as it is."""
        rows = [(x.serial, x.main, x.at, x.cents, x.name, x.account, x.remark, x.sub, x.number) for x in lines]
        self._connection.executemany("INSERT OR IGNORE INTO movements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def movements(self, main: str, since: str = "", until: str = "9") -> list[BankLine]:
        """The movements of a main account whose day lies between the two, oldest first."""
        rows = self._connection.execute(
            "SELECT serial, main, at, cents, name, account, remark, sub, number FROM movements"
            " WHERE main = ? AND substr(at, 1, 8) >= ? AND substr(at, 1, 8) <= ? ORDER BY at, rowid",
            (main, since, until),
        )
        return [BankLine(*row) for row in rows]

    def balance(self, main: str, before: str = "9") -> int:
        """What a main account had before a day."""
        row = self._connection.execute(
            "SELECT COALESCE(SUM(cents), 0) FROM movements WHERE main = ? AND substr(at, 1, 8) < ?", (main, before)
        ).fetchone()
        return int(row[0])

    def order(self, number: str) -> dict[str, Any] | None:
        """The reply that a number got when it was paid."""
        row = self._connection.execute("SELECT reply FROM orders WHERE number = ?", (number,)).fetchone()
        return json.loads(row["reply"]) if row else None

    def settle(self, number: str, reply: dict[str, Any], line: BankLine) -> None:
        """Keep a payment with the movement that it made."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute("INSERT INTO orders VALUES (?, ?)", (number, json.dumps(reply)))
            self.add([line])
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

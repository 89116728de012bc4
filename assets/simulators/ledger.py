"""What a simulator was asked and has answered, kept across restarts where it is given a file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from assets.simulators.lines import Lines
from assets.simulators.manners import Trouble

_TABLES = """
CREATE TABLE IF NOT EXISTS asked (number TEXT PRIMARY KEY, times INTEGER NOT NULL, manner TEXT);
CREATE TABLE IF NOT EXISTS draws (what TEXT PRIMARY KEY, numbers INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (number TEXT PRIMARY KEY, request TEXT NOT NULL, receipt TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pending (number TEXT PRIMARY KEY, original TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS moves (
    number TEXT PRIMARY KEY, reference TEXT NOT NULL, cents INTEGER NOT NULL, payee TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_moves_reference ON moves (reference);
CREATE TABLE IF NOT EXISTS transfers (serial TEXT PRIMARY KEY, deposit TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (reference TEXT PRIMARY KEY, owner TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS papers (
    number TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (number, name)
);
"""


class Ledger:
    """The other side's own book: requests by number, receipts, money that was moved, and the lines of controls."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _TABLES)
        self.lines = Lines(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def controls(self, reference: str = "") -> list[dict[str, Any]]:
        """What was controlled for a court on this account or unit, or on all, whatever became of it, oldest first."""
        return self.lines.told(reference)

    def count_asking(self, number: str) -> int:
        """Note that this number was asked once more; give how often by now."""
        return self._count(
            "INSERT INTO asked (number, times) VALUES (?, 1)"
            " ON CONFLICT (number) DO UPDATE SET times = times + 1 RETURNING times",
            number,
        )

    def count_of(self, number: str) -> int:
        """How often this number was asked."""
        row = self._row("SELECT times FROM asked WHERE number = ?", number)
        return int(row["times"]) if row else 0

    def count_draw(self, what: str) -> int:
        """How many numbers have asked this by now, this one included."""
        return self._count(
            "INSERT INTO draws VALUES (?, 1) ON CONFLICT (what) DO UPDATE SET numbers = numbers + 1 RETURNING numbers",
            what,
        )

    def manner_of(self, number: str) -> Trouble | None:
        """How this number is answered, where that was settled when it was asked first."""
        row = self._row("SELECT manner FROM asked WHERE number = ?", number)
        return Trouble.model_validate_json(row["manner"]) if row and row["manner"] else None

    def settle_manner(self, number: str, manner: Trouble) -> None:
        """Settle how this number is answered from now on."""
        self._connection.execute("UPDATE asked SET manner = ? WHERE number = ?", (manner.model_dump_json(), number))

    def receipt(self, number: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The request that came first under this number, and what it was answered."""
        row = self._row("SELECT request, receipt FROM receipts WHERE number = ?", number)
        return (json.loads(row["request"]), json.loads(row["receipt"])) if row else None

    def keep(self, number: str, request: dict[str, Any], receipt: dict[str, Any]) -> None:
        """Write down what was answered: whoever asks again under this number gets the same."""
        self._connection.execute(
            "INSERT INTO receipts VALUES (?, ?, ?)", (number, json.dumps(request), json.dumps(receipt))
        )
        self._connection.execute("DELETE FROM pending WHERE number = ?", (number,))

    def await_transfer(self, number: str, original: str) -> None:
        """Note that a transfer of this freeze was taken in and not carried out yet."""
        self._connection.execute("INSERT OR IGNORE INTO pending VALUES (?, ?)", (number, original))

    def awaits_transfer(self, original: str) -> bool:
        """Whether a transfer of this freeze is still to be carried out."""
        return self._row("SELECT 1 FROM pending WHERE original = ?", original) is not None

    def move(self, number: str, reference: str, cents: int, payee: str) -> None:
        """Pay out of this account; of a thing, pass its title on (`cents` 0)."""
        self._connection.execute("INSERT INTO moves VALUES (?, ?, ?, ?)", (number, reference, cents, payee))

    def moved(self, reference: str) -> int:
        """How much was paid out of this account by now."""
        row = self._row("SELECT COALESCE(SUM(cents), 0) AS cents FROM moves WHERE reference = ?", reference)
        return int(row["cents"]) if row else 0

    def transfer(self, serial: str, deposit: dict[str, str]) -> None:
        """Note what another bank is to be told of money that was moved."""
        self._connection.execute("INSERT INTO transfers VALUES (?, ?)", (serial, json.dumps(deposit)))

    def to_hand_on(self) -> list[tuple[str, dict[str, str]]]:
        """What that bank hasn't taken yet, oldest first."""
        rows = self._connection.execute("SELECT serial, deposit FROM transfers ORDER BY rowid").fetchall()
        return [(str(row["serial"]), json.loads(row["deposit"])) for row in rows]

    def handed_on(self, serial: str) -> None:
        """That bank has taken it."""
        self._connection.execute("DELETE FROM transfers WHERE serial = ?", (serial,))

    def is_gone(self, reference: str) -> bool:
        """Whether this thing's title was passed on."""
        return self._row("SELECT 1 FROM moves WHERE reference = ?", reference) is not None

    def know(self, reference: str, owner: str, body: str) -> None:
        """Write down what was made up for somebody, so that it stays the same."""
        self._connection.execute("INSERT OR IGNORE INTO things VALUES (?, ?, ?)", (reference, owner, body))

    def known(self, reference: str) -> tuple[str, str] | None:
        """Owner and body of what was made up under this number."""
        row = self._row("SELECT owner, body FROM things WHERE reference = ?", reference)
        return (str(row["owner"]), str(row["body"])) if row else None

    def keep_paper(self, number: str, name: str, sha256: str) -> None:
        """Note a paper that came with a request."""
        self._connection.execute("INSERT OR REPLACE INTO papers VALUES (?, ?, ?)", (number, name, sha256))

    def papers(self, number: str) -> list[str]:
        """The names of the papers that came with this number."""
        rows = self._connection.execute("SELECT name FROM papers WHERE number = ? ORDER BY rowid", (number,))
        return [str(row["name"]) for row in rows]

    def transaction(self) -> sqlite3.Connection:
        """For `with`: all of it or nothing, whenever the process is killed."""
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _count(self, statement: str, key: str) -> int:
        return int(self._connection.execute(statement, (key,)).fetchone()[0])

    def _row(self, statement: str, key: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(statement, (key,)).fetchone()
        return row

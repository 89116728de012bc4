"""What a simulator has done, by request number, kept across restarts where it is given a file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS asked (number TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS controls (
    number TEXT PRIMARY KEY, reference TEXT NOT NULL, court TEXT NOT NULL, case_number TEXT NOT NULL,
    cents INTEGER NOT NULL, until TEXT NOT NULL, request TEXT NOT NULL, receipt TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_controls_reference ON controls (reference);
"""


class Ledger:
    """Controls that were carried out, and how often each number was asked."""

    def __init__(self, path: Path | None = None) -> None:
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def count_asking(self, number: str) -> int:
        """Note that this number was asked once more; give how often by now."""
        row = self._connection.execute(
            "INSERT INTO asked VALUES (?, 1) ON CONFLICT (number) DO UPDATE SET times = times + 1 RETURNING times",
            (number,),
        ).fetchone()
        return int(row["times"])

    def receipt(self, number: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The request that came first under this number, and what it was answered."""
        row = self._connection.execute("SELECT request, receipt FROM controls WHERE number = ?", (number,)).fetchone()
        return (json.loads(row["request"]), json.loads(row["receipt"])) if row else None

    def keep(
        self,
        number: str,
        *,
        reference: str,
        court: str,
        case_number: str,
        cents: int,
        until: str,
        request: dict[str, Any],
        receipt: dict[str, Any],
    ) -> None:
        """Write down a control that was carried out; `cents` is what it really holds."""
        self._connection.execute(
            "INSERT INTO controls VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (number, reference, court, case_number, cents, until, json.dumps(request), json.dumps(receipt)),
        )

    def controls(self, reference: str = "") -> list[dict[str, Any]]:
        """What was carried out on this account or unit, or on all, oldest first."""
        rows = self._connection.execute(
            "SELECT number, reference, court, case_number, cents, until FROM controls"
            " WHERE reference = ? OR ? = '' ORDER BY rowid",
            (reference, reference),
        ).fetchall()
        return [dict(row) for row in rows]

    def count_of(self, number: str) -> int:
        """How often this number was asked."""
        row = self._connection.execute("SELECT times FROM asked WHERE number = ?", (number,)).fetchone()
        return int(row["times"]) if row else 0

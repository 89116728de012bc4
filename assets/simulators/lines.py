"""The lines of controls on accounts and things: one is in force, the others wait behind it in order (轮候)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from assets.terms import last_day

_TABLES = """
CREATE TABLE IF NOT EXISTS holds (
    serial INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, reference TEXT NOT NULL, court TEXT NOT NULL,
    case_number TEXT NOT NULL, state TEXT NOT NULL, asked_cents INTEGER, cents INTEGER NOT NULL,
    first_day TEXT NOT NULL, last_day TEXT NOT NULL, is_scripted INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_holds_reference ON holds (reference, state);
"""
FICTIONAL_COURT = "外地某某人民法院（虚构）"
"""Who was there first, where it is picked that somebody was."""


class HoldState(StrEnum):
    """What became of a control, by the other side's own book."""

    IN_FORCE = "in_force"
    WAITING = "waiting"
    RELEASED = "released"
    LAPSED = "lapsed"
    TRANSFERRED = "transferred"
    VOID = "void"
    """It waited, and the one before disposed of everything."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One control of one court; while it waits, its days are the ones asked for."""

    number: str
    reference: str
    court: str
    case_number: str
    state: HoldState
    asked_cents: int | None
    cents: int
    first_day: date
    last_day: date
    is_scripted: bool


@dataclass(frozen=True, slots=True)
class Scripted:
    """Another court's control that stood there from the beginning."""

    court: str
    case_number: str
    cents: int
    until: date


class Lines:
    """Every line of one simulator. `settle` a line before it is read: terms end by themselves."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(_TABLES)

    def script(self, reference: str, earlier: Iterable[Scripted]) -> None:
        """Write down, once, what stood there from the beginning."""
        for place, one in enumerate(earlier):
            self._insert(
                Hold(
                    number=f"S-{reference}-{place}",
                    reference=reference,
                    court=one.court,
                    case_number=one.case_number,
                    state=HoldState.WAITING if self.standing(reference) else HoldState.IN_FORCE,
                    asked_cents=one.cents,
                    cents=one.cents,
                    first_day=date(2026, 1, 1),
                    last_day=one.until,
                    is_scripted=True,
                )
            )

    def standing(self, reference: str) -> list[Hold]:
        """The one in force and those that wait, in order."""
        rows = self._connection.execute(
            "SELECT * FROM holds WHERE reference = ? AND state IN ('in_force', 'waiting')"
            " ORDER BY state = 'waiting', serial",
            (reference,),
        ).fetchall()
        return [_hold(row) for row in rows]

    def find(self, number: str) -> Hold | None:
        """The control that this order began."""
        row = self._connection.execute("SELECT * FROM holds WHERE number = ?", (number,)).fetchone()
        return _hold(row) if row else None

    def place(self, hold: Hold, room: int) -> Hold:
        """Put a control at the end of its line; first in line, it holds what it asks for as far as there is room."""
        standing = self.standing(hold.reference)
        if standing:
            placed = replace(hold, state=HoldState.WAITING, cents=0)
        else:
            placed = replace(hold, state=HoldState.IN_FORCE, cents=_held(hold.asked_cents, room))
        self._insert(placed)
        return placed

    def prolong(self, hold: Hold, until: date) -> None:
        """Renew it until this day."""
        self._connection.execute("UPDATE holds SET last_day = ? WHERE number = ?", (until.isoformat(), hold.number))

    def lessen(self, hold: Hold, cents: int) -> None:
        """Have it hold so much less."""
        self._connection.execute("UPDATE holds SET cents = cents - ? WHERE number = ?", (cents, hold.number))

    def end(self, hold: Hold, state: HoldState, day: date, room: Callable[[], int]) -> None:
        """End it on this day; whoever is next in line takes effect by itself. Source: 查扣冻 §26."""
        self._set(hold, state)
        if hold.state is HoldState.IN_FORCE:
            self._promote(hold.reference, day, room)

    def empty(self, reference: str) -> None:
        """All of it was disposed of: those that wait have nothing to wait for."""
        self._connection.execute(
            "UPDATE holds SET state = ? WHERE reference = ? AND state = ?",
            (HoldState.VOID, reference, HoldState.WAITING),
        )

    def settle(self, reference: str, today: date, room: Callable[[], int]) -> None:
        """Have lapse what was not renewed in time, and take effect what stood behind it. Source: 查扣冻 §27."""
        while (first := next(iter(self.standing(reference)), None)) is not None and first.last_day < today:
            if first.state is not HoldState.IN_FORCE:
                return
            self.end(first, HoldState.LAPSED, first.last_day + timedelta(days=1), room)

    def held_by_others(self) -> list[str]:
        """Where one of ours waits behind a court of the script."""
        rows = self._connection.execute(
            "SELECT DISTINCT reference FROM holds AS ours WHERE state = 'waiting' AND NOT is_scripted AND EXISTS"
            " (SELECT 1 FROM holds WHERE reference = ours.reference AND state = 'in_force' AND is_scripted) ORDER BY 1"
        ).fetchall()
        return [str(row["reference"]) for row in rows]

    def told(self, reference: str) -> list[dict[str, Any]]:
        """Our courts' controls as the other side's own truth, for tests and demonstrations."""
        rows = self._connection.execute(
            "SELECT * FROM holds WHERE NOT is_scripted AND (reference = ? OR ? = '') ORDER BY serial",
            (reference, reference),
        ).fetchall()
        return [self._told(_hold(row)) for row in rows]

    def _told(self, hold: Hold) -> dict[str, Any]:
        line = [one.number for one in self.standing(hold.reference)]
        is_waiting = hold.state is HoldState.WAITING
        return {
            "number": hold.number,
            "reference": hold.reference,
            "court": hold.court,
            "case_number": hold.case_number,
            "state": hold.state.value,
            "rank": line.index(hold.number) if is_waiting else 0,
            "cents": hold.cents,
            "starts_on": "" if is_waiting else hold.first_day.isoformat(),
            "until": "" if is_waiting else hold.last_day.isoformat(),
        }

    def _promote(self, reference: str, day: date, room: Callable[[], int]) -> None:
        waiting = self.standing(reference)
        if not waiting:
            return
        following = waiting[0]
        self._connection.execute(
            "UPDATE holds SET state = ?, cents = ?, first_day = ?, last_day = ? WHERE number = ?",
            (
                HoldState.IN_FORCE,
                _held(following.asked_cents, room()),
                day.isoformat(),
                _as_long(following, day).isoformat(),
                following.number,
            ),
        )

    def _set(self, hold: Hold, state: HoldState) -> None:
        cents = hold.cents if state is HoldState.LAPSED else 0
        self._connection.execute("UPDATE holds SET state = ?, cents = ? WHERE number = ?", (state, cents, hold.number))

    def _insert(self, hold: Hold) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO holds (number, reference, court, case_number, state, asked_cents, cents, first_day,"
            " last_day, is_scripted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                hold.number,
                hold.reference,
                hold.court,
                hold.case_number,
                hold.state,
                hold.asked_cents,
                hold.cents,
                hold.first_day.isoformat(),
                hold.last_day.isoformat(),
                hold.is_scripted,
            ),
        )


def _hold(row: sqlite3.Row) -> Hold:
    return Hold(
        number=row["number"],
        reference=row["reference"],
        court=row["court"],
        case_number=row["case_number"],
        state=HoldState(row["state"]),
        asked_cents=row["asked_cents"],
        cents=row["cents"],
        first_day=date.fromisoformat(row["first_day"]),
        last_day=date.fromisoformat(row["last_day"]),
        is_scripted=bool(row["is_scripted"]),
    )


def _held(asked_cents: int | None, room: int) -> int:
    return max(0, room if asked_cents is None else min(asked_cents, room))


def _as_long(hold: Hold, start: date) -> date:
    """The last day of a term that starts on `start` and is as long as the one asked for."""
    for years in (1, 2, 3):
        if last_day(hold.first_day, years) == hold.last_day:
            return last_day(start, years)
    return start + (hold.last_day - hold.first_day)

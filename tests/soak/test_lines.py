"""Three courts and one thing, as in the suite, through a thousand sequences with each kind of database."""

from __future__ import annotations

from pathlib import Path

from tests.assets.test_lines_property import run_sequences
from tests.support.postgresql import PostgreSQL
from tests.support.records import postgresql_records, sqlite_records

SEQUENCES = 1000


def test_what_three_courts_do_to_one_thing_is_what_the_other_sides_book_says_sqlite(tmp_path: Path) -> None:
    run_sequences(sqlite_records(tmp_path), SEQUENCES)


def test_what_three_courts_do_to_one_thing_is_what_the_other_sides_book_says_postgresql(postgresql: PostgreSQL) -> None:
    run_sequences(postgresql_records(postgresql), SEQUENCES)

"""Three courts and one thing, as in the suite, through a thousand sequences with each kind of database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assets.test_lines_property import run_sequences
from tests.support.postgresql import start_or_skip
from tests.support.records import postgresql_records, sqlite_records

SEQUENCES = 1000


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_three_courts_do_to_one_thing_is_what_the_other_sides_book_says(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        run_sequences(sqlite_records(tmp_path), SEQUENCES)
        return
    server = start_or_skip()
    try:
        run_sequences(postgresql_records(server), SEQUENCES)
    finally:
        server.stop()

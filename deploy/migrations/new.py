"""Writes a migration from what the tables have become since the last one: `new.py "What changed"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, make_url

from command_center import schema


def main(message: str) -> None:
    """Hold the tables against an empty database with every migration in it."""
    with tempfile.TemporaryDirectory() as folder:
        url = make_url(f"sqlite:///{folder}/records.sqlite3")
        schema.upgrade(url, Path(folder))
        engine = create_engine(url)
        number = max(int(path.name[:4]) for path in (schema.MIGRATIONS / "versions").glob("*.py")) + 1
        with engine.connect() as connection:
            command.revision(schema.configuration(connection), message, autogenerate=True, rev_id=f"{number:04}")
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])

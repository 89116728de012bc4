"""The migrations: they make what the code has, copy before they change, and know when to refuse."""

from __future__ import annotations

import asyncio
import json
import runpy
import shutil
import sqlite3
import sys
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import DatabaseError

from command_center import schema
from command_center.audit import Audit, AuditEntry
from command_center.audit_reading import AuditReader
from command_center.config import Settings
from command_center.database import Database
from command_center.schema import SchemaRefused, prepare, revision_of


@pytest.fixture
def settings(records_url: str, tmp_path: Path) -> Settings:
    """An installation without records, once on each kind of database."""
    return Settings(data=tmp_path, database_url=records_url)


def synchronous(settings: Settings) -> str:
    return settings.records_url.replace("+aiosqlite", "")


async def test_the_migrations_make_exactly_the_tables_that_the_code_has(settings: Settings) -> None:
    await prepare(settings)

    def differences() -> list[object]:
        engine = create_engine(synchronous(settings))
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            found = compare_metadata(context, schema.METADATA)
        engine.dispose()
        return found

    assert await asyncio.to_thread(differences) == []


async def test_doing_it_again_changes_nothing_and_copies_nothing(settings: Settings, tmp_path: Path) -> None:
    await prepare(settings)
    await prepare(settings)
    assert list(tmp_path.glob("records.*T*Z.sqlite3")) == []


async def test_several_processes_may_start_at_once(settings: Settings) -> None:
    await asyncio.gather(*(prepare(settings) for _ in range(4)))
    database = Database(settings.records_url)
    async with database.write() as session:
        await Audit().record(session, actor=None, court_id=None, action="a", subject_type="t", subject_id="1")
    await database.close()


@pytest.mark.parametrize("deed", ["UPDATE audit SET action = 'b'", "DELETE FROM audit"])
async def test_the_database_itself_keeps_the_audit_from_being_changed(settings: Settings, deed: str) -> None:
    await prepare(settings)
    database = Database(settings.records_url)

    async def change() -> None:
        async with database.write() as session:
            await session.execute(text(deed))

    async with database.write() as session:
        await Audit().record(session, actor=None, court_id=None, action="a", subject_type="t", subject_id="1")
    with pytest.raises(DatabaseError, match="append-only"):
        await change()
    await database.close()


async def test_records_of_a_newer_version_are_refused(settings: Settings) -> None:
    await prepare(settings)

    def pretend() -> None:
        engine = create_engine(synchronous(settings))
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        engine.dispose()

    await asyncio.to_thread(pretend)
    with pytest.raises(SchemaRefused, match="newer"):
        await prepare(settings)


async def test_tables_without_a_version_are_refused(settings: Settings) -> None:
    database = Database(settings.records_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(schema.METADATA[0].create_all)
    await database.close()
    with pytest.raises(SchemaRefused, match="no version"):
        await prepare(settings)


def test_an_older_file_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second revision, made here, finds records of the one before."""
    url = make_url(f"sqlite+aiosqlite:///{tmp_path / 'records.sqlite3'}")
    schema.upgrade(url, tmp_path)
    with sqlite3.connect(tmp_path / "records.sqlite3") as connection:
        connection.execute(
            "INSERT INTO courts (id, code, name_zh, name_en) VALUES ('00000000000000000000000000000001', 'x', 'y', 'z')"
        )
    connection.close()
    migrations = tmp_path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    for path in [*schema.MIGRATIONS.glob("*"), *schema.MIGRATIONS.glob("versions/*")]:
        if path.is_file():
            (migrations / path.relative_to(schema.MIGRATIONS)).write_bytes(path.read_bytes())
    latest = ScriptDirectory(str(schema.MIGRATIONS)).get_current_head()
    (migrations / "versions" / "9998_next.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = '9998', '{latest}', None, None\n"
        "def upgrade() -> None:\n    op.execute('DELETE FROM courts')\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    schema.upgrade(url, tmp_path)
    (copy,) = tmp_path.glob(f"records.{latest}.*.sqlite3")
    for path, courts in ((copy, 1), (tmp_path / "records.sqlite3", 0)):
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT count(*) FROM courts").fetchone() == (courts,)
        connection.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'records.sqlite3'}")
    with engine.connect() as reading:
        assert revision_of(reading) == "9998"
    engine.dispose()


async def test_recordings_of_one_file_become_recordings_of_one_segment(settings: Settings) -> None:
    names = ("courts", "users", "operations", "sites", "feeds", "recordings")
    ids = {name: f"{number:032x}" for number, name in enumerate(names, start=1)}
    at = "2026-05-01 08:00:00+00:00"
    rows = {
        "courts": {"code": "x", "name_zh": "y", "name_en": "z"},
        "users": {
            "court_id": ids["courts"], "username": "u", "display_name": "u", "badge_number": "1", "role": "officer",
            "password_hash": "-", "language": "zh", "created_at": at,
        },
        "operations": {
            "court_id": ids["courts"], "name_zh": "a", "name_en": "a", "case_number": "1", "state": "live",
            "commander_id": ids["users"], "is_demonstration": False, "next_instruction_number": 1, "starts_at": at,
        },
        "sites": {
            "operation_id": ids["operations"], "ordinal": 1, "name_zh": "a", "name_en": "a", "district_zh": "a",
            "district_en": "a", "latitude": 1.0, "longitude": 1.0,
        },
        "feeds": {
            "name": "feed-1", "operation_id": ids["operations"], "site_id": ids["sites"], "officer_id": ids["users"],
            "device": "d", "source": "camera", "created_at": at, "camera_state": "live",
        },
        "recordings": {
            "feed_id": ids["feeds"], "operation_id": ids["operations"], "site_id": ids["sites"], "node": "n",
            "path": "feed-1/2026-05-01/r.webm", "container": "webm", "video": "VP8", "audio": "opus",
            "started_at": at, "ended_at": at, "seconds": 2.5, "bytes": 1234, "sha256": "5" * 64, "end_reason": "ended",
        },
    }  # fmt: skip

    def migrate() -> tuple[tuple[object, ...], tuple[object, ...]]:
        engine = create_engine(synchronous(settings))
        with engine.connect() as connection:
            command.upgrade(schema.configuration(connection), "0003")
            for table in names:
                values = rows[table] | {"id": ids[table]}
                marks = ", ".join(f":{name}" for name in values)
                connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"), values)
            connection.commit()
            command.upgrade(schema.configuration(connection), "head")
            connection.commit()
            recording = connection.execute(
                text("SELECT manifest, version, lines, bytes, seconds, end_reason FROM recordings")
            ).one()
            segment = connection.execute(
                text("SELECT number, path, container, mime, video, audio, bytes, seconds, start, sha256, head "
                     "FROM recording_segments")
            ).one()  # fmt: skip
        engine.dispose()
        return tuple(recording), tuple(segment)

    recording, segment = await asyncio.to_thread(migrate)
    path = "feed-1/2026-05-01/r"
    assert recording == (f"{path}.jsonl", 1, 0, 1234, 2.5, "ended")
    assert segment == (1, f"{path}.webm", "webm", "video/webm", "VP8", "opus", 1234, 2.5, 0.0, "5" * 64, None)


async def test_of_deletions_begun_twice_the_one_that_is_furthest_goes_on(settings: Settings, tmp_path: Path) -> None:
    at, operation = "2026-05-01 08:00:00+00:00", f"{9:032x}"
    rows = [(1, "due"), (1, "approved"), (1, "proposed"), (1, "withdrawn"), (2, "done"), (2, "due")]
    rows += [(3, "done"), (3, "proposed"), (4, "done"), (4, "deleting")]

    def migrate() -> list[tuple[str, str, str]]:
        engine = create_engine(synchronous(settings))
        with engine.connect() as connection:
            command.upgrade(schema.configuration(connection), "0006")
            for table, values in (
                ("courts", {"id": operation, "code": "x", "name_zh": "y", "name_en": "z"}),
                ("users", {
                    "id": operation, "court_id": operation, "username": "u", "display_name": "u", "badge_number": "1",
                    "role": "officer", "password_hash": "-", "language": "zh", "created_at": at,
                }),
                ("operations", {
                    "id": operation, "court_id": operation, "name_zh": "a", "name_en": "a", "case_number": "1",
                    "state": "live", "commander_id": operation, "is_demonstration": False,
                    "next_instruction_number": 1, "starts_at": at,
                }),
                *(
                    ("deletions", {
                        "id": f"{number:032x}", "recording_id": f"{recording:032x}", "operation_id": operation,
                        "retention_class": "B", "state": state, "listed_at": at, "reason": "", "end_reason": "",
                    })
                    for number, (recording, state) in enumerate(rows, start=1)
                ),
            ):  # fmt: skip
                marks = ", ".join(f":{name}" for name in values)
                connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"), values)
            connection.commit()
            command.upgrade(schema.configuration(connection), "head")
            connection.commit()
            found = connection.execute(text("SELECT id, state, end_reason FROM deletions ORDER BY id")).all()
        engine.dispose()
        return [(str(identity).replace("-", "")[-1], state, reason) for identity, state, reason in found]

    assert await asyncio.to_thread(migrate) == [
        ("2", "approved", ""),
        ("3", "refused", "deletion-proposed"),
        ("4", "withdrawn", ""),
        ("5", "done", ""),
        ("7", "done", ""),
        ("8", "refused", "recording-deleted"),
        ("9", "done", ""),
        ("a", "deleting", ""),
    ]
    # What was settled is in the audit, whose chain is whole and goes on.
    database = Database(settings.records_url)
    async with database.write() as session:
        await Audit().record(session, actor=None, court_id=None, action="a", subject_type="t", subject_id="1")
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence))).all()
    assert [(one.action, one.subject_id[-1], json.loads(one.details).get("code")) for one in entries] == [
        ("deletion.stopped", "1", "deletion-proposed"),
        ("deletion.stopped", "3", "recording-deleted"),
        ("a", "1", None),
    ]
    assert {one.court_id for one in entries[:2]} == {UUID(operation)}
    verdict = await AuditReader(database, Audit(), tmp_path / "anchors.jsonl").verify()
    assert (verdict.entries, verdict.broken_at) == (3, None)
    await database.close()


def test_a_step_that_fails_leaves_the_records_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(f"sqlite+aiosqlite:///{tmp_path / 'records.sqlite3'}")
    migrations = tmp_path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (migrations / name).write_bytes((schema.MIGRATIONS / name).read_bytes())
    (migrations / "versions" / "0001_breaks.py").write_text(
        "from alembic import op\n"
        "revision, down_revision, branch_labels, depends_on = '0001', None, None, None\n"
        "def upgrade() -> None:\n    op.execute('CREATE TABLE half (x INT)')\n    raise RuntimeError('broken')\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    with pytest.raises(RuntimeError, match="broken"):
        schema.upgrade(url, tmp_path)
    connection = sqlite3.connect(tmp_path / "records.sqlite3")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


def test_a_new_migration_is_written_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    before = set(folder.glob("versions/*.py"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    monkeypatch.setattr(sys, "argv", ["new.py", "What changed"])
    runpy.run_path(str(folder / "new.py"), run_name="__main__")
    (made,) = set(folder.glob("versions/*.py")) - before
    assert made.name.endswith("_what_changed.py")
    assert f"revision = '{made.name[:4]}'" in made.read_text()


async def test_proposals_about_case_money_are_known_by_their_main_account(settings: Settings) -> None:
    main, case, proposal, at = f"{1:032x}", f"{2:032x}", f"{3:032x}", "2026-05-01 08:00:00+00:00"
    rows = (
        ("main_accounts", {
            "id": main, "court_id": main, "number": "1", "bank_name": "b", "fee_holder": "f", "fee_number": "2",
            "fee_bank_code": "", "balance_cents": 0, "postings": 0, "sub_accounts": 1, "opened_at": at,
        }),
        ("cases", {
            "id": case, "court_id": main, "court_code": "x", "court_name": "x", "number": "1", "claim_cents": 1,
            "judge_name": "a", "work_card": "1", "duty_card": "1", "is_demonstration": False, "filed_on": "2026-03-02",
        }),
        ("case_sub_accounts", {"id": case, "main_id": main, "case_id": case, "number": "11", "opened_at": at}),
        ("money_proposals", {
            "id": proposal, "case_id": case, "kind": "deferral", "state": "proposed", "cents": 0, "content": "{}",
            "proposed_by": main, "proposed_at": at, "reason": "",
        }),
        ("money_payments", {
            "id": proposal, "number": "P1", "main_id": main, "case_id": case, "proposal_id": proposal,
            "purpose": "claim", "payee_name": "a", "payee_account": "1", "payee_bank_code": "", "cents": 1,
            "credited_on": "2026-05-01", "state": "unknown", "ordered_at": at, "attempts": 1, "trouble": "",
            "reason": "", "receipt_number": "", "bank_serial": "",
        }),
    )  # fmt: skip

    def migrate() -> list[object]:
        engine = create_engine(synchronous(settings))
        with engine.connect() as connection:
            command.upgrade(schema.configuration(connection), "0023")
            for table, values in rows:
                marks = ", ".join(f":{name}" for name in values)
                connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"), values)
            connection.commit()
            command.upgrade(schema.configuration(connection), "head")
            connection.commit()
            query = "SELECT p.main_id FROM money_proposals p JOIN money_payments m ON m.proposal_id = p.id"
            found = list(connection.execute(text(query)).scalars())
        engine.dispose()
        return found

    assert [str(one).replace("-", "") for one in await asyncio.to_thread(migrate)] == [main]

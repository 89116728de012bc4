"""Journals of operations"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("once", sa.String(length=64), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("once"),
    )
    with op.batch_alter_table("journal_entries") as batch_op:
        batch_op.create_index("ix_journal_entries_operation_id", ["operation_id", "id"], unique=False)
        batch_op.create_index("ix_journal_entries_kind", ["operation_id", "kind", "id"], unique=False)
        batch_op.create_index(
            "ix_journal_entries_unwritten",
            ["id"],
            unique=False,
            sqlite_where=sa.text("written_at IS NULL"),
            postgresql_where=sa.text("written_at IS NULL"),
        )
    op.create_table(
        "journal_seals",
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"]),
        sa.PrimaryKeyConstraint("operation_id"),
    )
    _keep_entries_as_they_are()


def _keep_entries_as_they_are() -> None:
    """Have the database itself refuse to change or remove what was noted; only its number and mark may move."""
    columns = "operation_id, at, kind, salt, body"
    if op.get_bind().dialect.name == "sqlite":
        for name, deed in (("update", f"UPDATE OF {columns}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER journal_no_{name} BEFORE {deed} ON journal_entries "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER journal_append_only BEFORE UPDATE OF {columns} OR DELETE OR TRUNCATE ON journal_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")

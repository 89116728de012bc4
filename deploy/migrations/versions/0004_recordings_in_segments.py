"""Recordings in segments"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FIRST = "0" * 64
"""What a ledger's first line names as the one before: nothing of the manifest counts as taken in."""


def upgrade() -> None:
    op.create_table(
        "recording_gaps",
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("track", sa.String(length=8), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("packets", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"]),
        sa.PrimaryKeyConstraint("recording_id", "ordinal"),
    )
    op.create_table(
        "recording_segments",
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("container", sa.String(length=8), nullable=False),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("video", sa.String(length=16), nullable=True),
        sa.Column("audio", sa.String(length=16), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=True),
        sa.Column("head", sa.String(length=64), nullable=True),
        sa.Column("is_recovered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"]),
        sa.PrimaryKeyConstraint("recording_id", "number"),
        sa.UniqueConstraint("path"),
    )
    # One file a recording until now. How it was coded exactly and how its manifest ends stands in the manifest:
    # the worker reads each again at its next start.
    op.execute(
        "INSERT INTO recording_segments (recording_id, number, path, container, mime, video, audio, width, height, "
        "started_at, start, seconds, bytes, ended_at, sha256, lines, head, is_recovered) "
        "SELECT id, 1, path, container, 'video/' || container, video, audio, 0, 0, "
        "started_at, 0, seconds, bytes, ended_at, sha256, NULL, NULL, 1 = 0 FROM recordings"
    )
    with op.batch_alter_table("recordings") as batch_op:
        batch_op.add_column(sa.Column("manifest", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("lines", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("head", sa.String(length=64), nullable=False, server_default=FIRST))
    op.execute("UPDATE recordings SET manifest = substr(path, 1, length(path) - length(container)) || 'jsonl'")
    with op.batch_alter_table("recordings") as batch_op:
        batch_op.alter_column("manifest", existing_type=sa.String(length=300), nullable=False)
        batch_op.alter_column("version", existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column("lines", existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column("head", existing_type=sa.String(length=64), server_default=None)
        batch_op.alter_column("bytes", existing_type=sa.Integer(), type_=sa.BigInteger())
        batch_op.create_unique_constraint("recordings_manifest_key", ["manifest"])
        for name in ("path", "container", "video", "audio", "sha256"):
            batch_op.drop_column(name)


def downgrade() -> None:
    raise NotImplementedError("the copy made at the upgrade is the way back")

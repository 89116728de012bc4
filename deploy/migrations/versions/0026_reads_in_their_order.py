"""Indexes that hold what lists are read by: their order, and all that decides whether a row is wanted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("closed_at IS NULL")
IS_UNDECIDED = sa.text("approval <> '' AND decided_at IS NULL")


def upgrade() -> None:
    _replace("control_measures", "ix_control_measures_state_ends", ["state", "ends_on", "id", "court_id", "case_id"])
    _replace("control_measures", "ix_control_measures_court_state_ends", ["court_id", "state", "ends_on", "id"])
    _replace("control_measures", "ix_control_measures_case_state", ["case_id", "state", "ends_on", "id"])
    _replace("control_measures", "ix_control_measures_asset_id", ["asset_id", "id", "case_id"])
    op.drop_index("ix_term_alarms_open", table_name="term_alarms")
    op.create_index(
        "ix_term_alarms_open",
        "term_alarms",
        ["measure_id", "days_before"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index(
        "ix_asset_requests_undecided",
        "asset_requests",
        ["id"],
        sqlite_where=IS_UNDECIDED,
        postgresql_where=IS_UNDECIDED,
    )
    op.create_index("ix_cases_number", "cases", ["number", "id", "court_id", "judge_name"])
    _replace("assets", "ix_assets_kind", ["kind", "id"])
    op.create_index("ix_assets_reference", "assets", ["reference", "case_id"])
    op.create_index(
        "ix_assets_search",
        "assets",
        ["id", "reference", "description", "case_id", "person_id", "kind", "gateway"],
    )


def downgrade() -> None:
    op.drop_index("ix_asset_requests_undecided", table_name="asset_requests")
    for name in ("ix_assets_search", "ix_assets_reference"):
        op.drop_index(name, table_name="assets")
    _replace("assets", "ix_assets_kind", ["kind"])
    op.drop_index("ix_cases_number", table_name="cases")
    _replace("term_alarms", "ix_term_alarms_open", ["closed_at", "days_before"])
    _replace("control_measures", "ix_control_measures_asset_id", ["asset_id"])
    _replace("control_measures", "ix_control_measures_case_state", ["case_id", "state"])
    _replace("control_measures", "ix_control_measures_court_state_ends", ["court_id", "state", "ends_on"])
    _replace("control_measures", "ix_control_measures_state_ends", ["state", "ends_on"])


def _replace(table: str, name: str, columns: list[str]) -> None:
    op.drop_index(name, table_name=table)
    op.create_index(name, table, columns)

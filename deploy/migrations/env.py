"""Runs the migrations on the connection that `command_center.schema` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from command_center import schema


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write a column's plain type, so that a migration doesn't change when the code does."""
    if kind == "type" and isinstance(item, schema.INSTANTS):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.METADATA,
    render_item=render_item,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

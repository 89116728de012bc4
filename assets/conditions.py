"""Conditions that are told to a database so that it doesn't read its rows by them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case


def apart(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same, told so that it is held against each row that is read, and leads to no other way of reading them.

    As "not none", because PostgreSQL expects most rows to pass that, and next to none to equal what it can't foresee.
    """
    return case((condition, 1), else_=0) != 0

"""Cells of a workbook: typed, and text that stays text whatever a spreadsheet would make of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill

from command_center.asset_looks import COLOURS, SHAPES, Look
from command_center.clock import SHANGHAI

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value = str | int | Decimal | date | datetime | None
_MONEY, _DAY, _TIME = "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
_LEADS = ("=", "+", "-", "@", "\t", "\r")


def state_cell(sheet: Any, word: str, look: Look) -> Any:
    """A state as screens show it: its word, with its shape before it and its colour behind it."""
    cell = cell_of(sheet, word)
    # The cell's own value stays the word, to filter and to count by.
    cell.number_format = f'"{SHAPES[look]} "@'
    if look is not Look.PLAIN:
        cell.fill = PatternFill("solid", fgColor=COLOURS[look].removeprefix("#"))
    return cell


def cell_of(sheet: Any, value: Value, *, is_head: bool = False) -> Any:
    """A cell of a write-only sheet that holds this value as what it is."""
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # Text stays text, whatever it begins with: an answer from outside must not become a formula.
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(_LEADS)
        cell.alignment = Alignment(vertical="top", wrap_text="\n" in value)
    elif isinstance(value, datetime):
        cell.number_format = _TIME
    elif isinstance(value, date):
        cell.number_format = _DAY
    elif isinstance(value, Decimal):
        cell.number_format = _MONEY
    if is_head:
        cell.font = Font(bold=True)
    return cell


def yuan(cents: int | None) -> Decimal | None:
    """Cents as yuan."""
    return None if cents is None else Decimal(cents) / 100


def local(instant: datetime | None) -> datetime | None:
    """A time in China without its zone, which cells don't know."""
    return None if instant is None else instant.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)

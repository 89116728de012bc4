"""The table of terms as a workbook: typed cells, masked, in the order of what lapses next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from io import BytesIO

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from assets.term_table import TermRow
from assets.terms import AssetKind
from command_center.translations import translate
from command_center.workbook_cells import Value, cell_of, yuan

_COLUMNS: tuple[tuple[str, int], ...] = (
    ("ends", 12),
    ("severity", 14),
    ("days", 10),
    ("working_days", 10),
    ("renew_by", 14),
    ("case", 26),
    ("court", 26),
    ("judge", 16),
    ("person", 22),
    ("kind", 12),
    ("reference", 32),
    ("description", 40),
    ("controlled", 18),
    ("starts", 12),
    ("alarm", 12),
    ("acknowledged", 12),
)


def term_workbook(rows: Sequence[TermRow], today: date, language: str, *, is_cut: bool) -> bytes:
    """The file; `is_cut` says that there are more rows than one takes."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(translate("term.workbook.sheet", language))
    for place, (_, width) in enumerate(_COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    heads = [translate(f"term.column.{name}", language) for name, _ in _COLUMNS]
    sheet.append([cell_of(sheet, head, is_head=True) for head in heads])
    for row in rows:
        sheet.append([cell_of(sheet, value) for value in _values(row, language)])
    facts = book.create_sheet(translate("term.workbook.facts", language))
    facts.column_dimensions["A"].width, facts.column_dimensions["B"].width = 22, 70
    for name, value in _facts(len(rows), today, language, is_cut=is_cut):
        facts.append(
            [cell_of(facts, translate(f"term.workbook.{name}", language), is_head=True), cell_of(facts, value)]
        )
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _facts(count: int, today: date, language: str, *, is_cut: bool) -> Iterator[tuple[str, Value]]:
    yield "today", today
    yield "rows", count
    yield "rule", translate("asset.term.rule", language)
    yield "masked", translate("asset.workbook.masked", language)
    if is_cut:
        yield "cut", translate("term.workbook.cut.words", language)


def _values(row: TermRow, language: str) -> Iterator[Value]:
    yield row.ends_on
    yield translate(f"term.severity.{row.severity}", language)
    yield row.days_left
    yield row.working_days_left
    yield row.renew_by
    yield row.case_number
    yield row.court_name
    yield row.judge_name
    yield row.person
    yield translate(f"asset.kind.{row.kind}", language)
    yield row.reference
    yield row.description
    yield yuan(row.controlled_cents) if row.kind == AssetKind.BANK_ACCOUNT else None
    yield row.starts_on
    alarm = row.alarm
    yield None if alarm is None else alarm.due_on
    yield None if alarm is None else translate(f"term.acknowledged.{int(alarm.acknowledged_at is not None)}", language)

"""The month of a court's money as a workbook: a sheet of the cases, and one of what differs from the bank's."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font

from assets.case_accounts.reconciliation import CaseTurnover, Reconciliation, Turnover
from command_center.translations import translate

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS = ("opening", "received", "paid", "refunded", "fees", "closing", "held")
_MONEY = "#,##0.00"
_Value = str | int | Decimal | None


def workbook(report: Reconciliation, language: str) -> bytes:
    """The file's bytes. Amounts are numbers of two places; text stays text, whatever it begins with."""
    book = Workbook(write_only=True)
    _write_cases(book, report, language)
    _write_differences(book, report, language)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _write_cases(book: Workbook, report: Reconciliation, language: str) -> None:
    sheet = book.create_sheet(translate("case-money.report.cases", language))
    for letter, width in zip("ABCDEFGHI", (26, 26, 18, 18, 18, 18, 18, 18, 18), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append(
        [
            _cell(
                sheet, translate("case-money.report.title", language, since=report.since, until=report.until), bold=True
            )
        ]
    )
    sheet.append([_cell(sheet, translate("case-money.report.main", language)), _cell(sheet, report.main_number)])
    heads = ("case", "sub", *_COLUMNS)
    sheet.append([_cell(sheet, translate(f"case-money.report.{name}", language), bold=True) for name in heads])
    for one in report.cases:
        sheet.append(_row(sheet, _named(one, language), one.sub_number, one.turnover, bold=False))
    sheet.append(_row(sheet, translate("case-money.report.total", language), "", report.total, bold=True))


def _write_differences(book: Workbook, report: Reconciliation, language: str) -> None:
    sheet = book.create_sheet(translate("case-money.report.bank", language))
    for letter, width in zip("ABCD", (34, 30, 20, 20), strict=True):
        sheet.column_dimensions[letter].width = width
    verdict = "agrees" if report.agrees else "unknown" if report.bank_closing_cents is None else "differs"
    sheet.append([_cell(sheet, translate(f"case-money.report.{verdict}", language), bold=True)])
    heads = ("difference", "reference", "at-bank", "in-books")
    sheet.append([_cell(sheet, translate(f"case-money.report.{name}", language), bold=True) for name in heads])
    balances = (
        ("opening", report.bank_opening_cents, report.total.opening_cents),
        ("closing", report.bank_closing_cents, report.total.closing_cents),
    )
    for name, bank_cents, book_cents in balances:
        words = translate(f"case-money.report.{name}", language)
        row = (words, report.main_number, _yuan(bank_cents), _yuan(book_cents))
        sheet.append([_cell(sheet, value) for value in row])
    for one in report.differences:
        words = translate(f"case-money.difference.{one.code}", language)
        row = (words, one.reference, _yuan(one.bank_cents), _yuan(one.book_cents))
        sheet.append([_cell(sheet, value) for value in row])
    for fault in report.faults:
        words = translate(f"case-money.fault.{fault.code}", language)
        sheet.append([_cell(sheet, value) for value in (words, str(fault.subject_id), None, _yuan(fault.cents))])


def _row(sheet: Any, name: str, sub_number: str, turnover: Turnover, *, bold: bool) -> list[Any]:
    amounts = [_yuan(getattr(turnover, f"{column}_cents")) for column in _COLUMNS]
    return [_cell(sheet, value, bold=bold) for value in (name, sub_number, *amounts)]


def _named(one: CaseTurnover, language: str) -> str:
    return one.case_number or translate("case-money.report.unclaimed", language)


def _yuan(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents) / 100


def _cell(sheet: Any, value: _Value, *, bold: bool = False) -> Any:
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.alignment = Alignment(vertical="top")
    elif isinstance(value, Decimal):
        cell.number_format = _MONEY
    if bold:
        cell.font = Font(bold=True)
    return cell

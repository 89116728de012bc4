"""A case's assets as a workbook: typed cells, masked, and nothing in it that a spreadsheet would calculate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from assets.listing import Listing
from assets.search import FoundRow
from assets.views import Standing
from command_center.clock import SHANGHAI
from command_center.translations import translate

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MONEY, _DAY, _TIME = "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
_LEADS = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS: tuple[tuple[str, int], ...] = (
    ("number", 6),
    ("person", 22),
    ("kind", 12),
    ("gateway", 16),
    ("reference", 32),
    ("description", 40),
    ("value", 18),
    ("available", 18),
    ("standing", 18),
    ("rank", 8),
    ("asked", 18),
    ("controlled", 18),
    ("starts", 12),
    ("ends", 12),
    ("request", 26),
    ("receipt", 22),
    ("answered", 20),
    ("others", 60),
)
_Value = str | int | Decimal | date | datetime | None


def workbook(listing: Listing, language: str) -> bytes:
    """The file: a sheet of the assets, and one of the case."""
    book = Workbook(write_only=True)
    _write_assets(book, listing, language)
    _write_case(book, listing, language)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _write_assets(book: Workbook, listing: Listing, language: str) -> None:
    sheet = book.create_sheet(translate("asset.workbook.assets", language))
    for place, (_, width) in enumerate(_COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    heads = [translate(f"asset.workbook.column.{name}", language) for name, _ in _COLUMNS]
    sheet.append([_cell(sheet, head, is_head=True) for head in heads])
    for number, row in enumerate(listing.rows, start=1):
        sheet.append([_cell(sheet, value) for value in _values(number, row, language)])


def _write_case(book: Workbook, listing: Listing, language: str) -> None:
    sheet = book.create_sheet(translate("asset.workbook.case", language))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 22, 60
    summary = listing.summary
    facts: list[tuple[str, _Value]] = [
        ("number", summary.head.number),
        ("court", summary.court_name),
        ("claim", _yuan(summary.head.claim_cents)),
        ("controlled", _yuan(summary.controlled_cents)),
        ("rows", len(listing.rows)),
        ("at", _local(listing.at)),
        ("masked", translate("asset.workbook.masked", language)),
    ]
    if summary.head.is_demonstration:
        facts.append(("demonstration", translate("asset.workbook.simulated", language)))
    for name, value in facts:
        head = translate(f"asset.workbook.fact.{name}", language)
        sheet.append([_cell(sheet, head, is_head=True), _cell(sheet, value)])


def _values(number: int, row: FoundRow, language: str) -> Iterator[_Value]:
    asset = row.asset
    is_waiting = asset.standing is Standing.WAITING
    yield number
    yield row.person
    yield translate(f"asset.kind.{asset.kind}", language)
    yield gateway_name(asset.gateway, language)
    yield asset.reference
    yield asset.description
    yield _yuan(asset.value_cents)
    yield _yuan(asset.available_cents)
    yield translate(f"asset.state.{asset.standing}", language)
    yield asset.rank if is_waiting else None
    yield _yuan(asset.asked_cents)
    yield _yuan(asset.controlled_cents) if row.measure_id else None
    yield asset.starts_on
    yield asset.ends_on
    yield row.request_number
    yield asset.receipt_number
    yield _local(asset.answered_at)
    yield "\n".join(encumbrance(one, language) for one in asset.encumbrances)


def gateway_name(name: str, language: str) -> str:
    """What a bank or registry is called; one that has no words of its own by its own name."""
    key = f"asset.gateway.{name}"
    words = translate(key, language) if name else ""
    return name if words == key else words


def encumbrance(one: dict[str, Any], language: str) -> str:
    """What somebody else has on an asset, in words."""
    cents = one["amount_cents"]
    amount = f"{Decimal(cents) / 100:,.2f}" if cents is not None else ""
    words = translate(f"asset.encumbrance.{one['kind']}", language, holder=one["holder"], amount=amount).strip()
    return f"{words} → {one['until']}" if one.get("until") else words


def _cell(sheet: Any, value: _Value, *, is_head: bool = False) -> Any:
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


def _yuan(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents) / 100


def _local(instant: datetime | None) -> datetime | None:
    """A time in China without its zone, which cells don't know."""
    return None if instant is None else instant.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)

"""A case's assets as a workbook: typed cells, masked, and nothing in it that a spreadsheet would calculate."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from assets.case_summary import CaseSummary
from assets.listing import Listing
from assets.search import FoundRow
from assets.standings import UNMEASURED, UNTOLD
from assets.views import Standing
from command_center.asset_looks import STANDINGS
from command_center.translations import translate
from command_center.workbook_cells import Value, cell_of, local, state_cell, yuan

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
    ("answer_by", 14),
    ("request", 26),
    ("receipt", 22),
    ("answered", 20),
    ("others", 60),
)
_STANDING = next(place for place, (name, _) in enumerate(_COLUMNS) if name == "standing")


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
    sheet.append([cell_of(sheet, head, is_head=True) for head in heads])
    for number, row in enumerate(listing.rows, start=1):
        cells = [cell_of(sheet, value) for value in _values(number, row, language)]
        cells[_STANDING] = state_cell(sheet, str(cells[_STANDING].value), STANDINGS[row.asset.standing])
        sheet.append(cells)


def _write_case(book: Workbook, listing: Listing, language: str) -> None:
    sheet = book.create_sheet(translate("asset.workbook.case", language))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 22, 60
    summary = listing.summary
    facts: list[tuple[str, Value]] = [
        ("number", summary.head.number),
        ("court", summary.court_name),
        ("claim", yuan(summary.head.claim_cents) or translate("asset.workbook.no-claim", language)),
        *_money_facts(summary, language),
        ("answered", _last_answer(summary, language)),
        ("rows", len(listing.rows)),
        ("at", local(listing.at)),
        ("masked", translate("asset.workbook.masked", language)),
    ]
    if summary.head.is_demonstration:
        facts.append(("demonstration", translate("asset.workbook.simulated", language)))
    for name, value in facts:
        head = translate(f"asset.workbook.fact.{name}", language)
        sheet.append([cell_of(sheet, head, is_head=True), cell_of(sheet, value)])


def _money_facts(summary: CaseSummary, language: str) -> Iterator[tuple[str, Value]]:
    """What is held, what was taken, and apart from both how many assets hold nothing yet."""
    is_known = summary.last_answer is not None or any(one.standing not in UNMEASURED for one in summary.standings)
    yield "controlled", yuan(summary.controlled_cents) if is_known else translate("asset.workbook.unknown", language)
    yield "transferred", yuan(summary.transferred_cents)
    for name, standings in (
        ("waiting", {Standing.WAITING}),
        ("intended", {Standing.DRAFTED, Standing.INTENDED}),
        ("objected", {Standing.OBJECTED}),
        ("unknown", {Standing.UNKNOWN, Standing.UNCONFIRMED}),
    ):
        yield name, sum(one.assets for one in summary.standings if one.standing in standings)


def _last_answer(summary: CaseSummary, language: str) -> str:
    last = summary.last_answer
    if last is None:
        return translate("asset.head.last.none", language)
    what = translate(f"asset.action.{last.action}", language)
    return f"{local(last.at)} {gateway_name(last.gateway, language)} {what}"


def _values(number: int, row: FoundRow, language: str) -> Iterator[Value]:
    asset = row.asset
    is_waiting = asset.standing is Standing.WAITING
    yield number
    yield row.person
    yield translate(f"asset.kind.{asset.kind}", language)
    yield gateway_name(asset.gateway, language)
    yield asset.reference
    yield asset.description
    yield yuan(asset.value_cents)
    yield yuan(asset.available_cents)
    yield translate(f"asset.state.{asset.standing}", language)
    yield asset.rank if is_waiting else None
    yield yuan(asset.asked_cents)
    yield yuan(asset.controlled_cents) if row.measure_id and asset.standing not in UNTOLD else None
    yield asset.starts_on
    yield asset.ends_on
    yield asset.answer_by
    yield row.request_number
    yield asset.receipt_number
    yield local(asset.heard_at)
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

"""The formats of numbers that a court writes: each function gives the normal form back or says what is wrong."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from assets.errors import BadFormat

HOHHOT_COURTS: dict[str, str] = json.loads(Path(__file__).with_name("court_codes.json").read_bytes())["courts"]
"""The city court and its district and county courts, by the codes under which case numbers name them."""
HOHHOT_COURT_CODES = frozenset(HOHHOT_COURTS)
CASE_TYPES = ("执恢", "执保", "执异", "执复", "执监", "执协", "司惩", "财保", "执")

EARLIEST_YEAR = 1949

_WIDE = {
    code: code - 0xFEE0 for span in ((0xFF10, 10), (0xFF21, 26), (0xFF41, 26)) for code in range(span[0], sum(span))
}
"""Wide digits and letters, as an input method may write them, to plain ones."""
_HALF_TO_FULL = str.maketrans({"(": "（", ")": "）", "〔": "（", "〕": "）", "[": "（", "]": "）"})
_CASE = re.compile(rf"（(\d{{4}})）(内\d{{2}}(?:\d{{2}})?)({'|'.join(CASE_TYPES)})([1-9]\d*)号", re.ASCII)
_RULING_SUFFIX = re.compile(r"(之[一二三四五六七八九十]{1,3})?")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FIRM_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_UNIT = re.compile(r"\d{12}[GJZ][ABSXCDEFHGWY]\d{5}[FLQW]\d{8}", re.ASCII)
_CERTIFICATE = re.compile(r"蒙（(\d{4})）[一-鿿]{2,20}不动产权第\d{7}号", re.ASCII)
_PLATE = re.compile(r"蒙[A-HJ-NP-Z][A-HJ-NP-Z0-9]{5,6}")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)


def case_number(text: str, today: date, courts: frozenset[str] = HOHHOT_COURT_CODES) -> str:
    """Check a case number (案号) such as （2026）内01执123号; half-width brackets become full ones."""
    normal = _squeezed(text).translate(_HALF_TO_FULL)
    match = _CASE.fullmatch(normal)
    if match is None:
        raise BadFormat("case-number", "shape")
    if not EARLIEST_YEAR <= int(match[1]) <= today.year:
        raise BadFormat("case-number", "year")
    if match[2] not in courts:
        raise BadFormat("case-number", "court")
    return normal


def court_code_of(case: str) -> str:
    """The code of the court that a checked case number names."""
    match = _CASE.fullmatch(case)
    if match is None:
        raise BadFormat("case-number", "shape")
    return match[2]


def ruling_number(text: str, today: date, courts: frozenset[str] = HOHHOT_COURT_CODES) -> str:
    """Check a ruling's number (裁定文号): its case's number, with 之一, 之二 … from the second ruling on."""
    normal = _squeezed(text).translate(_HALF_TO_FULL)
    head, mark, tail = normal.partition("号")
    if not _RULING_SUFFIX.fullmatch(tail):
        raise BadFormat("ruling-number", "shape")
    try:
        return case_number(head + mark, today, courts) + tail
    except BadFormat as exc:
        raise BadFormat("ruling-number", exc.why) from exc


def resident_id(text: str, today: date) -> str:
    """Check a resident identity number (GB 11643) of 18 characters, or of 15 as issued before 1999."""
    normal = _squeezed(text).upper()
    if re.fullmatch(r"\d{15}", normal, re.ASCII):
        _birthday(f"19{normal[6:12]}", today)
        return normal
    if not re.fullmatch(r"\d{17}[\dX]", normal, re.ASCII):
        raise BadFormat("resident-id", "shape")
    _birthday(normal[6:14], today)
    total = sum(int(digit) * weight for digit, weight in zip(normal[:17], _RESIDENT_WEIGHTS, strict=True))
    if normal[17] != "10X98765432"[total % 11]:
        raise BadFormat("resident-id", "check")
    return normal


def fifteen_digit_form(resident: str) -> str:
    """The 15-digit form that a person's older records may stand under; empty for one born in 2000 or later."""
    return resident[:6] + resident[8:17] if resident[6:8] == "19" else ""


def born_on(resident: str) -> date:
    """The birthday that a checked resident identity number holds.

    Raises:
        BadFormat: it is no such number.
    """
    digits = resident[6:14] if len(resident) == 18 else f"19{resident[6:12]}"
    if len(resident) not in {15, 18} or not digits.isdecimal():
        raise BadFormat("resident-id", "shape")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError as exc:
        raise BadFormat("resident-id", "date") from exc


def age_on(resident: str, day: date) -> int:
    """How many whole years old the holder of this number is on `day`."""
    born = born_on(resident)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_male(resident: str) -> bool:
    """Whether a checked resident identity number is a man's: the order code, its last digit but the check, is odd."""
    return int(resident[16] if len(resident) == 18 else resident[14]) % 2 == 1


def firm_code(text: str) -> str:
    """Check a unified social credit code (GB 32100): 18 characters without I O Z S V, the last a check."""
    normal = _squeezed(text).upper()
    if len(normal) != 18 or any(character not in _FIRM_ALPHABET for character in normal):
        raise BadFormat("firm-code", "shape")
    total = sum(_FIRM_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(normal[:17]))
    if _FIRM_ALPHABET.index(normal[17]) != (31 - total % 31) % 31:
        raise BadFormat("firm-code", "check")
    return normal


def bank_card(text: str) -> str:
    """Check a bank card number: 16 to 19 digits, Luhn. Passbook and firm accounts have no check."""
    normal = _squeezed(text)
    if not re.fullmatch(r"\d{16,19}", normal, re.ASCII):
        raise BadFormat("bank-card", "shape")
    total = 0
    for place, digit in enumerate(reversed(normal)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    if total % 10:
        raise BadFormat("bank-card", "check")
    return normal


def bank_code(text: str) -> str:
    """Check a bank's CNAPS code: 12 digits."""
    return _matched("bank-code", re.compile(r"\d{12}", re.ASCII), _squeezed(text))


def real_estate_unit(text: str) -> str:
    """Check a real-estate unit number (不动产单元号): 28 = 6+3+3, two letters, 5, one letter, 8."""
    return _matched("real-estate-unit", _UNIT, _squeezed(text).upper())


def title_certificate(text: str, today: date) -> str:
    """Check a title certificate's number, such as 蒙（2021）呼和浩特市不动产权第0012345号."""
    normal = _matched("title-certificate", _CERTIFICATE, _squeezed(text).translate(_HALF_TO_FULL))
    if int(normal[2:6]) > today.year:
        raise BadFormat("title-certificate", "year")
    return normal


def plate(text: str) -> str:
    """Check a plate of Inner Mongolia: a letter and 5 characters, or 6 for new energy; dots are dropped."""
    return _matched("plate", _PLATE, re.sub(r"[·•.-]", "", _squeezed(text).upper()))


def vin(text: str) -> str:
    """Check a vehicle identification number: 17 characters without I O Q, the ninth a check."""
    normal = _matched("vin", _VIN, _squeezed(text).upper())
    values = (int(character) if character.isdigit() else _VIN_VALUES[character] for character in normal)
    total = sum(value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True))
    if normal[8] != "0123456789X"[total % 11]:
        raise BadFormat("vin", "check")
    return normal


def amount_cents(text: str) -> int:
    """Read an exact amount in yuan, such as 1,234.50, as integer cents; more than two places are refused."""
    plain = re.sub(r"[,，]", "", _squeezed(text)).replace("．", ".")
    if not re.fullmatch(r"\d{1,15}(\.\d{1,2})?", plain, re.ASCII):
        raise BadFormat("amount", "shape")
    try:
        return int(Decimal(plain) * 100)
    except InvalidOperation as exc:
        raise BadFormat("amount", "shape") from exc


def amount_text(cents: int) -> str:
    """Write cents as yuan with two places and no separators, as messages to banks carry them."""
    sign, rest = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).translate(_WIDE)


def _matched(item: str, pattern: re.Pattern[str], normal: str) -> str:
    if not pattern.fullmatch(normal):
        raise BadFormat(item, "shape")
    return normal


def _birthday(digits: str, today: date) -> None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError as exc:
        raise BadFormat("resident-id", "date") from exc
    if born > today or born.year < 1880:
        raise BadFormat("resident-id", "date")

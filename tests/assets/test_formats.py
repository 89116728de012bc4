"""Every format with the vectors of its standard."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import formats
from assets.errors import BadFormat

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("（2026）内01执123号", "（2026）内01执123号"),
        ("(2026)内01执123号", "（2026）内01执123号"),
        (" 〔2025〕内0102执恢 7号", "（2025）内0102执恢7号"),
        ("（2026）内0125司惩1号", "（2026）内0125司惩1号"),
        ("（２０２６）内０１执１２３号", "（2026）内01执123号"),
        ("[2026]内0121财保9号", "（2026）内0121财保9号"),
    ],
)
def test_a_case_number_is_brought_to_its_normal_form(written: str, normal: str) -> None:
    assert formats.case_number(written, TODAY) == normal


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("（2027）内01执123号", "year"),
        ("（2026）内0199执123号", "court"),
        ("（2026）蒙01执123号", "shape"),
        ("（2026）内01民初123号", "shape"),
        ("（2026）内01执0号", "shape"),
        ("（2026）内01执123", "shape"),
        ("（٢٠٢٦）内01执123号", "shape"),
        ("（2026）内01执١٢٣号", "shape"),
        ("（0026）内01执123号", "year"),
        ("", "shape"),
    ],
)
def test_a_wrong_case_number_is_refused_with_its_reason(written: str, why: str) -> None:
    with pytest.raises(BadFormat) as refused:
        formats.case_number(written, TODAY)
    assert refused.value.parameters == {"item": "case-number", "why": why}


COURTS = ("内01", "内0102", "内0103", "内0104", "内0105", "内0121", "内0122", "内0123", "内0124", "内0125")
TYPES = ("执", "执恢", "执保", "执异", "执复", "执监", "执协", "司惩", "财保")


def test_practice_the_courts_of_hohhot_and_the_types_of_their_cases() -> None:
    assert tuple(sorted(formats.HOHHOT_COURTS)) == COURTS
    for court in COURTS:
        for kind in TYPES:
            number = f"（2026）{court}{kind}1号"
            assert formats.case_number(number, TODAY) == number
            assert formats.court_code_of(number) == court
    with pytest.raises(BadFormat):
        formats.court_code_of("（2026）内01执")


@pytest.mark.parametrize("written", ["(2026)内01执1023号之一", "（2026）内01执1023号"])
def test_a_rulings_number_is_its_cases_with_or_without_a_count(written: str) -> None:
    assert formats.ruling_number(written, TODAY).startswith("（2026）内01执1023号")


@pytest.mark.parametrize("written", ["裁定书一份", "（2026）内01执1023号之", "（2026）内01执1023号附一"])
def test_what_is_no_rulings_number_is_refused(written: str) -> None:
    with pytest.raises(BadFormat) as refused:
        formats.ruling_number(written, TODAY)
    assert refused.value.item == "ruling-number"


@pytest.mark.parametrize("number", ["11010519491231002X", "11010519491231002x", "150105199001010018"])
def test_gb_11643_a_resident_id_with_its_check(number: str) -> None:
    assert formats.resident_id(number, TODAY) == number.upper()


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("110105194912310021", "check"),
        ("150105199002300018", "date"),
        ("150105202612310016", "date"),
        ("15010519900101001", "shape"),
        ("15010519900101001A", "shape"),
        ("١٥٠١٠٥١٩٩٠٠١٠١٠٠١٨", "shape"),
    ],
)
def test_gb_11643_a_wrong_resident_id_is_refused_with_its_reason(number: str, why: str) -> None:
    with pytest.raises(BadFormat) as refused:
        formats.resident_id(number, TODAY)
    assert refused.value.why == why


def test_gb_11643_the_fifteen_digit_form_and_its_date() -> None:
    assert formats.fifteen_digit_form("11010519491231002X") == "110105491231002"
    assert formats.resident_id("110105491231002", TODAY) == "110105491231002"
    assert formats.fifteen_digit_form("150105200001017012") == ""
    with pytest.raises(BadFormat):
        formats.resident_id("110105491331002", TODAY)


@pytest.mark.parametrize(
    ("number", "born", "is_male"),
    [
        ("11010519491231002X", date(1949, 12, 31), False),
        ("150105199001010018", date(1990, 1, 1), True),
        ("110105491231002", date(1949, 12, 31), False),
    ],
)
def test_gb_11643_the_number_holds_birthday_and_sex(number: str, born: date, is_male: bool) -> None:
    assert formats.born_on(number) == born
    assert formats.is_male(number) is is_male


def test_gb_11643_the_age_grows_on_the_birthday() -> None:
    ages = [formats.age_on("150105199001010018", day) for day in (date(2007, 12, 31), date(2008, 1, 1))]
    assert ages == [17, 18]
    for wrong in ("15010519900101001", "15010519901301001X"):
        with pytest.raises(BadFormat):
            formats.born_on(wrong)


def test_wide_digits_and_letters_of_an_input_method_are_plain_ones() -> None:
    assert formats.resident_id("１１０１０５１９４９１２３１００２Ｘ", TODAY) == "11010519491231002X"
    assert formats.firm_code("９１３５０１００Ｍ０００１００Ｙ４３") == "91350100M000100Y43"
    assert formats.amount_cents("１，２３４．５０") == 123450


@given(place=st.integers(0, 16), change=st.integers(1, 9))
def test_gb_11643_any_single_wrong_digit_is_noticed(place: int, change: int) -> None:
    digits = list("150105199001010018")
    digits[place] = str((int(digits[place]) + change) % 10)
    with pytest.raises(BadFormat):
        formats.resident_id("".join(digits), TODAY)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91150100MA0000007W"])
def test_gb_32100_a_firm_code_with_its_check(code: str) -> None:
    assert formats.firm_code(code) == code


@pytest.mark.parametrize(
    "code", ["91350100M000100Y44", "91350100I000100Y43", "91350100M000100Y4", "O1350100M000100Y43"]
)
def test_gb_32100_a_wrong_firm_code_is_refused(code: str) -> None:
    with pytest.raises(BadFormat):
        formats.firm_code(code)


def test_a_bank_card_is_checked_by_luhn() -> None:
    assert formats.bank_card("6217 0000 6000 0000 008") == "6217000060000000008"
    for wrong in ("6217000060000000009", "621700006000000", "62170000600000000080"):
        with pytest.raises(BadFormat):
            formats.bank_card(wrong)


def test_a_bank_code_has_twelve_digits() -> None:
    assert formats.bank_code("313191000011") == "313191000011"
    with pytest.raises(BadFormat):
        formats.bank_code("31319100001")


def test_a_real_estate_unit_number() -> None:
    assert formats.real_estate_unit("150105001002GB00014F00310202") == "150105001002GB00014F00310202"
    for wrong in ("150105001002XB00014F00310202", "150105001002GB00014A00310202", "150105001002GB00014F0031020"):
        with pytest.raises(BadFormat):
            formats.real_estate_unit(wrong)


def test_a_title_certificate() -> None:
    normal = "蒙（2021）呼和浩特市不动产权第0012345号"
    assert formats.title_certificate("蒙(2021)呼和浩特市不动产权第0012345号", TODAY) == normal
    for wrong in (
        "内（2021）呼和浩特市不动产权第0012345号",
        "蒙（2027）呼和浩特市不动产权第0012345号",
        normal[:-2] + "号",
    ):
        with pytest.raises(BadFormat):
            formats.title_certificate(wrong, TODAY)


def test_plates_of_inner_mongolia() -> None:
    assert formats.plate("蒙A·12345") == "蒙A12345"
    assert formats.plate("蒙AD12345") == "蒙AD12345"
    for wrong in ("内A12345", "蒙I12345", "蒙A1234", "蒙A1234567", "蒙AO2345"):
        with pytest.raises(BadFormat):
            formats.plate(wrong)


def test_a_vin_with_its_check() -> None:
    assert formats.vin("1M8GDM9AXKP042788") == "1M8GDM9AXKP042788"
    assert formats.vin("11111111111111111") == "11111111111111111"
    for wrong in ("1M8GDM9A1KP042788", "1M8GDM9AXKP04278", "IM8GDM9AXKP042788"):
        with pytest.raises(BadFormat):
            formats.vin(wrong)


@pytest.mark.parametrize(("text", "cents"), [("1,234.50", 123450), ("0.01", 1), ("100", 10000), ("9，999.9", 999990)])
def test_an_amount_is_read_exactly(text: str, cents: int) -> None:
    assert formats.amount_cents(text) == cents


@pytest.mark.parametrize("text", ["1.234", "-1", "1e3", "", "NaN", "1.", "٣"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadFormat):
        formats.amount_cents(text)


@given(st.integers(0, 10**16))
def test_an_amount_written_and_read_again_is_the_same(cents: int) -> None:
    assert formats.amount_cents(formats.amount_text(cents)) == cents

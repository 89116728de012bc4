"""What a wall, an export or a stranger's eye may see of personal data.

Source: 个人信息保护法 §28, §51.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assets.terms import AssetKind

HIDDEN = "***"
_NUMBER = re.compile(r"(?<![0-9A-Za-z])(\d{11,30}[Xx]?)(?![0-9A-Za-z])", re.ASCII)
_RESIDENT = re.compile(r"\d{17}[\dXx]|\d{15}", re.ASCII)
_PHONE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_STREET = re.compile(r"(?<=[省市区县旗盟州镇乡]).{1,12}?(?:大街|街道|街|大道|路|巷|胡同|道)")
_PLACE = re.compile(r"^.{0,24}[省市区县旗盟州镇乡村](?=.)")
_FIRM_ENDINGS = ("银行", "法院", "公司", "基金", "信托", "保险", "证券", "医院", "学校", "中心", "集团", "公积金")
"""Of two characters and more: a person's name may end in 行 or in 金."""
_LONGEST_NAME = 4


def masked_name(name: str, *, is_firm: bool) -> str:
    """A person's surname and a star; a firm's name is public and stays."""
    return name if is_firm else f"{name[:1]}*"


def masked_id(number: str) -> str:
    """The first three and last four characters of an identity number or code."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) > 7 else "*" * len(number)


def masked_phone(number: str) -> str:
    """The first three and the last four digits of a telephone number."""
    return f"{number[:3]}****{number[-4:]}" if len(number) > 7 else "*" * len(number)


def masked_account(number: str) -> str:
    """The last four digits of an account."""
    return f"****{number[-4:]}" if len(number) > 4 else "****"


def masked_address(address: str) -> str:
    """An address down to its street, or where it names none, down to the place that it lies in."""
    found = _STREET.search(address) or _PLACE.search(address)
    if found is None:
        return HIDDEN
    shown = address[: found.end()]
    return shown if shown == address else f"{shown}{HIDDEN}"


def masked_holder(name: str) -> str:
    """Who has a right on an asset: a bank or a court as it is called, what could be a person's name masked."""
    plain = re.sub(r"（[^）]*）|\([^)]*\)", "", name).strip()
    is_person = 0 < len(plain) <= _LONGEST_NAME and not plain.endswith(_FIRM_ENDINGS)
    return masked_name(name, is_firm=not is_person)


def masked_reference(kind: str, reference: str) -> str:
    """An asset's own number: of an account the last four digits; plates and units are no secrets of a person."""
    return masked_account(reference) if kind == AssetKind.BANK_ACCOUNT else reference


def masked_description(kind: str, description: str, names: Iterable[str] = ()) -> str:
    """How an asset is described: of real estate an address."""
    return masked_address(description) if kind == AssetKind.REAL_ESTATE else masked_words(description, names)


def masked_words(text: str, names: Iterable[str] = ()) -> str:
    """Words that somebody wrote freely, without the `names` that are known and without numbers of persons."""
    if not text:
        return text
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, masked_name(name, is_firm=False))
    return _NUMBER.sub(lambda found: _masked_number(found[1]), text)


def _masked_number(number: str) -> str:
    if _PHONE.fullmatch(number):
        return masked_phone(number)
    return masked_id(number) if _RESIDENT.fullmatch(number) else masked_account(number)

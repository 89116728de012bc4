"""Finds in free text the numbers of people: of their papers, telephones and accounts, however they are written.

Better too much is masked than too little: whatever has the length of such a number is taken for one, unless its form
says for certain that it is something else.

Source: 个人信息保护法 §6, §28. Papers: GB 11643 (resident's id), and the forms printed on passports and permits.
"""

from __future__ import annotations

import re
import unicodedata

from assets.masks import masked_account, masked_id
from command_center.evidence.exports.digit_chains import WIDE, WORDS, masked_chains

UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
_BETWEEN = rf"[\s{UNSEEN}\u2010-\u2015\u2212.\-－—–·•・‧_＿/／．、()（）]{{0,4}}"
"""What people write between the digits of a number, and what slips in between unseen; not what stands in times and
amounts."""
_LIGHT = rf"[\s\-{UNSEEN}]?"
"""The same, where the number is too short to be told by its length alone."""
_MONEY = r"\s?(?:[百千]?万|亿)?元"

_NUMBER = re.compile(rf"(?:\d{_BETWEEN}){{10,}}\d(?:{_BETWEEN}[Xx](?![0-9A-Za-z]))?")
_BORN = re.compile(rf"(?<!\d)\d{{6}}{WIDE}(?:19|20)\d\d年\s?\d?\d月\s?\d?\d日{WIDE}\d{{3}}[\dXx](?![0-9A-Za-z:：时点])")
"""An id whose day of birth is written as a day."""
_MAIL = re.compile(r"(?<![0-9A-Za-z._%+\-])[0-9A-Za-z._%+\-]+(?=[@＠][0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)+)")
_CHAT = re.compile(
    r"(wxid_(?=[0-9A-Za-z])|微信(?:号码|号|账号)?[\s为是:：]{0,4}(?=[A-Za-z][A-Za-z_\-]*[\d_]))[0-9A-Za-z_\-]{5,20}"
)
"""What WeChat calls somebody."""
_UNIT = re.compile(r"(?<!\d)\d{12}[GJZ][ABSXCDEFHGWY]\d{5}[FLQW]\d{8}(?!\d)")
"""Of a flat, whose address it stands for."""
_FIRM_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")
_PHONE = re.compile(r"(?:(?:00)?86)?(1[3-9]\d{9})")
_ID_LENGTHS = (15, 18)
_LABELLED = re.compile(
    r"(?P<label>(?:电话|手机|座机|传真|热线|护照|通行证|台胞证|回乡证|军官证|士官证|士兵证|警官证|居住证|居留证"
    r"|驾驶证|驾照|身份证|证件|社保|公积金|[账帐][号户]|卡|存折|QQ|微信|(?i:tel|phone|passport))"
    r"(?:号码|编号|证号|账号|号)?(?:[\s为是:：.（(第#]|(?i:no)){0,4})"
    rf"(?P<number>(?=(?:[A-Za-z]*\d){{5}})[0-9A-Za-z]{{5,20}}+|[A-Za-z]{{0,3}}\d(?:{_LIGHT}\d){{4,}}+)"
    rf"(?!\.\d|{_MONEY})"
)
"""What is called the number of a paper, telephone or account, however short it is."""
_PAPER = re.compile(
    rf"(?<![0-9A-Za-z])(?:[A-Za-z]{_LIGHT}(?:\d{_LIGHT}){{7}}\d|[A-Za-z]{{2}}{_LIGHT}(?:\d{_LIGHT}){{6}}\d"
    rf"|[A-Za-z][12]\d{{8}}|[HMhm]{_LIGHT}\d{{10}}|[A-Za-z]{{1,2}}\d{{6}}[（(][0-9Aa][)）]|\d{{7}}[（(]\d[)）])"
    r"(?![0-9A-Za-z])"
)
"""Passports and permits of travel (a letter or two, and digits), and the ids of Taiwan, Hong Kong and Macao."""
_SOLDIER = re.compile(r"(?<=[军政后装参联沈北济南兰广成海空炮火武文士]字第)\s?\d{5,8}(?=号)")
_SHORT = re.compile(
    r"(?<![0-9A-Za-z_第])(?<!\d[.,])(?:\d{8,10}|\d{4}[\s\-]\d{4})(?:[（(][A-Za-z][)）]|[A-Za-z])?"
    rf"(?![0-9A-Za-z_]|[.,]\d|{_MONEY}|\s?(?:股|份|米|平方米|㎡|公里|吨|公斤|千克|毫秒|字节))"
)
"""As long as a telephone without its area, the new permit of Taiwan's people, or a part of an account."""
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEARS_OR_HOURS = re.compile(r"(?:19|20)\d\d[\s\-](?:19|20)\d\d|(?:[01]\d|2[0-4])[0-5]\d-(?:[01]\d|2[0-4])[0-5]\d")
_SPELT = re.compile(rf"(?:[{WORDS}][\s\-·]?){{11,}}(?<=[^\s\-·])")
"""Digit by digit in words; amounts and dates have others between."""

_DEGREES = r"(?:[3-9]|[1-9]\d|1[0-2]\d|13[0-5])\.\d{4,8}"
"""Within China."""
_ARTICLE = r"(?:1\d{3}|[1-9]\d{0,2})"
"""The longest of our laws has 1260."""
_OTHERWISE = re.compile(
    r"(?P<day>(?<!\d)20\d\d([-./])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01])(?!\d))"
    r"|(?P<compact>(?<!\d)20\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?=\s(?:[01]?\d|2[0-3])[:：][0-5]\d(?!\d)))"
    r"|(?P<time>(?<![\d:：])(?:[01]?\d|2[0-3])[:：][0-5]\d(?:[:：][0-5]\d(?:\.\d{1,3})?)?(?![\d:：]))"
    rf"|(?P<place>(?<![\d.]){_DEGREES}(?:[\s,，;；、/]{{1,3}}{_DEGREES})?(?!\d))"
    rf"|(?P<amount>(?<![\d.,])(?!1[3-9]\d{{9}}(?!\d))(?:(?:\d{{1,12}}|\d{{1,3}}(?:,\d{{3}}){{1,3}})(?:\.\d{{1,2}})?{_MONEY}"
    rf"|(?<=[¥￥])\s?\d{{1,12}}(?:\.\d{{1,2}})?(?!\d)))"
    r"|(?P<case>[（(〔]20\d\d[）)〕](?=[\u4e00-\u9fff]{1,3}\d{0,4}[\u4e00-\u9fff]{1,4}\d{1,6}号|[\u4e00-\u9fff]{2,8}第))"
    r"|(?P<thousands>(?<![\d.,])[1-9]\d{0,2}(?:,\d{3}){1,3}(?:\.\d{1,2})?(?![.,]?\d))"
    rf"|(?P<articles>(?<!\d){_ARTICLE}(?:[、，,和及]第?{_ARTICLE}){{0,30}}(?:条|款|项|页|现场))"
)
"""What by its form is no number of a person: days, times, places on the map, amounts, numbers of cases, articles."""
_JOINED_BEFORE = re.compile(rf"\d{_BETWEEN}\Z")
_JOINED_AFTER = re.compile(rf"{_BETWEEN}\d(?!\d?[:：时点])")
_WIDELY_BEFORE = re.compile(rf"\d{WIDE}\Z")
_WIDELY_AFTER = re.compile(rf"{WIDE}\d(?!\d?[:：时点])")
_NUMBERED = re.compile(r"[-./·](?!20\d\d[-./])\d")
"""What goes on after a day, if not with another day."""


def plain(text: str) -> str:
    """The text with digits of every kind as 0 to 9, and letters of full width as A to z."""
    return "".join(map(_plain, text))


def masked_numbers(text: str) -> str:
    """The text, which is `plain`, with the numbers of people masked, and what mail and WeChat call them."""
    text = _CHAT.sub(r"\1****", _MAIL.sub("****", text))
    parts, position = [], 0
    for found in _OTHERWISE.finditer(text):
        if _stands_alone(found, position):
            parts += [_masked(text[position : found.start()]), found[0]]
            position = found.end()
    return "".join([*parts, _masked(text[position:])])


def _plain(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return unicodedata.normalize("NFKC", character) if "Ａ" <= character <= "ｚ" and character.isalpha() else character


def _stands_alone(found: re.Match[str], position: int) -> bool:
    """Whether this isn't a part of a longer number, as a birthday is of an id; `position`: before it all is settled."""
    before = found.string[max(position, found.start() - 5) : found.start()]
    joined_before = _JOINED_BEFORE.search(before) is not None
    joined_after = _JOINED_AFTER.match(found.string, found.end()) is not None
    if found.lastgroup in ("day", "time"):
        is_within = _WIDELY_BEFORE.search(before) and _WIDELY_AFTER.match(found.string, found.end())
        return not is_within and not (found.lastgroup == "day" and _NUMBERED.match(found.string, found.end()))
    return found.lastgroup == "case" or not (
        joined_before or (joined_after and found.lastgroup in ("place", "thousands"))
    )


def _masked(text: str) -> str:
    text = masked_chains(_UNIT.sub(_code, _BORN.sub(_born, text)), _as_number)
    for pattern, mask in _STEPS:
        text = pattern.sub(mask, text)
    return text


def _born(found: re.Match[str]) -> str:
    place, year, month, day, rest = re.findall(r"\d+[Xx]?", re.sub(r"<[^<>]*>", " ", found[0]))
    return masked_id(f"{place}{year}{month:>02}{day:>02}{rest}")


def _number(found: re.Match[str]) -> str:
    return _as_number(re.sub(r"[^0-9Xx]", "", found[0]))


def _as_number(digits: str) -> str:
    phone = _PHONE.fullmatch(digits)
    if phone is not None:
        return f"{phone[1][:3]}****{phone[1][-4:]}"
    return masked_id(digits) if len(digits) in _ID_LENGTHS else masked_account(digits)


def _code(found: re.Match[str]) -> str:
    return masked_id(found[0])


def _paper(found: re.Match[str]) -> str:
    return _last_four(found[0])


def _labelled(found: re.Match[str]) -> str:
    return found["label"] + _last_four(found["number"])


def _short(found: re.Match[str]) -> str:
    is_other = _DAY.fullmatch(found[0]) or _YEARS_OR_HOURS.fullmatch(found[0])
    return found[0] if is_other else _last_four(found[0])


def _last_four(number: str) -> str:
    """The last four of what has eight or more; else four would tell too much."""
    kept = "".join(one for one in number if one.isalnum())
    return masked_account(kept) if len(kept) >= 8 else masked_account("")


_STEPS = (
    (_NUMBER, _number),
    (_FIRM_CODE, _code),
    (_PAPER, _paper),
    (_LABELLED, _labelled),
    (_SOLDIER, _paper),
    (_SHORT, _short),
    (_SPELT, _paper),
)

"""The bodies that go to the real-estate registry, by the field names of such integrations.

Two calls go before it: one carries the officer's two certificates, one the images of its papers.
"""

from __future__ import annotations

from typing import Any

from assets import formats
from assets.documents import names_on_the_wire
from assets.gateway import ControlOrder, Letterhead, Paper, Subject
from assets.registry import codes
from assets.title_registers import follow_up, papers_of
from assets.wire import day_text


def head(letter: Letterhead, subject: Subject, xz: str) -> dict[str, Any]:
    """The head of every request: `xz` is 1 for a query, 2 for a control."""
    return {
        "CXQQDH": letter.number,
        "LB": "2" if subject.is_firm else "1",
        "XZ": xz,
        "XM": subject.name,
        "ZJZL": "2" if subject.is_firm else "1",
        "ZJH": subject.id_number,
        "FIFTEENZJH": "" if subject.is_firm else formats.fifteen_digit_form(subject.id_number),
        "FYMC": letter.court_name,
        "CBR": letter.judge,
        "AH": letter.case_number,
        "GZZBH": letter.work_card,
        "GWZBH": letter.duty_card,
        "CKH": names_on_the_wire(letter.documents),
    }


def control(order: ControlOrder) -> dict[str, Any]:
    """The body that asks to seize one unit, to renew or release that, or to transfer its title."""
    return {
        **head(order.head, order.subject, codes.CONTROL),
        "KZCS": codes.CODES[order.action],
        "BDCQLLX": order.details.get("BDCQLLX", ""),
        "BDCDYH": order.reference,
        "ZL": order.description,
        "BDCQZH": order.details.get("BDCQZH", ""),
        "CKWH": order.ruling_number,
        "KSRQ": day_text(order.starts_on),
        "JSRQ": day_text(order.ends_on),
        **follow_up(order),
    }


def papers(letter: Letterhead, sealed: tuple[Paper, ...]) -> dict[str, Any]:
    """The call that carries the papers of a request, each with its seal."""
    return {"CXQQDH": letter.number, "AH": letter.case_number, "WSXX": papers_of(sealed)}


def certificates(letter: Letterhead) -> dict[str, Any]:
    """The call that carries the officer's two certificates (工作证, 执行公务证). Source: 法释〔2013〕20号 §2."""
    return {
        "CXQQDH": letter.number,
        "FYMC": letter.court_name,
        "CBR": letter.judge,
        "ZJXX": [{"ZJMC": "工作证", "ZJBH": letter.work_card}, {"ZJMC": "执行公务证", "ZJBH": letter.duty_card}],
    }

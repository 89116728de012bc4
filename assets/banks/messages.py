"""The bodies that go to a bank, by the field names of such integrations.

Amounts are yuan with two places as text, days are `yyyymmdd`, times `yyyymmddHHMMSS` in China's time.
"""

from __future__ import annotations

import base64
from typing import Any

from assets.banks import codes
from assets.documents import OFFICIAL_NAMES, Action, names_on_the_wire
from assets.gateway import ControlOrder, Letterhead, Paper, Payee, QueryOrder, Subject
from assets.terms import AssetKind
from assets.wire import day_text, yuan


def head(letter: Letterhead, subject: Subject, xz: str) -> dict[str, Any]:
    """The head of every request: `xz` is 1 for a query, 2 for a control."""
    return {
        "bdhm": letter.number,
        "lb": "2" if subject.is_firm else "1",
        "xz": xz,
        "xm": subject.name,
        "zjlx": "2" if subject.is_firm else "1",
        "dsrzjhm": subject.id_number,
        "fymc": letter.court_name,
        "fydm": letter.court_code,
        "cbr": letter.judge,
        "ah": letter.case_number,
        "gzzbh": letter.work_card,
        "gwzbh": letter.duty_card,
        "ckh": names_on_the_wire(letter.documents),
    }


def query(order: QueryOrder, yhdh: str = "") -> dict[str, Any]:
    """The body that asks what a person has; `yhdh` is the bank's own code where a clearing house passes it on."""
    body = head(order.head, order.subject, codes.QUERY)
    if yhdh:
        body["yhdh"] = yhdh
    if order.statements_from is not None and order.statements_to is not None:
        body |= {"ckkssj": day_text(order.statements_from), "ckjssj": day_text(order.statements_to)}
    return body | _papers(order.papers)


def control(order: ControlOrder, yhdh: str = "") -> dict[str, Any]:
    """The body that asks to control one account, or one financial asset that the bank keeps."""
    body = {
        **head(order.head, order.subject, codes.CONTROL),
        "ccxh": "1",
        "kzlx": codes.DEPOSIT if order.kind is AssetKind.BANK_ACCOUNT else codes.OTHER,
        "kzcs": measure_code(order),
        "kznr": codes.WHOLE if order.amount_cents is None else codes.AMOUNT,
        "khzh": order.reference,
        "je": yuan(order.amount_cents),
        "ksrq": day_text(order.starts_on),
        "jsrq": day_text(order.ends_on),
        "ckwh": order.ruling_number,
    }
    if yhdh:
        body["yhdh"] = yhdh
    if order.kind is not AssetKind.BANK_ACCOUNT:
        body["se"] = order.details.get("se", "")
    if order.original is not None:
        body |= {"ydjdh": order.original.number, "ydjah": order.original.case_number}
    if order.payee is not None:
        body |= _payee(order.payee)
    return body | _papers(order.papers)


def measure_code(order: ControlOrder) -> str:
    """`kzcs`: what still waits in line is released by a code of its own."""
    if order.action is Action.RELEASE and order.original is not None and order.original.is_waiting:
        return codes.RELEASE_WAITING
    return codes.CODES[order.action]


def _payee(payee: Payee) -> dict[str, str]:
    return {"zxkzh": payee.account, "zxkhm": payee.name, "zxkkhh": payee.bank, "zxkhhh": payee.bank_code}


def _papers(papers: tuple[Paper, ...]) -> dict[str, Any]:
    if not papers:
        return {}
    return {"wsbh": "、".join(dict.fromkeys(paper.number for paper in papers)), "wsxx": [_paper(one) for one in papers]}


def _paper(paper: Paper) -> dict[str, str]:
    return {
        "wsmc": OFFICIAL_NAMES[paper.document],
        "wsbh": paper.number,
        "wsnr": base64.b64encode(paper.content).decode(),
        "wszy": paper.sha256,
        "dzqz": paper.seal,
        "qzbh": paper.seal_key_id,
    }

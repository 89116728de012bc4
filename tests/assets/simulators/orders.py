"""Orders of three courts, as gateways are given them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from assets.documents import Action, Document, needed
from assets.gateway import ControlOrder, Letterhead, Original, Paper, Payee, QueryOrder, Subject
from assets.terms import AssetKind, longest_term

TODAY = date(2026, 11, 22)
PERSON = Subject("张某甲（虚构）", False, "150105199001010018")
ACCOUNT = "6217000060000000008"
"""186 432.17 yuan, and nobody else is there."""
BALANCE = 18_643_217
UNIT = "150105001002GB00014F00310202"
COURTS = {
    "city": ("内01", "某中级人民法院（虚构）", "（2026）内01执123号"),
    "saihan": ("内0105", "某区人民法院（虚构）", "（2026）内0105执456号"),
    "yuquan": ("内0104", "某县人民法院（虚构）", "（2026）内0104执789号"),
}
PAYEE = Payee("某中级人民法院执行款专户（虚构）", "15001000000000000001", "虚构银行", "313191000011")


def head(number: str, action: Action, court: str = "city", kind: AssetKind = AssetKind.BANK_ACCOUNT) -> Letterhead:
    """The head of a court's request."""
    code, name, case_number = COURTS[court]
    return Letterhead(
        number=number,
        case_number=case_number,
        court_code=code,
        court_name=name,
        judge="承办法官（虚构）",
        work_card="GZ1",
        duty_card="GW1",
        documents=needed(action, is_money=kind is AssetKind.BANK_ACCOUNT),
    )


def query(number: str = "C1", subject: Subject = PERSON) -> QueryOrder:
    """What does this person have with you?"""
    return QueryOrder(head(number, Action.QUERY), subject)


def order(
    number: str,
    action: Action = Action.FREEZE,
    *,
    court: str = "city",
    cents: int | None = None,
    original: str = "",
    is_waiting: bool = False,
    reference: str = ACCOUNT,
    subject: Subject = PERSON,
    kind: AssetKind = AssetKind.BANK_ACCOUNT,
    day: date = TODAY,
    details: Mapping[str, str] | None = None,
) -> ControlOrder:
    """An order with its papers, term and, where it moves money, its payee."""
    has_term = action.is_first or action is Action.RENEW
    letter = head(number, action, court, kind)
    content = "执行裁定书（虚构）".encode()
    paper = Paper(Document.RULING, "R1", content, hashlib.sha256(content).hexdigest(), "c2VhbA==", "court")
    return ControlOrder(
        head=letter,
        subject=subject,
        action=action,
        reference=reference,
        description="某支行",
        ruling_number=f"{letter.case_number}之一",
        amount_cents=cents,
        starts_on=day if has_term else None,
        ends_on=longest_term(kind, day) if has_term else None,
        details=details or {},
        kind=kind,
        original=Original(original, letter.case_number, is_waiting) if original else None,
        payee=PAYEE if action in (Action.TRANSFER, Action.WITHDRAW_INCOME, Action.FREEZE_AND_TRANSFER) else None,
        papers=(paper,),
    )


def without_original(changed: ControlOrder) -> ControlOrder:
    """The same order, which doesn't say what it changes."""
    return replace(changed, original=None)

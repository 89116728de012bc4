"""What a request says, fixed when it is sealed: asked again, it says the same, whatever the records say then."""

from __future__ import annotations

from datetime import date
from typing import Any

from assets.documents import Action, Document
from assets.gateway import ControlOrder, Letterhead, Original, Paper, Payee, QueryOrder, Subject
from assets.tables import Asset, AssetRequest, Case, Person
from assets.terms import AssetKind, last_day


def fix(
    request: AssetRequest, case: Case, person: Person, asset: Asset | None, original: Original | None = None
) -> None:
    """Write into the request who asks, about whom, and what is to be changed; that is never written again."""
    fixed: dict[str, Any] = {
        "head": {
            "case_number": case.number,
            "court_code": case.court_code,
            "court_name": case.court_name,
            "judge": case.judge_name,
            "work_card": case.work_card,
            "duty_card": case.duty_card,
        },
        "subject": {"name": person.name, "is_firm": person.is_firm, "id_number": person.id_number},
    }
    if asset is not None:
        fixed["kind"] = asset.kind
    if original is not None:
        fixed["original"] = {
            "number": original.number,
            "case_number": original.case_number,
            "is_waiting": original.is_waiting,
        }
    request.particulars = {**request.particulars, **fixed}


def begin_today(request: AssetRequest, today: date) -> None:
    """Move the term of a measure that waited for its approval, its length kept: it begins with its delivery."""
    start, end = request.starts_on, request.ends_on
    if start is None or end is None or start >= today or not Action(request.action).is_first:
        return
    years = round((end - start).days / 365.25)
    request.starts_on, request.ends_on = today, last_day(today, years)


def order_of(request: AssetRequest, papers: tuple[Paper, ...]) -> QueryOrder | ControlOrder:
    """The request as a gateway is asked it."""
    said = request.particulars
    head = Letterhead(
        number=request.number, documents=tuple(Document(one) for one in request.documents), **said["head"]
    )
    subject = Subject(**said["subject"])
    if not request.is_control:
        return QueryOrder(head, subject, papers)
    return ControlOrder(
        head=head,
        subject=subject,
        action=Action(request.action),
        reference=said["reference"],
        description=said["description"],
        ruling_number=request.ruling_number,
        amount_cents=request.amount_cents,
        starts_on=request.starts_on,
        ends_on=request.ends_on,
        details=said["details"],
        kind=AssetKind(said["kind"]),
        original=Original(**said["original"]) if said.get("original") else None,
        payee=Payee(**request.payee) if request.payee else None,
        papers=papers,
    )

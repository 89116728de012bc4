"""The fictional sanctions of the demonstration: a firm that is listed and limited, a limit that waits to be signed."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from assets.audit import Actor
from assets.identifiers import new_id
from assets.sanctions.checks import without_data
from assets.sanctions.grounds import Ground, Performance, SanctionKind, Security, ServiceManner
from assets.sanctions.service import Proposal, Sanctions

_BASIS = "（2025）内01民终88号（虚构）"
_DUTY = "偿还借款本金及利息（虚构）"
_LISTED = "提供虚假财产报告，隐匿经营收入（虚构）"
_LIMITED = "经执行通知后未履行（虚构）"


async def seed_sanctions(
    sanctions: Sanctions, judge: Actor, president: Actor, case_id: UUID, *, listed_id: UUID, limited_id: UUID
) -> None:
    """Put them into the records by the steps that people take; once."""
    if await sanctions.listed(judge, case_id=case_id, limit=1):
        return
    limit_of_another = Proposal(
        case_id=case_id,
        person_id=limited_id,
        kind=SanctionKind.LIMIT,
        ground=None,
        facts=_LIMITED,
        basis_document=_BASIS,
        duty=_DUTY,
        performance=Performance.NONE,
    )
    listing = replace(
        limit_of_another,
        person_id=listed_id,
        kind=SanctionKind.LISTING,
        ground=Ground.REPORTING,
        facts=_LISTED,
        security=Security.NONE,
    )
    for ordinal, made in enumerate(reversed(await sanctions.propose(judge, listing, new_id())), start=1):
        await _published(sanctions, judge, president, made.line.id, f"{made.line.case_number}之{'一二'[ordinal - 1]}")
    await sanctions.propose(judge, limit_of_another, new_id())


async def _published(sanctions: Sanctions, judge: Actor, president: Actor, sanction_id: UUID, number: str) -> None:
    steps = sanctions.steps
    view = await steps.review(president, sanction_id, new_id())
    seen = [check.code.value for check in without_data(view.checks)]
    await steps.decide(president, sanction_id, new_id(), decision_number=number, seen=seen)
    await steps.serve(judge, sanction_id, new_id(), served_on=sanctions.today(), manner=ServiceManner.ELECTRONIC)
    await steps.publish(judge, sanction_id, new_id())

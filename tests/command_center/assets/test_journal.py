"""What is done about a case's assets stands in the journals of the live operations that enforce it."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select, update

from command_center.asset_access import AssetTrail
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.journal import Journal, JournalEntry
from command_center.operations.tables import Operation
from tests.command_center.evidence.journalling import new_operation


async def test_each_live_operation_of_the_case_notes_it_and_the_audit_once(records: Database, tmp_path: Path) -> None:
    case = uuid4()
    live, other_live, ended, foreign = [await new_operation(records) for _ in range(4)]
    async with records.write() as session:
        of_case = Operation.id.in_([live, other_live, ended])
        await session.execute(update(Operation).where(of_case).values(case_id=case))
        await session.execute(update(Operation).where(Operation.id == ended).values(state="ended"))
    request, judge = uuid4(), uuid4()
    async with records.write() as session:
        await AssetTrail(Audit(), Journal()).record(
            session,
            actor=judge,
            court_id=None,
            action="asset.freeze.sent",
            subject_type="asset_request",
            subject_id=str(request),
            case_id=case,
            details={"number": "D20261128", "gateway": "bank"},
            contents={"amount_cents": 12_300},
        )
    async with records.read() as session:
        rows = list(await session.scalars(select(JournalEntry)))
        audited = [(entry.action, entry.details) for entry in await session.scalars(select(AuditEntry))]
    noted: dict[UUID, dict[str, str | int]] = {row.operation_id: json.loads(row.body) for row in rows}
    assert len(rows) == 2
    assert noted.keys() == {live, other_live}
    assert foreign not in noted
    assert noted[live] == {
        "what": "freeze.sent",
        "request": str(request),
        "case": str(case),
        "by": str(judge),
        "number": "D20261128",
        "gateway": "bank",
        "amount_cents": 12_300,
    }
    assert audited == [("asset.freeze.sent", '{"gateway":"bank","number":"D20261128"}')]

"""The verification of an installation: its ledgers and recordings as they lie, and its database against them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from command_center.audit import Audit
from command_center.audit_reading import ANCHOR_FILE, AuditReader, Verdict
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.custody import Purpose
from command_center.evidence.database_check import DatabaseCheck
from command_center.evidence.journal_check import JournalCheck
from command_center.evidence.store_tiered import store_of
from command_center.evidence.stored_tree import StoredTree
from command_center.evidence.verdicts import verdict_details
from command_center.evidence.verifier import Found, Options, Report, Verification


async def verify_installation(
    settings: Settings, options: Options, purpose: Purpose | None = None
) -> tuple[Report, Verdict]:
    """Verify everything that this installation holds: its files, its audit, and its index of them; the audit tells it.

    Raises:
        OSError, SQLAlchemyError: the storage or the database can't be asked (`StoreAway` is one of the former).
    """
    database = Database(settings.records_url)
    store = store_of(settings, database)
    try:
        tree = StoredTree(settings.data, store, await store.manifests(), asyncio.get_running_loop())
        own = replace(options, trusts_own=True)
        verification = Verification(Found(str(settings.data), "data", tree), own, may_be_empty=True)
        report = await asyncio.to_thread(verification.run)
        verdict = await AuditReader(database, Audit(), settings.data / ANCHOR_FILE).verify()
        if verdict.broken_at is not None:
            report.add("audit-broken", "", entry=verdict.broken_at, reason=verdict.reason)
        await DatabaseCheck(database, store, report, verification.claims).run()
        await JournalCheck(database, settings.data, report).run()
        await _record(database, report, purpose)
    finally:
        await store.close()
        await database.close()
    return report, verdict


async def _record(database: Database, report: Report, purpose: Purpose | None) -> None:
    """By whoever may give this machine commands, so by no account and for no single court."""
    async with database.write() as session:
        await Audit().record(
            session,
            actor=None,
            court_id=None,
            action="evidence.verified",
            subject_type="installation",
            subject_id="",
            details={"purpose": "none" if purpose is None else purpose.value, **verdict_details(report)},
        )

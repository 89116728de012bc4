"""The asset domain as an installation runs it: its gateways, its seal, its settings, and all of it for one process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_intake import CourtRef
from assets.cases import Cases
from assets.collecting import CaseAccounts
from assets.guard import WHOLE, CoverRules
from assets.holidays import WorkingDays, announced, read_holidays
from assets.kinds import kinds
from assets.posting import Poster
from assets.proposals import Proposals
from assets.reading import AssetReading
from assets.sanctions.service import Sanctions
from assets.service import Assets
from assets.term_alarms import TermAlarms
from assets.term_days import AlarmDays, alarm_days
from assets.term_table import TermTable
from command_center.accounts.tables import Court
from command_center.asset_access import AssetTrail, told_over
from command_center.audit import Audit
from command_center.clock import now
from command_center.config import Settings
from command_center.court_seal import CourtSeal
from command_center.database import Database
from command_center.gateways import gateways_listed, gateways_of
from command_center.journal import Journal
from command_center.money_desk import case_accounts_of
from command_center.operations.duties import Duties
from streams.hub.hub import Hub


class AssetDesk:
    """What one web process has of assets: built together, run and closed together."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        hub: Hub,
        audit: Audit,
        journal: Journal,
        watch: Callable[[Poster], None],
    ) -> None:
        self.assets = assets_of(settings, database, hub, audit, journal, watch)
        self.cases = cases_of(database, hub, audit, journal)
        self.sanctions = sanctions_of(settings, database, hub, audit, journal)
        self.proposals = proposals_of(settings, database, hub, audit, journal)
        self.duties = Duties(database)
        self.case_accounts = case_accounts_of(settings, database, hub, audit)
        self.terms = term_table_of(settings, database)
        self.term_alarms = term_alarms_of(database, hub, audit, journal)
        self.reading = asset_reading_of(database, audit, journal)
        self.seal = CourtSeal(settings.keys)

    def jobs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs as long as the process does, by name."""
        return {"assets": self.assets.run, "case accounts": self.case_accounts.run}

    async def close(self) -> None:
        """Let go of the gateways' connections."""
        await self.assets.close()
        await self.case_accounts.close()


def assets_of(
    settings: Settings,
    database: Database,
    hub: Hub,
    audit: Audit,
    journal: Journal,
    watch: Callable[[Poster], None] = lambda _: None,
) -> Assets:
    """The asset domain's service, for one process; `watch` is told of each gateway's connection."""
    return Assets(
        database,
        gateways_of(settings, watch),
        AssetTrail(audit, journal),
        now,
        told_over(hub),
        CourtSeal(settings.keys),
        approved_actions=settings.actions_to_approve,
        feedback_hours=settings.feedback_hours,
        payees=CaseAccounts(),
        cover_rules=cover_rules_of(settings),
    )


def asset_reading_of(database: Database, audit: Audit, journal: Journal) -> AssetReading:
    """What screens read assets by, for one process."""
    return AssetReading(database, AssetTrail(audit, journal), now)


def sanctions_of(settings: Settings, database: Database, hub: Hub, audit: Audit, journal: Journal) -> Sanctions:
    """The service for credit sanctions, for one process."""
    trail = AssetTrail(audit, journal)
    return Sanctions(database, trail, now, told_over(hub), holidays_of(settings), cover_rules_of(settings))


def cover_rules_of(settings: Settings) -> CoverRules:
    """How this court reckons what covers a claim."""
    return CoverRules(int(settings.cover_factor * WHOLE), int(settings.over_limit_ratio * WHOLE))


def holidays_of(settings: Settings) -> WorkingDays:
    """The calendar of working days: the administrator's, or what came with this version.

    Raises:
        HolidaysUnreadable: the administrator's file can't be used.
    """
    return announced() if settings.holidays_file is None else read_holidays(settings.holidays_file)


def proposals_of(settings: Settings, database: Database, hub: Hub, audit: Audit, journal: Journal) -> Proposals:
    """What officers propose, for one process."""
    known = kinds()
    keepers = {one.name: known[one.kind].asset for one in gateways_listed(settings)}
    return Proposals(database, keepers, AssetTrail(audit, journal), now, told_over(hub))


def cases_of(database: Database, hub: Hub, audit: Audit, journal: Journal) -> Cases:
    """The service for the files of cases, for one process."""
    return Cases(database, AssetTrail(audit, journal), now, told_over(hub), _court_of)


async def _court_of(session: AsyncSession, code: str) -> CourtRef | None:
    court = (await session.scalars(select(Court).where(Court.code == code))).one_or_none()
    return None if court is None else CourtRef(court.id, court.code, court.name_zh)


def alarm_days_of(settings: Settings) -> AlarmDays:
    """The distances at which alarms are raised, on this installation's calendar."""
    return alarm_days(holidays_of(settings), settings.term_alarm_distances)


def term_table_of(settings: Settings, database: Database) -> TermTable:
    """What lapses next, for one process."""
    return TermTable(database, now, alarm_days_of(settings))


def term_alarms_of(database: Database, hub: Hub, audit: Audit, journal: Journal) -> TermAlarms:
    """The alarms about terms, for one process."""
    return TermAlarms(database, AssetTrail(audit, journal), now, told_over(hub))

"""What one web process has of evidence: recordings, who may see them, how long they are kept, what is given out."""

from __future__ import annotations

from datetime import timedelta

from command_center.audit import Audit
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.custody import Custody
from command_center.evidence.custody_records import CustodyRecords
from command_center.evidence.deletions import Deletions
from command_center.evidence.denials import Denials
from command_center.evidence.examinations import Examinations
from command_center.evidence.exports.service import Exports
from command_center.evidence.journal_reading import JournalReader
from command_center.evidence.keyring import Keyring
from command_center.evidence.notes import Notes
from command_center.evidence.recordings import Recordings
from command_center.evidence.retention import Retention
from command_center.evidence.retention_rules import periods_of
from command_center.evidence.store_tiered import store_of
from command_center.evidence.tracks import Tracks
from command_center.journal import Journal


class EvidenceDesk:
    """Built together, over one store; closed together."""

    def __init__(self, settings: Settings, database: Database, audit: Audit, journal: Journal) -> None:
        periods = periods_of(settings)
        self.store = store_of(settings, database)
        self.denials = Denials(database, audit)
        self.custody = Custody(database, audit, self.denials)
        self.recordings = Recordings(database, audit, self.store, self.custody, self.denials)
        self.examinations = Examinations(database, audit, self.store, settings.data, self.custody, self.denials)
        self.retention = Retention(database, audit, self.denials, periods)
        self.deletions = Deletions(
            database,
            audit,
            self.denials,
            periods,
            exports=settings.exports,
            delay=timedelta(hours=settings.deletion_delay_hours),
        )
        self.custody_records = CustodyRecords(database, audit, self.denials, periods)
        self.exports = Exports(database, audit, journal, self.denials, settings.exports)
        self.notes = Notes(database, audit)
        self.tracks = Tracks(database)
        self.journal = JournalReader(database)
        self.keyring = Keyring(settings.data, settings.keys)

    async def close(self) -> None:
        """Let go of the storage's connections."""
        await self.store.close()

"""The service of recordings, joined as where the process is built."""

from __future__ import annotations

from command_center.audit import Audit
from command_center.database import Database
from command_center.evidence.custody import Custody
from command_center.evidence.denials import Denials
from command_center.evidence.recordings import Recordings
from command_center.evidence.store import Store


def recordings_of(database: Database, store: Store) -> Recordings:
    """The recordings in these records and this store."""
    audit = Audit()
    denials = Denials(database, audit)
    return Recordings(database, audit, store, Custody(database, audit, denials), denials)

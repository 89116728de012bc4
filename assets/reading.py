"""Everything that screens read assets by, on the same records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from assets.asset_timeline import Histories
from assets.audit import AuditTrail, Records
from assets.case_search import CaseSearch
from assets.case_summary import CaseSummaries
from assets.listing import Listings
from assets.search import AssetSearch
from assets.unmasking import Unmasking


class AssetReading:
    """One of each."""

    def __init__(self, records: Records, audit: AuditTrail, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.cases = CaseSearch(records)
        self.assets = AssetSearch(records, clock)
        self.summaries = CaseSummaries(records, clock)
        self.histories = Histories(records)
        self.listings = Listings(records, audit, clock)
        self.unmasking = Unmasking(records, audit)

"""`python -m tests.support.sender_process DATABASE BANKS COUNT INSTANT`: a process that sends, to be killed."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from uuid import UUID

from assets.banks.http import HttpBank
from assets.posting import Poster
from assets.service import Assets
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.support.court_seal import court_seal


def numbered_banks(url: str, count: int) -> list[HttpBank]:
    """So many of the simulated banks."""
    return [HttpBank(Poster(f"bank-{place:03d}", f"{url}/b/{place:03d}")) for place in range(1, count + 1)]


async def main() -> None:
    """Send until killed."""
    database, url, count, instant = sys.argv[1:]
    at = datetime.fromisoformat(instant)

    async def changed(_case_id: UUID) -> None:
        return

    trail = AssetTrail(Audit(lambda: at), Journal(lambda: at))
    # The papers lie sealed in the records; the key is given by the folder that the test names.
    await Assets(Database(database), numbered_banks(url, int(count)), trail, lambda: at, changed, court_seal()).run()


if __name__ == "__main__":
    asyncio.run(main())

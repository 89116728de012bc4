"""The process that builds one package, beside the worker and less urgent than everything else on the machine."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import sys
import threading
from dataclasses import asdict

from command_center import logs
from command_center.config import Settings
from command_center.database import Database
from command_center.errors import NotFound
from command_center.evidence.exports.builder import Builder, NoRoom
from command_center.evidence.exports.findings import Findings, find
from command_center.evidence.exports.folder import Busy, alone_in
from command_center.evidence.exports.gathering import Places, Unsteady
from command_center.evidence.exports.originals import OriginalMissing, Originals
from command_center.evidence.exports.plan import Wanted
from command_center.evidence.exports.troubles import Trouble
from command_center.evidence.keyring import Keyring
from command_center.evidence.store import StoreAway
from command_center.evidence.store_tiered import store_of

logger = logging.getLogger(__name__)

NICENESS = 10
ABANDONED = 3
"""The exit code where the worker that wanted the package is gone."""
CHUNK_BYTES = 4096


def run(settings: Settings, wanted: Wanted) -> int:
    """Build it, telling on standard output how far it is, and at the end what came of it; gives the exit code."""
    try:
        result = _build(settings, wanted)
    except (NoRoom, OriginalMissing, NotFound, StoreAway, Unsteady, Busy, OSError, ValueError) as error:
        trouble = _trouble_of(error)
        logger.error("export %s: %s (%s)", wanted.job, trouble.value, type(error).__name__)
        _tell(error=trouble.value)
        return 1
    _tell(result=result)
    return 0


def _build(settings: Settings, wanted: Wanted) -> dict[str, int | str]:
    work = settings.exports / str(wanted.job)
    with alone_in(work), asyncio.Runner() as runner:
        database = Database(settings.records_url)
        store = store_of(settings, database)
        try:
            builder = Builder(
                Places(settings.data, work),
                Originals(store, runner),
                Keyring(settings.data, settings.keys).signer,
                reserve_bytes=settings.exports_reserve_mb << 20,
                patience_seconds=settings.exports_anchor_seconds,
            )

            def findings() -> Findings:
                return runner.run(find(database, wanted))

            return asdict(builder.build(wanted, findings, lambda done, units: _tell(done=done, units=units)))
        finally:
            runner.run(store.close())
            runner.run(database.close())


def _trouble_of(error: Exception) -> Trouble:
    if isinstance(error, NoRoom) or (isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}):
        return Trouble.NO_ROOM
    if isinstance(error, OriginalMissing):
        return Trouble.MISSING
    if isinstance(error, NotFound):
        return Trouble.GONE
    if isinstance(error, StoreAway | Unsteady):
        return Trouble.AWAY
    return Trouble.BUSY if isinstance(error, Busy) else Trouble.FAILED


def _tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end_with_the_worker() -> None:
    """Wait until the worker's end of the pipe is closed: nobody wants the package now. It is gone on with later."""
    # Past the buffered reader, whose lock a thread of our end would wait for.
    while os.read(sys.stdin.fileno(), CHUNK_BYTES):
        pass
    os._exit(ABANDONED)


def main() -> None:
    """Read what is wanted from standard input, a JSON line, and build it."""
    settings = Settings()
    logs.configure(settings.log_level)
    os.nice(NICENESS)
    wanted = Wanted.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    sys.exit(run(settings, wanted))

"""Rebuilds the index of recordings from the manifests in the store, where events were lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

from command_center.database import Database
from command_center.evidence.index import index_events
from streams.hub.topics import SegmentClosed
from streams.recording.events import RecordingEvent, closed_event, opened_event
from streams.recording.manifest import Manifest, read_manifest
from streams.recording.recovery import manifests

logger = logging.getLogger(__name__)

BATCH = 200


async def rebuild(database: Database, root: Path) -> int:
    """Index every recording of the store that the index doesn't know, or doesn't know the end of.

    Returns how many manifests were read. What is in the index already stays as it is.
    """
    paths = await asyncio.to_thread(manifests, root)
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        events = await asyncio.to_thread(lambda paths: list(_events(paths)), batch)
        await index_events(database, events)
    return len(paths)


def _events(paths: list[Path]) -> Iterator[RecordingEvent]:
    for path in paths:
        try:
            manifest = read_manifest(path)
        except OSError as error:
            logger.error("manifest %s can't be read: %s", path.name, error)
            continue
        if manifest is not None:
            yield from _of(manifest)


def _of(manifest: Manifest) -> Iterator[RecordingEvent]:
    opened = manifest.opened
    yield opened_event(opened)
    if manifest.closed is not None:
        yield closed_event(opened, manifest.closed)
    else:
        yield SegmentClosed(
            recording=opened.recording, feed=opened.feed, seconds=manifest.seconds, bytes=manifest.bytes
        )

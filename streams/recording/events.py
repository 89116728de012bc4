"""What the hub is told of recordings: the lines of their manifests, once they are on the disk."""

from __future__ import annotations

from streams.hub.topics import RecordingWritten

RecordingEvent = RecordingWritten

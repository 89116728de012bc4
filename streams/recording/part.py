"""One segment under way: its samples, and what its file's header will say."""

from __future__ import annotations

from dataclasses import dataclass

from streams.recording.assembly import Assembly
from streams.recording.frames import VideoFormat
from streams.recording.manifest import SegmentReason


@dataclass(slots=True)
class Part:
    """Instants are Unix nanoseconds of the time line; `format` is None where there are no pictures."""

    assembly: Assembly
    format: VideoFormat | None
    reason: SegmentReason
    has_audio: bool = False
    is_open: bool = False
    """Whether its file has been begun."""
    until_ns: int | None = None
    """Where the next segment begins: sound from before is still waited for."""
    left_at_ns: int = 0
    """When the next segment began, by the node's clock."""

    @property
    def origin_ns(self) -> int:
        """Where it begins."""
        return self.assembly.origin_ns

    def is_other(self, format_: VideoFormat | None) -> bool:
        """Whether pictures of this format need another file."""
        if self.format is None or format_ is None:
            return self.format is not format_
        mine, theirs = self.format, format_
        return (mine.codec, mine.width, mine.height, mine.codec_string) != (
            theirs.codec, theirs.width, theirs.height, theirs.codec_string,
        )  # fmt: skip

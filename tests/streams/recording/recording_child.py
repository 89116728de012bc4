"""A process that records a clip in real time until somebody kills it; prints how much it was given.

Arguments: folder, codec (H264 or VP8), and the most bytes that a file may have (0: no limit).
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

from streams.recording.events import RecordingEvent
from streams.recording.recorder import Recorder
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.support.signing import SIGNER

SECONDS = 7.0


async def main(root: Path, codec: str, limit: int) -> None:
    units = [*clip(codec, SECONDS), *tone(SECONDS)]  # type: ignore[arg-type]
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    def told(event: RecordingEvent) -> None:
        print(event.model_dump_json(), flush=True)

    recorder = Recorder(root, "node-1", SIGNER, told)
    recorder.start()
    sink = recorder.open("feed-1", [H264 if codec == "H264" else VP8, OPUS])
    start_ns = time.time_ns()
    publisher = Publisher(units, start_ns=start_ns, video_payload_type=102 if codec == "H264" else 96)
    slowest = 0.0
    for kind, packet, arrival_ns in publisher.packets():
        ahead = (arrival_ns - time.time_ns()) / 1e9
        if ahead > 0.002:
            print(f"given {(arrival_ns - start_ns) / 1e9:.3f}", flush=True)
            await asyncio.sleep(ahead)
        began = time.perf_counter()
        sink.packet(kind, packet, arrival_ns)
        slowest = max(slowest, time.perf_counter() - began)
    sink.close("ended")
    await recorder.close()
    print(f"failures {recorder.counters.write_failures}", flush=True)
    print(f"dropped {sink.dropped}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))

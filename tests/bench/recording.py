"""What recording five 720p feeds costs a node in processor time, beyond forwarding them.

    python -m tests.bench.recording [--seconds 20] [--pairs 3] [--codec H264]

Five light phones send real coded pictures of about 2 Mbit/s and sound, each watched by two viewers. A node that records
and one with `--no-recording` are loaded by turns, and the medians of all pairs compared. Beside it: how much of the
recording node's time its forwarding loop took, and how much its other threads, of which the recorder's is the busy one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from command_center.launcher.parts import MEDIA_NICENESS
from tests.support.node_process import NodeProcess, node_process
from tests.support.recorded_load import FEEDS, five_phones, thread_seconds
from tests.support.valkey import Valkey
from tests.support.waiting import until

BAR_PERCENT = 15.0
SETTLE_SECONDS = 4.0
BEGIN_SECONDS = 15.0


@dataclass(frozen=True)
class Cost:
    """Of one node for a while, in percent of one core."""

    loop: float
    others: float
    written: float = 0.0
    """Mbit/s."""

    @property
    def whole(self) -> float:
        """All of it."""
        return self.loop + self.others

    def line(self) -> str:
        """As it is printed."""
        return f"{self.whole:5.1f} % (loop {self.loop:5.1f} %, other threads {self.others:5.1f} %)"


async def measure(folder: Path, redis_url: str, options: argparse.Namespace, *more: str) -> Cost:
    """Load a node of its own and look what it takes."""
    async with node_process(folder, redis_url, *more) as node:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, node.pid, MEDIA_NICENESS)  # as the launcher does
        async with five_phones(node, options.codec):
            if not more:
                await until(lambda: _all_are_recorded(node), BEGIN_SECONDS)
            await asyncio.sleep(SETTLE_SECONDS)
            threads, written, clock = thread_seconds(node.pid), await _written(node), time.perf_counter()
            await asyncio.sleep(options.seconds)
            took = time.perf_counter() - clock
            each = {thread: (now - threads.get(thread, 0.0)) / took for thread, now in thread_seconds(node.pid).items()}
            octets = await _written(node) - written
            loop = each.pop(node.pid)
            return Cost(100 * loop, 100 * sum(each.values()), 8e-6 * octets / took)


async def _all_are_recorded(node: NodeProcess) -> bool:
    return (await node.metrics())["media_node_recordings"] == FEEDS and await _written(node) > 0


async def _written(node: NodeProcess) -> float:
    return (await node.metrics()).get('media_node_recorder_total{what="bytes"}', 0.0)


async def compare(options: argparse.Namespace) -> None:
    """By turns with and without recording, then the medians."""
    differences: list[Cost] = []
    valkey = Valkey()
    valkey.start()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-recording-") as name:
            for number in range(options.pairs):
                folder = Path(name) / str(number)
                without = await measure(folder / "without", valkey.url, options, "--no-recording")
                recording = await measure(folder / "with", valkey.url, options)
                more = Cost(recording.loop - without.loop, recording.others - without.others, recording.written)
                differences.append(more)
                print(f"pair {number + 1}: recording {recording.line()}, {recording.written:.1f} Mbit/s written")
                print(f"        without   {without.line()}", flush=True)
    finally:
        valkey.stop()
    costs = sorted(one.whole for one in differences)
    figure = {
        "metric": f"recording: five 720p feeds ({options.codec} and sound), processor time beyond forwarding",
        "unit": "% of one core",
        "value": round(statistics.median(costs), 1),
        "least": round(costs[0], 1),
        "most": round(costs[-1], 1),
        "in_the_loop": round(statistics.median(one.loop for one in differences), 1),
        "in_other_threads": round(statistics.median(one.others for one in differences), 1),
        "bar": BAR_PERCENT,
        "pairs": options.pairs,
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figure | {"cores": os.cpu_count()}))


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="length of each measurement")
    parser.add_argument("--pairs", type=int, default=3, help="how often both are measured, by turns")
    parser.add_argument("--codec", choices=("H264", "VP8"), default="H264", help="what the phones send")
    asyncio.run(compare(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

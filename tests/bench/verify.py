"""How fast an untouched set of evidence is verified: `python -m tests.bench.verify [MEGABYTES]`.

The set lies in the system's temporary folder and was just written, so the disk's speed isn't in the figure; what is, is
reading, the two hashes over every byte, and the ledgers.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from command_center.evidence import verifier
from tests.support.proof_world import ProofWorld

MEGABYTES = 1000
FRAGMENT_BYTES = 400_000
"""Twice what a second of 720p at 1.5 Mbit/s has on average; they vary from half of it on."""
FRAGMENTS = 60
SEGMENTS = 20
BAR_MEGABYTES_PER_SECOND = 200


def make(data: Path, megabytes: int) -> ProofWorld:
    """A set with so many megabytes of footage: recordings of twenty segments of a minute, all anchored."""
    world = ProofWorld(data, fragment_bytes=FRAGMENT_BYTES, fragments=FRAGMENTS)
    world.register(world.court, "court")
    world.register(world.nodes["node-1"], "node:node-1")
    operation = world.new_id()
    world.begin_operation(operation)
    written = 0
    while written < megabytes * 1_000_000:
        recording = world.begin_recording(f"feed-{len(world.recordings) + 1}", "node-1")
        for _ in range(SEGMENTS):
            world.segment(recording)
            world.tell_of(operation, recording)
            world.note(operation, "positions", {"points": [[40.84, 111.7]] * 60})
            world.anchor()
            written += (data / "recordings" / recording.segments[-1].path).stat().st_size
            if written >= megabytes * 1_000_000:
                break
        world.close_recording(recording)
        world.tell_of(operation, recording)
    world.seal_journal(operation)
    world.anchor()
    return world


def measure(data: Path, *arguments: str) -> dict[str, object]:
    """Run the verifier as a program of its own, as whoever gets a package does; give what it took."""
    began, busy = time.perf_counter(), _processor_seconds()
    command = [sys.executable, "-I", verifier.__file__, str(data), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    took = time.perf_counter() - began
    report = json.loads(done.stdout)
    rate = report["bytes"] / took / 1e6
    return {
        "what": " ".join(["verify", *arguments]),
        "megabytes": round(report["bytes"] / 1e6),
        "seconds": round(took, 2),
        "processor_seconds": round(_processor_seconds() - busy, 2),
        "megabytes_per_second": round(rate),
        "bar_megabytes_per_second": BAR_MEGABYTES_PER_SECOND,
        "is_met": rate >= BAR_MEGABYTES_PER_SECOND,
        "exit_code": done.returncode,
        "largest_of_all_so_far_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print the figures."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        make(Path(folder), megabytes)
        print(json.dumps(measure(Path(folder))))
        print(json.dumps(measure(Path(folder), "--sm3")))
    return 0


if __name__ == "__main__":
    sys.exit(main())

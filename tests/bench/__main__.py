"""Every benchmark, one after another; each prints its figures and can be run alone."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "forwarding",
    "recording",
    "latency",
    "browser",
    "wall",
    "voice",
    "review",
    "verify",
    "assets_scale",
    "assets_batch",
    "case_money",
)


def main() -> int:
    """Run them all and give a non-zero code where one failed to run; a slow figure is no failure."""
    failed = [
        name
        for name in BENCHMARKS
        if subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
    ]
    for name in failed:
        print(f"benchmark {name} did not run to its end")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

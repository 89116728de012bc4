"""`python -m assets.simulators bank|paying|registry --port N`: one simulated gateway, until it is told to end."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from assets.simulators.bank import bank
from assets.simulators.conduct import Conduct
from assets.simulators.ledger import Ledger
from assets.simulators.paying import paying
from assets.simulators.registry import registry
from assets.simulators.server import server_config

SERVICES = {"bank": bank, "paying": paying, "registry": registry}


def main() -> None:
    """Read the flags and serve."""
    parser = argparse.ArgumentParser(prog="python -m assets.simulators", description=__doc__)
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-seconds", type=float, default=1.5)
    parser.add_argument("--data", type=Path, help="keep what was controlled in this file, across restarts")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    if flags.data is not None:
        flags.data.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(flags.data)
    conduct = Conduct(ledger, delay_seconds=flags.delay_seconds, seed=flags.seed)
    try:
        uvicorn.Server(server_config(SERVICES[flags.service](conduct), host=flags.host, port=flags.port)).run()
    finally:
        ledger.close()


if __name__ == "__main__":
    main()

"""`python -m assets.simulators KIND|paying --port N`: one simulated gateway, until it is told to end."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from assets.kinds import kinds, simulator_of
from assets.simulators.conduct import Conduct
from assets.simulators.ledger import Ledger
from assets.simulators.paying import paying
from assets.simulators.server import server_config

PAYING = "paying"
"""The court's own bank, which is no gateway that is asked about anybody."""


def main() -> None:
    """Read the flags and serve."""
    parser = argparse.ArgumentParser(prog="python -m assets.simulators", description=__doc__)
    known = kinds()
    parser.add_argument("service", choices=[*known, PAYING])
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
    app = paying(conduct) if flags.service == PAYING else simulator_of(known[flags.service])(conduct)
    try:
        uvicorn.Server(server_config(app, host=flags.host, port=flags.port)).run()
    finally:
        ledger.close()


if __name__ == "__main__":
    main()

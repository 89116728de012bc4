"""`python -m assets.simulators KIND|paying --port N`: one simulated gateway, until it is told to end."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path
from typing import Any

import uvicorn

from assets.kinds import kinds, simulator_of
from assets.signing import HmacKey
from assets.simulators.conduct import Conduct
from assets.simulators.ledger import Ledger
from assets.simulators.paying import paying
from assets.simulators.server import server_config
from assets.simulators.talk import Talk

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
    parser.add_argument("--tls-certificate", type=Path, help="answer over TLS, with this certificate (PEM)")
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--client-authority", type=Path, help="only for callers whose certificate these sign (PEM)")
    parser.add_argument("--secret", type=Path, help="only for requests signed with this secret; sign answers with it")
    parser.add_argument("--paying-url", default="", help="a bank's: where what it transfers arrives")
    flags = parser.parse_args()
    if flags.data is not None:
        flags.data.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(flags.data)
    conduct = Conduct(
        ledger,
        delay_seconds=flags.delay_seconds,
        seed=flags.seed,
        talk=_talk(flags.secret),
        paying_url=flags.paying_url,
    )
    app = paying(conduct) if flags.service == PAYING else simulator_of(known[flags.service])(conduct)
    try:
        config = server_config(app, host=flags.host, port=flags.port, **_tls(flags))
        uvicorn.Server(config).run()
    finally:
        ledger.close()


def _talk(secret: Path | None) -> Talk:
    if secret is None:
        return Talk()
    key = HmacKey("simulator", secret.read_bytes().strip())
    return Talk(callers=key, signer=key)


def _tls(flags: argparse.Namespace) -> dict[str, Any]:
    if flags.tls_certificate is None:
        return {}
    mutual = {"ssl_ca_certs": flags.client_authority, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return {
        "ssl_certfile": flags.tls_certificate,
        "ssl_keyfile": flags.tls_key,
        **(mutual if flags.client_authority else {}),
    }


if __name__ == "__main__":
    main()

"""A gateway as settings say what was agreed with it: certificates of both sides, signatures, format, pace."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from assets.bodies import BodyFormat
from assets.errors import GatewayUnreachable
from assets.gateway_settings import BreakerSettings, GatewaySettings, PaceSettings, SigningSettings, TlsSettings
from assets.kinds import open_gateways
from tests.assets.simulators.orders import query
from tests.support.certificates import authority, leaf
from tests.support.simulator import Simulator


async def test_both_sides_show_certificates_and_believe_only_the_agreed_ones(tmp_path: Path) -> None:
    ours, theirs, strangers = (authority(tmp_path / name) for name in ("ours", "theirs", "strangers"))
    server = leaf(theirs, tmp_path / "server", "127.0.0.1")
    court = leaf(ours, tmp_path / "court", "court")
    simulator = Simulator(
        "bank",
        tmp_path / "bank.sqlite3",
        delay_seconds=0,
        tls={
            "ssl_certfile": server.certificate,
            "ssl_keyfile": server.key,
            "ssl_ca_certs": ours.certificate,
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
        },
    )
    await simulator.start()
    secret = tmp_path / "secret"
    secret.write_bytes(b"n" * 32)

    def gateway(tls: TlsSettings) -> Any:
        settings = GatewaySettings(
            name="bank",
            kind="bank",
            url=simulator.url,
            format=BodyFormat.XML,
            tls=tls,
            signing=SigningSettings(algorithm="hmac-sha256", key_id="court", file=secret),
            pace=PaceSettings(per_second=100, burst=100),
            breaker=BreakerSettings(failures=100, rest_seconds=1),
        )
        return open_gateways([settings])[0]

    agreed = gateway(TlsSettings(authority=theirs.certificate, certificate=court.certificate, key=court.key))
    assert (await agreed.query(query("C1"))).assets
    nobody = gateway(TlsSettings(authority=theirs.certificate))
    foreign = gateway(TlsSettings(authority=strangers.certificate, certificate=court.certificate, key=court.key))
    for refused in (nobody, foreign):
        with pytest.raises(GatewayUnreachable):
            await refused.query(query("C2"))
    assert simulator.ledger.count_of("C2") == 0
    for one in (agreed, nobody, foreign):
        await one.close()
    await simulator.stop()

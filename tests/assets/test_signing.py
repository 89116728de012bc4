"""Signed requests and answers: believed only under the agreed key, once, and in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from assets.banks.http import HttpBank
from assets.errors import GatewayAnsweredGarbage, GatewayBroke, GatewayRefused
from assets.posting import Poster
from assets.signing import HmacKey, PrivateKey, PublicKey, Signing
from assets.simulators.talk import Talk
from tests.assets.simulators.orders import order, query
from tests.support.simulator import Simulator

SECRET = HmacKey("court", b"n" * 32)


def _ed25519() -> tuple[PrivateKey, PublicKey]:
    key = ed25519.Ed25519PrivateKey.generate()
    return PrivateKey("court", key), PublicKey(key.public_key())


def _rsa() -> tuple[PrivateKey, PublicKey]:
    key = rsa.generate_private_key(65537, 2048)
    return PrivateKey("court", key), PublicKey(key.public_key())


@pytest.mark.parametrize("keys", [lambda: (SECRET, SECRET), _ed25519, _rsa])
async def test_signed_requests_are_believed_and_so_are_signed_answers(tmp_path: Path, keys: Callable[[], Any]) -> None:
    private, public = keys()
    simulator = Simulator("bank", tmp_path / "b.sqlite3", delay_seconds=0, talk=Talk(callers=public, signer=private))
    await simulator.start()
    bank = HttpBank(Poster("bank", simulator.url, signing=Signing(private, public)))
    assert (await bank.query(query("C1"))).assets
    assert (await bank.control(order("A1", cents=100))).controlled_cents == 100
    simulator.behave("refuses", reason="不")
    with pytest.raises(GatewayRefused, match="不"):
        await bank.query(query("C2"))
    numbered = HttpBank(Poster("bank", f"{simulator.url}/b/001", signing=Signing(private, public)))
    simulator.behave_as_scripted()
    simulator.conduct.most_seconds = 0
    await numbered.query(query("C3"))
    unsigned = HttpBank(Poster("bank", simulator.url))
    with pytest.raises(GatewayBroke, match="400"):
        await unsigned.query(query("C4"))
    for gateway in (bank, numbered, unsigned):
        await gateway.close()
    await simulator.stop()


async def test_an_answer_that_is_not_signed_as_agreed_is_garbage(bank_simulator: Simulator, tmp_path: Path) -> None:
    silent = HttpBank(Poster("bank", bank_simulator.url, signing=Signing(SECRET, SECRET)))
    with pytest.raises(GatewayAnsweredGarbage, match="signature: missing"):
        await silent.query(query())
    stranger = Simulator("bank", tmp_path / "s.sqlite3", talk=Talk(signer=HmacKey("x", b"s" * 32)))
    late = Simulator("bank", tmp_path / "l.sqlite3", talk=Talk(signer=SECRET, clock=lambda: 1_000_000.0))
    for simulator, why in ((stranger, "wrong"), (late, "time")):
        await simulator.start()
        bank = HttpBank(Poster("bank", simulator.url, signing=Signing(SECRET, SECRET)))
        with pytest.raises(GatewayAnsweredGarbage, match=f"signature: {why}"):
            await bank.query(query())
        await bank.close()
        await simulator.stop()
    await silent.close()


async def test_a_request_that_is_repeated_on_the_way_is_not_taken_again(tmp_path: Path) -> None:
    class Repeating(Signing):
        def seal(self, method: str, path: str, body: bytes) -> Any:
            return first.setdefault(path, super().seal(method, path, body))

    first: dict[str, Any] = {}
    simulator = Simulator("bank", tmp_path / "b.sqlite3", delay_seconds=0, talk=Talk(callers=SECRET))
    await simulator.start()
    bank = HttpBank(Poster("bank", simulator.url, signing=Repeating(SECRET)))
    await bank.query(query("C1"))
    with pytest.raises(GatewayBroke, match="400"):
        await bank.query(query("C1"))
    await bank.close()
    await simulator.stop()


def test_secrets_are_long_and_never_shown_and_other_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        HmacKey("k", b"short")
    assert "nnn" not in repr(SECRET)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for load in (lambda: PrivateKey.load("k", pem), lambda: PublicKey.load(public)):
        with pytest.raises(ValueError, match="Ed25519 or RSA"):
            load()

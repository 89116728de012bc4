"""HTTPS by the local authority: real handshakes, renewal, and keys that others can't read."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from starlette.types import Receive, Scope, Send

from command_center.certificates import (
    AUTHORITY_FILE,
    AUTHORITY_KEY_FILE,
    RENEW_DAYS,
    SERVER_DAYS,
    SERVER_KEY_FILE,
    server_certificate,
)
from command_center.clock import now
from command_center.listeners import CouldNotListen, Listener, Listeners
from tests.support.waiting import until


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what the scheme was; opens and closes at once."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


async def test_both_listeners_serve_one_application_and_a_phone_that_trusts_the_authority_connects(
    tmp_path: Path,
) -> None:
    certificate, key = server_certificate(tmp_path)
    listeners = Listeners(application, [Listener("127.0.0.1", 0), Listener("127.0.0.1", 0, certificate, key)])
    serving = asyncio.create_task(listeners.serve())
    await until(lambda: listeners.are_started)
    plain, secure = listeners.ports
    trusting = ssl.create_default_context(cafile=str(tmp_path / AUTHORITY_FILE))
    async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{plain}/")).text == "http"
        for name in ("127.0.0.1", "localhost"):
            assert (await client.get(f"https://{name}:{secure}/")).text == "https"
    async with httpx.AsyncClient(trust_env=False) as stranger:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await stranger.get(f"https://127.0.0.1:{secure}/")
    listeners.stop()
    await serving


async def test_a_port_that_is_taken_is_said_and_nothing_is_left_open(tmp_path: Path) -> None:
    first = Listeners(application, [Listener("127.0.0.1", 0)])
    serving = asyncio.create_task(first.serve())
    await until(lambda: first.are_started)
    with pytest.raises(CouldNotListen, match=str(first.ports[0])):
        Listeners(application, [Listener("127.0.0.1", 0), Listener("127.0.0.1", first.ports[0])])
    first.stop()
    await serving


def test_the_keys_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    server_certificate(tmp_path)
    for name in (AUTHORITY_KEY_FILE, SERVER_KEY_FILE):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_certificate_that_will_do_is_kept(tmp_path: Path) -> None:
    certificate, _ = server_certificate(tmp_path, ["centre.example"])
    before = certificate.read_bytes()
    server_certificate(tmp_path, ["centre.example"])
    assert certificate.read_bytes() == before


def test_it_is_renewed_before_it_ends_and_for_a_new_name_by_the_same_authority(tmp_path: Path) -> None:
    certificate, _ = server_certificate(tmp_path)
    authority = (tmp_path / AUTHORITY_FILE).read_bytes()
    first = certificate.read_bytes()
    later = now() + timedelta(days=SERVER_DAYS - RENEW_DAYS)
    server_certificate(tmp_path, at=later)
    renewed = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert certificate.read_bytes() != first
    assert renewed.not_valid_after_utc > later
    server_certificate(tmp_path, ["centre.example", "192.0.2.1"], at=later)
    names = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "centre.example" in names.value.get_values_for_type(x509.DNSName)
    assert "192.0.2.1" in [str(address) for address in names.value.get_values_for_type(x509.IPAddress)]
    assert (tmp_path / AUTHORITY_FILE).read_bytes() == authority

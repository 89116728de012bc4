"""HTTPS without a court's certificate: a local authority of this installation, and its server certificate."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from command_center.clock import now

AUTHORITY_FILE = "local-ca.crt"
AUTHORITY_KEY_FILE = "local-ca.key"
SERVER_FILE = "server.crt"
SERVER_KEY_FILE = "server.key"
AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Phones refuse longer ones."""
RENEW_DAYS = 30
_ANY_PUBLIC = ("192.0.2.1", 9)
"""A documentation address: connecting a UDP socket to it sends nothing, and tells our own address."""


def server_certificate(folder: Path, names: Iterable[str] = (), at: datetime | None = None) -> tuple[Path, Path]:
    """The server's certificate and key in `folder`, made or renewed where needed.

    `names` are host names and addresses that it must be good for, beside this machine's own.
    """
    at = at or now()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, authority_key = _authority(folder, at)
    wanted = {*own_names(), *names}
    certificate_path, key_path = folder / SERVER_FILE, folder / SERVER_KEY_FILE
    if certificate_path.exists() and key_path.exists():
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        is_fresh = certificate.not_valid_after_utc - at > timedelta(days=RENEW_DAYS)
        if is_fresh and certificate.issuer == authority.subject and wanted <= _names_in(certificate):
            return certificate_path, key_path
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign_server(key.public_key(), sorted(wanted), authority, authority_key, at)
    _write(key_path, _pem(key), 0o600)
    _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate_path, key_path


def own_names() -> set[str]:
    """The names and addresses of this machine, as far as it knows them."""
    found = {"localhost", "127.0.0.1", "::1", socket.gethostname()}
    for family, target in ((socket.AF_INET, _ANY_PUBLIC), (socket.AF_INET6, ("2001:db8::1", 9))):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(target)
                found.add(str(probe.getsockname()[0]))
        except OSError:
            continue
    return found


def _authority(folder: Path, at: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_path, key_path = folder / AUTHORITY_FILE, folder / AUTHORITY_KEY_FILE
    if certificate_path.exists() and key_path.exists():
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        is_good = certificate.not_valid_after_utc - at > timedelta(days=SERVER_DAYS)
        if is_good and isinstance(key, ec.EllipticCurvePrivateKey):
            return certificate, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Enforcement Command Center"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Local authority {x509.random_serial_number() & 0xFFFFFF:06x}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _pem(key), 0o600)
    _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate, key


def _sign_server(
    public_key: ec.EllipticCurvePublicKey,
    names: list[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    at: datetime,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, socket.gethostname()[:64])]))
        .issuer_name(authority.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=SERVER_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names_in(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = set(extension.get_values_for_type(x509.DNSName))
    return names | {str(address) for address in extension.get_values_for_type(x509.IPAddress)}


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, never readable by others in between."""
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)

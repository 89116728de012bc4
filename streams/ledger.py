"""Ledgers: append-only files of JSON lines, each holding the hash of the one before; some lines are signed.

The format is in `command_center/evidence/FORMATS.md`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
FIRST = "0" * 64
"""What the first line names as the one before."""
SIGNATURE_MARK = b',"signature":"'
KEY_ID_DIGITS = 16
TORN_SUFFIX = ".torn"
"""Of the files that hold what was cut off others after a crash; no proof tells of them."""


class NotALedger(ValueError):
    """The file's lines don't follow each other."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger stands: how many lines it has, and the hash of the last one."""

    lines: int = 0
    hash: str = FIRST


class Signer:
    """One private key, and how lines are signed with it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public: bytes = key.public_key().public_bytes_raw()
        self.id = key_id(self.public)

    def sign(self, data: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._key.sign(data)).decode()


class Chain:
    """Makes the lines of one ledger, each naming the one before.

    `context` is the ledger's name with its version, such as `manifest/2`: a signature made for one is none for another.
    """

    def __init__(self, context: str, head: Head | None = None) -> None:
        self._context = context
        self.head = head or Head()

    def line(self, fields: Mapping[str, Any], signer: Signer | None = None) -> bytes:
        """The next line, with its LF; signed where a signer is given. It counts as written from now on."""
        whole: dict[str, Any] = {**fields, "previous": self.head.hash}
        if signer is not None:
            whole |= {"signer": signer.id, "algorithm": ALGORITHM}
        data = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
        if signer is not None:
            signature = signer.sign(signed_bytes(self._context, data))
            data = data[:-1] + SIGNATURE_MARK + signature.encode() + b'"}'
        self.head = Head(self.head.lines + 1, line_hash(data))
        return data + b"\n"


def key_id(public: bytes) -> str:
    """What a key is called, by its 32 raw public bytes."""
    return hashlib.sha256(public).hexdigest()[:KEY_ID_DIGITS]


def line_hash(line: bytes) -> str:
    """The hash of a line, given without its LF."""
    return hashlib.sha256(line).hexdigest()


def signed_bytes(context: str, unsigned: bytes) -> bytes:
    """What is signed of a line: its ledger's name and version, then the line without its signature."""
    return context.encode() + b"\n" + unsigned


def is_signed_by(line: bytes, context: str, public: bytes) -> bool:
    """Whether the line, given without its LF, carries a good signature of this key."""
    unsigned, mark, rest = line.rpartition(SIGNATURE_MARK)
    if not mark or not rest.endswith(b'"}'):
        return False
    try:
        signature = base64.b64decode(rest[:-2], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed_bytes(context, unsigned + b"}"))
    except (InvalidSignature, ValueError):  # or it isn't even base64, or the key no key
        return False
    return True


def head_of(path: Path) -> Head:
    """Where the ledger at `path` stands, by its whole lines; its chain isn't checked. An absent file is an empty one.

    Raises:
        OSError: it can't be read.
    """
    if not path.exists():
        return Head()
    lines, last = 0, b""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                lines, last = lines + 1, line
    return Head(lines, line_hash(last[:-1])) if lines else Head()


def cut_torn_end(path: Path) -> int:
    """Cut off what a crash left after the last line that follows the one before; returns how many bytes that were.

    Raises:
        NotALedger: it was changed; nothing of it is cut.
        OSError: it can't be read or cut.
    """
    whole, previous = 0, FIRST
    with path.open("rb") as file:
        for raw in file:
            line = parsed(raw)
            if line is None or line.get("previous") != previous:
                break
            whole += len(raw)
            previous = line_hash(raw[:-1])
    return cut_behind(path, whole)


def cut_behind(path: Path, whole: int) -> int:
    """Cut off what stands behind the first `whole` bytes, which are lines that follow each other; returns its length.

    A copy of it is kept beside the file. What was signed was on the disk before anything else was written, so a
    crash never tears anything before a signed line: where one stands behind the break, somebody has changed the file.

    Raises:
        NotALedger: it was changed; nothing of it is cut.
        OSError: it can't be read or cut.
    """
    with path.open("r+b") as file:
        file.seek(whole)
        rest = file.read()
        if any(SIGNATURE_MARK in raw and parsed(raw) for raw in rest.splitlines(keepends=True)):
            raise NotALedger(f"{path.name} was changed after byte {whole}")
        if rest:
            keep_torn(path, rest)
            file.truncate(whole)
            file.flush()
            os.fsync(file.fileno())
    return len(rest)


def keep_torn(path: Path, data: bytes) -> None:
    """Keep what is about to be cut off a file, in one beside it.

    Raises:
        OSError: it can't be written.
    """
    with path.with_name(path.name + TORN_SUFFIX).open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def parsed(raw: bytes) -> dict[str, Any] | None:
    """What a line says, given with its LF; None for one without it, or that is no JSON object."""
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def load_signer(path: Path) -> Signer:
    """Read a private key in PEM.

    Raises:
        OSError, ValueError: it can't be read, or is no Ed25519 key.
    """
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path.name} is no Ed25519 key")
    return Signer(key)


def make_signer(path: Path) -> Signer:
    """Read the key at `path`, made first where there is none; of several that make it at once, one wins.

    Raises:
        OSError, ValueError: it can't be read or written, or is no Ed25519 key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # Readable by us alone, and never the name of a draft that a crash left.
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return load_signer(path)

"""The keys that sign evidence: the court's and its media nodes', and the ledger in which their public halves stand."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from command_center.clock import Clock, now
from command_center.evidence.ledger_file import LedgerBroken, LedgerFile
from streams.ledger import Signer, key_id, load_signer, make_signer
from streams.recording.descriptor import sync_folder
from streams.recording.manifest import SUFFIX
from streams.recording.version_1 import is_of_version_1

CONTEXT = "keys/1"
PROOF_FOLDER, RECORDINGS_FOLDER = "proof", "recordings"
LEDGER_FILE = "keys.jsonl"
LOCK_FILE = "keys.lock"
COURT = "court"
COURT_FILE = "court-signing.pem"
PUBLIC_KEY_BYTES = 32
_NODE_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class KeysRefused(RuntimeError):
    """What was asked can't be done with these keys; the message is a plain sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One public key as the ledger tells of it. Instants are Unix milliseconds."""

    id: str
    public: str
    """32 bytes in hex."""
    owner: str
    """`court`, or `node:` and its name."""
    at: int
    replaces: str | None
    retired_at: int | None = None

    @property
    def fingerprint(self) -> str:
        """What the court publishes of its first key, and whoever verifies compares; the id is its beginning."""
        return hashlib.sha256(bytes.fromhex(self.public)).hexdigest()


class Keyring:
    """The private halves in `keys`, the ledger of the public ones below `data`. Every call blocks, none for long.

    One process at a time changes anything; whoever signs for the court holds the lock together with others who sign,
    so that nothing is signed with a key that was retired meanwhile.
    """

    def __init__(self, data: Path, keys: Path, clock: Clock = now) -> None:
        self._folder = data / PROOF_FOLDER
        self._ledger = self._folder / LEDGER_FILE
        self._recordings = data / RECORDINGS_FOLDER
        self._keys = keys
        self._clock = clock

    def ensure(self, nodes: Iterable[str] = ()) -> None:
        """Make and register the court's key and those of this machine's media nodes, as far as they are missing.

        What a crash interrupted in a change of keys is finished.

        Raises:
            KeysRefused: a private key isn't the one that the ledger names, or the ledger is lost.
            OSError: they can't be read or written.
        """
        with self._changing():
            for owner in (COURT, *(node_owner(node) for node in nodes)):
                self._finish_rotation(owner)
                self._ensure(owner)

    def rotate(self, owner: str) -> str:
        """Put a new key in the place of this owner's; returns its id.

        The court's old key signs nothing from now on. A node goes on with its old one until it is started anew, and
        that one is retired afterwards, by `retire`.

        Raises:
            KeysRefused: there is no such owner here, or its private key isn't the one that the ledger names.
            OSError: they can't be read or written.
        """
        with self._changing():
            self._finish_rotation(owner)
            known = self._current(owner)
            if known is None or not self._path(owner).exists():
                raise KeysRefused(f"This installation holds no signing key of {owner}.")
            self._ensure(owner)
            new = make_signer(self._next_path(owner))
            self._append_key(new, owner, known.id)
            self._finish_rotation(owner)
            return new.id

    def add(self, node: str, public: bytes) -> str:
        """Register the public key of a media node on another machine; returns its id.

        Raises:
            KeysRefused: no such key, or it is registered already.
            OSError: the ledger can't be written.
        """
        if len(public) != PUBLIC_KEY_BYTES:
            raise KeysRefused("An Ed25519 public key has 32 bytes.")
        owner = node_owner(node)
        with self._changing():
            if any(record.public == public.hex() for record in self.listed()):
                raise KeysRefused(f"The key {key_id(public)} is registered already.")
            known = self._current(owner)
            self._append(
                {
                    "key": key_id(public),
                    "public": public.hex(),
                    "owner": owner,
                    "replaces": known.id if known else None,
                },
                "key",
            )
        return key_id(public)

    def retire(self, identifier: str) -> None:
        """Write down that a node's key signs nothing from now on.

        Raises:
            KeysRefused: there is no such key in force, or it is the court's only one.
            OSError: the ledger can't be written.
        """
        with self._changing():
            record = next((one for one in self.listed() if one.id == identifier), None)
            if record is None or record.retired_at is not None:
                raise KeysRefused(f"No key {identifier} is in force.")
            if record.owner == COURT:
                raise KeysRefused("The court's key is retired by putting another in its place: rotate it.")
            self._append({"key": identifier}, "retired")

    def signer(self) -> Signer:
        """The court's key in force.

        Raises:
            OSError, ValueError: it can't be read.
        """
        return load_signer(self._path(COURT))

    @contextmanager
    def signing(self) -> Iterator[Signer]:
        """The court's key, which stays in force until the end of the block. Take the time of what is signed inside.

        Raises:
            OSError, ValueError: it can't be read.
        """
        with self._locked(fcntl.LOCK_SH):
            yield self.signer()

    def listed(self) -> list[KeyRecord]:
        """Every key that was ever registered, the first first; a torn end is passed over.

        Raises:
            OSError: the ledger can't be read.
        """
        found: dict[str, KeyRecord] = {}
        for raw in self._ledger.read_bytes().split(b"\n")[:-1] if self._ledger.exists() else ():
            try:
                line = json.loads(raw)
            except ValueError:
                break
            if line["type"] == "key":
                record = KeyRecord(line["key"], line["public"], line["owner"], line["at"], line["replaces"])
                found[record.id] = record
            elif line["type"] == "retired" and (known := found.get(line["key"])) is not None:
                found[known.id] = replace(known, retired_at=line["at"])
        return list(found.values())

    def _current(self, owner: str) -> KeyRecord | None:
        records = [one for one in self.listed() if one.owner == owner and one.retired_at is None]
        return records[-1] if records else None

    def _ensure(self, owner: str) -> None:
        known = self._current(owner)
        path = self._path(owner)
        if known is not None and owner == COURT and not path.exists():
            raise KeysRefused(
                f"The court's signing key {known.id} is missing: put {path} back from its backup, or, where it is "
                f"lost, move the folder {self._folder} aside and begin anew."
            )
        if known is None and owner == COURT and path.exists() and self._has_signed():
            raise KeysRefused(
                f"{path} is there, and {self._ledger}, which tells since when its key is in force, is lost: put the "
                f"folder {self._folder} back from its backup. A new one would disprove all that was signed before."
            )
        signer = make_signer(path)
        if known is not None and known.id == signer.id:
            return
        if known is not None and owner == COURT:
            raise KeysRefused(
                f"{path} holds the key {signer.id}, and {self._ledger} names {known.id} as the court's: "
                "put the right one back from its backup."
            )
        self._append_key(signer, owner, known.id if known else None)

    def _has_signed(self) -> bool:
        """Whether anything here needs the ledger as it was: any other ledger, any recording that is signed.

        At the very first start a crash may have left the key alone; then there is nothing.
        """
        if any(path != self._ledger for path in self._folder.rglob(f"*{SUFFIX}")):
            return True
        for path in self._recordings.glob(f"*/*/*{SUFFIX}"):
            with path.open("rb") as manifest:
                first = manifest.readline()
            if first and not is_of_version_1(first):
                return True
        return False

    def _finish_rotation(self, owner: str) -> None:
        """Take the steps that are left of a change of keys: a draft that isn't registered was never in force."""
        draft, known = self._next_path(owner), self._current(owner)
        if draft.exists():
            if known is not None and load_signer(draft).id == known.id:
                draft.replace(self._path(owner))
                sync_folder(self._keys)
            else:
                draft.unlink()
        if owner != COURT or known is None or not self._path(owner).exists() or self.signer().id != known.id:
            return
        for record in self.listed():
            if record.owner == COURT and record.retired_at is None and record.id != known.id:
                self._append({"key": record.id}, "retired")

    def _append_key(self, signer: Signer, owner: str, replaces: str | None) -> None:
        by = signer if owner == COURT and replaces is None else None
        self._append({"key": signer.id, "public": signer.public.hex(), "owner": owner, "replaces": replaces}, "key", by)

    def _append(self, fields: dict[str, Any], kind: str, by: Signer | None = None) -> None:
        """Add a line, signed by the court's key in force if by no other."""
        ledger = LedgerFile(self._ledger, CONTEXT)
        ledger.open()
        at = round(self._clock().timestamp() * 1000)
        ledger.append([({"type": kind, "at": at, **fields}, by or self.signer())])

    def _path(self, owner: str) -> Path:
        if owner == COURT:
            return self._keys / COURT_FILE
        return node_key_path(self._keys, owner.removeprefix("node:"))

    def _next_path(self, owner: str) -> Path:
        path = self._path(owner)
        return path.with_name(f"{path.stem}.next.pem")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._locked(fcntl.LOCK_EX):
            try:
                LedgerFile(self._ledger, CONTEXT).open()
            except LedgerBroken as broken:
                raise KeysRefused(f"{self._ledger} was changed by somebody: put it back from its backup.") from broken
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOCK_FILE).open("a") as file:
            fcntl.flock(file, how)
            yield


def read_public_key(path: Path) -> bytes:
    """The 32 raw bytes of an Ed25519 public key in a file, PEM or hex.

    Raises:
        KeysRefused: it holds none.
        OSError: it can't be read.
    """
    data = path.read_bytes().strip()
    try:
        if not data.startswith(b"-----"):
            return bytes.fromhex(data.decode())
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeysRefused(f"{path.name} holds no public key in PEM or hex.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysRefused(f"{path.name} holds another kind of key than Ed25519.")
    return key.public_bytes_raw()


def node_owner(node: str) -> str:
    """How the ledger calls a media node.

    Raises:
        KeysRefused: that can't be a node's name.
    """
    if _NODE_NAME.fullmatch(node) is None:
        raise KeysRefused("A node's name has letters, digits, dots, dashes and underscores, 64 at most.")
    return f"node:{node}"


def node_key_path(keys: Path, node: str) -> Path:
    """Where the private key of a media node of this machine lies."""
    return keys / f"recording-{node}.pem"

"""The court's electronic seal: a key that seals papers and nothing else, and the public halves of all that ever did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streams.ledger import Signer, key_id, make_signer

SEAL_FILE = "court-seal.pem"
PUBLIC_FOLDER = "seals"


@dataclass(frozen=True, slots=True)
class PublicSeal:
    """The public half of one key."""

    id: str
    public: bytes
    """32 bytes of Ed25519."""
    is_in_force: bool


class CourtSeal:
    """Seals with the key in `keys`, which is made at the first start; who replaces the file begins with a new one.

    The public halves stay in the folder beside, so that what an older key sealed is verified for ever.

    Raises:
        OSError, ValueError: the key can't be read or made.
    """

    def __init__(self, keys: Path) -> None:
        self._signer: Signer = make_signer(keys / SEAL_FILE)
        self._folder = keys / PUBLIC_FOLDER
        self._folder.mkdir(exist_ok=True, mode=0o700)
        mine = self._folder / f"{self._signer.id}.hex"
        if not mine.exists():
            mine.write_text(self._signer.public.hex(), encoding="ascii")
        self._publics = {public.id: public for public in self._read()}

    @property
    def id(self) -> str:
        """The name of the key that seals now."""
        return self._signer.id

    def sign(self, data: bytes) -> str:
        """The signature over `data`, base64."""
        return self._signer.sign(data)

    def public_of(self, key_id: str) -> bytes | None:
        """The public half of a key that seals, or once did."""
        known = self._publics.get(key_id)
        return known.public if known else None

    def listed(self) -> list[PublicSeal]:
        """Every key that ever sealed for this court, by its name."""
        return sorted(self._publics.values(), key=lambda one: one.id)

    def _read(self) -> list[PublicSeal]:
        found = []
        for path in self._folder.glob("*.hex"):
            public = bytes.fromhex(path.read_text(encoding="ascii"))
            if key_id(public) != path.stem:
                raise ValueError(f"{path.name} holds another key than its name says")
            found.append(PublicSeal(path.stem, public, path.stem == self._signer.id))
        return found

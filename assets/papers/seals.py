"""The court's electronic seal: a signature over a paper's text, made by one key and verified by its public half.

Source: 法释〔2013〕20号 §1.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assets.documents import Document
from assets.errors import PaperTampered
from assets.gateway import Paper
from assets.tables import SealedPaper


class Seal(Protocol):
    """Who seals for the court."""

    @property
    def id(self) -> str:
        """The name of the key that seals now."""

    def sign(self, data: bytes) -> str:
        """The signature over `data`, base64."""

    def public_of(self, key_id: str) -> bytes | None:
        """The 32 public bytes of a key that seals, or once did; None for one that isn't this court's."""


def digest(content: str) -> str:
    """What names a text beyond doubt."""
    return hashlib.sha256(content.encode()).hexdigest()


def verify_paper(paper: Paper, seal: Seal) -> None:
    """Refuse a paper whose text, hash or seal doesn't agree with the others.

    Raises:
        PaperTampered: `why` says what doesn't: digest, key, seal.
    """
    if hashlib.sha256(paper.content).hexdigest() != paper.sha256:
        raise PaperTampered(paper.document.value, "digest")
    public = seal.public_of(paper.seal_key_id)
    if public is None:
        raise PaperTampered(paper.document.value, "key")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(paper.seal, validate=True), paper.content)
    except (InvalidSignature, ValueError) as exc:
        raise PaperTampered(paper.document.value, "seal") from exc


def verified(
    rows: Iterable[SealedPaper], documents: tuple[Document, ...], ruling: str, seal: Seal
) -> tuple[Paper, ...]:
    """The papers of a request as they go out: all that it needs, each with its seal, the ruling among them.

    Raises:
        PaperTampered: one is missing, was changed, or isn't the ruling that was ordered.
    """
    papers = {row.document: paper_of(row) for row in rows}
    for document in documents:
        if document.value not in papers:
            raise PaperTampered(document.value, "missing")
    chosen = tuple(papers[document.value] for document in documents)
    for paper in chosen:
        verify_paper(paper, seal)
        is_ruling = paper.document in (Document.RULING, Document.RELEASE_RULING)
        if is_ruling and (paper.number != ruling or ruling not in paper.content.decode()):
            raise PaperTampered(paper.document.value, "ruling")
    return chosen


def paper_of(row: SealedPaper) -> Paper:
    """A sealed paper as it goes along in a message."""
    return Paper(
        document=Document(row.document),
        number=row.number,
        content=row.content.encode(),
        sha256=row.sha256,
        seal=row.seal,
        seal_key_id=row.seal_key_id,
    )

"""What every bank and registry is to this product: it is asked about a person, or asked to control one asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from assets.documents import Action, Document
from assets.terms import AssetKind


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who asks and for which case: the head that every request carries."""

    number: str
    """The request's own number; a repeated request carries the same one."""
    case_number: str
    court_code: str
    court_name: str
    judge: str
    work_card: str
    duty_card: str
    """The officer's two certificates. Source: 法释〔2013〕20号 §2."""
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """The person or firm under enforcement."""

    name: str
    is_firm: bool
    id_number: str


@dataclass(frozen=True, slots=True)
class QueryOrder:
    """What does this person have with you?"""

    head: Letterhead
    subject: Subject
    papers: tuple[Paper, ...] = ()
    statements_from: date | None = None
    """With `statements_to`: of which days a bank shall also list what came in and went out."""
    statements_to: date | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """The order that began the measure which is to be changed: `ydjdh`, `ydjah` on the wire."""

    number: str
    case_number: str
    is_waiting: bool = False
    """Whether it still stands in line: a bank knows the release of such a one by another code."""


@dataclass(frozen=True, slots=True)
class Payee:
    """The court's account that money is transferred to."""

    name: str
    account: str
    bank: str
    bank_code: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One document with the court's electronic seal on it. Source: 法释〔2013〕20号 §1, §3."""

    document: Document
    number: str
    content: bytes
    """UTF-8 text."""
    sha256: str
    seal: str
    """The signature over `content`, base64."""
    seal_key_id: str


@dataclass(frozen=True, slots=True)
class ControlOrder:
    """Control this asset, up to `amount_cents` where it is money, from `starts_on` to `ends_on`."""

    head: Letterhead
    subject: Subject
    action: Action
    reference: str
    """The account's or the unit's own number."""
    description: str
    ruling_number: str
    amount_cents: int | None
    """For a whole account or a thing that isn't money: None."""
    starts_on: date | None
    ends_on: date | None
    """Both None where the action has no term: a release, a transfer."""
    details: Mapping[str, str] = field(default_factory=dict)
    kind: AssetKind = AssetKind.BANK_ACCOUNT
    original: Original | None = None
    payee: Payee | None = None
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Encumbrance:
    """What stands on an asset already: a control, a mortgage, a priority right."""

    kind: str
    """freeze, seizure, mortgage, priority, lock, objection"""
    holder: str
    amount_cents: int | None
    until: date | None
    case_number: str = ""
    order_number: str = ""
    """The number of the request that began it, where the other side names it: by it a court knows its own."""
    rank: int = 0
    """How many stand before it; 0 is in force."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of an account's statements."""

    at: datetime
    cents: int
    """Negative where it went out."""
    other: str
    purpose: str


@dataclass(frozen=True, slots=True)
class FoundAsset:
    """One asset of the subject, as the other side describes it."""

    kind: AssetKind
    reference: str
    description: str
    value_cents: int | None
    """A balance; None where the answer names no value, as with real estate."""
    available_cents: int | None
    encumbrances: tuple[Encumbrance, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    special: str = ""
    """A value of `SpecialAccount` where the other side says what kind of account it is."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What belongs to it, one line each, by the message's own names: sub-accounts, co-owners."""
    statements: tuple[Movement, ...] = ()
    """What came in and went out, where that was asked for; nothing keeps it."""
    is_title_registered: bool = False
    """Whether the other side says that its title stands in the subject's name."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """An answer that was understood; without `assets` it says "nothing found"."""

    assets: tuple[FoundAsset, ...]
    answered_at: datetime | None
    """By the other side's clock, where it names a time."""


@dataclass(frozen=True, slots=True)
class ControlReceipt:
    """What the other side did. `waiting_rank` ≥ 1: it stands in line behind that many earlier controls."""

    is_registered: bool
    """Whether it did what was asked; if not, `reason` says why."""
    waiting_rank: int
    controlled_cents: int
    """What the measure holds now: after a part release or a transfer the rest, after a release nothing."""
    over_cents: int
    """How much of the amount asked it could not control."""
    starts_on: date | None
    ends_on: date | None
    reason: str
    receipt_number: str
    earlier: tuple[Encumbrance, ...] = ()
    """What stands before it, as the receipt names it, priority rights among it."""
    balance_cents: int | None = None
    available_cents: int | None = None
    transferred_cents: int = 0
    """How much a transfer moved to the court's account."""
    document: bytes = b""
    """The receipt itself, where the other side sends one."""


class Gateway(Protocol):
    """A bank, a registry, or whoever else keeps what can be controlled.

    A request that is repeated with the same number gets the first answer: nothing is controlled twice.

    Raises, from both calls:
        GatewayRefused: it answered no; `reason` holds its words.
        GatewayObjected: it did nothing and objects; the court answers within 15 days. Source: 法释〔2013〕20号 §6.
        GatewayAccepted: it has taken the request in and will answer later; ask again with the same number.
        GatewayUnreachable: no answer in time; the outcome is unknown.
        GatewayBusy: we ourselves asked too often or gave it a rest after failures; nothing was sent.
        GatewayBroke, GatewayAnsweredGarbage: what came back is no answer.
    """

    @property
    def name(self) -> str:
        """By which requests and screens name it."""

    @property
    def actions(self) -> frozenset[Action]:
        """The controls that it can carry out: an account is frozen, a house is seized."""

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """Ask what the subject has."""

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Ask to control one asset."""

    async def close(self) -> None:
        """Give back its connections."""

"""Cases, persons, assets, requests and control measures."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assets import measures, proposal_states, requests
from assets.documents import Action
from assets.errors import IllegalTransition
from assets.identifiers import new_id
from assets.measures import MeasureState
from assets.proposal_states import ProposalState
from assets.requests import RequestState

logger = logging.getLogger(__name__)


class Moment(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The declarative base of the asset domain; courts and users are plain references to the command center's."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it so
        datetime: Moment,
        uuid.UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Case(Base):
    """An enforcement case, with what the head of every request needs of it."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("court_id", "number"),
        # Lists go by the number; what decides whether a case is wanted stands beside it.
        Index("ix_cases_number", "number", "id", "court_id", "judge_name"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    court_id: Mapped[UUID] = mapped_column(index=True)
    court_code: Mapped[str] = mapped_column(String(16))
    court_name: Mapped[str] = mapped_column(String(100))
    number: Mapped[str] = mapped_column(String(64))
    claim_cents: Mapped[int] = mapped_column(BigInteger)
    judge_name: Mapped[str] = mapped_column(String(100))
    work_card: Mapped[str] = mapped_column(String(64))
    duty_card: Mapped[str] = mapped_column(String(64))
    filed_on: Mapped[date]
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    judge_id: Mapped[UUID | None]
    """The case's own judge (承办法官), who alone unmasks what is masked."""


CASE_LOCK = {"key_share": True}
"""How a case's row is locked: one writer at a time, while others may still add rows that refer to it.

Whoever changes a line writes to other courts' cases as well, of which it holds no lock.
"""


class Person(Base):
    """A person or firm of a case; `role` says whether it is the one under enforcement."""

    __tablename__ = "case_persons"
    __table_args__ = (UniqueConstraint("case_id", "id_number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    is_firm: Mapped[bool] = mapped_column(default=False)
    id_number: Mapped[str] = mapped_column(String(18))
    """GB 11643 for a person, GB 32100 for a firm."""
    role: Mapped[str] = mapped_column(String(24), default="under_enforcement")
    """under_enforcement, applicant, outsider"""
    ordinal: Mapped[int] = mapped_column(default=0)
    """The order in which the case names its persons."""


class Claim(Base):
    """What one creditor has to get in a case, by the document that is enforced."""

    __tablename__ = "case_claims"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    creditor_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24), default="ordinary")
    """ordinary, priority (a mortgage, wages …), costs"""
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    """All that is owed by the document, principal included."""
    principal_cents: Mapped[int] = mapped_column(BigInteger)
    """What doubled interest runs on."""
    is_priority: Mapped[bool] = mapped_column(default=False)
    interest_from: Mapped[date | None]
    """The first day of doubled interest: the day after the period for performance."""
    basis: Mapped[str] = mapped_column(String(200), default="")
    """The document that is enforced (执行依据)."""


class Asset(Base):
    """One thing of a person that could satisfy the claim: an account, a flat …"""

    __tablename__ = "assets"
    __table_args__ = (
        # Two banks may number their accounts alike.
        UniqueConstraint("case_id", "kind", "reference", "gateway", name="uq_assets_one_of_a_gateway"),
        Index("ix_assets_line", "gateway", "kind", "reference"),
        Index("ix_assets_kind", "kind", "id"),
        Index("ix_assets_reference", "reference", "case_id"),
        # A search in all courts goes through this, a fifth as wide as the rows.
        Index("ix_assets_search", "id", "reference", "description", "case_id", "person_id", "kind", "gateway"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """A value of `AssetKind`."""
    gateway: Mapped[str] = mapped_column(String(32))
    """Which gateway can be asked to control it; empty where none can yet."""
    reference: Mapped[str] = mapped_column(String(64))
    """The account's, unit's or plate's own number."""
    description: Mapped[str] = mapped_column(String(300))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    value_cents: Mapped[int | None] = mapped_column(BigInteger)
    available_cents: Mapped[int | None] = mapped_column(BigInteger)
    encumbrances: Mapped[list[Any]] = mapped_column(default=list)
    origin: Mapped[str] = mapped_column(String(8), default="answer")
    """answer: a gateway named it; clue (线索): the application did, and nobody has confirmed it."""
    answered_at: Mapped[datetime | None]
    """When a gateway last described it."""
    special: Mapped[str] = mapped_column(String(32), default="")
    """A value of `SpecialAccount` that a judge marked it with."""
    said_special: Mapped[str] = mapped_column(String(32), default="")
    """The same, as its gateway said: no judge's mark changes it."""
    said_special_at: Mapped[datetime | None]
    """When the gateway last said so; empty where it was noted before the two were kept apart."""
    lifting_id: Mapped[UUID | None]
    """The request by which two people set aside what the gateway says; until it says something else."""
    exempt: Mapped[str] = mapped_column(String(32), default="")
    """A class of exempt property that a judge found it to be of. Source: 查扣冻 §3."""
    is_only_home: Mapped[bool] = mapped_column(default=False)
    """A necessary home: it may be seized, not sold. Source: 查扣冻 §4-5."""
    valuation_cents: Mapped[int | None] = mapped_column(BigInteger)
    """What it was valued at, where no balance says it."""
    valuation_source: Mapped[str] = mapped_column(String(200), default="")
    is_indivisible: Mapped[bool] = mapped_column(default=False)
    prior_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    """What of its value belongs to others first: priority rights, mortgages and earlier seizures with an amount."""


def line_of(asset: Asset) -> str:
    """The thing itself, whoever's case names it: who keeps it, what it is, its number."""
    return f"{asset.gateway}/{asset.kind}/{asset.reference}"


_IS_UNDECIDED = "approval <> '' AND decided_at IS NULL"


class AssetRequest(Base):
    """One request to one gateway; asked again, it keeps its number."""

    __tablename__ = "asset_requests"
    __table_args__ = (
        UniqueConstraint("idempotency_key", "gateway"),
        Index(
            "ix_asset_requests_undecided",
            "id",
            sqlite_where=text(_IS_UNDECIDED),
            postgresql_where=text(_IS_UNDECIDED),
        ),
        Index("ix_asset_requests_state_due", "state", "next_ask_at"),
        Index("ix_asset_requests_case_query", "case_id", "action", "person_id", "gateway"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"), index=True)
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id"), index=True)
    action: Mapped[str] = mapped_column(String(24))
    """A value of `Action`."""
    gateway: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default=RequestState.DRAFT.value)
    """A value of `RequestState`; changed by `move_to` only."""
    documents: Mapped[list[Any]] = mapped_column(default=list)
    particulars: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The asset as it was described when a control of it was ordered: asked again, the words are the same."""
    ruling_number: Mapped[str] = mapped_column(String(64), default="")
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    idempotency_key: Mapped[UUID]
    """Made by the page for one press of the button."""
    actor_id: Mapped[UUID]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was asked without a usable answer."""
    next_ask_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(String(32), default="")
    """The code of the last trouble."""
    reason: Mapped[str] = mapped_column(String(500), default="")
    """The other side's own words."""
    found: Mapped[int] = mapped_column(default=0)
    measure_id: Mapped[UUID | None] = mapped_column(index=True)
    """The measure that it begins or changes."""
    payee: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Where a transfer goes: the fields of `Payee`."""
    approval: Mapped[str] = mapped_column(String(32), default="")
    """Why a second person has to say yes; empty where none has to."""
    override_reason: Mapped[str] = mapped_column(String(500), default="")
    """Why it is ordered although a guard stood against it."""
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(500), default="")
    sealed_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    """When the other side said that it has it: the term of its answer runs from its sending all the same."""
    chased_at: Mapped[datetime | None]
    chases: Mapped[int] = mapped_column(default=0)
    """How often it was chased as overdue. Source: feedback within 24 hours, by practice."""
    checked_by: Mapped[UUID | None]
    checked_at: Mapped[datetime | None]
    claimed_by: Mapped[str] = mapped_column(String(64), default="")
    claimed_until: Mapped[datetime | None]
    """Whose turn it is to ask: one process at a time."""

    def move_to(self, new: RequestState) -> None:
        """The only place that changes `state`."""
        old = RequestState(self.state)
        if new not in requests.NEXT[old]:
            raise IllegalTransition(self.number, old, new)
        logger.info("request %s: %s -> %s", self.number, old.value, new.value)
        self.state = new.value

    @property
    def is_control(self) -> bool:
        """Whether it asks to control an asset."""
        return Action(self.action).is_control


class ControlLine(Base):
    """What a transaction locks before it changes a line: one writer at a time, whichever court's."""

    __tablename__ = "control_lines"
    name: Mapped[str] = mapped_column(String(160), primary_key=True)


_FOLLOWS = "follows_id IS NOT NULL"
_IS_EFFECTIVE = "state IN ('in_force', 'pre_registered')"


class ControlMeasure(Base):
    """A freeze or seizure of one asset for one case, from its order to its end."""

    __tablename__ = "control_measures"
    __table_args__ = (
        UniqueConstraint("request_id", "asset_id", name="uq_control_measures_request_asset"),
        Index("ix_control_measures_line_state", "line", "state"),
        Index(
            "uq_control_measures_one_effective",
            "line",
            unique=True,
            sqlite_where=text(_IS_EFFECTIVE),
            postgresql_where=text(_IS_EFFECTIVE),
        ),
        Index(
            "ix_control_measures_followers",
            "follows_id",
            sqlite_where=text(_FOLLOWS),
            postgresql_where=text(_FOLLOWS),
        ),
        Index("ix_control_measures_asset_id", "asset_id", "id", "case_id"),
        # Pages of terms are read from these alone.
        Index("ix_control_measures_state_ends", "state", "ends_on", "id", "court_id", "case_id"),
        Index("ix_control_measures_court_state_ends", "court_id", "state", "ends_on", "id"),
        Index("ix_control_measures_case_state", "case_id", "state", "ends_on", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    court_id: Mapped[UUID]
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id"))
    request_id: Mapped[UUID] = mapped_column(ForeignKey("asset_requests.id"))
    """The order that began it, and with it those that follow it on land or houses of the same plot."""
    line: Mapped[str] = mapped_column(String(160))
    """The thing itself, whoever's case it is: measures of all courts on it stand in one line."""
    action: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(16), default=MeasureState.INTENDED.value)
    """A value of `MeasureState`; changed by `move_to` only."""
    rank: Mapped[int] = mapped_column(default=0)
    """While waiting: how many stand before it."""
    asked_cents: Mapped[int | None] = mapped_column(BigInteger)
    controlled_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    over_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    """How much of what was asked isn't there to be controlled."""
    released_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    transferred_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    """Both empty while it waits: the term starts when it takes effect."""
    term_years: Mapped[int] = mapped_column(default=0)
    """The term that was ordered, for one that starts later; 0 is the longest that the law allows."""
    renewals: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(500), default="")
    receipt_number: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    """When it took effect by itself, the one before having ended. Source: 查扣冻 §26."""
    confirmed_at: Mapped[datetime | None]
    """When the other side last said so; one that was promoted and not confirmed holds no money that is known."""
    ended_at: Mapped[datetime | None]
    follows_id: Mapped[UUID | None]
    """The measure on the house that this one on its land, or the reverse, goes with; it counts nothing by itself."""
    keeping: Mapped[str] = mapped_column(String(16), default="")
    """Of a movable: inventoried, stored, with_keeper, handed_over, returned."""
    keeper: Mapped[str] = mapped_column(String(200), default="")
    contradiction: Mapped[str] = mapped_column(String(32), default="")
    """A value of `Contradiction`, until somebody has looked into it."""

    def move_to(self, new: MeasureState) -> None:
        """The only place that changes `state`."""
        old = MeasureState(self.state)
        if new not in measures.NEXT[old]:
            raise IllegalTransition(self.id, old, new)
        logger.info("measure %s: %s -> %s", self.id, old.value, new.value)
        self.state = new.value


class MeasureEvent(Base):
    """One thing that happened to a measure, in its own words: the time line of an asset."""

    __tablename__ = "measure_events"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    measure_id: Mapped[UUID] = mapped_column(ForeignKey("control_measures.id"), index=True)
    request_id: Mapped[UUID | None]
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    """None where the law or the other side did it."""
    what: Mapped[str] = mapped_column(String(32))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class SealedPaper(Base):
    """One document of a request with the court's electronic seal. Source: 法释〔2013〕20号 §1, §3."""

    __tablename__ = "sealed_papers"
    __table_args__ = (UniqueConstraint("request_id", "document"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("asset_requests.id"), index=True)
    document: Mapped[str] = mapped_column(String(32))
    """A value of `Document`."""
    number: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(200))
    """Ed25519 over `content` as UTF-8, base64."""
    seal_key_id: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]
    sealed_by: Mapped[UUID | None]
    delivered_at: Mapped[datetime | None]


class ReceivedReceipt(Base):
    """The document with which a bank or a registry says what it did, as it came."""

    __tablename__ = "received_receipts"
    request_id: Mapped[UUID] = mapped_column(ForeignKey("asset_requests.id"), primary_key=True)
    number: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]


class Objection(Base):
    """A bank's or a registry's objection to a request; the court answers it in time. Source: 法释〔2013〕20号 §6."""

    __tablename__ = "asset_objections"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("asset_requests.id"), index=True)
    raised_at: Mapped[datetime]
    due_on: Mapped[date] = mapped_column(index=True)
    words: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16), default="open")
    """open, maintained (the court insists), yielded (it takes the request back)"""
    answer: Mapped[str] = mapped_column(String(500), default="")
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]


class Proposal(Base):
    """What an officer on site proposes to control; a judge decides."""

    __tablename__ = "control_proposals"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    operation_id: Mapped[UUID | None]
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id"))
    """An asset that is known; else `kind`, `reference` and `description` say what was found on site."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("case_persons.id"))
    """Whose it is, where that is known."""
    kind: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(64), default="")
    description: Mapped[str] = mapped_column(String(300), default="")
    action: Mapped[str] = mapped_column(String(24))
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    words: Mapped[str] = mapped_column(String(500), default="")
    idempotency_key: Mapped[UUID] = mapped_column(unique=True)
    officer_id: Mapped[UUID]
    proposed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default=ProposalState.OPEN.value)
    """A value of `ProposalState`; changed by `move_to` only."""
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(String(500), default="")
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("asset_requests.id"))
    """The control that was ordered for it."""

    def move_to(self, new: ProposalState) -> None:
        """The only place that changes `state`."""
        old = ProposalState(self.state)
        if new not in proposal_states.NEXT[old]:
            raise IllegalTransition(self.id, old, new)
        logger.info("proposal %s: %s -> %s", self.id, old.value, new.value)
        self.state = new.value


_IS_OPEN = "closed_at IS NULL"
_IS_UNANSWERED = "closed_at IS NULL AND acknowledged_at IS NULL"


class TermAlarm(Base):
    """A measure nears its last day, or has lapsed: one alarm a distance, once, whoever looks; none is deleted."""

    __tablename__ = "term_alarms"
    __table_args__ = (
        UniqueConstraint("measure_id", "ends_on", "days_before"),
        Index(
            "ix_term_alarms_unanswered",
            "ends_on",
            "measure_id",
            sqlite_where=text(_IS_UNANSWERED),
            postgresql_where=text(_IS_UNANSWERED),
        ),
        Index(
            "ix_term_alarms_court_unanswered",
            "court_id",
            "ends_on",
            "measure_id",
            sqlite_where=text(_IS_UNANSWERED),
            postgresql_where=text(_IS_UNANSWERED),
        ),
        Index(
            "ix_term_alarms_open",
            "measure_id",
            "days_before",
            sqlite_where=text(_IS_OPEN),
            postgresql_where=text(_IS_OPEN),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    measure_id: Mapped[UUID] = mapped_column(ForeignKey("control_measures.id"), index=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    court_id: Mapped[UUID]
    ends_on: Mapped[date]
    days_before: Mapped[int]
    """-1 where the measure has lapsed."""
    due_on: Mapped[date]
    """The working day on which it was to be raised; the last day of the term itself never moves."""
    raised_at: Mapped[datetime]
    acknowledged_by: Mapped[UUID | None]
    acknowledged_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str] = mapped_column(String(16), default="")
    """A value of `Closing`."""


class AssetDeed(Base):
    """What one press of a button did, so that its repetition does nothing."""

    __tablename__ = "asset_deeds"
    key: Mapped[UUID] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[UUID]
    actor_id: Mapped[UUID]
    done_at: Mapped[datetime]

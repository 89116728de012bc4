"""The books: a court's main account, the sub-accounts of its cases, postings and their entries."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assets.identifiers import new_id
from assets.tables import Base


class MainAccount(Base):
    """A court's account for the money of its cases; its row is locked by whoever writes anything of it."""

    __tablename__ = "main_accounts"
    __table_args__ = (CheckConstraint("balance_cents >= 0", name="ck_main_accounts_balance"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    court_id: Mapped[UUID] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    bank_name: Mapped[str] = mapped_column(String(100))
    fee_holder: Mapped[str] = mapped_column(String(100))
    fee_number: Mapped[str] = mapped_column(String(32))
    """Where enforcement fees go to."""
    fee_bank_code: Mapped[str] = mapped_column(String(12), default="")
    balance_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    """What the bank must have: the control total of everything below."""
    postings: Mapped[int] = mapped_column(BigInteger, default=0)
    """How many there are; the next one's number is one more."""
    sub_accounts: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    """When the bank's statement was last read."""


class SubAccount(Base):
    """The virtual sub-account of one case."""

    __tablename__ = "case_sub_accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"), index=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), unique=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    opened_at: Mapped[datetime]
    effective_on: Mapped[date | None]
    """When the document became effective: court fees paid in advance go back within 15 days of it."""


class LedgerAccount(Base):
    """One account of the books: of a case, or of the court where `owner_id` is the main account itself."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("owner_id", "kind"),
        Index("ix_ledger_accounts_main_kind", "main_id", "kind", "balance_cents"),
        CheckConstraint(
            "(kind = 'received' AND balance_cents <= 0) OR (kind <> 'received' AND balance_cents >= 0)",
            name="ck_ledger_accounts_balance",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"))
    owner_id: Mapped[UUID]
    """A case's id, or the main account's."""
    kind: Mapped[str] = mapped_column(String(16))
    """A value of `AccountKind`."""
    balance_cents: Mapped[int] = mapped_column(BigInteger, default=0)


class Posting(Base):
    """One movement of money, whole and for ever: a mistake is mended by another posting."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        UniqueConstraint("main_id", "number"),
        Index("ix_ledger_postings_main_at", "main_id", "at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    main_id: Mapped[UUID] = mapped_column(ForeignKey("main_accounts.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    """A value of `PostingKind`."""
    case_id: Mapped[UUID | None] = mapped_column(index=True)
    actor_id: Mapped[UUID | None]
    at: Mapped[datetime]
    bank_cents: Mapped[int] = mapped_column(BigInteger)
    """By how much the money at the bank grew, or shrank."""
    cause_id: Mapped[UUID]
    """The arrival, proposal, payment or hold that it comes from."""


class Entry(Base):
    """One line of a posting; those of one posting add up to nothing."""

    __tablename__ = "ledger_entries"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    posting_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_postings.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_accounts.id"), index=True)
    cents: Mapped[int] = mapped_column(BigInteger)
    balance_cents: Mapped[int] = mapped_column(BigInteger)
    """The account's balance after it."""

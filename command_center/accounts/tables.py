"""Courts, people, their sign-in sessions and the tokens that came from them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base, new_id


class Court(Base):
    """A court; one with a `parent_id` is seen by its parent, not the other way round."""

    __tablename__ = "courts"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    """As in case numbers: 内01, 内0102 …"""
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("courts.id"))


class User(Base):
    """A person with an account."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    court_id: Mapped[UUID] = mapped_column(ForeignKey("courts.id"))
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    badge_number: Mapped[str] = mapped_column(String(32), default="")
    role: Mapped[str] = mapped_column(String(32))
    """A value of `Role`."""
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(2), default="zh")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class SignIn(Base):
    """A server-side session; the cookie or program token holds a secret whose SHA-256 is kept here."""

    __tablename__ = "sign_ins"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    is_program: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class MediaToken(Base):
    """A bearer token for WHIP or WHEP that was handed out; kept so that it can be revoked and accounted for."""

    __tablename__ = "media_tokens"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    """The token's `jti`."""
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_ins.id"), index=True)
    feed: Mapped[str] = mapped_column(String(128), index=True)
    may_publish: Mapped[bool] = mapped_column(default=False)
    may_view: Mapped[bool] = mapped_column(default=False)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SetupLink(Base):
    """The one-time link that makes an installation's first administrator."""

    __tablename__ = "setup_links"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

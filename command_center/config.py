"""The settings of one installation, read once at start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from assets.documents import Action
from assets.holidays import announced, read_holidays
from assets.term_days import ALARM_DAYS, alarm_days
from streams.signalling.turn import TurnServers, read_urls

HTTP_PORT_STEP = 10
"""Leaves room for the other parts' ports, which stand in a row."""
SHORTEST_RETENTION_DAYS = 184
"""Six months, wherever they begin."""
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
_STORAGE = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9/._-]*)?")


@dataclass(frozen=True, slots=True)
class LocalNode:
    """A media node of this machine, as the launcher starts it."""

    node: str
    udp_port: int
    http_port: int

    @property
    def url(self) -> str:
        """Its signalling address."""
        return f"http://127.0.0.1:{self.http_port}"


class Settings(BaseSettings):
    """Everything that an administrator may set, by `COMMAND_CENTER_…` in the environment."""

    model_config = SettingsConfigDict(env_prefix="COMMAND_CENTER_", extra="ignore")

    data: Path = Path("var")
    """Where everything that is kept lies."""
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    https_host: str = "0.0.0.0"  # noqa: S104 - phones come over the network
    https_port: int = 8443
    https_certificate: Path | None = None
    https_key: Path | None = None
    media_port: int = 8200
    """The media node's one UDP port."""
    media_http_port: int = 8201
    """Where the media node answers WHIP and WHEP, on loopback; the web process passes them on."""
    media_nodes: int = Field(default=1, ge=1, le=16)
    """How many media nodes the launcher runs on this machine: each has a UDP port of its own, one above the last,
    and a signalling port, HTTP_PORT_STEP above the last."""
    media_origins: str = ""
    """Comma-separated public addresses (https://host[:port]) of media nodes that pages ask themselves; a node whose
    public address isn't among them is asked for pages by the web process."""
    media_public_addresses: str = ""
    """Comma-separated addresses that the node advertises; empty means all of this machine's."""
    turn_urls: str = ""
    """Comma-separated TURN relays (RFC 7065), for phones and screens that can't reach the node directly."""
    turn_secret: SecretStr = SecretStr("")
    """What the relays share with this installation (coturn's `static-auth-secret`)."""
    turn_secret_file: Path | None = None
    """A file that holds it instead."""
    redis_url: str = ""
    """Empty means the embedded hub, which the launcher starts on `redis_port` with a generated password."""
    redis_port: int = 8202
    database_url: str = ""
    """Empty means SQLite in the data folder."""
    s3_url: str = ""
    """Empty means that recordings are kept in the data folder alone; else S3-compatible storage takes them too."""
    s3_bucket: str = Field(default="", validate_default=True)
    s3_prefix: str = ""
    """What every key in the bucket begins with."""
    s3_region: str = "us-east-1"
    s3_access_key: str = Field(default="", validate_default=True)
    s3_secret_key: SecretStr = SecretStr("")
    s3_secret_key_file: Path | None = None
    """A file that holds it instead."""
    s3_path_style: bool = True
    """False where the bucket's name stands in the host's."""
    s3_authority: Path | None = None
    """Certificates that sign the storage's, where the machine's own don't."""
    local_copy_hours: float = Field(default=24, ge=0)
    """How long a segment stays in the folder after the storage was proven to have it; less where space is low."""
    space_low_hours: float = Field(default=4, ge=0)
    """An alarm is raised where the disk has room for less recording than this, at the present rate."""
    space_critical_hours: float = Field(default=1, ge=0)
    tsa_url: str = ""
    """An RFC 3161 time-stamp authority that each anchor of the evidence is stamped by; empty means none."""
    tsa_certificates: Path | None = None
    """PEM of the certificates that its own must lead to."""
    exports_keep_days: float = Field(default=30, gt=0)
    """How long a finished export package is kept."""
    exports_reserve_mb: int = Field(default=2048, ge=0)
    """How much of the disk an export leaves free; one that would take more is refused."""
    exports_anchor_seconds: float = Field(default=180, ge=0)
    """How long an export waits at its beginning until anchors tell of what goes in; then it is made without."""
    bank_url: str = "http://127.0.0.1:8203"
    registry_url: str = "http://127.0.0.1:8204"
    further_simulators_port: int = Field(default=8205, ge=0, le=65_535)
    """The demonstration's simulators of further kinds of gateways listen from here on, in a row; 0 is none."""
    gateways_file: Path | None = None
    """A TOML file that lists every gateway (deploy/gateways.example.toml); the addresses above then count nothing."""
    paying_url: str = "http://127.0.0.1:8220"
    """The bank that keeps the main accounts of the courts: statements and payments."""
    paying_file: Path | None = None
    """A TOML file with what was agreed with it: one [[gateway]] of the kind "paying" (deploy/gateways.example.toml has
    the fields: mutual TLS, signatures, pace …); the address above then counts nothing."""
    money_payout_days: int = Field(default=30, ge=1, le=365)
    """Practice: how many days after the notice of an arrival case money has to be paid out."""
    money_days_after_ground: int = Field(default=10, ge=0, le=365)
    """Practice: how many days remain after the ground of a deferral has ended."""
    money_credit_order: Literal["ordinary-first", "principal-first", "doubled-first"] = "ordinary-first"
    """Practice: what a payment is credited to first."""
    money_fee_base: Literal["received", "claimed"] = "received"
    """Practice: what the enforcement fee is reckoned on."""
    money_interest_until: Literal["arrival", "computation"] = "arrival"
    """Practice: up to which day doubled interest runs."""
    money_counts_day_of_payment: bool = False
    """Practice: whether doubled interest runs on the day of payment too."""
    money_doubled_interest_last: bool = True
    """Practice: whether doubled interest comes after every debt of the documents."""
    approved_actions: str = "transfer,release,part_release,withdraw_income,freeze_and_transfer"
    """Comma-separated actions on assets that a second person approves before they are sent; practice, not law. What
    overrides a guard needs one in any case."""
    cover_factor: Decimal = Field(default=Decimal("0.56"), gt=0, le=1, decimal_places=4)
    """What of a thing's valuation a sale brings: 0.70 × 0.80; practice, not law."""
    over_limit_ratio: Decimal = Field(default=Decimal("1.20"), ge=1, le=10, decimal_places=4)
    """How much of the claim may be covered before an order is over the limit, and so needs a reason and a second
    person; practice: the law says "obviously"."""
    term_alarm_days: str = ",".join(map(str, ALARM_DAYS))
    """Comma-separated: how many days before a control's last day alarms are raised. Practice, no law says it."""
    holidays_file: Path | None = None
    """Holidays and make-up working days as announced for each year, in the form of `assets/holidays.json`; empty
    means those that came with this version."""
    feedback_hours: float = Field(default=24, gt=0)
    """How soon a bank or a registry is expected to answer; then it is chased. Practice, not law."""
    court_name_zh: str = "呼和浩特市中级人民法院"
    court_name_en: str = "Hohhot Intermediate People's Court"
    demonstration: bool = False
    """True where cases, people and places are made up; every screen then says so."""
    second_factor_roles: str = ""
    """Comma-separated roles that must give a TOTP code."""
    session_idle_minutes: int = 720
    media_token_minutes: int = 10
    critical_deadline_seconds: int = 60
    """How soon an instruction must be answered, by priority; then it is escalated."""
    urgent_deadline_seconds: int = 180
    routine_deadline_seconds: int = 900
    retention_days_a: int = Field(default=184, ge=0)
    """For how many days after its end a recording is kept at least, by class; 0 is for ever. No national period is
    known, so these are practice: A ordinary, at least six months; B search, seizure, eviction, as long as the case
    file; C resistance, complaint, detention, for ever."""
    retention_days_b: int = Field(default=1095, ge=0)
    retention_days_c: int = Field(default=0, ge=0)
    deletion_delay_hours: int = Field(default=24, ge=0, le=24 * 90)
    """How long after its approval a deletion takes effect; until then either of the two may withdraw it."""
    log_level: str = "INFO"

    @field_validator("retention_days_a", "retention_days_b", "retention_days_c")
    @classmethod
    def _is_long_enough(cls, value: int) -> int:
        if 0 < value < SHORTEST_RETENTION_DAYS:
            raise ValueError(f"recordings are kept for ever (0) or at least {SHORTEST_RETENTION_DAYS} days")
        return value

    @field_validator("approved_actions")
    @classmethod
    def _are_actions(cls, value: str) -> str:
        for action in _listed(value):
            if not Action(action).is_control:
                raise ValueError(f"{action} is no control that could wait for an approval")
        return value

    @property
    def actions_to_approve(self) -> frozenset[Action]:
        """The actions of `approved_actions`."""
        return frozenset(map(Action, _listed(self.approved_actions)))

    @field_validator("term_alarm_days")
    @classmethod
    def _are_distances(cls, value: str) -> str:
        try:
            alarm_days(announced(), [int(part) for part in _listed(value)])
        except ValueError as exc:
            raise ValueError(f"{value!r} is no list of days such as 60,30,15,7,0") from exc
        return value

    @field_validator("holidays_file")
    @classmethod
    def _is_calendar(cls, value: Path | None) -> Path | None:
        if value is not None:
            read_holidays(value)
        return value

    @field_validator("media_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for origin in _listed(value):
            if _ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"{origin!r} is no https://host[:port]")
        return value

    @field_validator("s3_url")
    @classmethod
    def _is_storage(cls, value: str) -> str:
        if value and _STORAGE.fullmatch(value) is None:
            raise ValueError("it is no http[s]://host[:port]")
        return value.rstrip("/")

    @field_validator("s3_bucket", "s3_access_key")
    @classmethod
    def _is_there(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("s3_url"):
            raise ValueError("it is needed where COMMAND_CENTER_S3_URL is set")
        return value

    @property
    def s3_secret(self) -> str:
        """The secret of the storage's access key.

        Raises:
            OSError: its file can't be read.
        """
        if self.s3_secret_key_file is not None:
            return self.s3_secret_key_file.read_text().strip()
        return self.s3_secret_key.get_secret_value()

    @property
    def hub_url(self) -> str:
        """Where Redis is."""
        if self.redis_url:
            return self.redis_url
        password_file = self.keys / "hub-password"
        password = password_file.read_text().strip() if password_file.exists() else ""
        return (
            f"redis://:{password}@127.0.0.1:{self.redis_port}/0"
            if password
            else f"redis://127.0.0.1:{self.redis_port}/0"
        )

    @property
    def turn(self) -> TurnServers:
        """The TURN relays.

        Raises:
            TurnMisconfigured: addresses and secret don't make sense together.
            OSError: the secret's file can't be read.
        """
        secret = self.turn_secret.get_secret_value()
        if self.turn_secret_file is not None:
            secret = self.turn_secret_file.read_text().strip()
        return TurnServers(read_urls(self.turn_urls), secret)

    @property
    def records_url(self) -> str:
        """Where the SQL database is, as an async SQLAlchemy URL."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data.resolve() / 'records.sqlite3'}"

    @property
    def term_alarm_distances(self) -> tuple[int, ...]:
        """How many days before a control's last day alarms are raised."""
        return tuple(int(part) for part in _listed(self.term_alarm_days))

    @property
    def keys(self) -> Path:
        """Where keys lie; left out of backups of the rest."""
        return self.data / "keys"

    @property
    def recordings(self) -> Path:
        """Where the media node writes and the review screen reads."""
        return self.data / "recordings"

    @property
    def exports(self) -> Path:
        """Where packages are made and kept."""
        return self.data / "exports"

    @property
    def proof(self) -> Path:
        """Where the ledgers lie that aren't manifests."""
        return self.data / "proof"

    @property
    def local_nodes(self) -> list[LocalNode]:
        """The media nodes of this machine."""
        return [
            LocalNode(f"node-{place + 1}", self.media_port + place, self.media_http_port + place * HTTP_PORT_STEP)
            for place in range(self.media_nodes)
        ]

    @property
    def page_origins(self) -> tuple[str, ...]:
        """The media nodes' public addresses that pages may use."""
        return tuple(_listed(self.media_origins))


def _listed(text: str) -> list[str]:
    return [part for part in (part.strip().rstrip("/") for part in text.split(",")) if part]

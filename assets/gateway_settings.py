"""The gateways of an installation, as a TOML file lists them: who they are, where, and what was agreed with each."""

from __future__ import annotations

import ssl
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assets.bodies import BodyFormat
from assets.breaker import Breaker
from assets.pace import Pace
from assets.posting import ANSWER_SECONDS, Poster
from assets.signing import HmacKey, PrivateKey, PublicKey, Signing

NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"


class GatewaysMisconfigured(ValueError):
    """The file can't be used; says where and why, never a secret."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(_Table):
    """Whom we believe, and by which certificate the other side knows us."""

    authority: Path | None = None
    """PEM of the certificates that sign its own; without it those that the machine trusts."""
    certificate: Path | None = None
    key: Path | None = None


class SigningSettings(_Table):
    """How requests are signed, and whether answers have to be."""

    algorithm: Literal["hmac-sha256", "private-key"]
    """A secret of both, or our Ed25519 or RSA key."""
    key_id: str = Field(min_length=1, max_length=64)
    file: Path
    """The secret, or the key as PEM."""
    answers_file: Path | None = None
    """What its answers are signed with: the secret, or its public key as PEM. Without it they aren't checked."""


class PaceSettings(_Table):
    """How often it may be asked."""

    per_second: float = Field(default=50, gt=0, le=10_000)
    burst: int = Field(default=100, ge=1, le=100_000)


class BreakerSettings(_Table):
    """After how many failures in a row it is left alone, and for how long."""

    failures: int = Field(default=5, ge=1, le=1000)
    rest_seconds: float = Field(default=30, gt=0, le=3600)


class GatewaySettings(_Table):
    """One gateway."""

    name: Annotated[str, Field(pattern=NAME)]
    """By which requests name it; never change it once it was asked."""
    kind: Annotated[str, Field(pattern=NAME)]
    zh: str = Field(default="", max_length=60)
    en: str = Field(default="", max_length=60)
    """Its name on screens; without, that of its kind."""
    url: str = Field(pattern=r"^https?://[^\s?#]+$", max_length=300)
    code: str = Field(default="", max_length=32)
    """Its own code (`yhdh`), where a clearing house passes requests on."""
    format: BodyFormat = BodyFormat.JSON
    answer_seconds: float = Field(default=ANSWER_SECONDS, gt=0, le=120)
    tls: TlsSettings = TlsSettings()
    signing: SigningSettings | None = None
    pace: PaceSettings = PaceSettings()
    breaker: BreakerSettings = BreakerSettings()


class _File(_Table):
    gateway: tuple[GatewaySettings, ...] = Field(min_length=1, max_length=1000)


def read_file(path: Path) -> tuple[GatewaySettings, ...]:
    """The gateways that the file lists; its paths are read from its own folder.

    Raises:
        GatewaysMisconfigured: it isn't there, isn't TOML, or says something that makes no sense.
    """
    try:
        listed = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).gateway
    except OSError as exc:
        raise GatewaysMisconfigured(f"{path} can't be read ({exc.strerror})") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise GatewaysMisconfigured(f"{path} is no TOML: {exc}") from exc
    except ValidationError as exc:
        raise GatewaysMisconfigured(f"{path}: {_first(exc)}") from None
    again = [name for name, count in Counter(one.name for one in listed).items() if count > 1]
    if again:
        raise GatewaysMisconfigured(f"{path}: two gateways are called {again[0]}")
    return tuple(_beside(one, path.parent) for one in listed)


def poster_of(settings: GatewaySettings) -> Poster:
    """The connection to one gateway, with all that was agreed.

    Raises:
        GatewaysMisconfigured: a certificate or a key can't be used.
    """
    try:
        return Poster(
            settings.name,
            settings.url,
            answer_seconds=settings.answer_seconds,
            form=settings.format,
            tls=_tls(settings.tls) if settings.url.startswith("https:") else None,
            signing=_signing(settings.signing) if settings.signing is not None else None,
            breaker=Breaker(settings.breaker.failures, settings.breaker.rest_seconds),
            pace=Pace(settings.pace.per_second, settings.pace.burst),
        )
    except (OSError, ValueError) as exc:
        raise GatewaysMisconfigured(f"gateway {settings.name}: {type(exc).__name__}: {exc}") from exc


def _first(error: ValidationError) -> str:
    # Without the value: it may be a secret in the wrong place.
    first = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _beside(one: GatewaySettings, folder: Path) -> GatewaySettings:
    tls = {name: folder / path for name, path in one.tls if path is not None}
    changes: dict[str, object] = {"tls": one.tls.model_copy(update=tls)}
    if one.signing is not None:
        files = {name: folder / path for name, path in one.signing if isinstance(path, Path)}
        changes["signing"] = one.signing.model_copy(update=files)
    return one.model_copy(update=changes)


def _tls(settings: TlsSettings) -> ssl.SSLContext | None:
    if settings == TlsSettings():
        return None  # all that believe whom the machine believes share one
    context = ssl.create_default_context(cafile=settings.authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.key)
    return context


def _signing(settings: SigningSettings) -> Signing:
    content = settings.file.read_bytes()
    answers = settings.answers_file.read_bytes() if settings.answers_file is not None else None
    if settings.algorithm == "hmac-sha256":
        secret = HmacKey(settings.key_id, content.strip())
        return Signing(secret, HmacKey(settings.key_id, answers.strip()) if answers is not None else None)
    return Signing(PrivateKey.load(settings.key_id, content), PublicKey.load(answers) if answers is not None else None)

"""boto3's client of a bucket: made so that nothing but our settings says how, and its errors as ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from command_center.evidence.store import ChecksumMismatch, NotStored, StoreAway

CONNECT_SECONDS = 5.0
CONNECTIONS = 64
"""How many are kept open for the next request."""
NOT_IMPLEMENTED = "NotImplemented"
_NOT_FOUND, _RANGE_NOT_SATISFIABLE = 404, 416
_BUSY = {429, 500, 502, 503, 504}
_NO_BUCKET = "NoSuchBucket"
_OTHER_BYTES = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
"""What storage calls bytes that don't fit the sum that was sent with them."""


class BeyondEnd(StoreAway):
    """The file ends before the bytes that were asked for."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Who we are to the storage; the secret is in no representation of it."""

    id: str
    secret: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the storage is: `prefix` is what every key begins with, without a slash at either end."""

    url: str
    name: str
    prefix: str = ""
    is_path_style: bool = True
    """False where the bucket's name stands in the host's."""
    authority: Path | None = None
    """Certificates that sign the storage's, where the machine's own don't."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the storage may say or take nothing, and how often a request is made."""

    silent_seconds: float = 15.0
    tries: int = 3


def open_client(bucket: Bucket, key: AccessKey, patience: Patience) -> Any:
    """A client that may be used by several threads; takes a second, most of it the first time.

    boto3 has no types, so this is where they end: `S3Store` alone calls it.
    """
    # Here, since most installations have no such storage, and it is long in coming.
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        region_name=key.region,
        botocore_session=_session(),
    )
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=patience.silent_seconds,
        retries={"mode": "standard", "total_max_attempts": patience.tries},
        max_pool_connections=CONNECTIONS,
        proxies={},  # a proxy of the environment is no part of the court's storage
        ignore_configured_endpoint_urls=True,
        # Unasked, boto3 would add checksums of a kind and in a form that not every storage knows.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            "addressing_style": "path" if bucket.is_path_style else "virtual",
            "payload_signing_enabled": True,
        },
    )
    verify = True if bucket.authority is None else str(bucket.authority)
    return session.client("s3", endpoint_url=bucket.url, verify=verify, config=config)


def _session() -> Any:
    """A session that knows neither the environment's `AWS_…` nor the files and models below `~/.aws`."""
    from botocore.loaders import Loader
    from botocore.session import Session

    ours = {
        name: (None, None, None if name in {"config_file", "credentials_file"} else default, convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
    }
    session = Session(session_vars=ours)
    models = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    session.register_component("data_loader", models)
    return session


def storage_errors() -> tuple[type[Exception], ...]:
    """Everything that a call or the reading of an answer's body raises because of the storage or the way to it."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    # A ValueError is what boto3 makes of a number or a date that is none.
    return BotoCoreError, ClientError, ResponseParserError, HTTPError, OSError, ValueError


def told(error: Exception, path: str | None) -> Exception:
    """One of `storage_errors` as ours: `path` is what was asked for, None where it wasn't a file."""
    from botocore.exceptions import ClientError, ParamValidationError

    if isinstance(error, ParamValidationError):
        return StoreAway("store-refused", type(error).__name__)
    if not isinstance(error, ClientError):
        return StoreAway("store-away", type(error).__name__)
    status, code = _answered(error)
    if status == _RANGE_NOT_SATISFIABLE:
        return BeyondEnd("store-refused", str(status))
    if status == _NOT_FOUND and path is not None and code != _NO_BUCKET:
        return NotStored(path)
    if code in _OTHER_BYTES:
        return ChecksumMismatch(path or "", "sent")
    is_busy = status in _BUSY and code != NOT_IMPLEMENTED
    return StoreAway("store-busy" if is_busy else "store-refused", f"{status} {code}")


def _answered(error: Any) -> tuple[int, str]:
    """The status of an answer that is an error, and S3's own word for it where it has one."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)), code if code.isalnum() else ""

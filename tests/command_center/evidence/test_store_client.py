"""The storage's client does what our settings say, whatever the machine has set for AWS."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from command_center.evidence import store_s3
from command_center.evidence.store import CHUNK_BYTES, StoreAway, read_all
from command_center.evidence.store_client import Patience, open_client
from tests.command_center.evidence.test_store_s3 import BODY, PATH, SHA256, store_at
from tests.command_center.evidence.test_store_s3 import _body as pieces_of
from tests.support.ports import free_ports
from tests.support.s3 import KEY, BadLine, S3Server, bad_line
from tests.support.waiting import until

CONFIGURATION = """[profile other]
region = eu-west-1
endpoint_url = http://127.0.0.1:{port}
ca_bundle = /nowhere
s3 =
    addressing_style = virtual
    use_accelerate_endpoint = true
"""
CREDENTIALS = """[other]
aws_access_key_id = somebody
aws_secret_access_key = elses
aws_session_token = token
"""


@pytest.mark.parametrize("profile", ["other", "missing"])
async def test_nothing_that_the_machine_has_set_for_aws_is_used(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    (port,) = free_ports(1)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIGURATION.format(port=port))
    (tmp_path / ".aws" / "credentials").write_text(CREDENTIALS)
    (tmp_path / ".aws" / "models" / "s3" / "2006-03-01").mkdir(parents=True)
    (tmp_path / ".aws" / "models" / "s3" / "2006-03-01" / "service-2.json").write_text("{}")
    set_elsewhere = {
        "HOME": str(tmp_path),
        "AWS_PROFILE": profile,
        "AWS_CONFIG_FILE": str(tmp_path / ".aws" / "config"),
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "elses",
        "AWS_SESSION_TOKEN": "token",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CA_BUNDLE": "/nowhere",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        "AWS_MAX_ATTEMPTS": "9",
        "AWS_RETRY_MODE": "legacy",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
        "HTTPS_PROXY": f"http://127.0.0.1:{port}",
        "HTTP_PROXY": f"http://127.0.0.1:{port}",
    }
    for name, value in set_elsewhere.items():
        monkeypatch.setenv(name, value)
    client = open_client(s3.bucket(), KEY, Patience(tries=2))
    assert client.meta.endpoint_url == s3.url
    assert client.meta.region_name == KEY.region
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}
    assert config.s3["addressing_style"] == "path"
    assert config.request_checksum_calculation == "when_required"
    url = client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    assert KEY.id in url
    assert "token" not in url.lower()
    client.close()
    async with store_at(s3.bucket()) as store:
        await store.put(PATH, len(BODY), SHA256, pieces_of(BODY))
        assert await read_all(store, PATH) == BODY


async def test_a_listing_without_a_body_is_no_listing_without_files(s3: S3Server) -> None:
    async with bad_line(s3) as line:
        line.answers = 200
        async with store_at(line.bucket()) as store:
            with pytest.raises(StoreAway):
                await store.names()


async def test_what_begins_beyond_the_end_is_nothing(s3: S3Server) -> None:
    async with store_at(s3.bucket()) as store:
        await store.put(PATH, len(BODY), SHA256, pieces_of(BODY))
        assert [piece async for piece in store.open_range(PATH, len(BODY), len(BODY) + 9)] == []
        tail = [piece async for piece in store.open_range(PATH, len(BODY) - 5, len(BODY) + CHUNK_BYTES)]
        assert b"".join(tail) == BODY[-5:]


async def test_no_thread_stays_with_an_answer_that_was_given_up(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bad_line(s3) as line:
        async with store_at(line.bucket()) as store:
            await store.put(PATH, len(BODY), SHA256, pieces_of(BODY))
            monkeypatch.setattr(store_s3, "ANSWER_SECONDS", 0.3)
            monkeypatch.setattr(store_s3, "LEAST_BYTES_PER_SECOND", 10_000_000)
            line.is_slow = True
            with pytest.raises(StoreAway):
                await store.digest(PATH)
        # The rest of the answer would take a minute and more.
        await until(lambda: not _threads())


async def test_a_request_is_made_no_further_time_once_the_store_is_closed(s3: S3Server) -> None:
    async with bad_line(s3) as line:
        async with store_at(line.bucket()) as store:
            await store.put(PATH, len(BODY), SHA256, pieces_of(BODY))
            line.stalls = True
            asked = _asked(line)
            task = asyncio.create_task(store.exists(PATH))
            await until(lambda: _asked(line) > asked)
        with pytest.raises(StoreAway):
            await task
        assert _asked(line) == asked + 1
        await until(lambda: not _threads())


def _asked(line: BadLine) -> int:
    return len(line.seen)


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("storage")]


def test_the_secret_is_in_no_representation() -> None:
    assert KEY.secret not in repr(KEY)

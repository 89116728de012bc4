"""Our signatures are those that AWS's own library makes."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from command_center.evidence.store_signature import AccessKey, quoted_path, quoted_query, signed

AT = datetime(2026, 11, 28, 23, 59, 1, tzinfo=UTC)
KEY = AccessKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "cn-north-1")
SHA256 = "ab" * 32


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/bucket/court/recordings/feed-1/2026-11-28/x-0001.mp4", {}),
        ("PUT", "/bucket/a b/現場 (1)+~=&%/x.mp4", {}),
        ("GET", "/bucket/", {"list-type": "2", "prefix": "court/re c/", "continuation-token": "a+b/c==&"}),
        ("HEAD", "/x", {"empty": ""}),
    ],
)
def test_a_signature_is_the_one_of_awss_own_library(method: str, path: str, query: dict[str, str]) -> None:
    host = "storage.example.cn:9000"
    headers = {"host": host, "Range": "bytes=0-99", "x-amz-checksum-sha256": "q" * 43 + "="}
    ours = signed(KEY, method, path, query, headers, SHA256, AT)
    url = f"https://{host}{quoted_path(path)}" + (f"?{quoted_query(query)}" if query else "")
    request = AWSRequest(method=method, url=url, headers={**headers, "X-Amz-Content-SHA256": SHA256})
    with patch("botocore.auth.get_current_datetime", return_value=AT):
        signer = S3SigV4Auth(Credentials(KEY.id, KEY.secret), "s3", KEY.region)
        signer.payload = lambda _request: SHA256  # type: ignore[method-assign]
        signer.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def test_the_secret_is_in_no_representation() -> None:
    assert KEY.secret not in repr(KEY)

"""A file over HTTP, whole or in the part that a request's Range asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from command_center.api.problems import problem
from command_center.api.ranges import ByteRange, RangeRefused, read_range

Read = Callable[[ByteRange], Awaitable[AsyncIterator[bytes]]]


@dataclass(frozen=True, slots=True)
class SentFile:
    """What is told of a file; `etag` only where it can't change any more."""

    mime: str
    bytes: int
    etag: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


def is_of_beginning(request: Request) -> bool:
    """Whether it asks for the file's first bytes, and so for the file anew."""
    wanted = request.headers.get("range")
    return request.method == "GET" and (wanted is None or wanted.replace(" ", "").startswith("bytes=0-"))


async def send_file(file: SentFile, request: Request, read: Read) -> Response:
    """Answer with what is asked for of the file; `read` gives its bytes."""
    headers = {"accept-ranges": "bytes", "cache-control": "no-store", "content-type": file.mime, **file.headers}
    if file.etag is not None:
        headers["etag"] = file.etag
    if_range = request.headers.get("if-range")
    wanted = request.headers.get("range") if if_range is None or if_range == file.etag else None
    try:
        part = read_range(wanted, file.bytes)
    except RangeRefused:
        refusal = problem(416, "range-not-satisfiable")
        refusal.headers["content-range"] = f"bytes */{file.bytes}"
        return refusal
    status = 200
    if part is None:
        part = ByteRange(0, file.bytes - 1)
    else:
        status = 206
        headers["content-range"] = f"bytes {part.first}-{part.last}/{file.bytes}"
    headers["content-length"] = str(part.length)
    if request.method == "HEAD" or part.length == 0:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await read(part), status, headers)

"""Recordings over real HTTP: lists, ranges, growing files, and no path of ours in any answer."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from command_center.api.ranges import ByteRange, RangeRefused, read_range
from command_center.evidence.index import index_events
from tests.command_center.evidence.conftest import World
from tests.command_center.evidence.serving import served
from tests.support.manifests import make_recording


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with served(world, world.city) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        yield client


def segment(recording: UUID, number: int = 1) -> str:
    return f"/api/recordings/{recording}/segments/{number}"


def file_of(world: World, recording: UUID, number: int = 1) -> Path:
    return next(world.root.rglob(f"{recording}-{number:04}.*"))


async def test_the_whole_file_comes_with_its_length_type_and_hash(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(4.0)
    answer = await client.get(segment(recording))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.content == file_of(world, recording).read_bytes()
    head = await client.head(segment(recording))
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(answer.content)


async def test_any_part_can_be_had(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(4.0, codec="VP8")
    data = file_of(world, recording).read_bytes()
    size = len(data)
    for wanted, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=100-299", 100, 299),
        (f"bytes={size - 5}-", size - 5, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=10-{size * 9}", 10, size - 1),
        (f"bytes=-{size * 9}", 0, size - 1),
    ):
        answer = await client.get(segment(recording), headers={"Range": wanted})
        assert answer.status_code == 206, wanted
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == data[first : last + 1]
        assert answer.headers["content-type"] == "video/webm"


async def test_a_part_that_is_not_there_is_416_and_nonsense_is_ignored(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(2.0)
    size = file_of(world, recording).stat().st_size
    for wanted in (f"bytes={size}-", "bytes=-0"):
        answer = await client.get(segment(recording), headers={"Range": wanted})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{size}"
        assert answer.json()["code"] == "range-not-satisfiable"
    for wanted in ("bytes=5-2", "pages=1-2", "bytes=-", "bytes=a-b", "bytes=0-1,4-5"):
        answer = await client.get(segment(recording), headers={"Range": wanted})
        assert (answer.status_code, len(answer.content)) == (200, size)


async def test_a_changed_file_is_sent_whole_to_who_asks_by_its_old_tag(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(2.0)
    tag = (await client.head(segment(recording))).headers["etag"]
    part = {"Range": "bytes=0-9"}
    assert (await client.get(segment(recording), headers=part | {"If-Range": tag})).status_code == 206
    assert (await client.get(segment(recording), headers=part | {"If-Range": '"other"'})).status_code == 200


async def test_a_segment_that_grows_is_sent_as_far_as_it_is_whole(world: World, client: httpx.AsyncClient) -> None:
    made = make_recording(world.root, seconds=(2.0, 4.0), reason=None)
    await index_events(world.database, made.events)
    path, manifest = made.segments[1], made.manifest
    data, lines = path.read_bytes(), manifest.read_bytes().splitlines(keepends=True)
    begins = next(number for number, line in enumerate(lines) if b'"number":2,"path"' in line)
    manifest.write_bytes(b"".join(lines[: begins + 4]))
    index = (await client.get(f"/api/recordings/{made.recording}/index")).json()
    assert not index["is_complete"]
    assert [one["is_sealed"] for one in index["segments"]] == [True, False]
    own = [piece for piece in index["fragments"] if piece["segment"] == 2]
    whole = own[-1]["offset"] + own[-1]["length"]
    assert len(own) == 3
    assert index["segments"][1]["bytes"] == whole
    answer = await client.get(segment(made.recording, 2), headers={"Range": f"bytes={own[-1]['offset']}-"})
    assert answer.content == data[own[-1]["offset"] : whole]
    assert "etag" not in answer.headers
    manifest.write_bytes(b"".join(lines[: begins + 6]))
    had = {"after": len(index["fragments"])}
    more = (await client.get(f"/api/recordings/{made.recording}/index", params=had)).json()
    assert [piece["offset"] for piece in more["fragments"]][:1] == [whole]
    answer = await client.get(segment(made.recording, 2), headers={"Range": f"bytes={whole}-"})
    assert answer.content == data[whole : whole + sum(piece["length"] for piece in more["fragments"])]


async def test_lists_are_paged_and_tell_no_path(world: World, client: httpx.AsyncClient) -> None:
    made = [str(await world.record(2.0, begins=number * 10)) for number in range(3)]
    first = (await client.get("/api/recordings", params={"operation_id": world.operation, "limit": 2})).json()
    rest = (
        await client.get(
            "/api/recordings", params={"operation_id": world.operation, "limit": 2, "cursor": first["next"]}
        )
    ).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    texts = [(await client.get(f"/api/recordings/{made[0]}/index")).text, str(first)]
    missing = next(world.root.rglob(f"{made[1]}-0001.mp4"))
    missing.unlink()
    gone = await client.get(segment(UUID(made[1])))
    assert (gone.status_code, gone.json()["code"]) == (503, "recording-missing")
    for text in [*texts, gone.text, str(gone.headers)]:
        assert str(world.root) not in text
        assert "recordings/feed-1" not in text
        assert "feed-1/2027" not in text


async def test_what_is_not_there_or_not_asked_rightly_is_a_problem(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get(segment(uuid4()))).status_code == 404
    recording = await world.record(2.0)
    assert (await client.get(segment(recording, 9))).status_code == 404
    assert (await client.get(segment(recording, 0))).status_code == 422
    assert (await client.get("/api/recordings", params={"operation_id": uuid4()})).status_code == 404
    assert (await client.get("/api/recordings")).status_code == 422
    bad = await client.get("/api/recordings", params={"operation_id": world.operation, "cursor": "x"})
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-not-valid")
    async with served(world, world.district) as address, httpx.AsyncClient(base_url=address) as stranger:
        for path in ("", "/segments/1", "/index"):
            assert (await stranger.get(f"/api/recordings/{recording}{path}")).status_code == 404


def test_ranges_of_an_empty_file_can_not_be_had() -> None:
    assert read_range(None, 0) is None
    assert read_range("bytes=0-5", 6) == ByteRange(0, 5)
    assert read_range("bytes=0-" + "9" * 30, 6) is None
    for wanted in ("bytes=0-", "bytes=-5"):
        with pytest.raises(RangeRefused):
            read_range(wanted, 0)

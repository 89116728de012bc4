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
from tests.command_center.evidence.conftest import World, write_recording
from tests.command_center.evidence.serving import served


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with served(world, world.city) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        yield client


def media(recording: UUID) -> str:
    return f"/api/recordings/{recording}/media"


async def test_the_whole_file_comes_with_its_length_type_and_hash(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(4.0)
    answer = await client.get(media(recording))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.content == next(world.root.rglob("*.mp4")).read_bytes()
    head = await client.head(media(recording))
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(answer.content)


async def test_any_part_can_be_had(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(4.0, codec="VP8")
    data = next(world.root.rglob("*.webm")).read_bytes()
    size = len(data)
    for wanted, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=100-299", 100, 299),
        (f"bytes={size - 5}-", size - 5, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=10-{size * 9}", 10, size - 1),
        (f"bytes=-{size * 9}", 0, size - 1),
    ):
        answer = await client.get(media(recording), headers={"Range": wanted})
        assert answer.status_code == 206, wanted
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == data[first : last + 1]
        assert answer.headers["content-type"] == "video/webm"


async def test_a_part_that_is_not_there_is_416_and_nonsense_is_ignored(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(2.0)
    size = next(world.root.rglob("*.mp4")).stat().st_size
    for wanted in (f"bytes={size}-", "bytes=-0"):
        answer = await client.get(media(recording), headers={"Range": wanted})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{size}"
        assert answer.json()["code"] == "range-not-satisfiable"
    for wanted in ("bytes=5-2", "pages=1-2", "bytes=-", "bytes=a-b", "bytes=0-1,4-5"):
        answer = await client.get(media(recording), headers={"Range": wanted})
        assert (answer.status_code, len(answer.content)) == (200, size)


async def test_a_changed_file_is_sent_whole_to_who_asks_by_its_old_tag(world: World, client: httpx.AsyncClient) -> None:
    recording = await world.record(2.0)
    tag = (await client.head(media(recording))).headers["etag"]
    part = {"Range": "bytes=0-9"}
    assert (await client.get(media(recording), headers=part | {"If-Range": tag})).status_code == 206
    assert (await client.get(media(recording), headers=part | {"If-Range": '"other"'})).status_code == 200


async def test_a_recording_that_grows_is_sent_as_far_as_it_is_whole(world: World, client: httpx.AsyncClient) -> None:
    events = write_recording(world.root)
    await index_events(world.database, events[:1])
    recording = events[0].recording
    path = next(world.root.rglob("*.mp4"))
    manifest = path.with_suffix(".jsonl")
    data, lines = path.read_bytes(), manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[:4]))
    index = (await client.get(f"/api/recordings/{recording}/index")).json()
    last = index["fragments"][-1]
    whole = last["offset"] + last["length"]
    assert not index["is_complete"]
    assert len(index["fragments"]) == 3
    answer = await client.get(media(recording), headers={"Range": f"bytes={last['offset']}-"})
    assert answer.content == data[last["offset"] : whole]
    assert "etag" not in answer.headers
    manifest.write_bytes(b"".join(lines[:6]))
    more = (await client.get(f"/api/recordings/{recording}/index", params={"after": 3})).json()
    assert more["fragments"][0]["offset"] == whole
    answer = await client.get(media(recording), headers={"Range": f"bytes={whole}-"})
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
    track = await client.get(f"/api/recordings/{made[0]}/track")
    assert track.json()["points"] == []
    texts = [track.text, (await client.get(f"/api/recordings/{made[0]}/index")).text, str(first)]
    missing = next(world.root.rglob(f"{made[1]}.mp4"))
    missing.unlink()
    gone = await client.get(media(UUID(made[1])))
    assert (gone.status_code, gone.json()["code"]) == (503, "recording-missing")
    for text in [*texts, gone.text, str(gone.headers)]:
        assert str(world.root) not in text
        assert "recordings/feed-1" not in text
        assert "feed-1/2027" not in text


async def test_what_is_not_there_or_not_asked_rightly_is_a_problem(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get(media(uuid4()))).status_code == 404
    assert (await client.get("/api/recordings", params={"operation_id": uuid4()})).status_code == 404
    assert (await client.get("/api/recordings")).status_code == 422
    bad = await client.get("/api/recordings", params={"operation_id": world.operation, "cursor": "x"})
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor-not-valid")
    async with served(world, world.district) as address, httpx.AsyncClient(base_url=address) as stranger:
        recording = await world.record(2.0)
        for path in ("", "/media", "/index", "/track"):
            assert (await stranger.get(f"/api/recordings/{recording}{path}")).status_code == 404


def test_ranges_of_an_empty_file_can_not_be_had() -> None:
    assert read_range(None, 0) is None
    assert read_range("bytes=0-5", 6) == ByteRange(0, 5)
    assert read_range("bytes=0-" + "9" * 30, 6) is None
    for wanted in ("bytes=0-", "bytes=-5"):
        with pytest.raises(RangeRefused):
            read_range(wanted, 0)


def test_the_store_holds_nothing_but_recordings_and_manifests(world: World) -> None:
    write_recording(world.root)
    assert {path.suffix for path in world.root.rglob("*") if Path(path).is_file()} == {".mp4", ".jsonl"}

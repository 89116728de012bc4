"""A node that is killed at any moment leaves recordings that play without repair, at most a second short."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from streams.hub.topics import RecordingClosed, RecordingOpened
from streams.recording.events import RecordingEvent
from streams.recording.recorder import Recorder
from tests.streams.recording.publisher import H264, OPUS, Publisher, clip, tone
from tests.streams.recording.reading import check, decode, files, manifest_of
from tests.support.waiting import until

FRAME_SECONDS = 1 / 30


async def record_until_killed(root: Path, codec: str, seconds: float) -> float:
    """Let a child record, kill it `seconds` after it began; return how much of the clip it was given."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.streams.recording.recording_child", str(root), codec, "0",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    given = 0.0
    while given < seconds:
        line = await process.stdout.readline()
        if line.startswith(b"given"):
            given = float(line.split()[1])
    process.send_signal(signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    return max([given, *(float(line.split()[1]) for line in rest.splitlines() if line.startswith(b"given"))])


async def recovered(root: Path) -> list[RecordingEvent]:
    """What a new life of the node tells of the recordings that the old one left."""
    events: list[RecordingEvent] = []
    recorder = Recorder(root, "node-1", events.append)
    recorder.start()
    await until(lambda: any(isinstance(event, RecordingClosed) for event in events))
    await recorder.close()
    return events


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_recording_cut_off_by_kill_9_decodes_whole_and_loses_at_most_a_second(
    codec: str, tmp_path: Path
) -> None:
    random_ = random.Random(f"kill {codec}")
    moments = [random_.uniform(0.9, 3.0) for _ in range(4)]
    roots = [tmp_path / str(number) for number in range(len(moments))]
    given: list[float] = []
    for root, moment in zip(roots, moments, strict=True):
        given.append(await record_until_killed(root, codec, moment))
    for root, seconds in zip(roots, given, strict=True):
        (path,) = files(root)
        before = path.read_bytes()
        times = decode(path)
        length = times["video"][-1] + FRAME_SECONDS
        assert seconds - length <= 1.0
        assert len(times["video"]) == round(length / FRAME_SECONDS)

        opened, closed = await recovered(root)
        assert isinstance(opened, RecordingOpened)
        assert isinstance(closed, RecordingClosed)
        assert closed.reason == "node"
        assert closed.seconds == pytest.approx(length, abs=0.1)
        assert closed.ended_at - opened.started_at == pytest.approx(closed.seconds * 1000, abs=100)
        assert path.read_bytes() == before
        assert closed.sha256 == hashlib.sha256(before[: closed.bytes]).hexdigest()
        check(path)
        assert manifest_of(path).closed is not None


async def test_a_fragment_that_was_half_written_is_passed_over_by_players_and_by_the_recovery(tmp_path: Path) -> None:
    path = await written(tmp_path)
    lines = path.with_suffix(".jsonl").read_bytes().splitlines(keepends=True)
    manifest = manifest_of(path)
    last = manifest.fragments[-1]
    data = path.read_bytes()
    torn = data[: last.offset] + bytes(8) + data[last.offset + 8 : last.offset + last.length // 2]
    path.write_bytes(torn)
    path.with_suffix(".jsonl").write_bytes(b"".join(lines[:-2]) + lines[-2][:20])
    expected = len(decode(path)["video"])
    assert 100 <= expected < 120
    _, closed = await recovered(tmp_path)
    assert isinstance(closed, RecordingClosed)
    assert closed.bytes == last.offset
    assert path.read_bytes() == torn
    assert len(decode(path)["video"]) == expected


@pytest.mark.parametrize("unsynced_lines", [1, 4])
async def test_fragments_whose_lines_were_lost_are_found_again(tmp_path: Path, unsynced_lines: int) -> None:
    path = await written(tmp_path)
    before = manifest_of(path)
    lines = path.with_suffix(".jsonl").read_bytes().splitlines(keepends=True)
    path.with_suffix(".jsonl").write_bytes(b"".join(lines[: -1 - unsynced_lines]))
    _, closed = await recovered(tmp_path)
    assert isinstance(closed, RecordingClosed)
    after = manifest_of(path)
    assert [line.offset for line in after.fragments] == [line.offset for line in before.fragments]
    assert [line.is_key for line in after.fragments] == [line.is_key for line in before.fragments]
    assert after.fragments[-1].at == pytest.approx(before.fragments[-1].at, abs=5)
    assert before.closed is not None
    assert (closed.bytes, closed.sha256) == (before.closed.bytes, before.closed.sha256)
    assert closed.seconds == pytest.approx(before.closed.seconds, abs=0.02)


async def test_bytes_that_a_power_cut_took_do_not_count(tmp_path: Path) -> None:
    path = await written(tmp_path)
    manifest = manifest_of(path)
    lines = path.with_suffix(".jsonl").read_bytes().splitlines(keepends=True)
    path.with_suffix(".jsonl").write_bytes(b"".join(lines[:-1]))
    lost = manifest.fragments[-2]
    path.write_bytes(path.read_bytes()[: lost.offset] + bytes(lost.length))
    _, closed = await recovered(tmp_path)
    assert isinstance(closed, RecordingClosed)
    assert closed.bytes == lost.offset
    assert closed.seconds == pytest.approx(lost.start, abs=0.1)
    after = manifest_of(path)
    assert after.bytes == closed.bytes, "lines whose bytes are gone lead a player nowhere"
    assert after.fragments == manifest.fragments[:-2]


async def test_what_another_node_left_and_what_is_closed_is_not_touched(tmp_path: Path) -> None:
    path = await written(tmp_path)
    closed = path.with_suffix(".jsonl").read_bytes()
    foreign = path.with_name("foreign.jsonl")
    foreign.write_bytes(closed.splitlines(keepends=True)[0].replace(b'"node-1"', b'"node-2"'))
    empty = path.with_name("empty.jsonl")
    empty.write_bytes(b"")
    os.utime(empty, (0, 0))
    beginning = path.with_name("beginning.jsonl")
    beginning.write_bytes(b"")  # another node's, in the moment before its first line
    events: list[RecordingEvent] = []
    recorder = Recorder(tmp_path, "node-1", events.append)
    recorder.start()
    await until(lambda: not empty.exists())
    await recorder.close()
    assert events == []
    assert path.with_suffix(".jsonl").read_bytes() == closed
    assert foreign.read_bytes().count(b"\n") == 1
    assert beginning.exists()


async def written(root: Path) -> Path:
    """One recording of four seconds, complete."""
    recorder = Recorder(root, "node-1", lambda event: None)
    recorder.start()
    sink = recorder.open("feed-1", [H264, OPUS])
    for kind, packet, arrival_ns in Publisher([*clip("H264", 4.0), *tone(4.0)]).packets():
        sink.packet(kind, packet, arrival_ns)
    sink.close("ended")
    await until(lambda: recorder.open_recordings == 0)
    await recorder.close()
    (path,) = files(root)
    return path

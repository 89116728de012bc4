"""A node that is killed at any moment leaves recordings that play without repair, at most a second short."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from streams.recording.events import RecordingEvent
from streams.recording.manifest import read_manifest
from streams.recording.recorder import Recorder
from tests.streams.recording.publisher import H264, OPUS, Publisher, clip, tone
from tests.streams.recording.reading import (
    check,
    closed_in,
    decode,
    files,
    manifest_path_of,
    opened_in,
    segment_of,
)
from tests.support.signing import SIGNER
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
    recorder = Recorder(root, "node-1", SIGNER, events.append)
    recorder.start()
    await until(lambda: closed_in(events))
    await recorder.close()
    return events


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_recording_cut_off_by_kill_9_decodes_whole_and_loses_at_most_a_second(
    codec: str, tmp_path: Path
) -> None:
    random_ = random.Random(f"kill {codec}")
    moments = [random_.uniform(0.9, 3.0) for _ in range(4)]
    roots = [tmp_path / str(number) for number in range(len(moments))]
    given = await asyncio.gather(
        *(record_until_killed(root, codec, moment) for root, moment in zip(roots, moments, strict=True))
    )
    for root, seconds in zip(roots, given, strict=True):
        (path,) = files(root)
        before = path.read_bytes()
        times = decode(path)
        length = times["video"][-1] + FRAME_SECONDS
        assert seconds - length <= 1.0
        assert len(times["video"]) == round(length / FRAME_SECONDS)

        events = await recovered(root)
        (opened,), (closed,) = opened_in(events), closed_in(events)
        assert (closed.reason, closed.is_recovered) == ("node", True)
        assert closed.seconds == pytest.approx(length, abs=0.1)
        assert closed.ended_at - opened.started_at == pytest.approx(closed.seconds * 1000, abs=100)
        sealed = segment_of(path).sealed
        assert sealed is not None
        assert sealed.is_recovered
        assert path.read_bytes() == before[: sealed.bytes]
        assert sealed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        check(root)


async def test_a_fragment_that_was_half_written_is_passed_over_by_players_and_by_the_recovery(tmp_path: Path) -> None:
    path = await written(tmp_path)
    lines = manifest_path_of(path).read_bytes().splitlines(keepends=True)
    last = segment_of(path).fragments[-1]
    data = path.read_bytes()
    torn = data[: last.offset] + bytes(8) + data[last.offset + 8 : last.offset + last.length // 2]
    path.write_bytes(torn)
    manifest_path_of(path).write_bytes(b"".join(lines[:-3]) + lines[-3][:20])
    expected = len(decode(path)["video"])
    assert 100 <= expected < 120
    await recovered(tmp_path)
    sealed = segment_of(path).sealed
    assert sealed is not None
    assert sealed.bytes == last.offset
    assert path.read_bytes() == torn[: last.offset]
    assert path.with_name(f"{path.name}.torn").read_bytes() == torn[last.offset :], "what is cut off is kept beside"
    assert len(decode(path)["video"]) == expected
    check(tmp_path)


async def test_bytes_that_a_power_cut_took_do_not_count(tmp_path: Path) -> None:
    path = await written(tmp_path)
    before = segment_of(path).fragments
    lines = manifest_path_of(path).read_bytes().splitlines(keepends=True)
    manifest_path_of(path).write_bytes(b"".join(lines[:-2]))
    lost = before[-2]
    path.write_bytes(path.read_bytes()[: lost.offset] + bytes(lost.length))
    (closed,) = closed_in(await recovered(tmp_path))
    after = segment_of(path)
    assert after.sealed is not None
    assert after.sealed.bytes == lost.offset
    assert closed.seconds == pytest.approx(lost.start, abs=0.1)
    assert after.bytes == lost.offset, "lines whose bytes are gone lead a player nowhere"
    assert after.fragments == before[:-2]
    check(tmp_path)


async def test_what_another_node_left_and_what_is_closed_is_not_touched(tmp_path: Path) -> None:
    path = await written(tmp_path)
    closed = manifest_path_of(path).read_bytes()
    foreign = path.with_name("foreign.jsonl")
    foreign.write_bytes(closed.splitlines(keepends=True)[0].replace(b'"node-1"', b'"node-2"'))
    empty = path.with_name("empty.jsonl")
    empty.write_bytes(b"")
    os.utime(empty, (0, 0))
    beginning = path.with_name("beginning.jsonl")
    beginning.write_bytes(b"")  # another node's, in the moment before its first line
    events: list[RecordingEvent] = []
    recorder = Recorder(tmp_path, "node-1", SIGNER, events.append)
    recorder.start()
    await until(lambda: not empty.exists())
    await recorder.close()
    assert events == []
    assert manifest_path_of(path).read_bytes() == closed
    assert foreign.read_bytes().count(b"\n") == 1
    assert beginning.exists()


async def written(root: Path) -> Path:
    """One recording of four seconds, complete."""
    recorder = Recorder(root, "node-1", SIGNER, lambda event: None)
    recorder.start()
    sink = recorder.open("feed-1", [H264, OPUS])
    for kind, packet, arrival_ns in Publisher([*clip("H264", 4.0), *tone(4.0)]).packets():
        sink.packet(kind, packet, arrival_ns)
    sink.close("ended")
    await until(lambda: recorder.open_recordings == 0)
    await recorder.close()
    return files(root)[0]


async def test_a_crash_in_the_second_segment_costs_nothing_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 1_500_000_000)
    await written(tmp_path)
    first, second = files(tmp_path)
    before = segment_of(first)
    lines = manifest_path_of(second).read_bytes().splitlines(keepends=True)
    begun = next(number for number, line in enumerate(lines) if line.startswith(b'{"type":"segment","number":2'))
    manifest_path_of(second).write_bytes(b"".join(lines[: begun + 2]))
    beginning = second.with_name(second.name.replace("-0002", "-0003"))
    beginning.write_bytes(second.read_bytes()[: segment_of(second).line.header_bytes])
    events = await recovered(tmp_path)
    assert segment_of(first) == before
    assert len(decode(second)["video"]) == 12, "what a line tells of"
    assert [event.ordinal for event in events] == sorted({event.ordinal for event in events})
    assert not beginning.exists(), "nothing vouches for a file that only began"
    assert beginning.with_name(f"{beginning.name}.torn").exists()
    check(tmp_path)


async def test_a_recording_that_an_older_version_left_open_is_completed_in_its_way(tmp_path: Path) -> None:
    path = await written(tmp_path)
    segment = segment_of(path)
    old = path.with_name(path.name.replace("-0001", ""))
    path.rename(old)
    lines = [
        {**segment.line.model_dump(mode="json"), "type": "opened", "version": 1, "feed": "feed-1", "node": "node-1",
         "recording": old.stem, "path": old.relative_to(tmp_path).as_posix()},
        *(line.model_dump(mode="json", exclude={"segment", "sm3"}) for line in segment.fragments),
    ]  # fmt: skip
    torn = b"\n".join(json.dumps(line).encode() for line in lines) + b'\n{"type":"fr'
    old.with_suffix(".jsonl").write_bytes(torn)
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    recorder.start()
    await until(lambda: b'"closed"' in old.with_suffix(".jsonl").read_bytes())
    await recorder.close()
    manifest = read_manifest(old.with_suffix(".jsonl"))
    assert manifest is not None
    assert manifest.closed is not None
    (one,) = manifest.segments
    assert segment.sealed is not None
    assert one.sealed is not None
    assert (one.sealed.sha256, one.sealed.bytes) == (segment.sealed.sha256, segment.sealed.bytes)
    assert len(one.fragments) == len(segment.fragments)


async def test_a_fragment_damaged_long_before_the_crash_takes_nothing_with_it(tmp_path: Path) -> None:
    path = await written(tmp_path)
    before = segment_of(path)
    lines = manifest_path_of(path).read_bytes().splitlines(keepends=True)
    manifest_path_of(path).write_bytes(b"".join(lines[:-2]))
    data = bytearray(path.read_bytes())
    data[before.fragments[1].offset + 500] ^= 1
    path.write_bytes(data)
    await recovered(tmp_path)
    assert segment_of(path).fragments == before.fragments
    assert path.read_bytes() == data


async def untouched(root: Path) -> None:
    """A new life of the node changes nothing of what lies there."""
    before = {path: path.read_bytes() for path in root.glob("*/*/*")}
    events: list[RecordingEvent] = []
    recorder = Recorder(root, "node-1", SIGNER, events.append)
    recorder.start()
    await until(lambda: recorder.is_recovered)
    await recorder.close()
    assert events == []
    assert {path: path.read_bytes() for path in root.glob("*/*/*")} == before


@pytest.mark.parametrize("line", [0, 2, 3])
async def test_a_manifest_that_somebody_changed_is_left_as_it_is_with_all_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int
) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 1_500_000_000)
    path = manifest_path_of(await written(tmp_path))
    lines = path.read_bytes().splitlines(keepends=True)[:-1]
    lines[line] = (
        lines[line].replace(b'"', b"'", 1) if line == 0 else lines[line].replace(b'"sha256":"', b'"sha256":"0')
    )
    path.write_bytes(b"".join(lines))
    os.utime(path, (0, 0))
    await untouched(tmp_path)


async def test_an_unreadable_manifest_is_never_taken_away_with_what_it_tells_of(tmp_path: Path) -> None:
    path = manifest_path_of(await written(tmp_path))
    path.write_bytes(b"garbage\n")
    os.utime(path, (0, 0))
    await untouched(tmp_path)

"""The recorder's thread: events on the loop, bounded queues, and disks that fail without anybody waiting."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from streams.allocator import give_back
from streams.hub.topics import RecordingWritten
from streams.recording.events import RecordingEvent
from streams.recording.manifest import Closed, FragmentLine, Opened, Sealed, SegmentLine
from streams.recording.recorder import Recorder
from streams.recording.recording import RecordingFiles
from streams.recording.sink import ITEM_BYTES, WRITING_SECONDS, Dropped, RecordingSink
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.streams.recording.reading import check, closed_in, decode, files, manifest_of, manifest_path_of, segment_of
from tests.support.signing import SIGNER
from tests.support.waiting import until


async def test_events_come_in_order_on_the_loop_and_closing_the_node_ends_what_is_open(tmp_path: Path) -> None:
    events: list[RecordingEvent] = []
    threads: set[str] = set()

    def told(event: RecordingEvent) -> None:
        events.append(event)
        threads.add(threading.current_thread().name)

    recorder = Recorder(tmp_path, "node-1", SIGNER, told)
    recorder.start()
    sinks = [recorder.open("feed-1", [H264, OPUS]), recorder.open("feed-2", [VP8, OPUS])]
    start_ns = time.time_ns()
    first = Publisher([*clip("H264", 2.0), *tone(2.0)], start_ns=start_ns)
    second = Publisher([*clip("VP8", 2.0), *tone(2.0)], start_ns=start_ns, video_payload_type=96)
    for sink, publisher in zip(sinks, (first, second), strict=True):
        for packet in publisher.packets():
            sink.packet(*packet)
    await until(
        lambda: {event.feed for event in events if isinstance(event.line, FragmentLine)} == {"feed-1", "feed-2"}
    )
    sinks[0].close("ended")
    await until(lambda: closed_in(events))
    await recorder.close()
    assert threads == {threading.main_thread().name}
    for feed, reason in (("feed-1", "ended"), ("feed-2", "node")):
        told_of = [event for event in events if event.feed == feed]
        kinds = [type(event.line) for event in told_of]
        assert kinds[:2] == [Opened, SegmentLine]
        assert set(kinds[2:-2]) == {FragmentLine}
        assert kinds[-2:] == [Sealed, Closed]
        assert [one.reason for one in closed_in(told_of)] == [reason]
        ordinals = [event.ordinal for event in told_of]
        assert ordinals == sorted(set(ordinals))
    check(tmp_path)
    for path in files(tmp_path):
        assert len(decode(path)["video"]) == 60


async def test_a_key_frame_is_asked_for_on_the_loop_when_a_recording_can_not_start(tmp_path: Path) -> None:
    asked: list[str] = []
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    recorder.start()
    sink = recorder.open(
        "feed-1", [H264, OPUS], request_key_frame=lambda: asked.append(threading.current_thread().name)
    )
    packets = list(Publisher(list(clip("H264", 2.0)), start_ns=time.time_ns() - 1_000_000_000).packets())
    for packet in packets[-40:]:
        sink.packet(*packet)
    await until(lambda: asked)
    await recorder.close()
    assert asked == [threading.main_thread().name]
    assert files(tmp_path) == []


async def test_a_sink_is_writing_only_while_fragments_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    recorder.start()
    sink = recorder.open("feed-1", [H264, OPUS])
    packets = list(Publisher([*clip("H264", 6.0), *tone(6.0)], start_ns=time.time_ns()).packets())
    first, second = len(packets) // 5, len(packets) * 3 // 10  # a new file needs two seconds and a key frame
    assert not sink.is_writing(time.monotonic()), "nothing has come yet"
    for packet in packets[:first]:
        sink.packet(*packet)
    await until(lambda: sink.is_writing(time.monotonic()))
    assert not sink.is_writing(time.monotonic() + WRITING_SECONDS), "a thread that is dead or hangs writes nothing"
    with monkeypatch.context() as full:
        full.setattr(RecordingFiles, "append", _no_space)
        for packet in packets[first:second]:
            sink.packet(*packet)
        await until(lambda: recorder.counters.write_failures > 0)
        await until(lambda: sink.trouble(time.monotonic()) == "disk_full")
        await until(lambda: not sink.is_writing(time.monotonic()), WRITING_SECONDS / 2)
    for packet in packets[second:]:
        sink.packet(*packet)
    await until(lambda: sink.is_writing(time.monotonic()))
    assert sink.trouble(time.monotonic()) is None
    sink.close("ended")
    await until(lambda: not sink.is_writing(time.monotonic()), WRITING_SECONDS / 2)
    await recorder.close()


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left on device")


async def test_a_store_that_can_not_be_listed_does_not_end_the_recorder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(root: Path) -> list[Path]:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("streams.recording.recorder.manifests", unreadable)
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    recorder.start()
    sink = recorder.open("feed-1", [H264, OPUS])
    for packet in Publisher([*clip("H264", 2.0), *tone(2.0)], start_ns=time.time_ns()).packets():
        sink.packet(*packet)
    await until(lambda: sink.is_writing(time.monotonic()))
    assert recorder.is_running
    await recorder.close()
    assert not recorder.is_running


def test_a_queue_that_is_full_drops_counts_and_tells() -> None:
    sink = RecordingSink("feed-1", bound=1000 + 10 * ITEM_BYTES, request_key_frame=None)
    for number in range(20):
        sink.packet("video", bytes(100), number + 1)
    assert sink.dropped == 9
    kept = [sink.take() for _ in range(11)]
    assert all(isinstance(item, tuple) for item in kept)
    sink.packet("video", bytes(100), 50)
    gap, packet = sink.take(), sink.take()
    assert not isinstance(gap, tuple)
    assert (getattr(gap, "since_ns", 0), getattr(gap, "until_ns", 0), getattr(gap, "packets", 0)) == (12, 50, 9)
    assert packet == ("video", bytes(100), 50)
    assert sink.take() is None


async def test_a_disk_that_refuses_to_grow_a_file_costs_a_typed_gap_and_no_packet_of_the_forwarding(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.streams.recording.recording_child", str(tmp_path), "H264", "300000",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    lines = output.decode().splitlines()
    events = [RecordingWritten.model_validate_json(line) for line in lines if line.startswith("{")]
    facts = dict(line.split() for line in lines if line.startswith(("failures", "dropped")))
    assert int(facts["failures"]) >= 1
    assert facts["dropped"] == "0"
    paths = files(tmp_path)
    assert len(paths) >= 2
    check(tmp_path)
    for path in paths:
        assert path.stat().st_size <= 300_000
        assert len(decode(path)["video"]) > 20
    reasons = [one.reason for one in closed_in(events)]
    assert reasons[0] == "disk"
    assert reasons[-1] in ("ended", "disk")
    first, second = manifest_of(paths[0]), manifest_of(paths[1])
    (gap,) = [gap for gap in second.gaps if gap.kind == "disk_failed"]
    assert first.closed is not None
    assert gap.since == first.closed.ended_at
    assert gap.until == second.opened.started_at


async def test_a_folder_that_can_not_be_written_is_tried_again(tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    events: list[RecordingEvent] = []
    recorder = Recorder(root, "node-1", SIGNER, events.append)
    recorder.start()
    blocked = root / "feed-1"
    blocked.write_text("a file stands where the folder should be")
    sink = recorder.open("feed-1", [H264, OPUS])
    units = [*clip("H264", 6.0), *tone(6.0)]
    start_ns = time.time_ns() - 6_000_000_000
    packets = list(Publisher(units, start_ns=start_ns).packets())
    early = [packet for packet in packets if packet[2] < start_ns + 1e9]
    for packet in early:
        sink.packet(*packet)
    await until(lambda: recorder.counters.write_failures == 1)
    assert events == []
    blocked.unlink()
    for packet in packets[len(early) :]:
        sink.packet(*packet)
    sink.close("ended")
    await until(lambda: recorder.open_recordings == 0)
    await recorder.close()
    path = files(root)[-1]
    assert [gap.kind for gap in manifest_of(path).gaps] == ["disk_failed"]
    assert len(decode(path)["video"]) >= 60


async def test_what_came_together_while_the_disk_stalled_is_given_back_to_the_machine(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    sinks = [recorder.open(f"feed-{number}", [H264, OPUS]) for number in range(5)]
    gc.collect()
    give_back()  # what other tests left: it would be filled first
    before = _resident()
    others = []  # what lives on between them keeps the allocator from giving anything back by itself
    while not all(sink.dropped for sink in sinks):
        for sink in sinks * 20:
            sink.packet("video", os.urandom(1100), time.time_ns())
        others.append(bytearray(600))
    full = _resident()
    assert full - before > 60_000_000
    recorder.start()
    await until(lambda: _resident() - before < (full - before) / 3, seconds=20)
    await recorder.close()
    assert others


def _resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_reports_without_end_do_not_get_past_the_bound() -> None:
    sink = RecordingSink("feed-1", bound=10 * ITEM_BYTES, request_key_frame=None)
    for number in range(1000):
        sink.report("video", number, number)
    taken = 0
    while sink.take() is not None:
        taken += 1
    assert taken == 11
    sink.packet("video", bytes(100), 1)
    assert sink.take() == ("video", bytes(100), 1)


def test_what_was_dropped_at_the_very_end_is_told_too() -> None:
    sink = RecordingSink("feed-1", bound=1000, request_key_frame=None)
    for number in range(20):
        sink.packet("video", bytes(100), number + 1)
    sink.close("ended")
    items = []
    while (item := sink.take()) is not None:
        items.append(item)
    assert items[-1] == Dropped(since_ns=items[-1].since_ns, until_ns=20, packets=sink.dropped)  # type: ignore[union-attr]


async def test_a_gap_that_no_recording_could_tell_of_is_told_by_the_feeds_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    recorder.start()
    publisher = Publisher([*clip("H264", 6.0), *tone(6.0)], start_ns=time.time_ns() - 6_000_000_000)
    packets = list(publisher.packets())
    with monkeypatch.context() as full:
        full.setattr(RecordingFiles, "append", _no_space)
        full.setattr(RecordingFiles, "begin_segment", _no_space)
        sink = recorder.open("feed-1", [H264, OPUS])
        for packet in packets[: len(packets) // 2]:
            sink.packet(*packet)
        sink.close("ended")
        await until(lambda: recorder.open_recordings == 0)
    sink = recorder.open("feed-1", [H264, OPUS])
    for packet in packets[len(packets) // 2 :]:
        sink.packet(*packet)
    sink.close("ended")
    await until(lambda: recorder.open_recordings == 0)
    await recorder.close()
    (path,) = files(tmp_path)
    (gap,) = manifest_of(path).gaps
    assert gap.kind == "disk_full"
    assert 500 < gap.until - gap.since < 3500


async def test_only_what_a_failing_disk_has_taken_for_good_is_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path, "node-1", SIGNER, lambda event: None)
    recorder.start()
    sink = recorder.open("feed-1", [H264, OPUS])
    packets = list(Publisher([*clip("H264", 6.0), *tone(6.0)], start_ns=time.time_ns() - 6_000_000_000).packets())
    for packet in packets[: len(packets) // 2]:
        sink.packet(*packet)
    await until(lambda: sink.is_writing(time.monotonic()))
    calls = iter([OSError(errno.EIO, "input/output error")])

    def sync(descriptor: int) -> None:
        if threading.current_thread().name == "recorder" and (error := next(calls, None)) is not None:
            raise error
        fdatasync(descriptor)

    fdatasync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", sync)
    for packet in packets[len(packets) // 2 :]:
        sink.packet(*packet)
    await until(lambda: recorder.counters.write_failures == 1)
    await recorder.close()
    check(tmp_path)
    first = segment_of(files(tmp_path)[0])
    assert first.sealed is not None
    assert first.sealed.is_recovered
    lines = manifest_path_of(files(tmp_path)[0]).read_bytes().count(b'{"type":"fragment"')
    assert 0 < first.sealed.fragments < lines

"""A feed's packets become files that decode whole, tied in time, with every hole typed."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path

import av
import pytest

from streams.recording.events import RecordingEvent
from streams.recording.manifest import GapKind
from streams.recording.sink import Dropped, Paused, Report
from streams.recording.timeline import NANOSECONDS
from streams.recording.writer import Counters, FeedWriter
from streams.sfu.track import Kind, Track
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.streams.recording.reading import check, closed_in, decode, files, manifest_of, opened_in, place, segment_of

Packet = tuple[Kind, bytes, int]


class Recorded:
    """A writer on a folder, given packets as time passes in them."""

    def __init__(self, root: Path, *tracks: Track) -> None:
        self.root = root
        self.events: list[RecordingEvent] = []
        self.counters = Counters()
        self.key_frames_wanted = 0
        self.writer = FeedWriter(place(root), "feed-1", tracks, self.counters, self.events.append, self._want)
        self._stepped_ns = 0

    def _want(self) -> None:
        self.key_frames_wanted += 1

    def give(self, packets: list[Packet]) -> None:
        for packet in packets:
            self.pass_time(packet[2])
            self.writer.take(packet)

    def pass_time(self, now_ns: int) -> None:
        if self._stepped_ns == 0 or now_ns - self._stepped_ns > 50_000_000:
            self._stepped_ns = now_ns
            self.writer.step(now_ns)

    def only_file(self) -> Path:
        (path,) = files(self.root)
        return path


def published(codec: str, seconds: float, **options: object) -> tuple[Publisher, Track]:
    publisher = Publisher([*clip(codec, seconds), *tone(seconds)], **options)  # type: ignore[arg-type]
    publisher.video_payload_type = 102 if codec == "H264" else 96
    return publisher, H264 if codec == "H264" else VP8


@pytest.mark.parametrize(("codec", "suffix"), [("H264", ".mp4"), ("VP8", ".webm")])
def test_a_feed_becomes_one_file_that_decodes_frame_for_frame(codec: str, suffix: str, tmp_path: Path) -> None:
    publisher, track = published(codec, 4.0)
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(publisher.packets()))
    recorded.writer.close("ended")
    path = recorded.only_file()
    assert path.suffix == suffix
    times = decode(path)
    assert len(times["video"]) == 120
    assert len(times["audio"]) == 200
    assert times["video"][0] == 0
    check(tmp_path)
    segment = segment_of(path)
    assert all(line.seconds <= 1 for line in segment.fragments)
    assert [line.is_key for line in segment.fragments].count(True) == 2
    assert manifest_of(path).gaps == []
    (opened,), (closed,) = opened_in(recorded.events), closed_in(recorded.events)
    assert segment.line.path == path.relative_to(tmp_path).as_posix()
    assert opened.started_at == segment.line.started_at == publisher.start_ns // 1_000_000
    assert closed.reason == "ended"
    assert segment.sealed is not None
    assert segment.sealed.bytes == path.stat().st_size
    assert closed.seconds == pytest.approx(4.0, abs=0.05)


def test_nothing_is_coded_anew(tmp_path: Path) -> None:
    publisher, track = published("H264", 2.0)
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(publisher.packets()))
    recorded.writer.close("ended")
    data = recorded.only_file().read_bytes()
    for unit in publisher.units:
        if unit.kind == "audio":
            assert unit.payloads[0] in data
        else:
            assert unit.payloads[-1][-40:] in data


def test_sound_that_comes_late_is_put_right_by_sender_reports(tmp_path: Path) -> None:
    publisher, track = published("H264", 4.0, audio_delay=0.25)
    recorded = Recorded(tmp_path, track, OPUS)
    reported = False
    for packet in publisher.packets():
        if not reported and packet[2] > publisher.start_ns + 500_000_000:
            recorded.writer.take(Report(*publisher.report("video", 0.5)))
            recorded.writer.take(Report(*publisher.report("audio", 0.5)))
            reported = True
        recorded.give([packet])
    recorded.writer.close("ended")
    times = decode(recorded.only_file())
    # Picture 90 and sound 150 were taken at the same instant, three seconds from the start.
    assert abs(times["video"][90] - times["audio"][150]) <= 0.02
    assert abs(times["video"][2] - times["audio"][3]) > 0.15  # before the reports nothing else could be known
    steps = [later - earlier for earlier, later in itertools.pairwise(times["video"])]
    assert max(steps) < 0.06


def test_lost_packets_are_a_typed_gap_and_the_rest_is_kept(tmp_path: Path) -> None:
    publisher, track = published("H264", 4.0)
    recorded = Recorded(tmp_path, track, OPUS)
    random_ = random.Random(11)
    packets = list(publisher.packets())
    hole = (publisher.start_ns + 1_500_000_000, publisher.start_ns + 1_700_000_000)
    given = [packet for packet in packets if not (packet[0] == "video" and hole[0] <= packet[2] < hole[1])]
    late = [packet for packet in given if packet[0] == "video" and random_.random() < 0.1]
    for packet in late:  # a tenth comes again later, as retransmissions do
        given.remove(packet)
        given.append((packet[0], packet[1], packet[2] + 150_000_000))
    given.sort(key=lambda packet: packet[2])
    recorded.give(given)
    recorded.writer.close("ended")
    path = recorded.only_file()
    check(tmp_path)
    gaps = [gap for gap in manifest_of(path).gaps if gap.track == "video"]
    assert [gap.kind for gap in gaps] == ["network"]
    assert gaps[0].since == pytest.approx(hole[0] / 1e6, abs=60)
    assert gaps[0].until == pytest.approx(hole[1] / 1e6, abs=60)
    assert recorded.counters.lost_packets == gaps[0].packets > 0
    with av.open(str(path)) as container:
        kept = sum(1 for packet in container.demux(video=0) if packet.size)
    assert kept == 114


def test_covered_time_and_gaps_make_up_the_wall_time(tmp_path: Path) -> None:
    publisher, track = published("H264", 8.0)
    recorded = Recorded(tmp_path, track, OPUS)
    start = publisher.start_ns
    packets = list(publisher.packets())
    recorded.give([packet for packet in packets if packet[2] < start + 2e9 or packet[2] >= start + 5e9])
    recorded.writer.close("ended")
    manifest = manifest_of(recorded.only_file())
    video = [gap for gap in manifest.gaps if gap.track == "video"]
    assert sum(gap.until - gap.since for gap in video) == pytest.approx(3000, abs=100)
    assert manifest.closed is not None
    assert manifest.closed.seconds == pytest.approx(8.0, abs=0.1)
    last = manifest.segments[-1].fragments[-1]
    assert last.at == pytest.approx(start // 1_000_000 + 1000 * last.start, abs=5)


def test_a_recording_starts_with_a_key_frame_and_asks_for_one(tmp_path: Path) -> None:
    publisher, track = published("H264", 4.0)
    recorded = Recorded(tmp_path, track, OPUS)
    packets = [packet for packet in publisher.packets() if packet[2] > publisher.start_ns + 500_000_000]
    recorded.give(packets)
    assert recorded.key_frames_wanted >= 1
    recorded.writer.close("ended")
    path = recorded.only_file()
    times = decode(path)
    assert len(times["video"]) == 60
    assert manifest_of(path).opened.started_at == publisher.start_ns // 1_000_000 + 2000


def test_another_source_starts_another_file(tmp_path: Path) -> None:
    first, track = published("H264", 2.0)
    second, _ = published("H264", 2.0, seed=9, start_ns=first.start_ns + 2_000_000_000)
    second.ssrc = {"video": 0x3333, "audio": 0x4444}
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(first.packets()))
    recorded.give(list(second.packets()))
    recorded.writer.close("ended")
    paths = files(tmp_path)
    assert len(paths) >= 2
    closed = [one.reason for one in closed_in(recorded.events)]
    assert closed[0] == "codec"
    assert closed[-1] == "ended"
    assert sum(len(decode(path)["video"]) for path in paths) >= 119


def test_ten_seconds_of_nothing_end_a_recording_by_the_network(tmp_path: Path) -> None:
    publisher, track = published("H264", 2.0)
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(publisher.packets()))
    recorded.pass_time(publisher.start_ns + 11_000_000_000)
    assert not closed_in(recorded.events)
    recorded.pass_time(publisher.start_ns + 13_000_000_000)
    (closed,) = closed_in(recorded.events)
    assert closed.reason == "network"
    assert closed.seconds == pytest.approx(2.0, abs=0.05)


def test_a_feed_without_sound_and_one_without_picture_are_recorded(tmp_path: Path) -> None:
    silent = Recorded(tmp_path / "silent", H264, OPUS)
    silent.give(list(Publisher(list(clip("H264", 2.0))).packets()))
    silent.writer.close("ended")
    assert set(decode(silent.only_file())) == {"video"}
    blind = Recorded(tmp_path / "blind", H264, OPUS)
    blind.give(list(Publisher(list(tone(6.0))).packets()))
    blind.writer.close("ended")
    path = blind.only_file()
    assert set(decode(path)) == {"audio"}
    assert segment_of(path).line.video is None
    assert len(decode(path)["audio"]) > 140


def joined(recorded: Recorded) -> list[Path]:
    """The segments' files of the one recording, each beginning where the pictures of the one before end."""
    paths = files(recorded.root)
    segments = manifest_of(paths[0]).segments
    assert len(segments) == len(paths)
    for before, after in itertools.pairwise(segments):
        assert after.line.start == pytest.approx(before.line.start + before.seconds, abs=0.15)
    return paths


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_picture_that_changes_its_size_goes_on_in_another_segment_without_a_hole(codec: str, tmp_path: Path) -> None:
    small, track = published(codec, 2.0)
    large = [replace(unit, seconds=unit.seconds + 2) for unit in clip(codec, 2.0, width=640, height=480)]  # type: ignore[arg-type]
    small.units = [unit for unit in small.units if unit.kind == "video"] + large + list(tone(4.0))
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(small.packets()))
    recorded.writer.close("ended")
    check(tmp_path)
    paths = joined(recorded)
    assert [(segment.line.width, segment.line.height) for segment in manifest_of(paths[0]).segments] == [
        (320, 240), (640, 480),
    ]  # fmt: skip
    assert [segment_of(path).line.reason for path in paths] == ["start", "size"]
    times = [decode(path) for path in paths]
    assert [len(each["video"]) for each in times] == [60, 60]
    assert sum(len(each["audio"]) for each in times) == 200
    assert len(closed_in(recorded.events)) == 1
    assert manifest_of(paths[0]).gaps == []


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_segment_is_about_a_minute_and_the_next_begins_where_it_ends(
    codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 3_000_000_000)
    publisher, track = published(codec, 12.0, audio_delay=0.1)
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(publisher.packets()))
    recorded.writer.close("ended")
    check(tmp_path)
    paths = joined(recorded)
    segments = [segment_of(path) for path in paths]
    assert [segment.line.start for segment in segments] == [0.0, 4.0, 8.0]
    assert all(segment.fragments[0].is_key and segment.sealed for segment in segments)
    times = [decode(path) for path in paths]
    assert sum(len(each["video"]) for each in times) == 360
    assert sum(len(each["audio"]) for each in times) == pytest.approx(600, abs=6), "sound that came late is kept too"
    heard = sorted(
        segment.line.start + time for segment, each in zip(segments, times, strict=True) for time in each["audio"]
    )
    assert max(later - earlier for earlier, later in itertools.pairwise(heard)) < 0.03
    assert segments[-1].line.started_at == publisher.start_ns // 1_000_000 + 8000


def test_sound_alone_is_cut_into_segments_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 3_000_000_000)
    recorded = Recorded(tmp_path, OPUS)
    recorded.give(list(Publisher(list(tone(8.0))).packets()))
    recorded.writer.close("ended")
    check(tmp_path)
    paths = joined(recorded)
    assert len(paths) == 3
    assert sum(len(decode(path)["audio"]) for path in paths) == 400


def test_after_an_hour_another_recording_begins_without_a_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 1_500_000_000)
    monkeypatch.setattr("streams.recording.writer.RECORDING_NS", 4_000_000_000)
    publisher, track = published("H264", 8.0)
    recorded = Recorded(tmp_path, track, OPUS)
    recorded.give(list(publisher.packets()))
    recorded.writer.close("ended")
    check(tmp_path)
    first, second = closed_in(recorded.events)
    assert (first.reason, second.reason) == ("length", "ended")
    begun = opened_in(recorded.events)
    assert begun[1].started_at == publisher.start_ns // 1_000_000 + 4000
    times = [decode(path) for path in files(tmp_path)]
    assert sum(len(each["video"]) for each in times) == 240
    assert sum(len(each["audio"]) for each in times) == 400


def test_sound_that_has_stopped_before_a_segment_begins_is_stood_for_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.recording.writer.SEGMENT_NS", 3_000_000_000)
    publisher, track = published("H264", 8.0)
    recorded = Recorded(tmp_path, track, OPUS)
    start = publisher.start_ns
    recorded.give([item for item in publisher.packets() if item[0] == "video" or item[2] < start + 2e9])
    recorded.writer.close("ended")
    check(tmp_path)
    last = files(tmp_path)[-1]
    with av.open(str(last)) as container:
        sound = [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size]
    assert sound[0] == 0
    assert sound[-1] > 2.5


@pytest.mark.parametrize(("cause", "reason"), [("camera", "camera"), ("officer", "ended"), ("network", "network")])
def test_a_pause_is_typed_by_what_its_node_knows_of_it(cause: GapKind, reason: str, tmp_path: Path) -> None:
    publisher, track = published("H264", 8.0)
    recorded = Recorded(tmp_path, track, OPUS)
    start = publisher.start_ns
    packets = list(publisher.packets())
    recorded.give([packet for packet in packets if packet[2] < start + 2e9])
    recorded.writer.take(Paused(cause))
    recorded.give([packet for packet in packets if packet[2] >= start + 6e9])
    recorded.writer.take(Paused(None))
    gaps = manifest_of(recorded.only_file()).gaps
    assert {gap.kind for gap in gaps} == {cause}
    assert {gap.track for gap in gaps} == {"video", "audio"}
    recorded.writer.take(Paused(cause))
    for seconds in range(8, 20):
        recorded.pass_time(start + seconds * NANOSECONDS)
    assert [one.reason for one in closed_in(recorded.events)] == [reason]


def test_a_device_whose_clock_is_wrong_by_ten_minutes_moves_no_frame_and_is_written_down(tmp_path: Path) -> None:
    publisher, track = published("H264", 4.0)
    recorded = Recorded(tmp_path, track, OPUS)
    wrong = 600 << 32
    reported = False
    for packet in publisher.packets():
        if not reported and packet[2] > publisher.start_ns + 500_000_000:
            for kind in ("video", "audio"):
                _, ntp, timestamp = publisher.report(kind, 0.5)  # type: ignore[arg-type]
                recorded.writer.take(Report(kind, ntp + wrong, timestamp))  # type: ignore[arg-type]
            reported = True
        recorded.give([packet])
    recorded.writer.close("ended")
    segment = segment_of(recorded.only_file())
    for line in segment.fragments:
        assert line.at == pytest.approx(publisher.start_ns // 1_000_000 + 1000 * line.start, abs=5)
    assert segment.sealed is not None
    assert segment.sealed.device_offset_ms == pytest.approx(600_000, abs=20)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_sound_that_stops_does_not_stop_the_picture(codec: str, tmp_path: Path) -> None:
    publisher, track = published(codec, 10.0)
    recorded = Recorded(tmp_path, track, OPUS)
    start = publisher.start_ns
    recorded.give(
        [item for item in publisher.packets() if item[0] == "video" or not start + 3e9 <= item[2] < start + 7e9]
    )
    recorded.writer.close("ended")
    path = recorded.only_file()
    check(tmp_path)
    times = decode(path)
    assert len(times["video"]) == 300
    with av.open(str(path)) as container:
        sound = [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size]
    steps = [later - earlier for earlier, later in itertools.pairwise(sound)]
    assert max(steps) < 0.5
    assert min(steps) > 0
    assert sound[-1] == pytest.approx(9.98, abs=0.02)
    (gap,) = [gap for gap in manifest_of(path).gaps if gap.track == "audio"]
    assert gap.until - gap.since == pytest.approx(4000, abs=60)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_picture_that_stands_still_lasts_until_the_next_one(codec: str, tmp_path: Path) -> None:
    publisher, track = published(codec, 10.0)
    recorded = Recorded(tmp_path, track, OPUS)
    start = publisher.start_ns
    recorded.give(
        [item for item in publisher.packets() if item[0] == "audio" or not start + 3e9 <= item[2] < start + 7e9]
    )
    recorded.writer.close("ended")
    path = recorded.only_file()
    check(tmp_path)
    times = decode(path)
    assert len(times["audio"]) == 500
    steps = [later - earlier for earlier, later in itertools.pairwise(times["video"])]
    # VP8 can't go on without a key frame, and that comes a second later.
    assert max(steps) == pytest.approx(4.0 if codec == "H264" else 5.0, abs=0.1)
    starts = [line.start for line in segment_of(path).fragments]
    assert starts == sorted(starts)


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_track_that_ends_before_the_other_is_missing_from_there_on(kind: Kind, tmp_path: Path) -> None:
    publisher, track = published("H264", 9.0)
    recorded = Recorded(tmp_path, track, OPUS)
    start = publisher.start_ns
    packets = [item for item in publisher.packets() if item[0] != kind or item[2] < start + 2e9]
    recorded.give([item for item in packets if item[2] < start + 8e9])
    (told,) = manifest_of(recorded.only_file()).gaps
    assert (told.kind, told.track) == ("network", kind)
    assert told.until - told.since == pytest.approx(5000, abs=100), "told while it lasts: a crash may end it"
    recorded.give([item for item in packets if item[2] >= start + 8e9])
    recorded.writer.close("ended")
    manifest = manifest_of(recorded.only_file())
    first, second = manifest.gaps
    assert (second.kind, second.track, second.since) == ("network", kind, first.until)
    assert manifest.closed is not None
    assert second.until == pytest.approx(manifest.closed.ended_at, abs=50)
    check(tmp_path)


def test_a_full_queue_is_a_typed_gap_and_not_laid_at_the_networks_door(tmp_path: Path) -> None:
    publisher, track = published("H264", 4.0)
    recorded = Recorded(tmp_path, track, OPUS)
    since, until = publisher.start_ns + 1_000_000_000, publisher.start_ns + 1_400_000_000
    packets = list(publisher.packets())
    recorded.give([packet for packet in packets if packet[2] < since])
    recorded.writer.take(Dropped(since, until, 40))
    recorded.give([packet for packet in packets if packet[2] >= until])
    recorded.writer.close("ended")
    gaps = manifest_of(recorded.only_file()).gaps
    assert {gap.kind for gap in gaps} == {"disk_slow"}
    assert (gaps[0].track, gaps[0].packets, gaps[0].until - gaps[0].since) == ("both", 40, 400)
    assert recorded.counters.dropped_packets == 40


def test_a_disk_that_stalls_for_longer_than_a_feed_may_be_silent_is_not_laid_at_the_networks_door(
    tmp_path: Path,
) -> None:
    publisher, track = published("H264", 16.0)
    packets = list(publisher.packets())
    recorded = Recorded(tmp_path, track, OPUS)
    stalled, over = (publisher.start_ns + seconds * NANOSECONDS for seconds in (2, 14))
    recorded.give([packet for packet in packets if packet[2] < stalled])
    recorded.pass_time(over)
    rest = [packet for packet in packets if packet[2] >= over]
    recorded.writer.take(Dropped(stalled, rest[0][2], len(packets)))
    recorded.give(rest)
    recorded.writer.close("ended")
    (closed,) = closed_in(recorded.events)
    assert closed.reason == "ended"
    gaps = manifest_of(recorded.only_file()).gaps
    assert {gap.kind for gap in gaps} == {"disk_slow"}
    assert max(gap.until - gap.since for gap in gaps) == pytest.approx(12_000, abs=100)


def test_what_was_dropped_while_nothing_was_open_is_told_by_the_next_recording(tmp_path: Path) -> None:
    publisher, track = published("H264", 4.0)
    recorded = Recorded(tmp_path, track, OPUS)
    until_ns = publisher.start_ns
    recorded.writer.take(Dropped(until_ns - 2 * NANOSECONDS, until_ns, 40))
    recorded.give(list(publisher.packets()))
    recorded.writer.close("ended")
    (gap,) = manifest_of(recorded.only_file()).gaps
    assert (gap.kind, gap.until - gap.since, gap.packets) == ("disk_slow", 2000, 40)


def test_a_feed_named_like_a_folder_above_stays_inside(tmp_path: Path) -> None:
    events: list[RecordingEvent] = []
    writer = FeedWriter(place(tmp_path / "in"), "..", [H264], Counters(), events.append, lambda: None)
    for packet in Publisher(list(clip("H264", 2.0))).packets():
        writer.take(packet)
    writer.close("ended")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert len(files(tmp_path / "in")) == 1

"""A derived copy is as long as its span, shows what was there at each moment, and says where nothing was."""

from __future__ import annotations

import asyncio
import itertools
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from sqlalchemy import select

from command_center.evidence.exports import drawing, lanes
from command_center.evidence.exports.plan import PIECE_FRAMES
from command_center.evidence.tables import Recording
from command_center.operations.tables import Feed, Site
from streams.recording.manifest import GapLine, read_manifest
from tests.command_center.evidence.conftest import START_MS
from tests.command_center.evidence.exports.conftest import Case
from tests.support.manifests import make_recording


async def copies(case: Case, folder: Path, seconds: float) -> list[Path]:
    """The derived copies of a package, taken out."""
    path = await asyncio.to_thread(case.build, case.wanted(seconds))
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith("watch/")]
        archive.extractall(folder, names)
    return [folder / name for name in names]


def pictures(path: Path) -> list[np.ndarray]:
    """The brightness of every picture."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def loudness(path: Path) -> list[float]:
    """How loud each tenth of a second is."""
    with av.open(str(path)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    return [
        float(np.sqrt(np.mean(part**2)))
        for part in np.array_split(samples[: len(samples) // 4800 * 4800], len(samples) // 4800)
    ]


async def test_a_copy_plays_anywhere_and_is_as_long_as_the_span(case: Case, tmp_path: Path) -> None:
    for path in await copies(case, tmp_path / "out", 8.0):
        with av.open(str(path)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert (audio.codec_context.name, audio.rate) == ("aac", 48_000)
            assert float(video.duration * video.time_base) == pytest.approx(8.0)
            assert float(audio.duration * audio.time_base) == pytest.approx(8.0, abs=0.03)
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")


async def test_pictures_and_sound_stand_at_their_time_and_gaps_are_dark_cards(case: Case, tmp_path: Path) -> None:
    """A second of nothing, three of the recording, a second and a half of network, two more, half of nothing."""
    first, _ = await copies(case, tmp_path / "out", 8.0)
    shown = [float(np.median(picture[:100])) for picture in pictures(first)]
    heard = loudness(first)
    is_card = [brightness < drawing.CARD_SHADE + 8 for brightness in shown]
    runs = [(dark, len(list(run))) for dark, run in itertools.groupby(is_card)]
    assert [dark for dark, _ in runs] == [True, False, True, False, True]
    assert [count for _, count in runs] == pytest.approx([25, 75, 38, 50, 12], abs=1)
    assert max(heard[1:9]) < 0.01 < min(heard[11:39])
    assert max(heard[41:54]) < 0.01 < min(heard[56:74])


async def test_the_band_says_time_place_and_officer(case: Case, tmp_path: Path) -> None:
    """What is drawn is held against the same letters drawn alone."""
    first, second = await copies(case, tmp_path / "out", 8.0)
    for path, texts in (
        (first, ("2027-01-15 16:00:02", "北京时间（节点时钟）", "第1现场 · 新城区", "乌*", "40.84020, 111.70000")),
        (second, ("2027-01-15 16:00:02", "北京时间（节点时钟）", "第2现场 · 新城区", "乌*")),
    ):
        picture = pictures(path)[25 * 3 + 5]
        letters = drawing.band(320, 320, *texts)
        drawn = picture[-letters.shape[0] :] > 150
        assert np.mean(drawn == (letters > 150)) > 0.98


async def test_a_minute_ends_without_a_seam(case: Case, tmp_path: Path) -> None:
    """The recordings lie across the border of two pieces: no picture is missing or twice there."""
    seconds = PIECE_FRAMES / 25 + 4.0
    wanted = case.wanted(seconds, begins=2.0 - PIECE_FRAMES / 25, feeds=("feed-1",))
    path = await asyncio.to_thread(case.build, wanted)
    with zipfile.ZipFile(path) as archive:
        archive.extract("watch/01-site-1.mp4", tmp_path / "out")
    shown = pictures(tmp_path / "out" / "watch" / "01-site-1.mp4")
    assert len(shown) == round(seconds * 25)
    around = [float(np.median(picture[:100])) for picture in shown[PIECE_FRAMES - 25 : PIECE_FRAMES + 24]]
    assert min(around) > drawing.CARD_SHADE + 8


async def test_what_the_letters_lack_is_told_in_the_report(case: Case) -> None:
    async with case.world.database.write() as session:
        site = (await session.scalars(select(Site).where(Site.ordinal == 1))).one()
        site.name_zh = "李喆𠮷宅"
    path = await asyncio.to_thread(case.build, case.wanted(2.0))
    with zipfile.ZipFile(path) as archive:
        report = archive.read("report.html").decode()
    assert report.count("画面字幕中有 1 个字不在字体中，以“〓”代替：𠮷 (U+20BB7)") == 1


def test_spans_add_up_and_carry_the_kinds_of_their_gaps(tmp_path: Path) -> None:
    kinds = ("network", "camera", "node", "disk")
    begins = itertools.count(0.0, 5.0)
    made = [make_recording(tmp_path, seconds=(2.0,), begins=next(begins), reason=kind) for kind in kinds]  # type: ignore[arg-type]
    made.append(
        make_recording(
            tmp_path,
            seconds=(2.0,),
            begins=next(begins),
            gaps=[GapLine(kind="disk_full", track="both", since=START_MS + 20_500, until=START_MS + 21_800)],
        )
    )
    manifests = [manifest for one in made if (manifest := read_manifest(one.manifest)) is not None]
    since, until = START_MS - 1000, START_MS + 25_000
    spans = lanes.spans(manifests, since, until)
    assert [span.kind for span in spans] == [
        "none", "covered", "network", "covered", "camera", "covered", "node", "covered", "disk_failed",
        "covered", "disk_full", "covered", "none",
    ]  # fmt: skip
    assert [span.since for span in spans] == [since, *(span.until for span in spans[:-1])]
    assert spans[-1].until == until


async def test_a_device_that_moved_carries_the_place_of_each_moment(case: Case, tmp_path: Path) -> None:
    world = case.world
    async with world.database.write() as session:
        second = (await session.scalars(select(Feed).where(Feed.name == "feed-2"))).one()
        later = (await session.scalars(select(Recording).order_by(Recording.started_at.desc()))).first()
        assert later is not None
        later.site_id = second.site_id
    first, _ = await copies(case, tmp_path / "out", 8.0)
    shown = pictures(first)
    clock, officer = "北京时间（节点时钟）", "乌*"
    for number, texts in (
        (25 * 3 + 5, ("2027-01-15 16:00:02", clock, "第1现场 · 新城区", officer, "40.84020, 111.70000")),
        (25 * 6 + 5, ("2027-01-15 16:00:05", clock, "第2现场 · 新城区", officer, "40.84050, 111.70000")),
    ):
        letters = drawing.band(320, 320, *texts)
        assert np.mean((shown[number][-letters.shape[0] :] > 150) == (letters > 150)) > 0.98

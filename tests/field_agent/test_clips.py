"""The clips are what a camera would have sent: decodable, moving, with regular key frames, in the bitrate's bounds."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from field_agent.agent import clips, scenes
from field_agent.agent.clips import FRAME_RATE, KEY_FRAME_SECONDS, SECONDS, Clip, ClipOrder, load_clip, make_clip
from tests.field_agent.conftest import ORDERS

CONSTRAINED_BASELINE = 66


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.codec)
def test_a_clip_decodes_and_moves(order: ClipOrder, clip_folder: Path) -> None:
    with av.open(str(order.path(clip_folder))) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) == SECONDS * FRAME_RATE
    assert frames[0].shape == (scenes.HEIGHT, scenes.WIDTH)
    changes = [
        float(np.abs(one.astype(int) - other).mean()) for one, other in zip(frames[::15], frames[15::15], strict=False)
    ]
    assert min(changes) > 0.1


@pytest.mark.parametrize("name", ["h264", "vp8"])
def test_a_key_frame_comes_every_two_seconds(name: str, request: pytest.FixtureRequest) -> None:
    clip: Clip = request.getfixturevalue(name)
    keys = [index for index, frame in enumerate(clip.video) if frame.is_key]
    assert keys == list(range(0, SECONDS * FRAME_RATE, KEY_FRAME_SECONDS * FRAME_RATE))
    steps = {other.at - one.at for one, other in zip(clip.video, clip.video[1:], strict=False)}
    assert steps == {clips.VIDEO_CLOCK // FRAME_RATE}


@pytest.mark.parametrize("name", ["h264", "vp8"])
def test_picture_and_sound_stay_within_their_bitrates(name: str, request: pytest.FixtureRequest) -> None:
    clip: Clip = request.getfixturevalue(name)
    picture = sum(len(unit) for frame in clip.video for unit in frame.units) * 8 / SECONDS
    sound = sum(len(frame.units[0]) for frame in clip.audio) * 8 / SECONDS
    assert 300_000 < picture < 800_000
    assert 8_000 < sound < 40_000
    assert len(clip.audio) == SECONDS * 50


def test_each_h264_key_frame_carries_its_parameter_sets_of_constrained_baseline(h264: Clip) -> None:
    for frame in h264.video:
        kinds = [unit[0] & 31 for unit in frame.units]
        if frame.is_key:
            assert kinds[:2] == [7, 8]
            assert 5 in kinds
            assert frame.units[0][1] == CONSTRAINED_BASELINE
            assert frame.units[0][2] & 0x40
        else:
            assert set(kinds) == {1}


def test_the_five_scenes_are_told_apart_at_a_glance() -> None:
    small = [
        np.asarray(scene.background().convert("L").resize((32, 18)), dtype=float) for scene in scenes.SCENES.values()
    ]
    assert len(small) == 5
    for index, one in enumerate(small):
        for other in small[index + 1 :]:
            assert np.abs(one - other).mean() > 15


def test_a_scene_is_back_at_its_start_when_the_loop_ends() -> None:
    for scene in scenes.SCENES.values():
        first, last = scene.background(), scene.background()
        scene.animate(first, 0.0)
        scene.animate(last, 1.0 - 1e-9)
        difference = np.abs(np.asarray(first, dtype=int) - np.asarray(last, dtype=int)).mean()
        assert difference < 3, scene.name


def test_a_clip_that_was_interrupted_is_not_taken_for_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ClipOrder("carpark", "H264")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clips, "_write_on", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_clip(order, tmp_path)
    assert not order.path(tmp_path).exists()


def test_another_site_name_is_another_clip(tmp_path: Path) -> None:
    one, other = ClipOrder("office", "H264", "甲"), ClipOrder("office", "H264", "乙")
    assert one.path(tmp_path) != other.path(tmp_path)


def test_a_clip_is_read_back_the_same(clip_folder: Path, h264: Clip) -> None:
    assert load_clip(ORDERS[0], clip_folder) == h264

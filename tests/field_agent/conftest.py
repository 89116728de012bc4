"""Two short-lived clips for all tests of this folder, made once, and agents that use them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from field_agent.agent.clips import Clip, ClipOrder, load_clip, make_clips
from field_agent.agent.configuration import AgentSettings

ORDERS = (ClipOrder("office", "H264"), ClipOrder("shopfront", "VP8"))
TRACK = [(40.8151, 111.6198), (40.8172, 111.6251), (40.8190, 111.6240)]


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both clips in it, made by the first of the run's processes that needs it; the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "clips"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_clips(list(ORDERS), folder)
    return folder


@pytest.fixture(scope="session")
def h264(clip_folder: Path) -> Clip:
    """The office."""
    return load_clip(ORDERS[0], clip_folder)


@pytest.fixture(scope="session")
def vp8(clip_folder: Path) -> Clip:
    """The shop front."""
    return load_clip(ORDERS[1], clip_folder)


def agent_settings(**changes: Any) -> AgentSettings:
    """One agent at the second site."""
    values: dict[str, Any] = {
        "username": "officer2",
        "password": "right",
        "operation": "春雷行动",
        "site_ordinal": 2,
        "device": "demo-2",
        "clip": "office",
        "codec": "H264",
        "track": TRACK,
    }
    return AgentSettings.model_validate(values | changes)

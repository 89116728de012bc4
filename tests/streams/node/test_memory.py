"""Sessions that are over leave nothing behind, also while the collector sleeps."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import running_node
from tests.support.rtc import Publisher, Watcher
from tests.support.waiting import until


@pytest.fixture
def sleeping_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_session_that_is_over_is_freed_by_its_references_alone(
    tmp_path: Path, sleeping_collector: None
) -> None:
    async with running_node(tmp_path) as running:
        sessions = running.node.sessions
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        feed = sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        await until(lambda: publisher.channel.readyState == "open")
        watcher = Watcher(running.url, running.token())
        await watcher.watch("site-1")
        await until(lambda: watcher.frames > 0, 10)
        alive: dict[str, weakref.ref[Any]] = {}
        for session in sessions.by_id.values():
            alive[f"{session.right} link"] = weakref.ref(session.link)
            alive[f"{session.right} dtls"] = weakref.ref(session.link.dtls.transport)
            if session.viewer is not None:
                alive["viewer"] = weakref.ref(session.viewer)
            if session is feed.publisher:
                alive["inlet"] = weakref.ref(feed.media._inlets.all()[0])
        del session
        await watcher.close()
        await publisher.close()
        await until(lambda: not sessions.by_id)
        await until(lambda: not [name for name, reference in alive.items() if reference() is not None])
        ends = {"whip link", "whip dtls", "whep link", "whep dtls", "viewer"}
        assert set(alive) == ends | {"inlet"}

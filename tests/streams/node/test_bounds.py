"""What a bound makes the node drop is counted where it can be seen."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from tests.streams.conformance.exchange import post
from tests.support.node import running_node

CONTRIBUTING = Path(__file__).parents[3] / "CONTRIBUTING.md"
WHEN_IT_HAPPENS = {"messages", "recorder", "datagrams_refused"}
"""Counted by kind, from the first of the kind on; the recorder's only where there is one."""


def counters() -> set[tuple[str, str]]:
    """Each counter of the table of bounds, with a label's value or none."""
    table = CONTRIBUTING.read_text().split("## What is bounded in a media node")[1]
    found: set[tuple[str, str]] = set()
    for row in re.findall(r"^\|.*\| (.*) \|$", table, re.MULTILINE)[2:]:
        for name, labels in re.findall(r"`(\w+)(?:\{([^}]*)\})?`", row):
            found |= {(name, label.strip()) for label in (labels or "").split(",")}
    return found


async def test_every_counter_of_the_table_of_bounds_is_shown(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running, httpx.AsyncClient(base_url=running.url) as http:
        http.headers["Authorization"] = f"Bearer {running.token()}"
        assert (await post(http)).status_code == 201
        assert (await http.get("/whip/site-1/nobody")).status_code == 404
        text = (await http.get("/metrics")).text
    shown = counters()
    assert len(shown) > 20
    for name, label in shown:
        if name in WHEN_IT_HAPPENS or label in ("node-full", "too-often"):
            continue
        labelled = rf'\{{[^}}]*"{label}"' if label else ""
        assert re.search(rf"^(# TYPE )?media_node_{name}(_total)?{labelled}", text, re.MULTILINE), (name, label)

"""How long an instruction takes to the phone's socket and a position to the screen's: `python -m tests.bench.latency`.

Real parts: a Valkey server, the web application on a real port with SQLite on disk, real WebSocket and HTTP clients,
all in one process, so that both ends are timed by one clock and everything shares one interpreter.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from streams.hub.hub import Hub
from streams.hub.topics import PositionTaken
from tests.support.lines import device, instruct, position, register, screen
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

SAMPLES = 100
INSTRUCTION_P95_MS = 200.0
POSITION_P95_MS = 300.0


def summary(name: str, seconds: list[float], bar_ms: float) -> dict[str, object]:
    """The figures of one road, in milliseconds."""
    ordered = sorted(seconds)
    p95 = ordered[max(0, round(len(ordered) * 0.95) - 1)] * 1000
    return {
        "what": name,
        "samples": len(ordered),
        "p50_ms": round(statistics.median(ordered) * 1000, 1),
        "p95_ms": round(p95, 1),
        "most_ms": round(ordered[-1] * 1000, 1),
        "bar_p95_ms": bar_ms,
        "is_met": p95 <= bar_ms,
    }


async def _timed(act: Coroutine[Any, Any, object], is_there: Callable[[], bool]) -> float:
    began = time.perf_counter()
    acting = asyncio.create_task(act)
    while not is_there():
        if time.perf_counter() - began > 10:
            raise TimeoutError("it never came")
        await asyncio.sleep(0.0005)
    took = time.perf_counter() - began
    await acting
    return took


async def measure(web: RunningWeb, hub_url: str) -> list[dict[str, object]]:
    """Measure the three roads one after the other."""
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    feed = await register(web, officer)
    hub = Hub(hub_url)
    try:
        async with screen(web, commander) as page, device(web, officer) as phone:
            instructions, by_socket, by_channel = [], [], []
            for number in range(SAMPLES):
                text = f"instruction {number}"
                instructions.append(await _timed(instruct(web, commander, text), lambda text=text: text in phone.texts))
            await until(lambda: page.states(SAMPLES).get(web.world.users["officer1"]) == "delivered")

            def is_shown(latitude: float) -> bool:
                return feed in page.positions and page.positions[feed].latitude == latitude

            for second in range(SAMPLES):
                fix = position(second)
                by_socket.append(await _timed(phone.say(fix), lambda fix=fix: is_shown(fix.latitude)))
            for second in range(SAMPLES, 2 * SAMPLES):
                fix = position(second)
                event = PositionTaken(
                    feed=feed, position=fix, received_at=fix.taken_at, clock_offset_ms=0, road="channel"
                )
                by_channel.append(await _timed(hub.publish(event), lambda fix=fix: is_shown(fix.latitude)))
    finally:
        await hub.close()
    return [
        summary("instruction: HTTP request to the officer's socket", instructions, INSTRUCTION_P95_MS),
        summary("position: officer's socket to the screen's socket", by_socket, POSITION_P95_MS),
        summary("position: node's event on the hub to the screen's socket", by_channel, POSITION_P95_MS),
    ]


async def main() -> int:
    """Print the figures; each line says whether its bar is met."""
    valkey = Valkey()
    valkey.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with running_web(settings_for(Path(folder), valkey.url)) as web:
                figures = await measure(web, valkey.url)
    finally:
        valkey.stop()
    for figure in figures:
        print(json.dumps(figure))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

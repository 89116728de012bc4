"""What one forwarded packet costs the node in processor time, how long it stays, and the same of Janus beside it.

    python -m tests.bench.forwarding [--seconds 5] [--rate 240]

The real node process (hub, retransmission ring, feedback, reports on; recording off) is loaded by light peers whose
viewers report, give transport-wide feedback, and have lost packets repaired. With root and Debian's `janus` both
servers run one after the other in a network namespace of the benchmark's own; else the node runs alone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from streams.signalling.tokens import PUBLIC_KEY_FILE, Grant, issue, load_private_key, make_keys
from tests.bench.janus import Janus, why_not
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_signalling import CONNECT_SECONDS, JanusRooms, Whip
from tests.support.ports import free_ports
from tests.support.valkey import Valkey

NAMESPACE_ADDRESS = "10.98.7.1"
INTERFACE = "bench0"
CASES = ((1, 40, 0.0), (1, 40, 0.01), (5, 20, 0.0), (5, 20, 0.01))
SETTLE_SECONDS = 2.5
"""Longer than the time between two key frames of the stream, so that every viewer has begun."""


@dataclass(frozen=True)
class Result:
    """One measurement. Delays are milliseconds from the publisher's call to the viewer's."""

    name: str
    delivered: float
    expected: float
    microseconds: float
    core_percent: float
    p50: float
    p99: float
    repaired: int
    frames_percent: float

    def line(self) -> str:
        """As one row."""
        return (
            f"{self.name:<26} {self.delivered:8.0f}/{self.expected:<7.0f} {self.microseconds:7.2f} us "
            f"{self.core_percent:5.1f} %  p50 {self.p50:6.2f} ms  p99 {self.p99:6.2f} ms  "
            f"repaired {self.repaired:5d}  whole frames {self.frames_percent:6.2f} %"
        )


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(
    server: Whip | JanusRooms,
    name: str,
    pid: int,
    ip: str,
    case: tuple[int, int, float],
    options: argparse.Namespace,
    look: Callable[[], Awaitable[None]] | None = None,
) -> Result:
    """Load a server with one case and take the figures; `look` is called before and after."""
    publishers, viewers_each, loss = case
    peers: list[LightPublisher | LightViewer] = []
    viewers: list[LightViewer] = []
    run = uuid.uuid4().hex[:8]
    try:
        for number in range(publishers):
            publisher = LightPublisher(ip, seed=number)
            peers.append(publisher)
            await server.publish(f"bench-{run}-{number}", publisher)
            async with asyncio.timeout(CONNECT_SECONDS):
                await publisher.connected.wait()
            publisher.run(publisher.publish(options.rate))
            await asyncio.sleep(0.3)
            for index in range(viewers_each):
                viewer = LightViewer(ip, seed=1000 * number + index, loss=loss)
                peers.append(viewer)
                await server.view(f"bench-{run}-{number}", viewer)
                async with asyncio.timeout(CONNECT_SECONDS):
                    await viewer.connected.wait()
                viewer.run(viewer.watch())
                viewers.append(viewer)
        await asyncio.sleep(SETTLE_SECONDS)
        for viewer in viewers:
            viewer.packets = viewer.repaired = viewer.frames_seen = viewer.frames_whole = 0
            viewer.delays_ms.clear()
        if look is not None:
            await look()
        used, clock = processor_seconds(pid), time.perf_counter()
        await asyncio.sleep(options.seconds)
        used, clock = processor_seconds(pid) - used, time.perf_counter() - clock
        if look is not None:
            await look()
        packets = sum(viewer.packets for viewer in viewers)
        delays = sorted(delay for viewer in viewers for delay in viewer.delays_ms) or [0.0]
        return Result(
            f"{name} {publishers}x{viewers_each}" + (f" loss {loss:.0%}" if loss else ""),
            packets / clock,
            options.rate * len(viewers),
            1e6 * used / max(1, packets),
            100 * used / clock,
            delays[len(delays) // 2],
            delays[len(delays) * 99 // 100],
            sum(viewer.repaired for viewer in viewers),
            100 * sum(v.frames_whole for v in viewers) / max(1, sum(v.frames_seen for v in viewers)),
        )
    finally:
        for peer in peers:
            await peer.close()


async def measure_node(folder: Path, ip: str, options: argparse.Namespace) -> list[Result]:
    """All cases with the node; a fresh process for each, as what a case leaves behind would count in the next."""
    results = []
    keys = folder / "keys"
    make_keys(keys)
    key = load_private_key(keys)
    grant = Grant(uuid.uuid4(), "*", True, True, int(time.time()) + 3600)
    valkey = Valkey()
    valkey.start()
    try:
        for case in CASES:
            udp_port, http_port = free_ports(2)
            command = [sys.executable, "-m", "streams", "--data", str(folder / uuid.uuid4().hex), "--no-recording"]
            command += ["--udp-port", str(udp_port), "--http-port", str(http_port), "--redis-url", valkey.url]
            command += ["--token-key", str(keys / PUBLIC_KEY_FILE), "--log-level", "WARNING", "--public-address", ip]
            process = subprocess.Popen(command)
            server = Whip(f"http://127.0.0.1:{http_port}", issue(key, grant))
            try:
                await wait_for_node(http_port)
                histograms: list[list[tuple[str, float]]] = []

                async def look(port: int = http_port, into: list[list[tuple[str, float]]] = histograms) -> None:
                    into.append(await node_delays(port))

                results.append(await measure(server, "node", process.pid, ip, case, options, look))
                print(results[-1].line(), flush=True)
                show_delays(*histograms)
            finally:
                await server.close()
                process.send_signal(signal.SIGTERM)
                process.wait(20)
    finally:
        valkey.stop()
    return results


async def wait_for_node(http_port: int) -> None:
    """Wait until the node answers."""
    deadline = time.monotonic() + 15
    async with httpx.AsyncClient() as http:
        while time.monotonic() < deadline:
            try:
                await http.get(f"http://127.0.0.1:{http_port}/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise TimeoutError("the node did not start")


async def node_delays(http_port: int) -> list[tuple[str, float]]:
    """The node's own histogram: from a packet's arrival to its last copy sent, as (bound, count up to it)."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"http://127.0.0.1:{http_port}/metrics")).text
    return [
        (line.split('le="')[1].split('"')[0], float(line.rsplit(" ", 1)[1]))
        for line in text.splitlines()
        if line.startswith("media_node_forwarding_delay_seconds_bucket")
    ]


def show_delays(before: list[tuple[str, float]], after: list[tuple[str, float]]) -> None:
    """Print between which bounds the node's delays lay meanwhile."""
    counts = [(bound, count - earlier) for (bound, count), (_, earlier) in zip(after, before, strict=True)]
    total = counts[-1][1]
    if total:
        shares = [next(bound for bound, count in counts if count >= share * total) for share in (0.5, 0.99)]
        print(f"{'':<26} stay in the node: p50 <= {shares[0]} s, p99 <= {shares[1]} s", flush=True)


async def measure_janus(folder: Path, ip: str, options: argparse.Namespace) -> list[Result]:
    """All cases with Janus."""
    results = []
    for number, case in enumerate(CASES):
        home = folder / f"janus-{number}"
        home.mkdir()
        janus = Janus(home, INTERFACE)
        server = JanusRooms(janus.url)
        try:
            janus.wait_ready()
            results.append(await measure(server, "Janus", janus.pid, ip, case, options))
            print(results[-1].line(), flush=True)
        finally:
            await server.close()
            janus.stop()
    return results


def in_namespace(arguments: list[str]) -> int:
    """Run this benchmark again in a network namespace of its own, which ends with it."""
    name = f"bench-{os.getpid()}"
    plan = [
        ["netns", "add", name],
        ["-n", name, "link", "set", "lo", "up"],
        ["-n", name, "link", "add", INTERFACE, "type", "veth", "peer", "name", "bench1"],
        ["-n", name, "addr", "add", f"{NAMESPACE_ADDRESS}/24", "dev", INTERFACE],
        ["-n", name, "link", "set", INTERFACE, "up"],
        ["-n", name, "link", "set", "bench1", "up"],
    ]
    try:
        for step in plan:
            subprocess.run(["ip", *step], check=True)
        command = ["ip", "netns", "exec", name, sys.executable, "-m", "tests.bench.forwarding", "--inside", *arguments]
        return subprocess.run(command, check=False).returncode
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


async def compare(options: argparse.Namespace) -> None:
    """Measure what there is and print the ratios."""
    ip = NAMESPACE_ADDRESS if options.inside else "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="bench-forwarding-") as folder:
        ours = await measure_node(Path(folder), ip, options)
        theirs = await measure_janus(Path(folder), ip, options) if options.inside else []
    for our, their in zip(ours, theirs, strict=False):
        print(f"{our.name:<26} costs 1/{their.microseconds / our.microseconds:.1f} of Janus per delivered packet")


def main() -> int:
    """Read the command line, go into a namespace where that is possible, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="length of each measurement")
    parser.add_argument("--rate", type=int, default=240, help="packets a second from each publisher")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    reason = why_not()
    if reason is None and not options.inside:
        return in_namespace(sys.argv[1:])
    if reason is not None:
        print(f"Janus is not measured: {reason}.")
    asyncio.run(compare(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What one forwarded packet costs the node in processor time, how long it stays, and the same of Janus beside it.

    python -m tests.bench.forwarding [--seconds 5] [--rate 240] [--pairs 3] [--only "5x20 loss 1%"]

The real node process (hub, retransmission ring, feedback, reports on) is loaded by light peers whose viewers report
each second, give transport-wide feedback twenty times a second, as browsers do, and have lost packets repaired. With
root and Debian's `janus` both servers run by turns in a network namespace of the benchmark's own, as many pairs as
wanted, and medians are compared; else the node runs alone. Two cases are the node's own: few viewers against many, and
how long packets stay in it while five feeds record.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from command_center.launcher.parts import MEDIA_NICENESS
from streams.signalling.tokens import PUBLIC_KEY_FILE, Grant, issue, load_private_key, make_keys
from tests.bench.janus import Janus, why_not
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_signalling import CONNECT_SECONDS, JanusRooms, Whip
from tests.support.ports import free_ports
from tests.support.valkey import Valkey

NAMESPACE_ADDRESS = "10.98.7.1"
INTERFACE = "bench0"
SETTLE_SECONDS = 2.5
"""Longer than the time between two key frames of the stream, so that every viewer has begun."""


@dataclass(frozen=True)
class Case:
    """One load: so many publishers with so many viewers each, who lose this share of what comes."""

    publishers: int
    viewers: int
    loss: float = 0.0
    records: bool = False

    @property
    def name(self) -> str:
        """As it is printed."""
        loss = f" loss {self.loss:.0%}" if self.loss else ""
        return f"{self.publishers}x{self.viewers}{loss}{' recording' if self.records else ''}"


COMPARED = (Case(1, 40), Case(1, 40, 0.01), Case(5, 20), Case(5, 20, 0.01))
FEW, MANY = Case(1, 10), Case(1, 100)
RECORDED = Case(5, 9, records=True)
"""10 800 packets/s out at 240 packets/s from each publisher."""


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
    feedback: float
    reports: float
    nacked: float
    repaired: float
    frames_percent: float

    def line(self) -> str:
        """As one row; what viewers sent is told by viewer and second."""
        return (
            f"{self.name:<26} {self.delivered:8.0f}/{self.expected:<7.0f} {self.microseconds:7.2f} us "
            f"{self.core_percent:5.1f} %  p50 {self.p50:6.2f} ms  p99 {self.p99:6.2f} ms  "
            f"feedback {self.feedback:4.1f}  reports {self.reports:3.1f}  nacked {self.nacked:4.1f}  "
            f"repaired {self.repaired:4.1f}  whole frames {self.frames_percent:6.2f} %"
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
    case: Case,
    options: argparse.Namespace,
    look: Callable[[], Awaitable[None]] | None = None,
) -> Result:
    """Load a server with one case and take the figures; `look` is called before and after."""
    peers: list[LightPublisher | LightViewer] = []
    viewers: list[LightViewer] = []
    run = uuid.uuid4().hex[:8]
    try:
        for number in range(case.publishers):
            publisher = LightPublisher(ip, seed=number)
            peers.append(publisher)
            await server.publish(f"bench-{run}-{number}", publisher)
            async with asyncio.timeout(CONNECT_SECONDS):
                await publisher.connected.wait()
            publisher.run(publisher.publish(options.rate))
            await asyncio.sleep(0.3)
            for index in range(case.viewers):
                viewer = LightViewer(ip, seed=1000 * number + index, loss=case.loss)
                peers.append(viewer)
                await server.view(f"bench-{run}-{number}", viewer)
                async with asyncio.timeout(CONNECT_SECONDS):
                    await viewer.connected.wait()
                viewer.run(viewer.watch())
                viewers.append(viewer)
        await asyncio.sleep(SETTLE_SECONDS)
        for viewer in viewers:
            viewer.packets = viewer.repaired = viewer.frames_seen = viewer.frames_whole = 0
            viewer.feedback_sent = viewer.reports_sent = viewer.nacked = 0
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
        shared = clock * len(viewers)
        return Result(
            f"{name} {case.name}",
            packets / clock,
            options.rate * len(viewers),
            1e6 * used / max(1, packets),
            100 * used / clock,
            delays[len(delays) // 2],
            delays[len(delays) * 99 // 100],
            sum(viewer.feedback_sent for viewer in viewers) / shared,
            sum(viewer.reports_sent for viewer in viewers) / shared,
            sum(viewer.nacked for viewer in viewers) / shared,
            sum(viewer.repaired for viewer in viewers) / shared,
            100 * sum(v.frames_whole for v in viewers) / max(1, sum(v.frames_seen for v in viewers)),
        )
    finally:
        for peer in peers:
            await peer.close()


async def measure_node(folder: Path, ip: str, redis_url: str, case: Case, options: argparse.Namespace) -> Result:
    """One case with a node of its own, as what a case leaves behind would count in the next."""
    keys = folder / "keys"
    if not keys.exists():
        make_keys(keys)
    token = issue(load_private_key(keys), Grant(uuid.uuid4(), "*", True, True, int(time.time()) + 3600))
    udp_port, http_port = free_ports(2)
    command = [sys.executable, "-m", "streams", "--data", str(folder / uuid.uuid4().hex)]
    command += ["--udp-port", str(udp_port), "--http-port", str(http_port), "--redis-url", redis_url]
    command += ["--token-key", str(keys / PUBLIC_KEY_FILE), "--log-level", "WARNING", "--public-address", ip]
    command += [] if case.records else ["--no-recording"]
    process = subprocess.Popen(command)
    with suppress(PermissionError):
        # As the launcher does.
        os.setpriority(os.PRIO_PROCESS, process.pid, MEDIA_NICENESS)
    server = Whip(f"http://127.0.0.1:{http_port}", token)
    histograms: list[list[tuple[str, float]]] = []

    async def look() -> None:
        histograms.append(await node_delays(http_port))

    try:
        await wait_for_node(http_port)
        result = await measure(server, "node", process.pid, ip, case, options, look)
        print(result.line(), flush=True)
        show_delays(*histograms)
    finally:
        await server.close()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    return result


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


async def measure_janus(folder: Path, ip: str, case: Case, options: argparse.Namespace) -> Result:
    """One case with Janus."""
    home = folder / f"janus-{uuid.uuid4().hex}"
    home.mkdir()
    janus = Janus(home, INTERFACE)
    server = JanusRooms(janus.url)
    try:
        janus.wait_ready()
        result = await measure(server, "Janus", janus.pid, ip, case, options)
        print(result.line(), flush=True)
    finally:
        await server.close()
        janus.stop()
    return result


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
    costs: dict[Case, tuple[list[float], list[float]]] = {}
    valkey = Valkey()
    valkey.start()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-forwarding-") as name:
            folder = Path(name)
            for case in (*COMPARED, FEW, MANY, RECORDED):
                if options.only not in ("", case.name):
                    continue
                ours, theirs = costs[case] = ([], [])
                for _ in range(options.pairs):
                    ours.append((await measure_node(folder, ip, valkey.url, case, options)).microseconds)
                    if options.inside and case in COMPARED:
                        theirs.append((await measure_janus(folder, ip, case, options)).microseconds)
    finally:
        valkey.stop()
    show_costs(costs)


def show_costs(costs: dict[Case, tuple[list[float], list[float]]]) -> None:
    """Print what a delivered packet costs, by the medians of all pairs."""
    for case, (ours, theirs) in costs.items():
        our = statistics.median(ours)
        beside = ""
        if theirs:
            their = statistics.median(theirs)
            beside = f", Janus {their:.2f} us: 1/{their / our:.2f}"
        print(f"{case.name:<20} node {our:.2f} us{beside}")


def main() -> int:
    """Read the command line, go into a namespace where that is possible, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="length of each measurement")
    parser.add_argument("--rate", type=int, default=240, help="packets a second from each publisher")
    parser.add_argument("--pairs", type=int, default=1, help="how often each case is measured, both servers by turns")
    parser.add_argument("--only", default="", help="the one case to measure, by its name")
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

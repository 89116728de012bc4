"""A real coturn on loopback that takes our time-limited credentials."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.signalling.turn import TurnServers
from streams.transport.addresses import local_addresses
from tests.support.ports import free_ports

EXECUTABLE = shutil.which("turnserver") or "/usr/bin/turnserver"
SECRET = "a-secret-of-the-tests-alone"
START_SECONDS = 10.0
RELAY_PORTS = 96
EXAMPLE = Path(__file__).parents[2] / "deploy" / "turnserver.conf"
REPLACED = {"listening-port", "min-port", "max-port", "static-auth-secret", "allowed-peer-ip"}
KEEP_CONNECTIONS = """(() => {
    const Own = RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Own {
        constructor(configuration = {}) {
            super({...configuration, iceTransportPolicy: '%s'});
            window.connections.push(this);
        }
    };
})()"""
"""For `context.add_init_script`: `relay` leaves a page no other way, `all` does. Its connections are kept."""
READ_ROADS = """async () => Promise.all(connections.map(async (connection) => {
    const stats = await connection.getStats();
    const all = [...stats.values()];
    const pair = stats.get(all.find((one) => one.type === 'transport')?.selectedCandidatePairId);
    const local = stats.get(pair?.localCandidateId);
    const picture = all.find((one) => one.type === 'inbound-rtp' && one.kind === 'video');
    return {state: connection.connectionState, kind: local?.candidateType, protocol: local?.relayProtocol,
            sent: pair?.bytesSent ?? 0, received: pair?.bytesReceived ?? 0, decoded: picture?.framesDecoded ?? 0};
}))"""
"""What way each connection's packets take, and how many went it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One running relay."""

    port: int
    secret: str = SECRET

    def servers(self, transport: str) -> TurnServers:
        """As an installation has it in its settings, over `udp` or `tcp`."""
        return TurnServers((f"turn:127.0.0.1:{self.port}?transport={transport}",), self.secret)


@asynccontextmanager
async def running_turn(folder: Path) -> AsyncIterator[Turn]:
    """Start one on a free port and end it afterwards; its log and its files lie in `folder`.

    It is set up as the example in `deploy/` has it, and so leads to this machine's own addresses alone.
    """
    port = free_ports(1)[0]
    configuration, log = folder / "turnserver.conf", folder / "turnserver.log"
    configuration.write_text("\n".join([*_example_without(REPLACED), *_own_settings(folder, port)]))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [EXECUTABLE, "-c", str(configuration), "--simple-log"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield Turn(port)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _example_without(names: Collection[str]) -> list[str]:
    return [line for line in EXAMPLE.read_text().splitlines() if line.partition("=")[0] not in names]


def _own_settings(folder: Path, port: int) -> list[str]:
    first = free_ports(1)[0]
    return [
        f"listening-port={port}",
        "listening-ip=127.0.0.1",
        "relay-ip=127.0.0.1",
        # A port of these that somebody else has is passed over.
        f"min-port={first}",
        f"max-port={first + RELAY_PORTS}",
        f"static-auth-secret={SECRET}",
        *(f"allowed-peer-ip={address}" for address in ("127.0.0.1", *local_addresses()) if ":" not in address),
        "allow-loopback-peers",
        "no-tls",
        "no-dtls",
        f"pidfile={folder / 'turnserver.pid'}",
        f"userdb={folder / 'turndb'}",
        "log-file=stdout",
        "verbose",
    ]


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.02)

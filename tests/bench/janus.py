"""Debian's Janus as the peer to compare with, started on its own configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

HTTP_PORT = 8188
WAIT_SECONDS = 10

# All but the video room.
_PLUGINS = "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
_TRANSPORTS = "mqtt nanomsg pfunix rabbitmq websockets"


def why_not() -> str | None:
    """Why Janus can't be measured here, or None if it can."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    missing = [tool for tool in ("janus", "ip") if shutil.which(tool) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


class Janus:
    """One Janus server in the present network namespace, on the interface named."""

    def __init__(self, folder: Path, interface: str) -> None:
        self.url = f"http://127.0.0.1:{HTTP_PORT}/janus"
        self._folder = folder
        self._write(interface)
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(["janus", "-F", str(folder)], stdout=self._log, stderr=self._log)
        self.pid = self._process.pid

    def _write(self, interface: str) -> None:
        library = next(path for path in Path("/usr/lib").glob("**/janus/plugins")).parent
        disabled = ",".join(f"libjanus_{name}.so" for name in _PLUGINS.split())
        transports = ",".join(f"libjanus_{name}.so" for name in _TRANSPORTS.split())
        folders = "\n".join(
            f'  {kind}_folder = "{library / kind}"' for kind in ("plugins", "transports", "events", "loggers")
        )
        (self._folder / "janus.jcfg").write_text(
            f'general: {{\n  configs_folder = "{self._folder}"\n{folders}\n  debug_level = 2\n}}\n'
            f'nat: {{ ice_lite = true\n ice_enforce_list = "{interface}" }}\n'
            f'plugins: {{ disable = "{disabled}" }}\ntransports: {{ disable = "{transports}" }}\n'
        )
        (self._folder / "janus.transport.http.jcfg").write_text(
            f'general: {{ base_path = "/janus"\n http = true\n port = {HTTP_PORT}\n ip = "127.0.0.1" }}\n'
        )
        (self._folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")

    def wait_ready(self) -> None:
        """Wait until it answers.

        Raises:
            TimeoutError: it does not.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/info", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise TimeoutError(f"Janus did not start, see {self._folder / 'log'}")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

"""What the administrator's terminal shows while the parts start and run."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import unicodedata
from typing import TextIO

from command_center.config import Settings


class Terminal:
    """Plain lines; the progress of a slow start is redrawn in place where the output is a terminal."""

    def __init__(self, output: TextIO = sys.stdout, errors: TextIO = sys.stderr) -> None:
        self._output = output
        self._errors = errors
        self._is_drawn = False
        self._last_progress = ""

    def say(self, line: str) -> None:
        """One line."""
        self._clear()
        print(line, file=self._output, flush=True)

    def refuse(self, sentence: str) -> None:
        """Why nothing was started."""
        self._clear()
        print(sentence, file=self._errors, flush=True)

    def started(self, name: str) -> None:
        """A part serves."""
        self.say(f"  ✓ {name}")

    def progress(self, name: str, last_line: str) -> None:
        """What a slow part is at."""
        line = f"  … {name}: {last_line}"
        if line == self._last_progress:
            return
        self._last_progress = line
        if self._output.isatty():
            width = shutil.get_terminal_size().columns - 1
            self._output.write(f"\r\x1b[K{line[:width]}")
            self._output.flush()
            self._is_drawn = True
        else:
            self.say(line)

    def ready(self, settings: Settings, seconds: float, setup_link: str | None, *, demonstration: bool) -> None:
        """Where to go, and with which accounts."""
        local = f"http://{settings.http_host}:{settings.http_port}"
        secure = f"https://{_own_address()}:{settings.https_port}"
        self.say("")
        self.say(
            f"ready after {seconds:.1f} s"
            + (" — DEMONSTRATION: every case and person is made up" if demonstration else "")
        )
        self.say(f"  centre    {local}/            {secure}/")
        self.say(f"  officer   {local}/field       {secure}/field   (phones need HTTPS)")
        self.say(f"  review    {local}/review")
        if setup_link:
            self.say(f"  make the first administrator, once: {setup_link}")
        if demonstration:
            self._accounts(settings)
        self.say("Ctrl-C ends everything.")

    def _accounts(self, settings: Settings) -> None:
        path = settings.data / "demo-accounts.json"
        accounts = json.loads(path.read_text())
        wide = max(_width(str(account["username"])) for account in accounts)
        self.say(f"  accounts  (also in {path})")
        for account in accounts:
            name = str(account["username"])
            self.say(f"    {name}{' ' * (wide - _width(name))}  {account['password']}  {account['role']}")

    def _clear(self) -> None:
        if self._is_drawn:
            self._output.write("\r\x1b[K")
            self._is_drawn = False


def _width(text: str) -> int:
    """Columns on the terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _own_address() -> str:
    """This machine's address on its network, as a phone would reach it; the loopback where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the kernel only chooses a route
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"

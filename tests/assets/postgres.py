"""A PostgreSQL server of the tests' own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.ports import free_ports


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, or None where PostgreSQL isn't installed."""
    folders = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class Postgres:
    """One server in a folder of its own, reached through a socket in it."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder
        self._home = tempfile.TemporaryDirectory(prefix="pg-")
        self._data = Path(self._home.name) / "data"
        self.port = free_ports(1)[0]
        self._user = _unprivileged()
        if self._user:
            shutil.chown(self._home.name, self._user)
        self._run("initdb", "-D", str(self._data), "-U", "court", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-p {self.port} -k {self._home.name} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-o", settings, "-l", f"{self._home.name}/log", "start")

    def create(self, name: str) -> str:
        """Make an empty database; give its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "court", name)
        return f"postgresql+psycopg://court@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End it for good."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        self._home.cleanup()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            user=self._user,
            cwd=self._home.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"

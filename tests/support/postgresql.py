"""A real PostgreSQL server for a test run, where the machine has one installed: a fresh database for each test."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg
import psycopg.sql
import pytest

from tests.support.memory import roomy_memory
from tests.support.ports import free_ports

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def start_or_skip() -> PostgreSQL:
    """A server that runs; without one on this machine the test is skipped, and says so."""
    if not is_installed():
        pytest.skip("no PostgreSQL server is installed here")
    server = PostgreSQL()
    server.start()
    return server


def is_installed() -> bool:
    """Whether a server can be started here."""
    return _binary("initdb") is not None and _binary("pg_ctl") is not None


class PostgreSQL:
    """One server on a free port of loopback, its data in a folder of its own."""

    def __init__(self) -> None:
        # A database is 300 files, slow to copy and to delete.
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir=roomy_memory()))
        self._data = self._folder / "data"
        self.port = free_ports(1)[0]

    def start(self) -> None:
        """Make the cluster and start it."""
        if os.geteuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "--pgdata", str(self._data), "--auth=trust", "--username=tests", "--encoding=UTF8", "-N")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "--pgdata", str(self._data), "-l", str(self._folder / "log"), "-o", options, "-w", "start")

    def new_database(self, like: str = "") -> str:
        """A database, empty or `like` that of another URL which nobody is connected to; an async SQLAlchemy URL."""
        name, template = f"test_{uuid.uuid4().hex}", like.rpartition("/")[2] or "template1"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="tests", dbname="postgres", autocommit=True
        ) as connection:
            names = (psycopg.sql.Identifier(name), psycopg.sql.Identifier(template))
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End it and take its data away."""
        self._run("pg_ctl", "--pgdata", str(self._data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(_binary(name)), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _binary(name: str) -> Path | None:
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    return next((folder / name for folder in _FOLDERS if (folder / name).exists()), None)

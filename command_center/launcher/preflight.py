"""What is checked before anything is started, so that nothing is ever half-started."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from assets.gateway_settings import GatewaysMisconfigured
from command_center.config import Settings
from command_center.gateways import gateways_of, simulators_of
from command_center.money_desk import paying_bank_of, paying_simulator
from streams.signalling.turn import TurnMisconfigured

LAYOUT_VERSION = 1
"""The version of the data folder's layout, written into `installation.json`."""

Kind = Literal["demonstration", "court"]


class StartRefused(Exception):
    """The machine isn't fit to start; the message is one plain sentence for the administrator."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


PORT_TAKEN = 3
DATA_FOLDER_UNUSABLE = 4
ALREADY_RUNNING = 5
PART_FAILED = 6
SETTINGS_UNUSABLE = 8  # 7 is the set-up's


@dataclass(frozen=True, slots=True)
class Port:
    """A port that one of the parts will listen on; `setting` names the variable that moves it."""

    number: int
    host: str
    purpose: str
    setting: str
    is_udp: bool = False


def ports(settings: Settings, *, demonstration: bool) -> list[Port]:
    """Every port that a start on this machine needs."""
    needed = [
        Port(settings.http_port, settings.http_host, "web pages", "COMMAND_CENTER_HTTP_PORT"),
        Port(settings.https_port, settings.https_host, "web pages over HTTPS", "COMMAND_CENTER_HTTPS_PORT"),
    ]
    for local in settings.local_nodes:
        media, signalling = "media", "the media node's signalling"
        if settings.media_nodes > 1:
            media, signalling = f"media of {local.node}", f"the signalling of {local.node}"
        needed += [
            Port(local.udp_port, "0.0.0.0", media, "COMMAND_CENTER_MEDIA_PORT", is_udp=True),  # noqa: S104
            Port(local.http_port, "127.0.0.1", signalling, "COMMAND_CENTER_MEDIA_HTTP_PORT"),
        ]
    if not settings.redis_url:
        needed.append(Port(settings.redis_port, "127.0.0.1", "the hub", "COMMAND_CENTER_REDIS_PORT"))
    if demonstration:
        simulators = [*simulators_of(settings), *paying_simulator(settings)]
        needed += [_simulator_port(settings, kind, number) for kind, number in simulators]
    return needed


def _simulator_port(settings: Settings, kind: str, number: int) -> Port:
    setting = "COMMAND_CENTER_FURTHER_SIMULATORS_PORT"
    if settings.gateways_file is not None:
        setting = "COMMAND_CENTER_GATEWAYS_FILE"
    elif f"{kind}_url" in Settings.model_fields:
        setting = f"COMMAND_CENTER_{kind.upper()}_URL"
    return Port(number, "127.0.0.1", f"the {kind} simulator", setting)


def check_ports(needed: list[Port]) -> None:
    """Refuse to start where a port can't be had.

    Raises:
        StartRefused: names the port, what it is for, and the setting that moves it.
    """
    taken: dict[tuple[int, bool], Port] = {}
    for port in needed:
        other = taken.setdefault((port.number, port.is_udp), port)
        if other is not port:
            raise StartRefused(
                f"Port {port.number} is wanted for {other.purpose} and for {port.purpose}: "
                f"set {other.setting} or {port.setting} to another.",
                PORT_TAKEN,
            )
        kind = socket.SOCK_DGRAM if port.is_udp else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as probe:
            if not port.is_udp:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((port.host, port.number))
            except OSError as error:
                reason = "is already in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
                protocol = "UDP port" if port.is_udp else "Port"
                raise StartRefused(
                    f"{protocol} {port.number} for {port.purpose} {reason}: "
                    f"stop what uses it, or set {port.setting} to another.",
                    PORT_TAKEN,
                ) from error


def check_gateways(settings: Settings) -> None:
    """See that the gateways could be asked as they are listed.

    Raises:
        StartRefused: the file, a certificate or a key can't be used.
    """
    try:
        gateways_of(settings)
    except GatewaysMisconfigured as error:
        raise StartRefused(f"COMMAND_CENTER_GATEWAYS_FILE: {error}.", SETTINGS_UNUSABLE) from error
    try:
        paying_bank_of(settings)
    except GatewaysMisconfigured as error:
        raise StartRefused(f"COMMAND_CENTER_PAYING_FILE: {error}.", SETTINGS_UNUSABLE) from error


def check_turn(settings: Settings) -> None:
    """See that the TURN relays could be used as they are set.

    Raises:
        StartRefused: they couldn't; the sentence names the settings, never the secret.
    """
    try:
        _ = settings.turn
    except TurnMisconfigured as error:
        raise StartRefused(
            f"{error}: set COMMAND_CENTER_TURN_URLS and COMMAND_CENTER_TURN_SECRET (or …_TURN_SECRET_FILE), "
            "or leave them empty.",
            SETTINGS_UNUSABLE,
        ) from error
    except OSError as error:
        raise StartRefused(
            f"COMMAND_CENTER_TURN_SECRET_FILE {settings.turn_secret_file} can't be read ({error.strerror}).",
            SETTINGS_UNUSABLE,
        ) from error


def check_data_folder(folder: Path) -> None:
    """Make the data folder and see that files can be written and synced there.

    Raises:
        StartRefused: it can't be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} can't be written ({error.strerror}): "
            "make it writable, or set COMMAND_CENTER_DATA to another.",
            DATA_FOLDER_UNUSABLE,
        ) from error


def lock_data_folder(folder: Path) -> IO[str]:
    """Hold the data folder for this launcher until the file is closed or the process ends.

    Raises:
        StartRefused: another launcher holds it.
    """
    lock = (folder / "launcher.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StartRefused(
            f"The command center is already running on the data folder {folder}: "
            "stop that one first, or set COMMAND_CENTER_DATA to another.",
            ALREADY_RUNNING,
        ) from error
    return lock


def kind_of(folder: Path) -> Kind | None:
    """What the data folder holds: the demonstration, a court's own records, or nothing yet."""
    try:
        found = json.loads((folder / "installation.json").read_text())["kind"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, OSError) as error:
        raise StartRefused(
            f"{folder / 'installation.json'} can't be read: put it back from a backup, "
            "or set COMMAND_CENTER_DATA to another folder.",
            DATA_FOLDER_UNUSABLE,
        ) from error
    return "demonstration" if found == "demonstration" else "court"


def claim_data_folder(folder: Path, kind: Kind) -> None:
    """Mark what the folder is for, so that made-up cases never mix with a court's own.

    Raises:
        StartRefused: it is for the other.
    """
    found = kind_of(folder)
    if found is None:
        (folder / "installation.json").write_text(json.dumps({"kind": kind, "version": LAYOUT_VERSION}) + "\n")
    elif found != kind:
        held = "the demonstration" if found == "demonstration" else "a court's own records"
        raise StartRefused(
            f"The data folder {folder} holds {held}: set COMMAND_CENTER_DATA to another folder.", DATA_FOLDER_UNUSABLE
        )

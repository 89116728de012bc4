"""What is refused before anything is started, each with one plain sentence and its own exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from command_center.__main__ import app
from command_center.config import Settings
from command_center.launcher import preflight
from command_center.launcher.parts import installation
from command_center.launcher.preflight import Port, StartRefused
from streams.hub.hub import Hub
from tests.support.ports import free_ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A TCP port that something else listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _start(data: Path | str, **moved: int | str) -> subprocess.CompletedProcess[str]:
    """Type `command-center run` on ports of this test's own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COMMAND_CENTER_")}
    environment["COMMAND_CENTER_DATA"] = str(data)
    names = ["HTTP_PORT", "HTTPS_PORT", "MEDIA_PORT", "MEDIA_HTTP_PORT", "REDIS_PORT"]
    for name, port in zip(names, free_ports(len(names)), strict=True):
        environment[f"COMMAND_CENTER_{name}"] = str(moved.get(name, port))
    for name, port in zip(["BANK_URL", "REGISTRY_URL"], free_ports(2), strict=True):
        environment[f"COMMAND_CENTER_{name}"] = f"http://127.0.0.1:{port}"
    environment["COMMAND_CENTER_FURTHER_SIMULATORS_PORT"] = str(free_ports(1)[0])
    environment |= {f"COMMAND_CENTER_{name}": str(value) for name, value in moved.items()}
    return subprocess.run(
        [sys.executable, "-m", "command_center", "run"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
    )


def test_a_taken_port_is_named_in_one_sentence_and_nothing_is_started(taken: int, tmp_path: Path) -> None:
    ended = _start(tmp_path, HTTP_PORT=taken)
    assert ended.returncode == preflight.PORT_TAKEN
    assert ended.stderr.strip() == (
        f"Port {taken} for web pages is already in use: stop what uses it, or set COMMAND_CENTER_HTTP_PORT to another."
    )
    assert not (tmp_path / "logs").exists()


def test_a_taken_media_port_is_named_as_udp(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("0.0.0.0", 0))
        port = holder.getsockname()[1]
        ended = _start(tmp_path, MEDIA_PORT=port)
    assert ended.returncode == preflight.PORT_TAKEN
    assert f"UDP port {port} for media is already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file stands where the folder should: not even root can write into that."""
    (tmp_path / "file").write_text("")
    ended = _start(tmp_path / "file" / "var")
    assert ended.returncode == preflight.DATA_FOLDER_UNUSABLE
    assert ended.stderr.count("\n") == 1
    assert "can't be written" in ended.stderr
    assert "COMMAND_CENTER_DATA" in ended.stderr


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with preflight.lock_data_folder(tmp_path), pytest.raises(StartRefused, match="already running"):
        preflight.lock_data_folder(tmp_path)
    preflight.lock_data_folder(tmp_path).close()


def test_the_demonstration_never_mixes_with_a_courts_own_records(tmp_path: Path) -> None:
    preflight.claim_data_folder(tmp_path, "demonstration")
    preflight.claim_data_folder(tmp_path, "demonstration")
    with pytest.raises(StartRefused, match="holds the demonstration"):
        preflight.claim_data_folder(tmp_path, "court")


def test_a_damaged_installation_mark_is_no_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "installation.json").write_text("{")
    with pytest.raises(StartRefused, match=r"installation\.json can't be read"):
        preflight.kind_of(tmp_path)


def test_every_port_of_the_installation_is_checked() -> None:
    settings = Settings(
        redis_port=1,
        bank_url="http://127.0.0.1:2",
        registry_url="http://127.0.0.1:3/x",
        further_simulators_port=4,
        paying_url="http://127.0.0.1:5",
    )
    numbers = {port.number for port in preflight.ports(settings, demonstration=True)}
    assert numbers == {
        1,
        2,
        3,
        4,
        5,
        settings.http_port,
        settings.https_port,
        settings.media_port,
        settings.media_http_port,
    }
    assert 1 not in {
        port.number
        for port in preflight.ports(settings.model_copy(update={"redis_url": "redis://x"}), demonstration=False)
    }


def test_free_ports_pass() -> None:
    preflight.check_ports([Port(port, "127.0.0.1", "tests", "X") for port in free_ports(3)])


TURN_URL = "turn:turn.example.cn:3478?transport=udp"


def test_relays_that_could_not_be_used_are_refused_without_a_word_of_the_secret(tmp_path: Path) -> None:
    ended = _start(tmp_path, TURN_URLS="turn://turn.example.cn", TURN_SECRET="north")
    assert ended.returncode == preflight.SETTINGS_UNUSABLE
    assert "is no TURN address" in ended.stderr
    assert "COMMAND_CENTER_TURN_URLS" in ended.stderr
    assert "north" not in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"turn_urls": TURN_URL}, "without the relays' shared secret"),
        ({"turn_urls": TURN_URL, "turn_secret_file": Path("/nowhere/secret")}, "/nowhere/secret can't be read"),
    ],
)
def test_a_missing_secret_of_the_relays_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(StartRefused, match=said):
        preflight.check_turn(Settings(**changes))


def test_relays_that_are_set_well_or_not_at_all_pass(tmp_path: Path) -> None:
    preflight.check_turn(Settings())
    preflight.check_turn(Settings(turn_urls=TURN_URL, turn_secret=SecretStr("north")))
    secret = tmp_path / "secret"
    secret.write_text("north\n")
    settings = Settings(turn_urls=TURN_URL, turn_secret_file=secret)
    preflight.check_turn(settings)
    assert settings.turn.secret == "north"


def test_the_relays_secret_is_neither_shown_with_the_settings_nor_on_the_nodes_command_line(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, redis_url="redis://hub", turn_urls=TURN_URL, turn_secret=SecretStr("north"))
    assert "north" not in repr(settings)
    node = next(
        part for part in installation(settings, Hub("redis://hub"), demonstration=False) if part.name == "media"
    )
    assert node.command[node.command.index("--turn-url") + 1] == TURN_URL
    assert not any("north" in word for word in node.command)
    assert node.environment["COMMAND_CENTER_TURN_SECRET"] == "north"


def test_every_media_node_has_ports_of_its_own_that_are_checked_and_clash_with_no_other_part() -> None:
    needed = preflight.ports(Settings(media_nodes=3), demonstration=True)
    assert len({(port.number, port.is_udp) for port in needed}) == len(needed)
    media = [port for port in needed if "node-" in port.purpose]
    assert [port.number for port in media if port.is_udp] == [8200, 8201, 8202]
    assert [port.number for port in media if not port.is_udp] == [8201, 8211, 8221]
    assert {port.setting for port in media} == {"COMMAND_CENTER_MEDIA_PORT", "COMMAND_CENTER_MEDIA_HTTP_PORT"}


def test_a_port_that_two_parts_want_is_refused() -> None:
    first, second = free_ports(2)
    needed = [Port(first, "127.0.0.1", "one", "X"), Port(second, "127.0.0.1", "two", "Y")]
    preflight.check_ports(needed)
    with pytest.raises(StartRefused, match=f"Port {first} is wanted for one and for three: set X or Z to another"):
        preflight.check_ports([*needed, Port(first, "127.0.0.1", "three", "Z")])
    preflight.check_ports([*needed, Port(first, "127.0.0.1", "three", "Z", is_udp=True)])


@pytest.mark.parametrize("setting", ["MEDIA_NODES", "MEDIA_ORIGINS"])
def test_settings_that_make_no_sense_are_one_sentence_each(setting: str) -> None:
    ended = CliRunner().invoke(app, ["run"], env={f"COMMAND_CENTER_{setting}": "https://a b"})
    assert ended.exit_code == preflight.SETTINGS_UNUSABLE
    assert ended.stderr.startswith(f"COMMAND_CENTER_{setting}: ")
    assert ended.stderr.count("\n") == 1

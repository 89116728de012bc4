"""The demonstration starts a simulator of every kind of gateway, each on a port of its own; a court starts none."""

from __future__ import annotations

from pathlib import Path

from assets.kinds import kinds
from command_center.config import Settings
from command_center.launcher.parts import installation
from command_center.launcher.preflight import ports
from streams.hub.hub import Hub

GATEWAYS = """
[[gateway]]
name = "first"
kind = "bank"
url = "http://127.0.0.1:9301/b/001"

[[gateway]]
name = "second"
kind = "bank"
url = "http://127.0.0.1:9301/b/002"

[[gateway]]
name = "land"
kind = "registry"
url = "https://land.example"
"""


def _started(settings: Settings, *, demonstration: bool) -> dict[str, str]:
    parts = installation(settings, Hub("redis://hub"), demonstration=demonstration)
    return {
        part.name: part.command[part.command.index("--port") + 1]
        for part in parts
        if "assets.simulators" in part.command and part.name in kinds()
    }


def test_every_kind_is_simulated_in_the_demonstration_and_its_port_is_checked(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, redis_url="redis://hub", further_simulators_port=9205)
    started = _started(settings, demonstration=True)
    assert list(started) == list(kinds())
    assert list(started.values())[:3] == ["8203", "8204", "9205"]
    assert _started(settings, demonstration=False) == {}
    parts = {part.name: part for part in installation(settings, Hub("redis://hub"), demonstration=True)}
    assert parts["bank"].command[-2:] == ("--paying-url", settings.paying_url)  # what it transfers arrives there
    checked = {port.number: port.setting for port in ports(settings, demonstration=True)}
    assert checked[9205] == "COMMAND_CENTER_FURTHER_SIMULATORS_PORT"
    assert checked[8203] == "COMMAND_CENTER_BANK_URL"


def test_with_a_file_one_simulator_stands_for_all_gateways_at_its_address(tmp_path: Path) -> None:
    path = tmp_path / "gateways.toml"
    path.write_text(GATEWAYS, encoding="utf-8")
    settings = Settings(data=tmp_path, redis_url="redis://hub", gateways_file=path)
    assert _started(settings, demonstration=True) == {"bank": "9301"}
    assert {port.number: port.setting for port in ports(settings, demonstration=True)}[
        9301
    ] == "COMMAND_CENTER_GATEWAYS_FILE"

"""The list of agents is read strictly, and what is wrong with it is said in a sentence without passwords."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from field_agent.agent.__main__ import main
from field_agent.agent.configuration import read_agents
from field_agent.agent.errors import AgentsFileInvalid
from tests.field_agent.conftest import agent_settings


def write(folder: Path, *agents: dict[str, object]) -> Path:
    path = folder / "agents.json"
    path.write_text(json.dumps(list(agents)))
    return path


def test_a_good_list_is_read(tmp_path: Path) -> None:
    agent = agent_settings()
    assert read_agents(write(tmp_path, agent.model_dump(mode="json"))) == [agent]


@pytest.mark.parametrize(
    "change", [{"clip": "beach"}, {"codec": "AV1"}, {"track": [[40.0, 111.0]]}, {"device": "a b"}, {"extra": 1}]
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    path = write(tmp_path, agent_settings().model_dump(mode="json") | {"password": "geheim-9"} | change)
    with pytest.raises(AgentsFileInvalid) as refusal:
        read_agents(path)
    assert "agents.json" in str(refusal.value)
    assert "geheim-9" not in str(refusal.value)


def test_the_command_says_what_is_missing_and_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--agents", str(tmp_path / "none.json"), "--cache", str(tmp_path)])
    assert code == 2
    assert "none.json" in capsys.readouterr().err


def test_a_password_is_not_shown() -> None:
    assert "right" not in repr(agent_settings())

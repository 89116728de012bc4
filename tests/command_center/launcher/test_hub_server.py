"""The embedded hub as it is configured."""

from __future__ import annotations

from pathlib import Path

from command_center.launcher.hub_server import hub_command


def test_what_the_hub_has_answered_is_on_the_disk(tmp_path: Path) -> None:
    _, configuration = hub_command(tmp_path, tmp_path / "keys", 6379)
    lines = Path(configuration).read_text().splitlines()
    assert "appendonly yes" in lines
    assert "appendfsync always" in lines

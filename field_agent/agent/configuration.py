"""The list of headless agents to run, as a JSON file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from field_agent.agent.clips import ClipOrder, VideoCodec
from field_agent.agent.errors import AgentsFileInvalid
from field_agent.agent.scenes import SCENES


class AgentSettings(BaseModel):
    """One agent: who it signs in as, where it belongs, what it shows and where it goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str
    password: str = Field(repr=False)
    operation: str
    """Its id, or its name in either language."""
    site_ordinal: int
    device: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    clip: str
    codec: VideoCodec = "H264"
    track: list[tuple[float, float]] = Field(min_length=2)
    """WGS-84 [latitude, longitude]."""
    site_zh: str = Field(default="", max_length=24)
    site_en: str = Field(default="", max_length=40)
    """Written in the picture; empty: the scene's own name."""
    speed_mps: float | None = Field(default=None, gt=0, le=60)
    refuses: bool = False
    """Whether this officer refuses one instruction in four."""

    @property
    def order(self) -> ClipOrder:
        """The clip that it plays."""
        return ClipOrder(self.clip, self.codec, self.site_zh, self.site_en)


_LIST: TypeAdapter[list[AgentSettings]] = TypeAdapter(list[AgentSettings])


def read_agents(path: Path) -> list[AgentSettings]:
    """Read the list.

    Raises:
        AgentsFileInvalid: it isn't there, isn't JSON, or an entry is wrong.
    """
    try:
        agents = _LIST.validate_json(path.read_bytes())
    except OSError as error:
        raise AgentsFileInvalid(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise AgentsFileInvalid(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for agent in agents:
        if agent.clip not in SCENES:
            raise AgentsFileInvalid(f"{path}: no clip is called {agent.clip}; there are {', '.join(SCENES)}")
    return agents

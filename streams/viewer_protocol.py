"""The messages that a viewer's page exchanges with the node on the data channel of its session (label `viewer`).

JSON texts. The page says what its tile is for, the node what it is given. The same wish may be sent by HTTP, as a PATCH
of the session.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

CHANNEL_LABEL = "viewer"
MAX_MESSAGE_BYTES = 1024

LayerName = Literal["low", "middle", "high"]
Held = Literal["bandwidth", "switching", "publisher"]
"""Why less is given than is wanted: the page's line is too narrow, the key frame is awaited, or none is sent."""


class Want(BaseModel):
    """Which layer the tile wants; the spotlight comes before all others. Further members are for later versions."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    type: Literal["want"] = "want"
    layer: LayerName
    spotlight: bool = False


class Picture(BaseModel):
    """What the tile is given now: told when the channel opens, and at each change.

    `layer` is None while there is no picture. `paused` says why the node sends none though there is one, `held` why it
    sends a lower layer than is wanted.
    `estimate_kbps` is what the page's line is thought to carry; None while nothing limits it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["picture"] = "picture"
    layer: LayerName | None
    wanted: LayerName
    paused: Literal["bandwidth"] | None = None
    held: Held | None = None
    estimate_kbps: int | None = None

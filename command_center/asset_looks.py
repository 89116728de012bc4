"""How a state of an asset or of a request looks wherever it is told: on pages, the panel, phones and in workbooks."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from assets.requests import RequestState
from assets.views import Standing


class Look(StrEnum):
    """One of the six states of a control room, each with a shape and a colour of its own; or none of them."""

    CRITICAL = "critical"
    SERIOUS = "serious"
    CAUTION = "caution"
    NORMAL = "normal"
    STANDBY = "standby"
    OFF = "off"
    PLAIN = "plain"


STANDINGS: dict[Standing, Look] = {
    Standing.CONTROLLED: Look.NORMAL,
    Standing.PARTLY: Look.CAUTION,
    Standing.EMPTY: Look.CAUTION,
    Standing.UNCONFIRMED: Look.CAUTION,
    # Never the colour of what is controlled: a waiting measure holds nothing.
    Standing.WAITING: Look.STANDBY,
    Standing.DRAFTED: Look.OFF,
    Standing.INTENDED: Look.OFF,
    Standing.OBJECTED: Look.SERIOUS,
    Standing.UNSENT: Look.SERIOUS,
    Standing.UNKNOWN: Look.CAUTION,
    Standing.NOT_CONTROLLED: Look.SERIOUS,
    Standing.PRE_REGISTERED: Look.NORMAL,
    Standing.LAPSED: Look.CRITICAL,
    Standing.RELEASED: Look.OFF,
    Standing.TRANSFERRED: Look.OFF,
    Standing.VOID: Look.OFF,
    Standing.CLUE: Look.PLAIN,
    Standing.NONE: Look.PLAIN,
}
NEVER_ASKED = "never"
REQUESTS: dict[str, Look] = {
    NEVER_ASKED: Look.PLAIN,
    RequestState.DRAFT: Look.OFF,
    RequestState.APPROVED: Look.OFF,
    RequestState.SEALED: Look.OFF,
    RequestState.SENT: Look.OFF,
    RequestState.ACCEPTED: Look.OFF,
    RequestState.ANSWERED: Look.NORMAL,
    RequestState.CHECKED: Look.NORMAL,
    RequestState.NOTHING_FOUND: Look.STANDBY,
    RequestState.NO_ANSWER: Look.CAUTION,
    RequestState.FAILED: Look.SERIOUS,
    RequestState.RETURNED: Look.SERIOUS,
    RequestState.OBJECTED: Look.SERIOUS,
    RequestState.DECLINED: Look.SERIOUS,
    RequestState.WITHDRAWN: Look.OFF,
}
COLOURS: dict[Look, str] = {
    Look.CRITICAL: "#ff3838",
    Look.SERIOUS: "#ffb302",
    Look.CAUTION: "#fce83a",
    Look.NORMAL: "#56f000",
    Look.STANDBY: "#2dccff",
    Look.OFF: "#a4abb6",
    Look.PLAIN: "#5f7489",
}
"""As `theme.css` has them."""
SHAPES: dict[Look, str] = {
    Look.CRITICAL: "■",
    Look.SERIOUS: "◆",
    Look.CAUTION: "▲",
    Look.NORMAL: "●",
    Look.STANDBY: "○",
    Look.OFF: "□",
    Look.PLAIN: "–",
}
"""The shapes as characters, where nothing can be drawn."""


def looks() -> dict[str, Any]:
    """The table as scripts read it."""
    return {"standings": dict(STANDINGS), "requests": dict(REQUESTS)}

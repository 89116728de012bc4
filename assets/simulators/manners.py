"""The ways in which a simulated bank or registry can answer, in the words of their messages."""

from __future__ import annotations

import random
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "plain",
    "slow",
    "silent",  # acts and never answers
    "late",  # acts only after the caller gave up
    "server-error",  # acts and answers 5xx
    "broken",  # answers 5xx without having acted
    "garbage",  # acts and answers what nobody understands
    "reset",  # acts and resets the connection
    "refuses",
    "objects",  # does nothing; the court answers within 15 days
    "accepted",  # takes it in (202) and acts when it is asked again
    "twice",  # acts and sends its answer twice
    "contradicts",  # asked again under the same number, it says the contrary
    "nothing",  # finds nothing
    "not-controlled",
    "partly",  # controls half of what was asked
    "waiting",  # another court was there first
    "priority",  # somebody else's right goes before: controlled 0
    "mixed",  # any of these, drawn by the seed
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In words: `words.json`, under `manner.…`."""
BEFORE_THE_DEED: frozenset[Kind] = frozenset({"late", "broken", "refuses", "objects", "accepted"})
"""In these it has not acted yet when it answers."""
PASSING: frozenset[Kind] = frozenset(
    {"silent", "late", "server-error", "broken", "garbage", "reset", "objects", "accepted", "twice"}
)
"""What would never end by itself; drawn by the seed, it is over after one or two askings."""


class Trouble(BaseModel):
    """One way of answering, `times` times for one request number; for ever without."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind
    times: int | None = Field(default=None, ge=1, le=1000)
    reason: str = Field(default="", max_length=200)


_WEIGHTS: dict[Kind, int] = {kind: 8 if kind == "plain" else 1 for kind in KINDS if kind not in ("mixed", "refuses")}


def draw(seed: int, key: str) -> Trouble:
    """One of all manners: the same for the same seed and key."""
    chance = random.Random(f"{seed}/{key}")
    kind = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    return Trouble(kind=kind, times=chance.randint(1, 2) if kind in PASSING else None, reason="模拟（虚构）")

"""What a request that was refused at the door would have done, and to what: read from its address and body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from command_center.accounts.names import id_in

Kind = Literal["deletion", "hold", "retention"]
Step = Literal["propose", "approve", "refuse", "withdraw", "custody", "set", "lift", "classify"]
_OF_A_DELETION: dict[str, Step] = {
    "approve": "approve",
    "refuse": "refuse",
    "withdraw": "withdraw",
    "custody": "custody",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step of keeping or deleting; of what it names, each is None where it names none, or nothing that is an id."""

    kind: Kind
    step: Step
    operation: UUID | None = None
    recording: UUID | None = None
    deletion: UUID | None = None
    hold: UUID | None = None


def attempt_in(path: str, body: bytes) -> Attempt | None:
    """The step that a request to this path stands for; None where it is none."""
    match [part for part in path.split("/") if part][1:]:
        case ["deletions"]:
            return Attempt("deletion", "propose", recording=_id_of(body, "recording_id"))
        case ["deletions", deletion, step] if step in _OF_A_DELETION:
            return Attempt("deletion", _OF_A_DELETION[step], deletion=id_in(deletion))
        case ["retention", "holds"]:
            return Attempt(
                "hold", "set", operation=_id_of(body, "operation_id"), recording=_id_of(body, "recording_id")
            )
        case ["retention", "holds", hold, "lift"]:
            return Attempt("hold", "lift", hold=id_in(hold))
        case ["retention", "classes"]:
            named = {"operation": _id_of(body, "operation_id"), "recording": _id_of(body, "recording_id")}
            return Attempt("retention", "classify", **named)
    return None


def _id_of(body: bytes, name: str) -> UUID | None:
    """Nobody has checked the body: whoever is refused may have sent anything."""
    try:
        fields: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    value = fields.get(name) if isinstance(fields, dict) else None
    return id_in(value) if isinstance(value, str) else None

"""The errors that the command center answers with; words are made at the edge.

CommandCenterError
├── NotSignedIn          401
├── NotPermitted         403
├── NotFound             404
├── Conflict             409
├── Invalid              422
├── TooMany              429
└── Unavailable          503
"""

from __future__ import annotations


class CommandCenterError(Exception):
    """A refusal with a stable `code` and its parameters; `status` is its HTTP status."""

    status = 500

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(f"{code} {parameters}" if parameters else code)
        self.code = code
        self.parameters = parameters


class NotSignedIn(CommandCenterError):
    """Nobody is signed in, or the session is over."""

    status = 401


class NotPermitted(CommandCenterError):
    """Signed in, but this may not be seen or done by this person."""

    status = 403


class NotFound(CommandCenterError):
    """There is no such thing, or none that this person may know of."""

    status = 404


class Conflict(CommandCenterError):
    """The state of the thing doesn't allow this now."""

    status = 409


class Invalid(CommandCenterError):
    """What was sent can't be accepted as it is."""

    status = 422


class TooMany(CommandCenterError):
    """Asked too often; try again later."""

    status = 429


class Unavailable(CommandCenterError):
    """A part that this needs is away; try again soon."""

    status = 503

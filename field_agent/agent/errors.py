"""What can go wrong for the headless agent.

AgentError
├── AgentsFileInvalid   the list of agents can't be read
├── CentreRefused       the centre answered no; `status` and `code` say why
├── CentreUnreachable   no answer from the centre in time
├── SessionRefused      the media node didn't take the session
├── SessionLost         the media session ended; another one may be opened
└── TokenOver           the centre doesn't know our sign-in any more
"""

from __future__ import annotations


class AgentError(Exception):
    """Any of them."""


class AgentsFileInvalid(AgentError):
    """The list of agents can't be read; the message says where."""


class CentreRefused(AgentError):
    """The centre answered no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class TokenOver(CentreRefused):
    """The sign-in isn't known any more: sign in again."""


class CentreUnreachable(AgentError):
    """No answer from the centre in time; what was asked may have happened."""


class SessionRefused(AgentError):
    """The media node didn't take the session, or its answer can't be used."""


class SessionLost(AgentError):
    """The media session ended: no consent, DTLS closed, or the port is dead."""

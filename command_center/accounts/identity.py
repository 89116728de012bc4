"""Who is asking: set once by the gate for each request and socket, read by every service."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from command_center.accounts.permissions import ROLE_PERMISSIONS, Permission, Role
from command_center.errors import NotPermitted, NotSignedIn


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person, by cookie or by a program's bearer token.

    `court_ids` are the courts whose cases and operations this person's court may see: its own and its district courts.
    """

    user_id: UUID
    session_id: UUID
    username: str
    display_name: str
    role: Role
    court_id: UUID
    court_ids: frozenset[UUID]
    language: str = "zh"

    def may(self, permission: Permission) -> bool:
        """Whether the role carries this permission; what it may be used on, each service checks."""
        return permission in ROLE_PERMISSIONS[self.role]


current_identity: ContextVar[Identity | None] = ContextVar("current_identity", default=None)


def signed_in() -> Identity:
    """The person asking.

    Raises:
        NotSignedIn: nobody is.
    """
    identity = current_identity.get()
    if identity is None:
        raise NotSignedIn("not-signed-in")
    return identity


def require(permission: Permission) -> Identity:
    """The person asking, who has this permission.

    Raises:
        NotSignedIn: nobody is signed in.
        NotPermitted: the role doesn't carry it.
    """
    identity = signed_in()
    if not identity.may(permission):
        raise NotPermitted("not-permitted", permission=permission.value)
    return identity

"""TURN relays for peers that can't reach a node directly, and the credentials that let one session use them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field

CREDENTIAL_LIFE_SECONDS = 12 * 3600
"""A day's operation: a phone that changes its network asks the relay anew, with what it got when its session began."""

# RFC 7065, without what it allows beyond: nothing that could end a header's `<…>` or begin another one gets through.
_URL = re.compile(
    r"turns?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\?transport=(?:udp|tcp))?",
    re.ASCII,
)


class TurnMisconfigured(ValueError):
    """The settings of TURN don't fit together; the message says which, without the secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a relay asks for; of use until `username`'s first part, a Unix time."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TurnServers:
    """The relays of one installation, and the secret that they share with us. Without addresses there are none.

    Source: draft-uberti-behave-turn-rest-00, which coturn serves with `use-auth-secret`.
    """

    urls: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what no relay or header would take.

        Raises:
            TurnMisconfigured: an address is none, or addresses and secret don't come together.
        """
        for url in self.urls:
            if _URL.fullmatch(url) is None:
                raise TurnMisconfigured(f"{url!r} is no TURN address such as turn:turn.example:3478?transport=udp")
        if self.urls and not self.secret:
            raise TurnMisconfigured("TURN addresses are set without the relays' shared secret")

    def credentials(self, identifier: object, now: float) -> Credentials:
        """Credentials for one session from `now`, a Unix time, on.

        `identifier` reaches the relay's log and whoever listens on the way: it must tell neither person nor feed.
        """
        username = f"{int(now) + CREDENTIAL_LIFE_SECONDS}:{identifier}"
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        return Credentials(username, base64.b64encode(digest).decode())

    def links(self, identifier: object, now: float) -> list[str]:
        """One `Link` header for each relay (RFC 9725 §4.6)."""
        if not self.urls:
            return []
        one = self.credentials(identifier, now)
        return [
            f'<{url}>; rel="ice-server"; username="{one.username}"; credential="{one.password}"; '
            'credential-type="password"'
            for url in self.urls
        ]


NO_TURN = TurnServers()
"""Where no relay is set."""


def read_urls(text: str) -> tuple[str, ...]:
    """The addresses in a comma-separated setting."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))

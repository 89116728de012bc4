"""Revoked rights as they reach one process: read from a stream, so that a break of the hub loses none."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from pydantic import ValidationError

from streams.hub.hub import Hub, HubAway
from streams.hub.topics import REVOCATIONS_STREAM, Revoked
from streams.signalling.tokens import LONGEST_LIFE_SECONDS, Grant

logger = logging.getLogger(__name__)

BACK_SECONDS = LONGEST_LIFE_SECONDS + 15 * 60
"""How far back to read at the start: longer than any access token lives."""
RETRY_SECONDS = 0.5
REMEMBERED = 10_000
"""Revocations kept in mind to refuse tokens that aren't expired yet; the oldest is forgotten first."""


def ends(revoked: Revoked, grant: Grant) -> bool:
    """Whether this revocation ends what the grant opened."""
    if revoked.session_id is not None and grant.session_id == revoked.session_id:
        return True
    if revoked.token_id is not None and grant.token_id == revoked.token_id:
        return True
    if revoked.user_id is None or grant.user_id != revoked.user_id:
        return False
    if revoked.operation_id is not None and grant.operation_id != revoked.operation_id:
        return False
    # Who was let in again afterwards has a newer token.
    return grant.issued_at is None or grant.issued_at * 1000 <= revoked.at


class Revocations:
    """Follows the stream, tells each revocation once, and remembers it for `is_revoked`."""

    def __init__(self, hub: Hub, on_revoked: Callable[[Revoked], None]) -> None:
        self._hub = hub
        self._on_revoked = on_revoked
        self.forgotten = 0
        self._known: OrderedDict[tuple[str, UUID | str, UUID | None], Revoked] = OrderedDict()

    def is_revoked(self, grant: Grant) -> bool:
        """Whether a token with this grant must be refused although its time isn't over."""
        keys: list[tuple[str, UUID | None, UUID | None]] = [
            ("session", grant.session_id, None),
            ("token", grant.token_id, None),
            ("user", grant.user_id, None),
            ("user", grant.user_id, grant.operation_id),
        ]
        for kind, subject, operation in keys:
            known = self._known.get((kind, subject, operation)) if subject is not None else None
            if known is not None and ends(known, grant):
                return True
        return False

    def is_feed_revoked(self, feed: str) -> bool:
        """Whether this feed must be refused to everybody."""
        return ("feed", feed, None) in self._known

    def take(self, revoked: Revoked) -> None:
        """Remember one revocation and tell it."""
        subjects: list[tuple[str, UUID | str | None]] = [
            ("session", revoked.session_id),
            ("token", revoked.token_id),
            ("user", revoked.user_id),
            ("feed", revoked.feed),
        ]
        for kind, subject in subjects:
            if subject is not None:
                key = (kind, subject, revoked.operation_id if kind == "user" else None)
                self._known[key] = revoked
                self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
            self.forgotten += 1
        self._on_revoked(revoked)

    async def run(self) -> None:
        """Follow the stream until cancelled."""
        last_id = f"{int((time.time() - BACK_SECONDS) * 1000)}-0"
        while True:
            try:
                entries = await self._hub.read_after(REVOCATIONS_STREAM, last_id)
            except HubAway:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for entry_id, event in entries:
                last_id = entry_id
                try:
                    revoked = Revoked.model_validate_json(event)
                except ValidationError:
                    logger.warning("revocation %s can't be read", entry_id)
                    continue
                self.take(revoked)

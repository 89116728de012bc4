"""The states that a sanction goes through."""

from __future__ import annotations

from enum import StrEnum


class SanctionState(StrEnum):
    """Where a sanction stands."""

    PROPOSED = "proposed"
    UNDER_REVIEW = "under_review"
    DECIDED = "decided"
    SERVED = "served"
    PUBLISHED = "published"
    SHIELDED = "shielded"
    """Still in force, hidden from the public for the time being (屏蔽)."""
    CORRECTED = "corrected"
    """Published, with other contents than at first (更正)."""
    DELETED = "deleted"
    EXPIRED = "expired"
    REFUSED = "refused"
    """The one who decides didn't."""
    WITHDRAWN = "withdrawn"
    """The one who proposed thought better of it."""


_S = SanctionState
NEXT: dict[SanctionState, frozenset[SanctionState]] = {
    _S.PROPOSED: frozenset({_S.UNDER_REVIEW, _S.REFUSED, _S.WITHDRAWN}),
    _S.UNDER_REVIEW: frozenset({_S.DECIDED, _S.REFUSED, _S.WITHDRAWN}),
    # What was decided may lose its ground before anybody is told of it.
    _S.DECIDED: frozenset({_S.SERVED, _S.DELETED}),
    _S.SERVED: frozenset({_S.PUBLISHED, _S.DELETED}),
    _S.PUBLISHED: frozenset({_S.SHIELDED, _S.CORRECTED, _S.DELETED, _S.EXPIRED}),
    _S.CORRECTED: frozenset({_S.SHIELDED, _S.CORRECTED, _S.DELETED, _S.EXPIRED}),
    # It comes back as what it was: published or corrected.
    _S.SHIELDED: frozenset({_S.PUBLISHED, _S.CORRECTED, _S.DELETED, _S.EXPIRED}),
    _S.DELETED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}

PUBLIC = frozenset({_S.PUBLISHED, _S.CORRECTED})
"""The public can read it."""
RELEASED = PUBLIC | {_S.SHIELDED}
"""It was published, and hasn't ended."""
STANDING = RELEASED | {_S.DECIDED, _S.SERVED}
"""It is in force."""
LIVE = STANDING | {_S.PROPOSED, _S.UNDER_REVIEW}
"""It bars a second one of its kind on the same person in the same case."""

"""What an officer on site proposes to control, and the states that it goes through."""

from __future__ import annotations

from enum import StrEnum


class ProposalState(StrEnum):
    """Where a proposal stands; the judge decides, its officer may think better of it before."""

    OPEN = "open"
    TAKEN_UP = "taken_up"
    """A control was ordered for it."""
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


NEXT: dict[ProposalState, frozenset[ProposalState]] = {
    ProposalState.OPEN: frozenset({ProposalState.TAKEN_UP, ProposalState.DECLINED, ProposalState.WITHDRAWN}),
    ProposalState.TAKEN_UP: frozenset(),
    ProposalState.DECLINED: frozenset(),
    ProposalState.WITHDRAWN: frozenset(),
}

"""A request to a bank or a registry, and the states that it goes through."""

from __future__ import annotations

from enum import StrEnum


class RequestState(StrEnum):
    """Where a request stands. A failed or unanswered query never looks like "nothing found"."""

    DRAFT = "draft"
    APPROVED = "approved"
    SEALED = "sealed"
    SENT = "sent"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    NOTHING_FOUND = "nothing_found"
    NO_ANSWER = "no_answer"
    """No usable answer in time. For a control the outcome is unknown: it may have been carried out."""
    FAILED = "failed"
    """A query's answer was an error or garbage."""
    RETURNED = "returned"
    """The other side refused, with its reason."""
    CHECKED = "checked"


_ANSWERS = frozenset(
    {
        RequestState.ANSWERED,
        RequestState.NOTHING_FOUND,
        RequestState.NO_ANSWER,
        RequestState.FAILED,
        RequestState.RETURNED,
    }
)

NEXT: dict[RequestState, frozenset[RequestState]] = {
    # Approval by a second person and the seal stand between a draft and its sending where a rule asks for them.
    RequestState.DRAFT: frozenset({RequestState.APPROVED, RequestState.SENT}),
    RequestState.APPROVED: frozenset({RequestState.SEALED}),
    RequestState.SEALED: frozenset({RequestState.SENT}),
    RequestState.SENT: _ANSWERS | {RequestState.ACCEPTED},
    RequestState.ACCEPTED: _ANSWERS,
    RequestState.NO_ANSWER: _ANSWERS - {RequestState.NO_ANSWER} | {RequestState.ACCEPTED},
    RequestState.FAILED: frozenset({RequestState.SENT}),
    RequestState.ANSWERED: frozenset({RequestState.CHECKED}),
    RequestState.NOTHING_FOUND: frozenset({RequestState.CHECKED}),
    RequestState.RETURNED: frozenset({RequestState.CHECKED}),
    RequestState.CHECKED: frozenset(),
}

AWAITED = frozenset({RequestState.SENT, RequestState.ACCEPTED, RequestState.NO_ANSWER})
"""What the sender goes on asking for, with the same number."""

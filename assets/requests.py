"""A request to a bank or a registry, and the states that it goes through."""

from __future__ import annotations

from enum import StrEnum


class RequestState(StrEnum):
    """Where a request stands. A failed or unanswered query never looks like "nothing found"."""

    DRAFT = "draft"
    """Where a rule asks for a second person it waits for that one; else it goes on at once."""
    DECLINED = "declined"
    """The second person said no."""
    WITHDRAWN = "withdrawn"
    """Its author took it back before it was sent."""
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
    OBJECTED = "objected"
    """It objects; the court has 15 days to answer. Source: 法释〔2013〕20号 §6."""
    CHECKED = "checked"


_ANSWERS = frozenset(
    {
        RequestState.ANSWERED,
        RequestState.NOTHING_FOUND,
        RequestState.NO_ANSWER,
        RequestState.FAILED,
        RequestState.RETURNED,
        RequestState.OBJECTED,
    }
)

NEXT: dict[RequestState, frozenset[RequestState]] = {
    # Approval by a second person stands between a draft and its sending where a rule asks for it.
    RequestState.DRAFT: frozenset(
        {RequestState.APPROVED, RequestState.SEALED, RequestState.DECLINED, RequestState.WITHDRAWN, RequestState.SENT}
    ),
    RequestState.DECLINED: frozenset(),
    RequestState.WITHDRAWN: frozenset(),
    RequestState.APPROVED: frozenset({RequestState.SEALED, RequestState.WITHDRAWN}),
    RequestState.SEALED: frozenset({RequestState.SENT}),
    RequestState.SENT: _ANSWERS | {RequestState.ACCEPTED},
    RequestState.ACCEPTED: _ANSWERS,
    RequestState.NO_ANSWER: _ANSWERS - {RequestState.NO_ANSWER} | {RequestState.ACCEPTED},
    RequestState.FAILED: frozenset({RequestState.SENT}),
    RequestState.ANSWERED: frozenset({RequestState.CHECKED}),
    RequestState.NOTHING_FOUND: frozenset({RequestState.CHECKED}),
    RequestState.RETURNED: frozenset({RequestState.CHECKED}),
    # Maintained, it is asked again with its own number; the other side carries it out or returns it.
    RequestState.OBJECTED: frozenset({RequestState.SENT, RequestState.RETURNED, RequestState.CHECKED}),
    RequestState.CHECKED: frozenset(),
}

AWAITED = frozenset({RequestState.SENT, RequestState.ACCEPTED, RequestState.NO_ANSWER})
"""What the sender goes on asking for, with the same number."""

CHECKABLE = frozenset({RequestState.ANSWERED, RequestState.NOTHING_FOUND, RequestState.RETURNED})
"""What came back, and a judge checks it (核收)."""


def outcome(state: RequestState, *, is_control: bool, found: int, trouble: str) -> RequestState:
    """What came back, also of a request that was checked since: "nothing found" and "found" stay two things."""
    if state is not RequestState.CHECKED:
        return state
    if trouble:
        return RequestState.RETURNED
    return RequestState.ANSWERED if is_control or found else RequestState.NOTHING_FOUND

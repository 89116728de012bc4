"""The review: the cameras of an operation in step, with the map, what happened, and one line of time."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import shell
from command_center.screens.components.map import frame
from command_center.screens.words import say

REVIEW = "review"


def layout(**_query: str) -> Any:
    """The panels, empty; `review.js` fills them for the operation that is chosen in the header."""
    return html.Main(
        id=REVIEW,
        className="review",
        **shell.attributes(data_module="review"),
        children=[
            html.Link(rel="stylesheet", href="/static/review.css"),
            html.Link(rel="stylesheet", href="/static/review_verdicts.css"),
            shell.panel(say("review.wall"), None, name="wall"),
            shell.panel(say("review.map"), frame("review"), name="review-map"),
            shell.panel(say("review.events"), None, name="events"),
            shell.panel(say("review.verdicts"), None, name="verdicts"),
            shell.panel(say("review.timeline"), None, name="timeline"),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/review", layout=layout, title=say("page.review"), name="review")  # type: ignore[no-untyped-call]

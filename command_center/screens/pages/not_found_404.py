"""What stands where no page is."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """One sentence and the way back."""
    return html.Main(
        className="not-found", children=[html.H2(say("page.not-found")), html.A(say("page.home"), href="/")]
    )


def register(_app: Dash) -> None:
    """Add the page; Dash knows it by its module's name."""
    register_page(__name__, path="/not-found", layout=layout, name="not-found")  # type: ignore[no-untyped-call]

"""The instructions panel: what was ordered and how far it came; `instructions.js` fills it."""

from __future__ import annotations

from typing import Any

from dash import html

from command_center.accounts.identity import current_identity
from command_center.accounts.permissions import Permission
from command_center.screens import ids, shell
from command_center.screens.words import say

PHRASES = 10
"""How many court phrases the catalogue holds, `phrase.1` …"""


def instructions() -> Any:
    """The list, and the box for who may send."""
    identity = current_identity.get()
    may_send = identity is not None and identity.may(Permission.SEND_INSTRUCTIONS)
    return shell.panel(
        say("instructions.title"),
        [
            html.Ol(
                id="instruction-list",
                className="instruction-list",
                **shell.attributes(aria_label=say("instructions.title")),
            ),
            html.Div(id="compose", **shell.attributes(data_phrases=str(PHRASES))) if may_send else None,
        ],
        name=ids.INSTRUCTIONS,
        module="instructions",
    )

"""Every output of every Dash callback, and what it needs; an output that isn't here is refused by the gate."""

from __future__ import annotations

from command_center.accounts.callbacks import PAGE_CONTENT
from command_center.accounts.doors import ANYBODY, SignedIn
from command_center.screens.components import assets_panel

CALLBACKS: dict[str, SignedIn] = {
    # Dash's own router; the gate asks the wanted page's door as well.
    PAGE_CONTENT: ANYBODY,
    "_pages_store.data": ANYBODY,
    **assets_panel.OUTPUTS,
}

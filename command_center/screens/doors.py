"""Every output of every Dash callback, and what it needs; an output that isn't here is refused by the gate."""

from __future__ import annotations

from command_center.accounts.callbacks import PAGE_CONTENT
from command_center.accounts.doors import ANYBODY, SignedIn, may
from command_center.accounts.permissions import Permission

SEE = may(Permission.SEE_ASSETS)
QUERY = may(Permission.QUERY_ASSETS)
CONTROL = may(Permission.CONTROL_ASSETS)

CALLBACKS: dict[str, SignedIn] = {
    # Dash's own router; the gate asks the wanted page's door as well.
    PAGE_CONTENT: ANYBODY,
    "_pages_store.data": ANYBODY,
    "_pages_dummy.children": ANYBODY,
    # The assets of a case
    "assets-headline.children": SEE,
    "assets-answers.children": SEE,
    "assets-grid.rowData": SEE,
    "assets-graph.figure": SEE,
    "assets-chosen.children": SEE,
    "assets-open.children": SEE,
    "assets-open.disabled": SEE,
    "assets-asked.data": QUERY,
    "assets-order.opened": CONTROL,
    "assets-order.title": CONTROL,
    "assets-order-facts.children": CONTROL,
    "assets-order-key.data": CONTROL,
    "assets-order-ruling.value": CONTROL,
    "assets-order-amount.value": CONTROL,
    "assets-order-amount.style": CONTROL,
    "assets-order-confirm.children": CONTROL,
    "assets-order-error.children": CONTROL,
    "assets-ordered.data": CONTROL,
}

"""The assets of the operation's case on the centre: who answered what, what is controlled, orders to control."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate

from assets.documents import NEEDED, Action
from assets.errors import RulingMissing
from assets.formats import amount_cents
from assets.service import Assets
from assets.term_keys import TermFilter
from assets.term_table import TermTable
from assets.terms import AssetKind, longest_term
from command_center.accounts.doors import SignedIn, may
from command_center.accounts.identity import require, signed_in
from command_center.accounts.permissions import Permission
from command_center.asset_access import actor_of, refusals
from command_center.clock import now, today
from command_center.errors import CommandCenterError
from command_center.screens import ids
from command_center.screens.components import assets_parts as parts
from command_center.screens.components import assets_words as words
from command_center.screens.components.assets_layout import ASKED, GRID, ORDERED, age_mark, layout
from command_center.screens.components.assets_strip import LISTED_TERMS, strip
from command_center.screens.words import say

__all__ = ["OUTPUTS", "age_mark", "layout", "register"]

_SEE = may(Permission.SEE_ASSETS)
_CONTROL = may(Permission.CONTROL_ASSETS)

OUTPUTS: dict[str, SignedIn] = {
    "assets-headline.children": _SEE,
    "assets-strip.children": _SEE,
    "assets-money.figure": _SEE,
    "assets-answers.children": _SEE,
    f"{GRID}.rowData": _SEE,
    "assets-graph.figure": _SEE,
    f"{ASKED}.data": may(Permission.QUERY_ASSETS),
    "assets-chosen.children": _SEE,
    "assets-open.children": _SEE,
    "assets-open.disabled": _SEE,
    "assets-order.opened": _CONTROL,
    "assets-order.title": _CONTROL,
    "assets-order-facts.children": _CONTROL,
    "assets-order-key.data": _CONTROL,
    "assets-order-ruling.value": _CONTROL,
    "assets-order-amount.value": _CONTROL,
    "assets-order-amount.style": _CONTROL,
    "assets-order-confirm.children": _CONTROL,
    "assets-order-error.children": _CONTROL,
    f"{ORDERED}.data": _CONTROL,
}
"""Every output of this component's callbacks, and what it needs."""


class Panel:
    """The panel's callbacks; each reads, calls the service once, and draws."""

    def __init__(self, assets: Assets, terms: TermTable) -> None:
        self._assets = assets
        self._terms = terms

    async def refresh(self, case_id: str | None, version: int | None, *_changes: Any) -> tuple[Any, ...]:
        """Draw all of the case anew; `version` is the number of the last change the page was told of."""
        identity = signed_in()
        if not case_id:
            # Until the page has said which operation it is about, nobody knows whether it has a case.
            words = say("asset.reading") if case_id is None else say("asset.no-case")
            return (
                [html.Span(words), parts.refreshed(now(), version or 0)],
                None,
                {"data": [], "layout": parts.blank_layout()},
                None,
                None if case_id is None else [],
                {"data": [], "layout": parts.blank_layout()},
            )
        actor, case = actor_of(identity), UUID(case_id)
        with refusals():
            view = await self._assets.overview(actor, case)
            terms = await self._terms.page(actor, TermFilter(case_id=case), limit=LISTED_TERMS)
            counts = await self._terms.counts(actor, case_id=case)
        instant = now()
        may_query = identity.may(Permission.QUERY_ASSETS) and not view.head.acting_court
        return (
            [*parts.headline(view, instant), parts.refreshed(instant, version or 0)],
            strip(view, terms, counts),
            parts.money_chart(view),
            parts.answers(view, self._assets.gateway_names, instant, may_query=may_query),
            parts.rows(view, instant),
            parts.chart(view),
        )

    async def ask(self, _clicks: list[int | None], case_id: str | None) -> str:
        """Query one person at one gateway, or at all."""
        if not case_id or not any(one["value"] for one in ctx.triggered):
            raise PreventUpdate  # the buttons were drawn, not pressed
        pressed = ctx.triggered_id
        gateway = pressed["gateway"]
        with refusals():
            await self._assets.query(
                actor_of(signed_in()),
                case_id=UUID(case_id),
                person_id=UUID(pressed["person"]),
                gateways=None if gateway == parts.EVERY_GATEWAY else [gateway],
                idempotency_key=uuid4(),
            )
        return now().isoformat()

    async def choose(self, selected: list[dict[str, Any]] | None, rows: list[dict[str, Any]]) -> tuple[str, str, bool]:
        """Say which asset is chosen and what may be done about it."""
        row = _current(selected, rows)
        if row is None:
            return say("asset.chosen.none"), say("asset.action.freeze.open"), True
        subject = f"{row['person']} · {row['description']}"
        if row["barred"]:
            return f"{subject} · {row['barred']}", say("asset.action.freeze.open"), True
        if not row["action"]:
            return f"{subject} · {say('asset.chosen.no-action')}", say("asset.action.freeze.open"), True
        label = say(f"asset.action.{row['action']}.open")
        if not row["is_free"]:
            return f"{subject} · {say('asset.chosen.stands', word=row['state'])}", label, True
        return subject, label, False

    async def open(self, clicks: int | None, selected: list[dict[str, Any]] | None) -> tuple[Any, ...]:
        """Open the order for the chosen asset; the key made here is that of one order, however often it is sent."""
        require(Permission.CONTROL_ASSETS)
        row = _current(selected, selected)
        if not clicks or row is None or not row["action"]:
            raise PreventUpdate
        action = Action(row["action"])
        key = {"key": str(uuid4()), "asset_id": row["id"], "action": action.value}
        return (
            True,
            say(f"asset.order.title.{action}"),
            _facts(row, action, today()),
            key,
            "",
            "",
            {} if action is Action.FREEZE else {"display": "none"},
            say(f"asset.order.confirm.{action}"),
            "",
        )

    async def confirm(
        self, clicks: int | None, order: dict[str, str] | None, ruling: str | None, amount: str | None
    ) -> tuple[Any, ...]:
        """Send the order; what is wrong with it is said in the dialog, which stays open."""
        if not clicks or not order:
            raise PreventUpdate
        try:
            with refusals():
                await self._send(order, ruling or "", amount or "")
        except CommandCenterError as error:
            return True, _refusal(error), no_update
        return False, "", now().isoformat()

    async def _send(self, order: dict[str, str], ruling: str, amount: str) -> None:
        actor = actor_of(signed_in())
        asset_id, key = UUID(order["asset_id"]), UUID(order["key"])
        if not ruling.strip():
            raise RulingMissing("ruling-missing")
        if Action(order["action"]) is Action.FREEZE:
            cents = amount_cents(amount)
            await self._assets.freeze(
                actor, asset_id=asset_id, amount_cents=cents, ruling_number=ruling, idempotency_key=key
            )
        else:
            await self._assets.seize(actor, asset_id=asset_id, ruling_number=ruling, idempotency_key=key)


def _current(selected: list[dict[str, Any]] | None, rows: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """The selected row as the table shows it now; the selection itself may be older than the rows."""
    chosen = selected[0]["id"] if selected else None
    return next((row for row in rows or [] if row["id"] == chosen), None)


def _facts(row: dict[str, Any], action: Action, day: date) -> list[Any]:
    end = longest_term(AssetKind(row["asset_kind"]), day)
    facts = {
        "asset.person": row["person"],
        "asset.order.subject": row["description"],
        "asset.order.documents": say("asset.list.separator").join(
            say(f"asset.document.{one}") for one in NEEDED[action]
        ),
        "asset.order.term": words.term(day.isoformat(), end.isoformat()),
    }
    return [part for name, value in facts.items() for part in (html.Dt(say(name)), html.Dd(value))]


def _refusal(error: CommandCenterError) -> str:
    item = error.parameters.get("item")
    return say(f"asset.bad.{item}") if item in ("amount", "ruling-number") else say(f"error.{error.code}")


def register(app: Dash, assets: Assets, terms: TermTable) -> None:
    """Add the component's callbacks to `app`."""
    panel = Panel(assets, terms)
    app.callback(
        Output("assets-headline", "children"),
        Output("assets-strip", "children"),
        Output("assets-money", "figure"),
        Output("assets-answers", "children"),
        Output(GRID, "rowData"),
        Output("assets-graph", "figure"),
        Input(ids.CASE, "data"),
        Input(ids.ASSETS_VERSION, "data"),
        Input(ASKED, "data"),
        Input(ORDERED, "data"),
    )(panel.refresh)
    app.callback(
        Output(ASKED, "data"),
        Input({"type": parts.ASK, "person": ALL, "gateway": ALL}, "n_clicks"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )(panel.ask)
    app.callback(
        Output("assets-chosen", "children"),
        Output("assets-open", "children"),
        Output("assets-open", "disabled"),
        Input(GRID, "selectedRows"),
        Input(GRID, "rowData"),
    )(panel.choose)
    app.callback(
        Output("assets-order", "opened", allow_duplicate=True),
        Output("assets-order", "title"),
        Output("assets-order-facts", "children"),
        Output("assets-order-key", "data"),
        Output("assets-order-ruling", "value"),
        Output("assets-order-amount", "value"),
        Output("assets-order-amount", "style"),
        Output("assets-order-confirm", "children"),
        Output("assets-order-error", "children", allow_duplicate=True),
        Input("assets-open", "n_clicks"),
        State(GRID, "selectedRows"),
        prevent_initial_call=True,
    )(panel.open)
    app.callback(
        Output("assets-order", "opened"),
        Output("assets-order-error", "children"),
        Output(ORDERED, "data"),
        Input("assets-order-confirm", "n_clicks"),
        State("assets-order-key", "data"),
        State("assets-order-ruling", "value"),
        State("assets-order-amount", "value"),
        prevent_initial_call=True,
    )(panel.confirm)

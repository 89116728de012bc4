"""The frame around every page: court, operation, connection, clock, person, language, sign-out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dash import html

from command_center.accounts.identity import Identity, current_identity
from command_center.accounts.permissions import ROLE_PERMISSIONS, Permission
from command_center.screens import ids
from command_center.screens.words import reader_language, say

_PAGES = (
    ("centre", "/", {Permission.SEE_OPERATIONS}),
    ("review", "/review", {Permission.REVIEW}),
    ("assets", "/assets", {Permission.SEE_ASSETS}),
    ("retention", "/retention", {Permission.PROPOSE_DELETION, Permission.APPROVE_DELETION}),
    ("field", "/field", {Permission.PUBLISH}),
    ("accounts", "/accounts", {Permission.MANAGE_ACCOUNTS}),
    ("audit", "/audit", {Permission.READ_AUDIT, Permission.READ_OPERATION_AUDIT}),
    ("system", "/system", {Permission.RUN_SYSTEM}),
)
"""Each with the permissions of which one leads there."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What every page says about where it runs."""

    court_name_zh: str
    court_name_en: str
    demonstration: bool


def attributes(**values: str) -> Any:
    """Attributes whose names hold hyphens, to be unpacked into a component: `data_module` becomes `data-module`."""
    return {name.replace("_", "-"): value for name, value in values.items()}


def header(installation: Installation) -> Any:
    """The strip at the top of every page; `shell.js` brings it to life."""
    identity = current_identity.get()
    sees_operations = identity is not None and identity.may(Permission.SEE_OPERATIONS)
    court = installation.court_name_en if reader_language() == "en" else installation.court_name_zh
    return html.Header(
        id="shell",
        className="shell",
        **attributes(data_module="shell", data_person=json.dumps(_person(identity))),
        children=[
            html.Div(
                className="shell-title",
                children=[html.H1(say("product.name"), className="shell-product"), html.Span(court)],
            ),
            *([html.Span(say("demonstration.badge"), className="badge-demonstration")] * installation.demonstration),
            html.Nav(_links(identity), className="shell-nav", **attributes(aria_label=say("shell.pages"))),
            *([html.Div(className="shell-operation", **attributes(data_module="operation"))] * sees_operations),
            html.Div(className="shell-space"),
            *([_connection()] * sees_operations),
            html.Div(id="clock", className="shell-clock", **attributes(data_module="clock")),
            html.Div(_account(identity), className="shell-account"),
        ],
    )


def _connection() -> Any:
    return html.Div(id=ids.CONNECTION, className="shell-connection", **attributes(data_module="connection"))


def panel(title: str, body: Any, *, name: str, notes: Any = None, module: str | None = None) -> Any:
    """One panel of a page: a titled section; `notes` stand at the right of its title."""
    return html.Section(
        className=f"panel panel-{name}",
        **attributes(aria_labelledby=f"{name}-title"),
        children=[
            html.Div(
                className="panel-head",
                children=[html.H2(title, id=f"{name}-title"), html.Div(notes, id=f"{name}-notes")],
            ),
            html.Div(body, id=name, className="panel-body", **(attributes(data_module=module) if module else {})),
        ],
    )


def _person(identity: Identity | None) -> dict[str, Any]:
    if identity is None:
        return {"permissions": []}
    return {
        "user_id": str(identity.user_id),
        "court_id": str(identity.court_id),
        "role": identity.role.value,
        "permissions": sorted(permission.value for permission in ROLE_PERMISSIONS[identity.role]),
    }


def _links(identity: Identity | None) -> list[Any]:
    return [
        html.A(say(f"page.{name}"), href=path, **attributes(data_page=path))
        for name, path, permissions in _PAGES
        if identity is not None and any(identity.may(permission) for permission in permissions)
    ]


def _account(identity: Identity | None) -> list[Any]:
    if identity is None:
        return []
    return [
        html.Span(
            className="shell-person",
            title=say(f"role.{identity.role.value}"),
            children=[html.B(identity.display_name), html.Small(say(f"role.{identity.role.value}"))],
        ),
        html.Button(
            say("shell.other-language"),
            id="switch-language",
            className="quiet",
            lang="zh" if reader_language() == "en" else "en",
            title=say("shell.switch-language"),
        ),
        html.Button(say("shell.keys"), id="show-keys", className="quiet", title=say("shell.show-keys")),
        html.Button(say("shell.sign-out"), id="sign-out", className="quiet"),
    ]

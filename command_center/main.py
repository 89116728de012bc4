"""The web process: where its parts are built, joined and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from command_center.accounts.callbacks import CallbackDoors
from command_center.accounts.doors import SignedIn, find_door
from command_center.accounts.gate import Gate
from command_center.accounts.media_tokens import MediaTokens
from command_center.accounts.permissions import Role
from command_center.accounts.revocations import Revocations
from command_center.accounts.service import Accounts
from command_center.accounts.setup import SetupLinks
from command_center.accounts.sign_ins import SignIns
from command_center.accounts.sockets import OpenSockets
from command_center.api import accounts, audit, certificate, docs, health, media, problems, session, setup, tokens
from command_center.audit import Audit
from command_center.audit_reading import ANCHOR_FILE, AuditReader
from command_center.certificates import AUTHORITY_FILE
from command_center.config import Settings
from command_center.database import Database
from command_center.errors import CommandCenterError
from command_center.metrics import Measured, Metrics
from command_center.operations.feeds import Feeds
from command_center.outbox import Outbox
from command_center.screens import routes as screen_routes
from command_center.screens.app import build as build_screens
from command_center.screens.doors import CALLBACKS
from command_center.screens.shell import Installation
from streams.hub.hub import Hub
from streams.signalling.tokens import load_private_key, make_keys


class Web:
    """One web process. `app` is what a server serves; its lifespan opens and closes the rest."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        make_keys(settings.keys)
        self.database = Database(settings.records_url)
        self.hub = Hub(settings.hub_url)
        self.node = media.node_client(settings.media_http_url)
        self.metrics = Metrics()
        self.audit = Audit()
        self.revocations = Revocations(Outbox(self.database, self.hub), self.hub)
        roles = second_factor_roles(settings)
        self.sign_ins = SignIns(
            self.database,
            self.audit,
            self.revocations,
            idle_minutes=settings.session_idle_minutes,
            second_factor_roles=roles,
        )
        self.accounts = Accounts(self.database, self.audit, self.revocations, second_factor_roles=roles)
        self.setup_links = SetupLinks(
            self.database, court_name_zh=settings.court_name_zh, court_name_en=settings.court_name_en
        )
        self.audit_reader = AuditReader(self.database, self.audit, settings.data / ANCHOR_FILE)
        self.media_tokens = MediaTokens(
            self.database, self.audit, load_private_key(settings.keys), minutes=settings.media_token_minutes
        )
        self.feeds = Feeds(self.database, self.hub, self.audit, self.revocations)
        self.sockets = OpenSockets(self.sign_ins)
        self.server = FastAPI(
            title="Enforcement Command Center",
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
        )
        self._add_routes()
        installation = Installation(settings.court_name_zh, settings.court_name_en, settings.demonstration)
        screen_routes.install(self.server, installation, self.setup_links.is_open)
        # Last: Dash answers every GET that no route above takes.
        self.screens = build_screens(self.server, installation)
        gate = Gate(
            self.server,
            self.sign_ins,
            self.media_tokens,
            self.sockets,
            CallbackDoors(CALLBACKS, page_access),
            self.screens.csp_hashes(),
        )
        self.app: ASGIApp = Measured(gate, self.metrics)

    def _add_routes(self) -> None:
        problems.install(self.server)
        for routes in (
            session.router(self.sign_ins, self.accounts),
            setup.router(self.setup_links, self.accounts),
            accounts.router(self.accounts),
            audit.router(self.audit_reader),
            tokens.router(self.feeds, self.media_tokens),
            media.router(self.node),
            health.router(health.Health(self.database, self.hub, self.node), self.metrics.registry),
            docs.router(self.server),
            certificate.router(self.settings.keys / AUTHORITY_FILE),
        ):
            self.server.include_router(routes)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        try:
            async with asyncio.TaskGroup() as tasks:
                jobs = [tasks.create_task(job()) for job in (self.sockets.watch, self.audit_reader.keep_anchoring)]
                yield
                for job in jobs:
                    job.cancel()
        finally:
            await self.node.aclose()
            await self.hub.close()
            await self.database.close()


def second_factor_roles(settings: Settings) -> frozenset[Role]:
    """The roles that must give a second factor, from the settings."""
    return frozenset(Role(part.strip()) for part in settings.second_factor_roles.split(",") if part.strip())


def page_access(path: str) -> SignedIn | None:
    """What the page at `path` needs; None when it isn't a page for those signed in."""
    try:
        door = find_door(path, "GET")
    except CommandCenterError:
        return None
    return door.access if door.is_page and isinstance(door.access, SignedIn) else None

"""The web process: where its parts are built, joined and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from dash import Dash
from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from starlette.types import ASGIApp

import field_agent
from command_center.accounts.callbacks import CallbackDoors
from command_center.accounts.court_names import CourtNames
from command_center.accounts.doors import SignedIn, find_door
from command_center.accounts.gate import Gate
from command_center.accounts.media_tokens import MediaTokens
from command_center.accounts.names import AccountNames
from command_center.accounts.passwords import Passwords
from command_center.accounts.permissions import roles_in
from command_center.accounts.revocations import Revocations
from command_center.accounts.service import Accounts
from command_center.accounts.setup import SetupLinks
from command_center.accounts.sign_ins import SignIns
from command_center.accounts.sockets import OpenSockets
from command_center.api import (
    accounts,
    asset_controls,
    asset_duties,
    asset_proposals,
    asset_requests,
    asset_search,
    asset_terms,
    assets,
    audit,
    case_accounts,
    cases,
    certificate,
    custody,
    deletions,
    docs,
    exports,
    feeds,
    health,
    instructions,
    journal,
    media,
    notes,
    operations,
    positions,
    problems,
    recordings,
    retention,
    sanctions,
    session,
    setup,
    timeline,
    tokens,
    tracks,
)
from command_center.api.descriptions import describe_refusals
from command_center.api.field_page import FieldPage
from command_center.asset_desk import AssetDesk
from command_center.audit import Audit
from command_center.audit_reading import ANCHOR_FILE, AuditReader
from command_center.certificates import AUTHORITY_FILE
from command_center.clock import now
from command_center.config import Settings
from command_center.database import Database
from command_center.errors import CommandCenterError
from command_center.evidence.timeline import TimeLines
from command_center.evidence_desk import EvidenceDesk
from command_center.gateways import GatewaysCollector
from command_center.journal import Journal
from command_center.live import screens_socket
from command_center.live.board import Board
from command_center.live.nodes import NodeAddress, Nodes
from command_center.live.officers_socket import OfficersSocket
from command_center.metrics import Measured, Metrics, NodesCollector
from command_center.operations.instructions import Instructions, deadlines_of
from command_center.operations.positions import Positions
from command_center.operations.service import Operations
from command_center.outbox import Outbox
from command_center.screens import routes as screen_routes
from command_center.screens.app import build as build_screens
from command_center.screens.components import assets_panel
from command_center.screens.doors import CALLBACKS
from command_center.screens.pages import accounts as accounts_page
from command_center.screens.pages import approvals as approvals_page
from command_center.screens.pages import asset_proposals as proposals_page
from command_center.screens.pages import assets as assets_page
from command_center.screens.pages import audit_log as audit_page
from command_center.screens.pages import case_accounts as case_accounts_page
from command_center.screens.pages import cases as cases_page
from command_center.screens.pages import retention as retention_page
from command_center.screens.pages import review
from command_center.screens.pages import sanctions as sanctions_page
from command_center.screens.pages import system as system_page
from command_center.screens.pages import terms as terms_page
from command_center.screens.shell import Installation
from streams.hub.hub import Hub
from streams.signalling.tokens import load_private_key, make_keys
from streams.supervision import keep_running

OFFICERS_PAGE = Path(field_agent.__file__).parent / "page"


class Web:
    """One web process. `app` is what a server serves; its lifespan opens and closes the rest."""

    def __init__(self, settings: Settings, passwords: Passwords | None = None) -> None:
        self.settings = settings
        make_keys(settings.keys)
        self.database = Database(settings.records_url)
        self.hub = Hub(settings.hub_url)
        self.node = media.node_client()
        self.metrics = Metrics()
        self.audit = Audit()
        self.journal = Journal()
        self.revocations = Revocations(Outbox(self.database, self.hub), self.hub)
        roles, passwords = roles_in(settings.second_factor_roles), passwords or Passwords()
        self.sign_ins = SignIns(
            self.database,
            self.audit,
            self.revocations,
            idle_minutes=settings.session_idle_minutes,
            second_factor_roles=roles,
            passwords=passwords,
        )
        self.accounts = Accounts(
            self.database, self.audit, self.revocations, second_factor_roles=roles, passwords=passwords
        )
        self.setup_links = SetupLinks(
            self.database, court_name_zh=settings.court_name_zh, court_name_en=settings.court_name_en
        )
        self.audit_reader = AuditReader(self.database, self.audit, settings.data / ANCHOR_FILE)
        self.operations = Operations(self.database, self.hub, self.audit, self.journal, self.revocations)
        self.media_tokens = MediaTokens(
            self.database,
            self.audit,
            load_private_key(settings.keys),
            minutes=settings.media_token_minutes,
            is_feed_revoked=self.operations.feeds.is_revoked,
        )
        self.instructions = Instructions(
            self.database, self.hub, self.audit, self.journal, deadlines=deadlines_of(settings)
        )
        self.positions = Positions(self.database, self.journal)
        self.evidence = EvidenceDesk(settings, self.database, self.audit, self.journal)
        self.board = Board(self.hub, self.operations, self.instructions, self.positions)
        assumed = [NodeAddress(local.node, local.url) for local in settings.local_nodes]
        self.timelines = TimeLines(self.database, self.board.hub_state)
        self.nodes = Nodes(self.board.hub_state, assumed)
        self.metrics.registry.register(NodesCollector(self.nodes))
        asked = GatewaysCollector()
        self.metrics.registry.register(asked)
        self.desk = AssetDesk(settings, self.database, self.hub, self.audit, self.journal, asked.watch)
        self.sockets = OpenSockets(self.sign_ins)
        self.server, self.screens = self._build_pages()
        self.app = self._guard(self.server)

    def _build_pages(self) -> tuple[FastAPI, Dash]:
        """Everything that answers: API, officers' page, screens."""
        settings = self.settings
        server = FastAPI(
            title="Enforcement Command Center",
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
        )
        self._add_routes(server)
        describe_refusals(server)
        server.add_api_route("/field", officers_page, include_in_schema=False)
        server.mount("/field", FieldPage(directory=OFFICERS_PAGE))
        installation = Installation(settings.court_name_zh, settings.court_name_en, settings.demonstration)
        screen_routes.install(server, installation, self.setup_links.is_open)
        # Last: Dash answers every GET that no route above takes.
        screens = build_screens(
            server,
            installation,
            review.register,
            accounts_page.register,
            audit_page.register,
            retention_page.register,
            assets_page.register,
            terms_page.register,
            approvals_page.register,
            sanctions_page.register,
            cases_page.register,
            case_accounts_page.register,
            proposals_page.register,
            system_page.register,
            partial(assets_panel.register, assets=self.desk.assets, terms=self.desk.terms),
        )
        return server, screens

    def _guard(self, server: FastAPI) -> ASGIApp:
        """Nothing is answered but through the gate."""
        gate = Gate(
            server,
            self.sign_ins,
            self.media_tokens,
            self.sockets,
            CallbackDoors(CALLBACKS, page_access),
            self.screens.csp_hashes(),
            self.settings.page_origins,
            self.evidence.denials.note_request,
        )
        return Measured(gate, self.metrics)

    def _add_routes(self, server: FastAPI) -> None:
        problems.install(server)
        names = AccountNames(self.database)
        for routes in (
            *self._routes_of_people(names),
            *self._routes_of_operations(),
            *self._routes_of_evidence(names),
            *self._routes_of_assets(names),
            *self._routes_of_the_installation(server),
        ):
            server.include_router(routes)

    def _routes_of_people(self, names: AccountNames) -> Iterable[APIRouter]:
        """Who signs in, by what, and what they did."""
        return (
            session.router(self.sign_ins, self.accounts),
            setup.router(self.setup_links, self.accounts),
            accounts.router(self.accounts),
            audit.router(self.audit_reader, names, self.evidence.custody),
            tokens.router(
                self.operations.feeds, self.media_tokens, self.nodes, self.settings.turn, self.settings.page_origins
            ),
        )

    def _routes_of_operations(self) -> Iterable[APIRouter]:
        """What goes on at the sites, and the sockets that push it."""
        return (
            operations.router(self.operations),
            feeds.router(self.operations, self.board),
            instructions.router(self.instructions, self.board),
            positions.router(self.positions),
            screens_socket.router(self.board, self.operations),
            OfficersSocket(self.board, self.hub, self.operations, self.instructions, self.positions).router(),
        )

    def _routes_of_evidence(self, names: AccountNames) -> Iterable[APIRouter]:
        """What was recorded and written down, who saw it, and what becomes of it."""
        evidence = self.evidence
        return (
            recordings.router(evidence.recordings),
            notes.router(evidence.notes),
            tracks.router(evidence.tracks, evidence.custody),
            timeline.router(self.timelines),
            journal.router(evidence.journal, names, evidence.keyring, evidence.custody),
            custody.router(evidence.custody, evidence.examinations),
            retention.router(evidence.retention, names),
            deletions.router(evidence.deletions, evidence.custody_records, names),
            exports.router(evidence.exports),
        )

    def _routes_of_assets(self, names: AccountNames) -> Iterable[APIRouter]:
        """Cases, what the persons under enforcement own, and the money."""
        desk = self.desk
        terms = asset_terms.Terms(desk.terms, desk.term_alarms, names, CourtNames(self.database))
        return (
            assets.router(desk.assets),
            asset_requests.router(desk.assets, names, desk.seal),
            cases.router(desk.cases, names, now),
            asset_terms.router(terms),
            asset_controls.router(desk.assets),
            sanctions.router(desk.sanctions, names),
            case_accounts.router(desk.case_accounts, names),
            asset_search.router(desk.reading, names, desk.assets.gateway_names),
            asset_proposals.router(desk.proposals, desk.duties, names),
            asset_duties.router(asset_duties.FieldAssets(desk.assets, desk.proposals, desk.duties, names)),
        )

    def _routes_of_the_installation(self, server: FastAPI) -> Iterable[APIRouter]:
        """What passes media on, and what administrators and programs ask about the installation itself."""
        return (
            media.router(media.Passing(self.node, self.nodes, self.metrics.registry)),
            health.router(health.Health(self.database, self.hub, self.node, self.nodes), self.metrics.registry),
            docs.router(server),
            certificate.router(self.settings.keys / AUTHORITY_FILE),
        )

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        try:
            async with asyncio.TaskGroup() as tasks:
                wanted = {
                    "sockets": self.sockets.watch,
                    "seen": self.sockets.keep_seen,
                    "anchors": self.audit_reader.keep_anchoring,
                    "denials": self.evidence.denials.run,
                    "board": self.board.run,
                    **self.desk.jobs(),
                }
                jobs = [tasks.create_task(keep_running(name, job), name=name) for name, job in wanted.items()]
                yield
                for job in jobs:
                    job.cancel()
        finally:
            await self.desk.close()
            await self.node.aclose()
            await self.evidence.close()
            await self.hub.close()
            await self.database.close()


async def officers_page() -> FileResponse:
    """The officer's page: a static shell that signs in by itself."""
    return FileResponse(OFFICERS_PAGE / "index.html", headers={"cache-control": "no-cache"})


def page_access(path: str) -> SignedIn | None:
    """What the page at `path` needs; None when it isn't a page for those signed in."""
    try:
        door = find_door(path, "GET")
    except CommandCenterError:
        return None
    return door.access if door.is_page and isinstance(door.access, SignedIn) else None

"""Signing in and out: `/api/session` for browsers, `/api/token` for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.credentials import clear_cookies, csrf_cookie, session_cookie, set_cookies
from command_center.accounts.identity import Identity, signed_in
from command_center.accounts.permissions import ROLE_PERMISSIONS
from command_center.accounts.service import Accounts
from command_center.accounts.sign_ins import SignIns
from command_center.clock import Clock, now
from command_center.errors import NotSignedIn
from streams.protocol import PLAIN_TEXT


class SignInBody(BaseModel):
    """A name, a password and, where the role needs it, a code."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=64, pattern=PLAIN_TEXT)
    password: str = Field(min_length=1, max_length=1024)
    code: str | None = Field(default=None, max_length=16)


class LanguageBody(BaseModel):
    """The language to go on in."""

    model_config = ConfigDict(extra="forbid")
    language: Literal["zh", "en"]


class PasswordBody(BaseModel):
    """One's own password, old and new."""

    model_config = ConfigDict(extra="forbid")
    old: str = Field(min_length=1, max_length=1024)
    new: str = Field(min_length=1, max_length=1024)


class CourtView(BaseModel):
    """A court."""

    code: str
    name_zh: str
    name_en: str


class PersonView(BaseModel):
    """Who is signed in, and what the role may do."""

    id: UUID
    username: str
    display_name: str
    role: str
    court: CourtView
    language: str
    permissions: list[str]


class SessionView(BaseModel):
    """A browser's session; the CSRF token goes into `X-CSRFToken` of everything that changes something."""

    csrf_token: str
    user: PersonView


class TokenView(BaseModel):
    """A program's token."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the kind, not the token
    expires_in: int


def router(sign_ins: SignIns, accounts: Accounts, clock: Clock = now) -> APIRouter:
    """The routes of sign-in."""
    routes = APIRouter(prefix="/api", tags=["session"])
    _add_session(routes, sign_ins, accounts)

    @routes.post("/token", summary="A bearer token for a program")
    async def token(body: SignInBody, request: Request) -> TokenView:
        admission = await sign_ins.sign_in(body.username, body.password, body.code, _address(request), is_program=True)
        life = admission.expires_at - clock()
        return TokenView(access_token=admission.secret, expires_in=int(life.total_seconds()))

    @routes.post("/password", status_code=204, summary="Change one's own password")
    async def password(body: PasswordBody) -> None:
        await accounts.change_password(signed_in(), body.old, body.new)

    return routes


def _add_session(routes: APIRouter, sign_ins: SignIns, accounts: Accounts) -> None:
    @routes.post("/session", summary="Sign in")
    async def begin(body: SignInBody, request: Request, response: Response) -> SessionView:
        admission = await sign_ins.sign_in(body.username, body.password, body.code, _address(request))
        for cookie in set_cookies(request.scope, admission.secret, admission.csrf_token, admission.expires_at):
            response.headers.append("set-cookie", cookie)
        return await _view(accounts, admission.identity, admission.csrf_token)

    @routes.get("/session", summary="Who is signed in")
    async def read(request: Request, response: Response) -> SessionView:
        identity, csrf_token = await _current(sign_ins, request)
        if csrf_token:
            response.headers.append("set-cookie", csrf_cookie(request.scope, csrf_token))
        return await _view(accounts, identity, csrf_token)

    @routes.patch("/session", summary="Switch the language")
    async def switch(body: LanguageBody, request: Request) -> SessionView:
        await sign_ins.set_language(signed_in(), body.language)
        identity, csrf_token = await _current(sign_ins, request)
        return await _view(accounts, replace(identity, language=body.language), csrf_token)

    @routes.delete("/session", status_code=204, summary="Sign out, ending pictures and sockets")
    async def end(request: Request, response: Response) -> None:
        await sign_ins.sign_out(signed_in())
        for cookie in clear_cookies(request.scope):
            response.headers.append("set-cookie", cookie)


async def _current(sign_ins: SignIns, request: Request) -> tuple[Identity, str]:
    identity = signed_in()
    secret = request.cookies.get(session_cookie(request.scope))
    recognized = await sign_ins.recognize(secret, is_program=False) if secret else None
    if recognized is None or recognized.identity.session_id != identity.session_id:
        return identity, ""  # a program: it has no CSRF token
    return recognized.identity, recognized.csrf_token


async def _view(accounts: Accounts, identity: Identity, csrf_token: str) -> SessionView:
    court = await accounts.court_of(identity)
    return SessionView(
        csrf_token=csrf_token,
        user=PersonView(
            id=identity.user_id,
            username=identity.username,
            display_name=identity.display_name,
            role=identity.role.value,
            court=CourtView(code=court.code, name_zh=court.name_zh, name_en=court.name_en),
            language=identity.language,
            permissions=sorted(permission.value for permission in ROLE_PERMISSIONS[identity.role]),
        ),
    )


def _address(request: Request) -> str:
    if request.client is None:
        raise NotSignedIn("wrong-credentials")
    return request.client.host

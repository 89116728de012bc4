"""`/api/accounts`: people's accounts, for the security administrator."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.accounts.permissions import Role
from command_center.accounts.service import Accounts, NewUser
from streams.protocol import PLAIN_TEXT


class NewAccountBody(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=2, max_length=64, pattern=PLAIN_TEXT)
    password: str = Field(min_length=1, max_length=1024)
    role: Role
    court: str = Field(min_length=1, max_length=16, pattern=PLAIN_TEXT)
    display_name: str = Field(default="", max_length=100, pattern=PLAIN_TEXT)
    badge_number: str = Field(default="", max_length=32, pattern=PLAIN_TEXT)


class MadeAccountView(BaseModel):
    """The new account; `totp_uri` is told this once."""

    id: UUID
    totp_uri: str | None


class AccountView(BaseModel):
    """An account as it is listed."""

    id: UUID
    username: str
    display_name: str
    badge_number: str
    role: Role
    court: str
    created_at: datetime
    disabled_at: datetime | None
    open_sessions: int


class AccountsView(BaseModel):
    """All of them, by name."""

    items: list[AccountView]
    next: None = None


class CourtsView(BaseModel):
    """The courts for which accounts can be made."""

    items: list[dict[str, str]]
    next: None = None


def router(accounts: Accounts) -> APIRouter:
    """The routes of accounts."""
    routes = APIRouter(prefix="/api", tags=["accounts"])

    @routes.get("/accounts", summary="The accounts of one's own court and its district courts")
    async def listed() -> AccountsView:
        return AccountsView(
            items=[
                AccountView(
                    id=user.id,
                    username=user.username,
                    display_name=user.display_name,
                    badge_number=user.badge_number,
                    role=user.role,
                    court=user.court_code,
                    created_at=user.created_at,
                    disabled_at=user.disabled_at,
                    open_sessions=user.open_sessions,
                )
                for user in await accounts.list_users(signed_in())
            ]
        )

    @routes.post("/accounts", status_code=201, summary="Make an account")
    async def create(body: NewAccountBody) -> MadeAccountView:
        made = await accounts.create_user(
            signed_in(),
            NewUser(body.username, body.password, body.role, body.court, body.display_name, body.badge_number),
        )
        return MadeAccountView(id=made.id, totp_uri=made.totp_uri)

    @routes.post("/accounts/{user_id}/disable", status_code=204, summary="Let it sign in no more, and end its sessions")
    async def disable(user_id: UUID) -> None:
        await accounts.disable_user(signed_in(), user_id)

    @routes.post("/accounts/{user_id}/end-sessions", status_code=204, summary="End its sessions, pictures and sockets")
    async def end_sessions(user_id: UUID) -> None:
        await accounts.end_sessions(signed_in(), user_id)

    @routes.get("/courts", summary="The courts in one's scope")
    async def courts() -> CourtsView:
        found = await accounts.list_courts(signed_in())
        return CourtsView(
            items=[{"code": court.code, "name_zh": court.name_zh, "name_en": court.name_en} for court in found]
        )

    return routes

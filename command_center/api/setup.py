"""`POST /setup/{secret}`: the first administrator, made once by the link that the start prints."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.service import Accounts
from command_center.accounts.setup import SetupLinks
from streams.protocol import PLAIN_TEXT


class FirstAccountBody(BaseModel):
    """The first administrator's name and password."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=2, max_length=64, pattern=PLAIN_TEXT)
    display_name: str = Field(default="", max_length=100, pattern=PLAIN_TEXT)
    password: str = Field(min_length=1, max_length=1024)


class FirstAccountView(BaseModel):
    """The account; `totp_uri` is for the authenticator and is told this once."""

    id: UUID
    totp_uri: str | None


def router(links: SetupLinks, accounts: Accounts) -> APIRouter:
    """The route of the first set-up."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/setup/{secret}", status_code=201)
    async def make(secret: str, body: FirstAccountBody) -> FirstAccountView:
        made = await links.use(
            accounts, secret, username=body.username, display_name=body.display_name, password=body.password
        )
        return FirstAccountView(id=made.id, totp_uri=made.totp_uri)

    return routes

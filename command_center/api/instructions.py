"""`/api/instructions`: what was ordered, and where it stands at each officer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.api.paging import LARGEST_NUMBER, Page
from command_center.live.board import Board
from command_center.live.messages import InstructionView
from command_center.live.views import instruction_view
from command_center.operations.instructions import MAX_TEXT, PAGE, Instructions, Order
from command_center.operations.records import Priority, Scope
from streams.protocol import PLAIN_TEXT


class InstructionBody(BaseModel):
    """What is ordered, and to whom; `idempotency_key` is made for one press of the button."""

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    scope: Scope
    site_id: UUID | None = None
    officer_id: UUID | None = None
    priority: Priority = Priority.ROUTINE
    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=PLAIN_TEXT)
    idempotency_key: UUID


def router(instructions: Instructions, board: Board) -> APIRouter:
    """The routes of instructions."""
    routes = APIRouter(prefix="/api/instructions", tags=["instructions"])

    @routes.get("", summary="The instructions of an operation, the newest first")
    async def listed(
        operation_id: UUID,
        cursor: Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Page[InstructionView]:
        found = await instructions.listed(signed_in(), operation_id, before=cursor, limit=limit)
        is_more = len(found) == limit and found[-1].number > 1
        return Page(
            items=[instruction_view(one, board.hub_state.online) for one in found],
            next=str(found[-1].number) if is_more else None,
        )

    @routes.post("", summary="Send an instruction; the same key again sends nothing twice", status_code=201)
    async def send(body: InstructionBody) -> InstructionView:
        order = Order(
            operation_id=body.operation_id,
            scope=body.scope,
            priority=body.priority,
            text=body.text,
            idempotency_key=body.idempotency_key,
            site_id=body.site_id,
            officer_id=body.officer_id,
        )
        return instruction_view(await instructions.send(signed_in(), order), board.hub_state.online)

    return routes

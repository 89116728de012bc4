"""Requests of the city court in each state that a door waits for, for the access tests."""

from __future__ import annotations

from uuid import UUID

from assets.documents import NEEDED, Action
from assets.objections import objection_to
from assets.tables import AssetRequest
from command_center.clock import now
from command_center.database import Database, new_id


async def new_requests(database: Database, things: dict[str, str], ordered_by: UUID) -> dict[str, str]:
    """Make them, and give their ids by the names that ways call them by."""
    made: dict[str, str] = {}
    async with database.write() as session:
        for name, state, action in (
            ("waiting_request", "draft", Action.RELEASE),
            ("other_waiting_request", "draft", Action.RELEASE),
            ("checkable_request", "answered", Action.QUERY),
            ("objected_request", "objected", Action.QUERY),
            ("other_objected_request", "objected", Action.QUERY),
        ):
            request = _request(things, state, action, ordered_by)
            session.add(request)
            made[name] = str(request.id)
            if name == "checkable_request":
                made["batch"] = str(request.idempotency_key)
            if state == "objected":
                await session.flush()
                objection = objection_to(request, "a secret of the city court", now())
                session.add(objection)
                await session.flush()
                made[name.replace("objected_request", "objection")] = str(objection.id)
        sent = await session.get_one(AssetRequest, UUID(things["request"]))
        sent.chases = 1
    return made


def _request(things: dict[str, str], state: str, action: Action, ordered_by: UUID) -> AssetRequest:
    request_id = new_id()
    return AssetRequest(
        id=request_id,
        number=f"T{request_id.hex[-20:]}",
        case_id=UUID(things["city_case"]),
        person_id=UUID(things["city_person"]),
        asset_id=UUID(things["city_asset"]) if action.is_control else None,
        action=action.value,
        gateway="bank",
        state=state,
        documents=[document.value for document in NEEDED[action]],
        particulars={"reference": "1", "description": "", "details": {}},
        ruling_number="（2026）内01执1023号之一" if action.is_control else "",
        idempotency_key=new_id(),
        actor_id=ordered_by,
        created_at=now(),
        approval="action" if state == "draft" else "",
        sent_at=None if state == "draft" else now(),
    )

"""The query that goes out by itself when our records can't know how a measure stands: the other side's word counts."""

from __future__ import annotations

from assets.documents import NEEDED, Action
from assets.history import Chapter
from assets.identifiers import new_id
from assets.orders import request_number
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from assets.terms import china_day


async def ask_how_it_stands(chapter: Chapter, measure: ControlMeasure) -> None:
    """Query the person whose asset it is, in the name of whoever ordered the measure.

    The request is committed as sent; its paper is sealed by whoever sends it.
    """
    session = chapter.session
    ordered = await session.get_one(AssetRequest, measure.request_id)
    case = await session.get_one(Case, measure.case_id)
    asset = await session.get_one(Asset, measure.asset_id)
    person = await session.get_one(Person, asset.person_id)
    if person.role != "under_enforcement":
        return
    request_id = new_id()
    query = AssetRequest(
        id=request_id,
        number=request_number(Action.QUERY, china_day(chapter.at), request_id),
        case_id=case.id,
        person_id=person.id,
        action=Action.QUERY.value,
        gateway=asset.gateway,
        state=RequestState.SENT.value,
        documents=[document.value for document in NEEDED[Action.QUERY]],
        idempotency_key=request_id,
        actor_id=ordered.actor_id,
        created_at=chapter.at,
        sent_at=chapter.at,
        next_ask_at=chapter.at,
    )
    session.add(query)
    await session.flush()
    chapter.queries.append((case, query))

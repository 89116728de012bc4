"""The query that goes out by itself when our records can't know how a measure stands: the other side's word counts."""

from __future__ import annotations

from uuid import uuid5

from assets.audit import Actor
from assets.documents import Action
from assets.history import Chapter
from assets.orders import Orders
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person


class Confirmations:
    """Sends such queries, each in the transaction of what makes it needed."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def ask(self, chapter: Chapter, measure: ControlMeasure) -> None:
        """Query the person whose asset it is, in the name of the measure's own order."""
        session = chapter.session
        ordered = await session.get_one(AssetRequest, measure.request_id)
        case = await session.get_one(Case, measure.case_id)
        asset = await session.get_one(Asset, measure.asset_id)
        person = await session.get_one(Person, asset.person_id)
        if person.role != "under_enforcement":
            return
        author = Actor(ordered.actor_id, frozenset({case.court_id}))
        key = uuid5(measure.id, chapter.at.isoformat())
        query = self._orders.draft(author, case, person, Action.QUERY, asset.gateway, key)
        session.add(query)
        await session.flush()
        await self._orders.send(session, case, query, author)
        chapter.queries.append((case, query))

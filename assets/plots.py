"""Land follows house and house follows land: a seizure of the one covers the other of the same plot.

A unit number's first 19 characters name the plot; the land itself is that plot with `W00000000`.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.tables import Asset
from assets.terms import AssetKind

PLOT_LENGTH = 19
LAND = "W00000000"


def plot_of(reference: str) -> str:
    """The part of a unit number that names the plot."""
    return reference[:PLOT_LENGTH]


def is_land(reference: str) -> bool:
    """Whether a unit number names the land of its plot."""
    return reference[PLOT_LENGTH:] == LAND


def covers(one: str, other: str) -> bool:
    """Whether a seizure of one unit covers the other: land and a house of one plot do, two houses don't."""
    return plot_of(one) == plot_of(other) and is_land(one) != is_land(other)


async def covered_with(session: AsyncSession, asset: Asset) -> list[Asset]:
    """The person's other assets in the case that a seizure of this one covers."""
    if asset.kind != AssetKind.REAL_ESTATE:
        return []
    of_the_plot = select(Asset).where(
        Asset.case_id == asset.case_id,
        Asset.person_id == asset.person_id,
        Asset.gateway == asset.gateway,
        Asset.kind == asset.kind,
        Asset.reference.startswith(plot_of(asset.reference), autoescape=True),
    )
    found = await session.scalars(of_the_plot.order_by(Asset.reference))
    return [one for one in found if covers(asset.reference, one.reference)]

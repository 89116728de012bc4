"""The list that is taken away: all assets of one case, noted in the audit, and bounded."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from assets import listing
from assets.audit import Actor
from assets.case_summary import CaseSummaries
from assets.errors import BadFormat, Conflict, NotFound
from assets.listing import Listings
from assets.measures import MeasureState
from assets.requests import RequestState
from assets.search import Wanted
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.test_search import Files


@pytest.fixture
async def files(database: Database) -> Files:
    files = Files(database)
    await files.open()
    return files


def listings(files: Files) -> Listings:
    return Listings(files.database, AssetTrail(Audit(files.clock), Journal(files.clock)), files.clock)


async def test_a_list_goes_over_all_pages_and_no_further_than_its_bound(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    await files.put(*[files.account(f"6222{number:012}") for number in range(6)])
    monkeypatch.setattr(listing, "_PAGE", 2)
    wanted = Wanted(case_id=files.case)
    assert len((await listings(files).of(files.actor, wanted)).rows) == 7
    monkeypatch.setattr(listing, "MOST_ROWS", 6)
    with pytest.raises(Conflict, match="too-many-rows"):
        await listings(files).of(files.actor, wanted)


async def test_a_list_is_of_one_case_of_ones_courts(files: Files) -> None:
    with pytest.raises(BadFormat):
        await listings(files).of(files.actor, Wanted())
    stranger = Actor(uuid4(), frozenset({uuid4()}), may_see=True)
    with pytest.raises(NotFound):
        await listings(files).of(stranger, Wanted(case_id=files.case))


async def test_what_waits_or_is_unanswered_counts_no_money_in_the_head_of_a_case(files: Files) -> None:
    for state, held in (
        (MeasureState.IN_FORCE, 300), (MeasureState.WAITING, 500), (MeasureState.INTENDED, 700),
        (MeasureState.RELEASED, 900), (MeasureState.TRANSFERRED, 950),
    ):  # fmt: skip
        asset = files.account(f"62220000000{held}")
        order = files.order(asset, RequestState.ANSWERED)
        measure = files.measure(asset, order, state, asked_cents=held, controlled_cents=held)
        measure.transferred_cents = held if state is MeasureState.TRANSFERRED else 0
        await files.put(asset, order, measure)
    summary = await CaseSummaries(files.database, files.clock).of(files.actor, files.case)
    assert (summary.controlled_cents, summary.transferred_cents) == (300, 950)
    assert {(one.standing.value, one.assets) for one in summary.standings} == {
        ("controlled", 1), ("waiting", 1), ("intended", 1), ("released", 1), ("transferred", 1), ("none", 1),
    }  # fmt: skip
    assert summary.is_own
    other = replace(files.actor, user_id=uuid4())
    assert not (await CaseSummaries(files.database, files.clock).of(other, files.case)).is_own

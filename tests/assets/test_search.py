"""Searching assets and cases: filters, order, pages, and that nothing hidden is found by a part of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest

from assets.audit import Actor
from assets.case_search import CaseSearch
from assets.errors import NotFound, NotPermitted
from assets.identifiers import new_id
from assets.measures import MeasureState
from assets.requests import RequestState
from assets.search import AssetSearch, Order, Wanted
from assets.search_words import Found, Place
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person, line_of
from assets.terms import AssetKind
from assets.views import OF_ORDER, Standing, standing_of
from command_center.database import Database
from tests.assets.conftest import TODAY, MovedClock

NAME, ID_NUMBER, ACCOUNT = "张三丰", "150105199001010018", "6217000060000000008"
ADDRESS = "呼和浩特市赛罕区虚构路1号3-2-501"


@dataclass
class Files:
    """Two courts, a case each, and what is put into them."""

    database: Database
    court: UUID = field(default_factory=uuid4)
    other_court: UUID = field(default_factory=uuid4)
    judge: UUID = field(default_factory=uuid4)
    clock: MovedClock = field(default_factory=MovedClock)
    case: UUID = field(default_factory=new_id)
    person: UUID = field(default_factory=new_id)

    @property
    def actor(self) -> Actor:
        return Actor(self.judge, frozenset({self.court}), may_see=True)

    @property
    def search(self) -> AssetSearch:
        return AssetSearch(self.database, self.clock)

    async def open(self) -> None:
        async with self.database.write() as session:
            for court, number in ((self.court, 123), (self.other_court, 456)):
                is_own = court == self.court
                one = case_of_court(court, number)
                if is_own:
                    one.id, one.judge_id = self.case, self.judge
                session.add(one)
                await session.flush()
                person = Person(id=self.person if is_own else new_id(), case_id=one.id, name=NAME, id_number=ID_NUMBER)
                session.add(person)
                await session.flush()
                session.add(_account(one.id, person.id, ACCOUNT))

    async def put(self, *rows: Asset | AssetRequest | ControlMeasure) -> None:
        async with self.database.write() as session:
            for row in rows:
                session.add(row)
                await session.flush()

    def account(self, number: str, **values: object) -> Asset:
        return _account(self.case, self.person, number, **values)

    def order(self, asset: Asset, state: RequestState = RequestState.ANSWERED) -> AssetRequest:
        asset.id = asset.id or new_id()
        return AssetRequest(
            id=new_id(), number=new_id().hex, case_id=self.case, person_id=self.person, asset_id=asset.id,
            action="freeze", gateway="bank", state=state.value, idempotency_key=uuid4(), actor_id=self.judge,
            created_at=self.clock(),
        )  # fmt: skip

    def measure(self, asset: Asset, order: AssetRequest, state: MeasureState, **values: object) -> ControlMeasure:
        return ControlMeasure(
            id=new_id(), case_id=self.case, court_id=self.court, asset_id=asset.id, request_id=order.id,
            line=line_of(asset), action="freeze", state=state.value, changed_at=self.clock(), **values,
        )  # fmt: skip

    async def every(self, wanted: Wanted, limit: int) -> list[Found]:
        """All pages."""
        pages: list[Found] = []
        after: Place | None = None
        while not pages or after is not None:
            pages.append(await self.search.assets(self.actor, wanted, after=after, limit=limit))
            after = pages[-1].after
        return pages


def case_of_court(court: UUID, number: int) -> Case:
    return Case(
        id=new_id(), court_id=court, court_code="内01", court_name="某院", number=f"（2026）内01执{number}号",
        claim_cents=100, judge_name="甲", work_card="", duty_card="", filed_on=TODAY,
    )  # fmt: skip


def _account(case: UUID, person: UUID, number: str, **values: object) -> Asset:
    given = {"kind": AssetKind.BANK_ACCOUNT.value, "gateway": "bank", "description": "某支行"} | values
    return Asset(id=new_id(), case_id=case, person_id=person, reference=number, **given)


@pytest.fixture
async def files(database: Database) -> Files:
    files = Files(database)
    await files.open()
    return files


async def references(files: Files, text: str = "", **wanted: object) -> list[str]:
    found = await files.search.assets(files.actor, replace(Wanted(text=text), **wanted))
    return [one.asset.reference for one in found.items]


async def test_only_assets_of_the_courts_that_one_may_know_of_are_found(files: Files) -> None:
    assert await references(files) == ["****0008"]
    stranger = Actor(uuid4(), frozenset({uuid4()}), may_see=True)
    assert (await files.search.assets(stranger, Wanted())).items == []
    with pytest.raises(NotFound):
        await files.search.assets(stranger, Wanted(case_id=files.case))
    with pytest.raises(NotPermitted):
        await files.search.assets(replace(stranger, may_see=False), Wanted())


async def test_what_is_masked_is_found_only_by_who_knows_the_whole_of_it(files: Files) -> None:
    await files.put(
        files.account("U1", kind=AssetKind.REAL_ESTATE.value, description=ADDRESS, gateway="registry"),
        files.account("蒙A12345", kind=AssetKind.MOVABLE.value, description="白色轿车"),
    )
    every = ["****0008", "U1", "蒙A12345"]
    for text in (NAME, ID_NUMBER, "张*", "（2026）内01执123号", "(2026)内01执123号", "内01执123"):
        assert sorted(await references(files, text)) == every, text
    for text in ("张三", "三丰", "15010519900101", "0018", "执456号"):
        assert await references(files, text) == [], text
    for text in (ACCOUNT, "0008", "６２１７000060000000008"):
        assert await references(files, text) == ["****0008"], text
    for text in ("621700006", "00000008"):
        assert await references(files, text) == [], text
    for text in ("赛罕区", "虚构路", ADDRESS):
        assert await references(files, text) == ["U1"], text
    for text in ("1号3", "501"):
        assert await references(files, text) == [], text
    assert await references(files, "轿车 蒙a123") == ["蒙A12345"]
    assert await references(files, "100%_") == []


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("is_descending", [False, True])
async def test_pages_together_hold_everything_once_and_in_order(
    files: Files, order: Order, is_descending: bool
) -> None:
    rows: list[Asset | AssetRequest | ControlMeasure] = []
    for number in range(7):
        seen = files.clock() - timedelta(hours=number % 3) if number % 4 else None
        asset = files.account(f"622200000000000{number}", value_cents=number % 3 * 100 or None, answered_at=seen)
        request = files.order(asset)
        ends = TODAY + timedelta(days=number % 2) if number % 3 else None
        state = MeasureState.IN_FORCE if ends else MeasureState.WAITING
        rows += [asset, request, files.measure(asset, request, state, ends_on=ends, controlled_cents=number % 2 * 50)]
    await files.put(*rows)
    wanted = Wanted(case_id=files.case, order=order, is_descending=is_descending)
    pages = await files.every(wanted, 3)
    paged = [one.asset.id for page in pages for one in page.items]
    whole = [one.asset.id for one in (await files.search.assets(files.actor, wanted)).items]
    assert paged == whole
    assert len(set(paged)) == 8


async def test_the_order_by_lapse_begins_with_what_ends_next(files: Files) -> None:
    rows: list[Asset | AssetRequest | ControlMeasure] = []
    for days in (40, 5, 20):
        asset = files.account(f"62220000000000{days:02}")
        request = files.order(asset)
        ends = TODAY + timedelta(days=days)
        rows += [asset, request, files.measure(asset, request, MeasureState.IN_FORCE, ends_on=ends)]
    await files.put(*rows)
    assert await references(files, order=Order.LAPSES) == ["****0005", "****0020", "****0040", "****0008"]
    assert await references(files, order=Order.LAPSES, lapses_by=TODAY + timedelta(days=30)) == ["****0005", "****0020"]


async def test_a_measure_leads_to_its_asset(files: Files) -> None:
    asset = files.account("62220000000000001")
    order = files.order(asset)
    measure = files.measure(asset, order, MeasureState.IN_FORCE)
    await files.put(asset, order, measure)
    assert await references(files, measure_id=measure.id) == ["****0001"]


async def test_filters_hold_together(files: Files) -> None:
    car = files.account("蒙A12345", kind=AssetKind.MOVABLE.value, gateway="", origin="clue")
    await files.put(car)
    assert await references(files, kind=AssetKind.MOVABLE) == ["蒙A12345"]
    assert await references(files, gateway="bank") == ["****0008"]
    assert await references(files, standings=frozenset({Standing.CLUE})) == ["蒙A12345"]
    assert await references(files, standings=frozenset({Standing.NONE}), person_id=files.person) == ["****0008"]
    assert await references(files, person_id=uuid4()) == []
    assert await references(files, asset_id=car.id) == ["蒙A12345"]


async def test_the_database_tells_each_standing_as_the_view_does(files: Files) -> None:
    rows: list[Asset | AssetRequest | ControlMeasure] = []
    expected: dict[UUID, Standing] = {}
    ends: list[date | None] = [None, TODAY - timedelta(days=1), TODAY]
    money: list[tuple[int | None, int]] = [(None, 0), (100, 100), (100, 40), (100, 0)]
    # By its order stands what nobody has carried out yet, and nothing else.
    orders = [(one, 0) for one in OF_ORDER] + [(RequestState.OBJECTED, 1), (RequestState.SENT, 1)]
    states = product(MeasureState, [(RequestState.SENT, 0)], ends, money, (False, True))
    intended = product((MeasureState.INTENDED, MeasureState.IN_FORCE), orders, ends[-1:], money[:1], (False,))
    for number, told in enumerate([*states, *intended]):
        state, (asked_state, attempts), end, (asked, held), is_promoted = told
        asset = files.account(f"R{number}")
        earlier, later = files.order(asset), files.order(asset, asked_state)
        later.attempts = attempts
        old = files.measure(asset, earlier, MeasureState.RELEASED)
        old.id = UUID(int=number + 1)  # surely the earlier one, though both are made in one millisecond
        new = files.measure(asset, later, state, ends_on=end, asked_cents=asked, controlled_cents=held)
        new.promoted_at = files.clock() if is_promoted else None
        rows += [asset, earlier, later, old, new]
        expected[asset.id] = standing_of(asset, new, later, TODAY)
    await files.put(*rows)
    for standing in Standing:
        wanted = Wanted(case_id=files.case, standings=frozenset({standing}))
        found = {one.asset.id for page in await files.every(wanted, 500) for one in page.items} & expected.keys()
        assert found == {one for one, told in expected.items() if told is standing}, standing


async def test_cases_are_found_by_number_and_by_the_whole_name(files: Files) -> None:
    cases = CaseSearch(files.database)
    for text in ("", "123号", NAME, "张", "张*", ID_NUMBER, ACCOUNT):
        (found,) = (await cases.cases(files.actor, text)).items
        assert (found.head.number, found.persons, found.is_own) == ("（2026）内01执123号", ["张*"], True), text
    for text in ("张三", "三", "456", "0008", ACCOUNT[:-1]):
        assert (await cases.cases(files.actor, text)).items == [], text


async def test_cases_come_in_pages_newest_number_first(files: Files) -> None:
    async with files.database.write() as session:
        for number in range(201, 206):
            session.add(case_of_court(files.court, number))
    cases, numbers, after = CaseSearch(files.database), [], None
    while not numbers or after is not None:
        page = await cases.cases(files.actor, after=after, limit=4)
        numbers += [one.head.number for one in page.items]
        after = page.after
    assert numbers == [f"（2026）内01执{number}号" for number in (205, 204, 203, 202, 201, 123)]


async def test_a_part_of_what_is_hidden_does_not_show_by_a_further_page_either(files: Files) -> None:
    await files.put(*(files.account(f"622200000000000{number}") for number in range(3)))
    for text in ("张三", "张四", "62220000"):
        found = await files.search.assets(files.actor, Wanted(case_id=files.case, text=text), limit=1)
        assert (found.items, found.after) == ([], None), text
    found = await files.search.assets(files.actor, Wanted(case_id=files.case, text=NAME), limit=1)
    assert found.after is not None
    assert len(await files.every(Wanted(case_id=files.case, text=NAME), 1)) == 4

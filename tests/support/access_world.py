"""What the access tests try to get at: things of two courts, and of two operations of one court."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, update

from assets.documents import Action
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person, TermAlarm, line_of
from assets.terms import AssetKind, china_day
from command_center.accounts.permissions import Role
from command_center.accounts.service import NewUser
from command_center.accounts.tables import Court, SignIn
from command_center.database import new_id
from command_center.demonstration_plan import CITY
from command_center.evidence.tables import Recording
from command_center.journal import Journal, JournalKind
from command_center.operations.service import OperationPlan, SitePlan
from command_center.operations.tables import Delivery, Feed, Site
from tests.support.access_money import new_case_money
from tests.support.access_requests import new_requests
from tests.support.many_measures import make_measures
from tests.support.web import RunningWeb

OTHER_OFFICER = "officer-other"
"""An officer of the city court whose one operation is another than the demonstration's."""
PASSWORD = "a password for tests"


@dataclass
class AccessWorld:
    """The web process, and the names and ids that urls and bodies are filled with."""

    running: RunningWeb
    things: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], httpx.AsyncClient] = field(default_factory=dict)
    _device: httpx.AsyncClient | None = None

    def fill(self, template: str) -> str:
        """A url with its ids."""
        return template.format_map(self.things)

    def fill_all(self, value: Any) -> Any:
        """A body with its ids; `{new}` becomes an id that never was."""
        if isinstance(value, dict):
            return {name: self.fill_all(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fill_all(one) for one in value]
        return value.format_map({**self.things, "new": str(new_id())}) if isinstance(value, str) else value

    async def client(self, username: str, state: str = "open") -> httpx.AsyncClient:
        """A browser of this person whose session is `open`, `expired` or `revoked`."""
        known = self._clients.get((username, state))
        if known is not None:
            return known
        client = await self.running.signed_in(username)
        if state == "expired":
            await self._expire(client)
        if state == "revoked":
            cookies = dict(client.cookies)
            answer = await client.delete("/api/session")
            assert answer.status_code == 204
            client.cookies.update(cookies)
        self._clients[username, state] = client
        return client

    async def _expire(self, client: httpx.AsyncClient) -> None:
        session = await client.get("/api/session")
        past = datetime.now(UTC) - timedelta(seconds=1)
        csrf_token = session.json()["csrf_token"]
        async with self.running.web.database.write() as records:
            await records.execute(update(SignIn).where(SignIn.csrf_token == csrf_token).values(expires_at=past))

    @cached_property
    def stranger(self) -> httpx.AsyncClient:
        """A browser in which nobody has signed in."""
        return self.running.client()

    async def device(self) -> httpx.AsyncClient:
        """A program with a token that is good for every feed, and for nothing else."""
        if self._device is None:
            token = await self.media_token("*", publish=True, view=True)
            self._device = self.running.client(headers={"Authorization": f"Bearer {token}"})
        return self._device

    async def media_token(self, feed: str, *, publish: bool = False, view: bool = False) -> str:
        """A token as the command line makes it."""
        issued = await self.running.web.media_tokens.issue(
            None, feed, operation_id=None, court_id=None, may_publish=publish, may_view=view
        )
        return issued.access_token


async def new_access_world(running: RunningWeb) -> AccessWorld:
    """Seed everything that a route can name."""
    world = AccessWorld(running)
    demo, things = running.world, world.things
    things["city_operation"] = str(demo.operation_id)
    things["district_operation"] = str(demo.district_operation_id)
    things["officer"] = str(demo.users["officer1"])
    things["security"] = str(demo.users["security"])
    things["city_court"] = str(demo.courts["内01"])
    things["city_name"] = CITY.name_zh
    things |= {"map": "centre", "segment": "1"}
    await _other_operation(world)
    await _court_above(world)
    await _sites_and_cases(world)
    things["feed"] = await _feed(world, "officer1", "city_operation", "city_site")
    things["lost_feed"] = await _feed(world, "officer2", "city_operation", "city_site")
    things["district_feed"] = await _feed(world, "saihan-officer", "district_operation", "district_site")
    await _instruction(world)
    await _recording(world)
    world.things["note"] = await _note(world)
    world.things["spare_note"] = await _note(world)
    await _custody(world)
    await _exports(world)
    await _proposals(world)
    await _sanction(world)
    await _claim(world)
    await _alarm(world)
    await _ended_measure(world)
    await new_case_money(world)
    return world


async def _other_operation(world: AccessWorld) -> None:
    web, demo = world.running.web, world.running.world
    made = await web.accounts.create_user(None, NewUser(OTHER_OFFICER, PASSWORD, Role.OFFICER, "内01"))
    demo.passwords[OTHER_OFFICER] = PASSWORD  # type: ignore[index]
    spare = await web.accounts.create_user(None, NewUser("spare", PASSWORD, Role.OFFICER, "内01"))
    world.things |= {"other_officer": str(made.id), "spare": str(spare.id)}
    plan = OperationPlan(
        court_id=demo.courts["内01"],
        name_zh="另一行动",
        name_en="Another operation",
        case_number="（2026）内01执9号",
        commander_id=demo.users["commander"],
        starts_at=datetime.now(UTC),
        sites=(SitePlan("别处", "Elsewhere", "新城区", "Xincheng", 40.85, 111.66, (made.id,)),),
    )
    async with web.database.write() as session:
        world.things["other_operation"] = str(await web.operations.plan(session, plan))


async def _court_above(world: AccessWorld) -> None:
    """A court that sees the city's cases, as the city's sees its districts', with people of each role."""
    web, demo = world.running.web, world.running.world
    async with web.database.write() as session:
        above = Court(code="内", name_zh="上级法院（虚构）", name_en="Court above (made up)")
        session.add(above)
        await session.flush()
        (await session.get_one(Court, demo.courts["内01"])).parent_id = above.id
    for role in (Role.JUDGE, Role.APPROVER, Role.SUPERVISOR, Role.COMMANDER):
        name = f"above-{role}"
        await web.accounts.create_user(None, NewUser(name, PASSWORD, role, "内"))
        demo.passwords[name] = PASSWORD  # type: ignore[index]


async def _sites_and_cases(world: AccessWorld) -> None:
    async with world.running.web.database.write() as session:
        for name in ("city", "district", "other"):
            operation = UUID(world.things[f"{name}_operation"])
            site = (await session.scalars(select(Site).where(Site.operation_id == operation, Site.ordinal == 1))).one()
            world.things[f"{name}_site"] = str(site.id)
        demo = world.running.world
        for name, court in (("city", "内01"), ("district", "内0105")):
            case = (await session.scalars(select(Case).where(Case.court_id == demo.courts[court]))).one()
            persons = select(Person).where(Person.case_id == case.id, Person.role == "under_enforcement")
            person, other = await session.scalars(persons.order_by(Person.ordinal).limit(2))
            asset = Asset(
                case_id=case.id,
                person_id=person.id,
                kind=AssetKind.BANK_ACCOUNT.value,
                gateway="bank",
                reference=f"62170000600000{name}",
                description=f"account of {name}",
            )
            session.add(asset)
            await session.flush()
            world.things |= {
                f"{name}_case": str(case.id),
                f"{name}_number": case.number,
                f"{name}_person": str(person.id),
                f"{name}_other_person": str(other.id),
                f"{name}_asset": str(asset.id),
            }


async def _feed(world: AccessWorld, username: str, operation: str, site: str) -> str:
    client = await world.client(username)
    body = {"operation_id": world.things[operation], "site_id": world.things[site], "device": "phone"}
    answer = await client.post("/api/feeds", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["feed"])


async def _instruction(world: AccessWorld) -> None:
    client = await world.client("commander")
    body = {
        "operation_id": world.things["city_operation"],
        "scope": "officer",
        "officer_id": world.things["officer"],
        "priority": "urgent",
        "text": "a secret of the city court",
        "idempotency_key": str(new_id()),
    }
    answer = await client.post("/api/instructions", json=body)
    assert answer.is_success, answer.text
    async with world.running.web.database.read() as session:
        world.things["delivery"] = str((await session.scalars(select(Delivery.id))).one())


async def _recording(world: AccessWorld) -> None:
    recording_id = new_id()
    at = datetime.now(UTC)
    async with world.running.web.database.write() as session:
        feed = (await session.scalars(select(Feed).where(Feed.name == world.things["feed"]))).one()
        session.add(
            Recording(
                id=recording_id,
                feed_id=feed.id,
                operation_id=feed.operation_id,
                site_id=feed.site_id,
                node="node-1",
                manifest=f"{feed.name}/day/{recording_id}.jsonl",
                version=2,
                started_at=at,
                head="0" * 64,
            )
        )
    world.things["recording"] = str(recording_id)
    world.things["request"] = await _request(world)
    judge = world.running.world.users["judge"]
    world.things |= await new_requests(world.running.web.database, world.things, judge)


async def _note(world: AccessWorld) -> str:
    client = await world.client("supervisor")
    body = {"at": datetime.now(UTC).isoformat(), "text": "a thought of the city court"}
    answer = await client.post(f"/api/operations/{world.things['city_operation']}/notes", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _custody(world: AccessWorld) -> None:
    """A review, a hold, and recordings whose period is over: two of them proposed for deletion."""
    supervisor, things = await world.client("supervisor"), world.things
    for name in ("old_recording", "older_recording", "oldest_recording"):
        things[name] = await _old_recording(world)
    named = {
        "review": ("/api/reviews", {"operation_id": things["city_operation"], "purpose": "training"}),
        "hold": (
            "/api/retention/holds",
            {"operation_id": things["city_operation"], "recording_id": things["recording"], "reason": "complaint"},
        ),
        "deletion": ("/api/deletions", {"recording_id": things["old_recording"], "reason": "over"}),
        "other_deletion": ("/api/deletions", {"recording_id": things["older_recording"], "reason": "over"}),
    }
    for name, (address, body) in named.items():
        answer = await supervisor.post(address, json=body)
        assert answer.status_code == 201, answer.text
        things[name] = str(answer.json()["id"])


async def _exports(world: AccessWorld) -> None:
    """Two exports that wait."""
    supervisor, things = await world.client("supervisor"), world.things
    async with world.running.web.database.write() as session:
        at = datetime.fromisoformat("2026-11-22T08:00:00+08:00")
        operation = UUID(things["city_operation"])
        await Journal(lambda: at).note(session, operation, JournalKind.CAMERA, {"feed": things["feed"]})
    for name in ("export", "spare_export"):
        body = {
            "operation_id": things["city_operation"],
            "since": "2026-11-22T08:00:00+08:00",
            "until": "2026-11-22T09:00:00+08:00",
            "feeds": [things["feed"]],
            "purpose": "appeal",
            "idempotency_key": str(new_id()),
        }
        answer = await supervisor.post("/api/exports", json=body)
        assert answer.status_code == 202, answer.text
        things[name] = str(answer.json()["id"])


async def _old_recording(world: AccessWorld) -> str:
    recording_id, at = new_id(), datetime.now(UTC) - timedelta(days=4 * 366)
    async with world.running.web.database.write() as session:
        feed = (await session.scalars(select(Feed).where(Feed.name == world.things["feed"]))).one()
        session.add(
            Recording(
                id=recording_id,
                feed_id=feed.id,
                operation_id=feed.operation_id,
                site_id=feed.site_id,
                node="node-1",
                manifest=f"{recording_id}.jsonl",
                version=2,
                started_at=at,
                ended_at=at,
                head="",
            )
        )
    return str(recording_id)


async def _request(world: AccessWorld) -> str:
    client = await world.client("commander")
    body = world.fill_all(
        {
            "case_id": "{city_case}",
            "person_id": "{city_person}",
            "gateways": ["bank"],
            "idempotency_key": "{new}",
        }
    )
    answer = await client.post("/api/assets/queries", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["items"][0]["id"])


async def _ended_measure(world: AccessWorld) -> None:
    """A freeze of the city court that was released: nothing can be done with it any more."""
    demo, at = world.running.world, datetime.now(UTC)
    case_id, person_id = UUID(world.things["city_case"]), UUID(world.things["city_person"])
    async with world.running.web.database.write() as session:
        asset = await session.get_one(Asset, UUID(world.things["city_asset"]))
        order = AssetRequest(
            number="D1",
            case_id=case_id,
            person_id=person_id,
            asset_id=asset.id,
            action="freeze",
            gateway="bank",
            state="answered",
            idempotency_key=new_id(),
            actor_id=demo.users["judge"],
            created_at=at,
        )
        session.add(order)
        await session.flush()
        measure = ControlMeasure(
            id=new_id(),
            case_id=case_id,
            court_id=demo.courts["内01"],
            asset_id=asset.id,
            request_id=order.id,
            line=line_of(asset),
            action="freeze",
            state="released",
            changed_at=at,
        )
        session.add(measure)
        world.things["ended_measure"] = str(measure.id)


async def _sanction(world: AccessWorld) -> None:
    """A consumption limit that was proposed and withdrawn: no step is left to it."""
    judge = await world.client("judge")
    body = world.fill_all(
        {
            "case_id": "{city_case}",
            "person_id": "{city_person}",
            "kind": "limit",
            "facts": "a secret of the city court",
            "basis_document": "（2025）内01民终9号",
            "duty": "to pay",
            "performance": "none",
            "idempotency_key": "{new}",
        }
    )
    made = await judge.post("/api/assets/sanctions", json=body)
    assert made.status_code == 201, made.text
    world.things["sanction"] = str(made.json()["items"][0]["line"]["id"])
    body = {"reason": "over", "idempotency_key": str(new_id())}
    ended = await judge.post(f"/api/assets/sanctions/{world.things['sanction']}/withdraw", json=body)
    assert ended.status_code == 200, ended.text


async def _proposals(world: AccessWorld) -> None:
    """What an officer of the city's operation found, one for each thing that can become of it, and a judge's order."""
    officer, things = await world.client("officer1"), world.things
    for number, name in enumerate(("proposal", "declined", "taken_up", "recorded", "withdrawn")):
        body = {
            "operation_id": things["city_operation"],
            "kind": "movable",
            "reference": f"蒙A7000{number}",
            "action": "impound",
            "idempotency_key": str(new_id()),
        }
        answer = await officer.post("/api/assets/mine/proposals", json=body)
        assert answer.status_code == 201, answer.text
        things[f"{name}_proposal" if number else name] = str(answer.json()["id"])
    order = AssetRequest(
        number="K20261122ACCESS",
        case_id=UUID(things["city_case"]),
        person_id=UUID(things["city_person"]),
        asset_id=UUID(things["city_asset"]),
        action=Action.FREEZE.value,
        gateway="bank",
        state=RequestState.ANSWERED.value,
        idempotency_key=new_id(),
        actor_id=world.running.world.users["judge"],
        created_at=datetime.now(UTC),
    )
    async with world.running.web.database.write() as session:
        session.add(order)
        await session.flush()
        things["order"] = str(order.id)


async def _claim(world: AccessWorld) -> None:
    """What the city's applicant has to get."""
    judge = await world.client("judge")
    file = await judge.get(f"/api/assets/cases/{world.things['city_case']}/file")
    creditor = next(one["id"] for one in file.json()["persons"] if one["role"] == "applicant")
    body = {"creditor_id": creditor, "amount_cents": 1, "principal_cents": 1, "idempotency_key": str(new_id())}
    made = await judge.post(f"/api/assets/cases/{world.things['city_case']}/claims", json=body)
    assert made.status_code == 201, made.text
    world.things["city_claim"] = str(made.json()["claims"][-1]["id"])


async def _alarm(world: AccessWorld) -> None:
    """A measure of the city court that nears its last day, and the alarm about it."""
    database, court = world.running.web.database, UUID(world.things["city_court"])
    today = china_day(datetime.now(UTC))
    made = await make_measures(database, [court], [today])
    alarm_id = new_id()
    async with database.write() as session:
        session.add(
            TermAlarm(
                id=alarm_id,
                measure_id=made.measures[0],
                case_id=made.cases[0],
                court_id=court,
                ends_on=today,
                days_before=0,
                due_on=today,
                raised_at=datetime.now(UTC),
            )
        )
    world.things["alarm"] = str(alarm_id)

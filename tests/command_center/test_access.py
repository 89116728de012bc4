"""Who gets in where: every registered route, callback output and socket message × everybody who should not."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any, get_args
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select
from starlette.routing import Mount
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from assets.tables import AssetRequest
from command_center.accounts.callbacks import outputs_of
from command_center.database import new_id
from command_center.live.messages import Watch
from command_center.operations.tables import Delivery, Feed, PositionRecord
from streams.protocol import PROTOCOL_VERSION, CameraStatus, Hello, Position, Receipt
from tests.support import access_table as table
from tests.support.access_table import Callback, SocketWay, Way
from tests.support.access_world import OTHER_OFFICER, AccessWorld, new_access_world
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
"""The world of all of them is built once, which takes a while on a busy machine."""

ways = pytest.mark.parametrize("way", table.WAYS, ids=lambda way: f"{way} by {way.right}")
sockets = pytest.mark.parametrize("way", table.SOCKETS, ids=lambda way: f"{way.path} {way.message}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(web: RunningWeb) -> AsyncIterator[AccessWorld]:
    """Two courts with something of everything."""
    yield await new_access_world(web)


async def ask(world: AccessWorld, client: httpx.AsyncClient, way: Way) -> httpx.Response:
    body = None if way.body is None else world.fill_all(way.body)
    return await client.request(way.method, world.fill(way.address), json=body)


async def strangers(world: AccessWorld, right: str) -> dict[str, httpx.AsyncClient]:
    """Whoever has not signed in, or has no longer."""
    return {
        "a stranger": world.stranger,
        "a token for something else": await world.device(),
        f"{right}, whose session has expired": await world.client(right, "expired"),
        f"{right}, who has signed out": await world.client(right, "revoked"),
    }


# What is registered is in the table


def shape(method: str, path: str) -> tuple[str, str]:
    """A route without the names of what stands for something in it."""
    return method, re.sub(r"{[^}]*}", "{}", path)


def registered(routes: Iterable[Any]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for route in routes:
        if hasattr(route, "original_router"):
            found |= registered(route.original_router.routes)
        elif isinstance(route, Mount):
            found.add(("GET", f"{route.path}/*"))
        elif getattr(route, "methods", None):
            found |= {(method, route.path) for method in route.methods - {"HEAD"}}
        else:
            found.add(("WS", route.path))
    return found


async def test_every_registered_route_is_in_the_table(world: AccessWorld) -> None:
    routes = registered(world.running.web.server.routes)
    # Dash answers the paths of all its pages by one route, which the gate lets nobody reach but by a page's own door.
    catch_all = {("GET", "{path:path}"), ("GET", "/{path:path}")}
    pages = {("GET", way.path) for way in table.WAYS if way.is_page}
    listed = {(way.method, way.path) for way in table.WAYS} | set(table.PUBLIC) | set(table.MEDIA) | table.CLOSED
    listed |= {("WS", way.path) for way in table.SOCKETS}
    ours, theirs = ({shape(*one) for one in known} for known in (listed, routes - catch_all))
    assert theirs - ours == set(), "registered, but not in the table"
    assert ours - theirs - pages == set(), "in the table, but not registered"


async def test_every_callback_output_is_in_the_table(world: AccessWorld) -> None:
    # Those without a function run in the browser; the server has nothing to answer for them.
    served = [key for key, one in world.running.web.screens.callback_map.items() if "callback" in one]
    assert {output for key in served for output in outputs_of(key)} == set(table.CALLBACKS)


async def test_every_socket_message_is_in_the_table() -> None:
    def types(*messages: Any) -> set[str]:
        return {get_args(message.model_fields["type"].annotation)[0] for message in messages}

    taken = {("/api/live", name) for name in types(Watch)}
    taken |= {("/api/officer", name) for name in types(Hello, Position, CameraStatus, Receipt)}
    assert {(way.path, way.message) for way in table.SOCKETS} == taken


async def test_what_nobody_may_have_is_closed(world: AccessWorld) -> None:
    client = await world.client("commander")
    assert (await client.get("/_reload-hash")).status_code == 404
    with pytest.raises(InvalidStatus):
        await open_socket(world, "/_dash-ws-callback", client)


# Routes


@ways
async def test_nobody_else_gets_in(world: AccessWorld, way: Way) -> None:
    """All who may not are tried, and all who got something else than the table says are named at once."""
    away = 303 if way.is_page else 401
    others = {who: (client, away) for who, client in (await strangers(world, way.right)).items()}
    if way.wrong is None:
        assert not way.secrets, "what every role may have holds nothing of anybody's"
    else:
        others[way.wrong] = await world.client(way.wrong), 303 if way.is_page else 403
    for username, status in ((way.neighbour, way.other_court), (OTHER_OFFICER, way.other_operation)):
        if status is not None:
            others[username] = await world.client(username), status
    wrong = {}
    for who, (client, status) in others.items():
        answer = await ask(world, client, way)
        told = [name for name in way.secrets if world.things[name] in answer.text]
        if answer.status_code != status:
            wrong[who] = f"{answer.status_code} instead of {status}: {answer.text[:200]}"
        elif told or (status >= 400 and "secret" in answer.text):
            wrong[who] = f"was told {told or 'a secret'}"
        elif way.is_page and not leads_away(way, who, answer.headers["location"]):
            wrong[who] = f"was sent to {answer.headers['location']}"
    assert not wrong, f"{way}: {wrong}"


def leads_away(way: Way, who: str, location: str) -> bool:
    return location != way.path if who == way.wrong else location.startswith("/sign-in")


async def test_a_court_above_looks_on_and_does_nothing_in_a_case(world: AccessWorld) -> None:
    wrong = {}
    for way in table.OF_A_CASES_COURT:
        answer = await ask(world, await world.client(f"above-{way.right}"), way)
        if answer.status_code != 403 or answer.json()["code"] not in ("not-own-court", "not-own-court-account"):
            wrong[str(way)] = f"{answer.status_code}: {answer.text[:200]}"
    assert not wrong, wrong


async def test_every_route_with_somebodys_id_says_what_another_court_gets() -> None:
    for way in table.WAYS:
        names_something = "{" in way.address.replace("{map}", "") or "{" in json.dumps(way.body or {}).strip("{}")
        if names_something and way.path != "/_dash-update-component":
            assert way.other_court is not None, way


@ways
async def test_the_right_person_gets_in(world: AccessWorld, way: Way) -> None:
    client = await world.client(way.right)
    answer = await ask(world, client, way)
    assert answer.status_code == way.status, answer.text
    for name in way.secrets:
        assert world.things[name] in answer.text, "the table's secret is not even told to the right person"


# Media


@pytest.mark.parametrize(("method", "path"), [one for one in table.MEDIA if one[0] == "POST"])
async def test_a_media_session_begins_with_a_token_for_this_feed_and_right_only(
    world: AccessWorld, method: str, path: str
) -> None:
    feed, is_publishing = world.things["feed"], path.startswith("/whip")
    url = path.format(feed=feed, session="one")
    other = world.things["district_feed"]
    right = await world.media_token(feed, publish=is_publishing, view=not is_publishing)
    cases = {
        None: 401,
        "no token": 401,
        right[:-4] + "AAAA": 401,
        await world.media_token(other, publish=True, view=True): 403,
        await world.media_token(feed, publish=not is_publishing, view=is_publishing): 403,
        right: 503,  # as far as it gets here: there is no node behind
    }
    program = await world.running.program("officer1")
    cases[program.headers["Authorization"].removeprefix("Bearer ")] = 401
    for token, status in cases.items():
        headers = {"content-type": "application/sdp"} | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = await world.running.client().post(url, content=b"v=0", headers=headers)
        assert answer.status_code == status, (token, answer.text)


@pytest.mark.parametrize("username", ["officer3", "supervisor"])
async def test_a_media_token_dies_with_the_session_that_it_came_from(world: AccessWorld, username: str) -> None:
    client = await world.running.signed_in(username)
    road = "whip" if username == "officer3" else "whep"
    feed = world.things["feed"]
    if road == "whip":
        body = {"operation_id": world.things["city_operation"], "site_id": world.things["city_site"], "device": "cut"}
        feed = (await client.post("/api/feeds", json=body)).json()["feed"]
    right = "publish" if road == "whip" else "view"
    token = (await client.post("/api/media-tokens", json={"feed": feed, "right": right})).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "content-type": "application/sdp"}
    stranger = world.running.client()
    assert (await stranger.post(f"/{road}/{feed}", content=b"v=0", headers=headers)).status_code == 503
    await client.delete("/api/session")
    assert (await stranger.post(f"/{road}/{feed}", content=b"v=0", headers=headers)).status_code == 401


# Dash callbacks

callback_keys = pytest.mark.parametrize("output", sorted(table.CALLBACKS))


def callback_of(world: AccessWorld, output: str) -> tuple[str, Any]:
    for key, callback in world.running.web.screens.callback_map.items():
        if output in outputs_of(key):
            return key, callback
    raise AssertionError(f"no callback for {output}")


def callback_body(world: AccessWorld, output: str, case: str = "city_case") -> dict[str, Any]:
    """The request that the page would send, about a case of the city's court."""
    key, callback = callback_of(world, output)
    values = {"case-id": world.things[case], "pathname": "/"}

    def given(one: dict[str, Any]) -> Any:
        if one["id"].startswith("{"):
            pattern = json.loads(one["id"])
            if any(isinstance(value, list) for value in pattern.values()):
                person = {**pattern, "person": world.things["city_person"], "gateway": "registry"}
                return [{"id": person, "property": one["property"], "value": 1}]
        return {**one, "value": values.get(one["id"], values.get(one["property"], 1))}

    outputs = [dict(zip(("id", "property"), each.rsplit(".", 1), strict=True)) for each in outputs_of(key)]
    inputs = [given(one) for one in callback["inputs"]]
    first = callback["inputs"][0]
    changed = f"{first['id']}.{first['property']}"
    if isinstance(inputs[0], list):
        changed = f"{json.dumps(inputs[0][0]['id'], separators=(',', ':'), sort_keys=True)}.{first['property']}"
    return {
        "output": key,
        "outputs": outputs if key.startswith("..") else outputs[0],
        "inputs": inputs,
        "state": [given(one) for one in callback["state"]],
        "changedPropIds": [changed],
    }


async def press(world: AccessWorld, client: httpx.AsyncClient, output: str, case: str = "city_case") -> httpx.Response:
    return await client.post("/_dash-update-component", json=callback_body(world, output, case))


@callback_keys
async def test_a_callback_serves_the_right_person_and_nobody_else(world: AccessWorld, output: str) -> None:
    entry: Callback = table.CALLBACKS[output]
    answers = {who: await press(world, client, output) for who, client in (await strangers(world, entry.right)).items()}
    assert {who: answer.status_code for who, answer in answers.items()} == dict.fromkeys(answers, 401)
    if entry.wrong is None:
        assert output.startswith("_pages_"), "only Dash's own router is for every role"
    else:
        answer = await press(world, await world.client(entry.wrong), output)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted"), entry.wrong
    before = await _requests(world)
    answer = await press(world, await world.client(f"saihan-{entry.right}"), output)
    assert not [name for name in ("city_number", "city_person", "city_asset") if world.things[name] in answer.text]
    assert await _requests(world) == before, "something was done for another court"
    answer = await press(world, await world.client(entry.right), output)
    assert answer.status_code in {200, 204}, answer.text


async def test_the_callbacks_tell_and_do_it_for_the_right_person(world: AccessWorld) -> None:
    judge = await world.client("judge")
    assert world.things["city_asset"] in (await press(world, judge, "assets-grid.rowData")).text
    await press(world, judge, "assets-asked.data")
    async with world.running.web.database.read() as session:
        of_person = AssetRequest.person_id == UUID(world.things["city_person"])
        query = select(AssetRequest.actor_id).where(AssetRequest.gateway == "registry", of_person)
        asked = set(await session.scalars(query))
    assert asked == {world.running.world.users["judge"]}


async def _requests(world: AccessWorld) -> int:
    async with world.running.web.database.read() as session:
        return await session.scalar(select(func.count()).select_from(AssetRequest)) or 0


# Sockets


async def open_socket(world: AccessWorld, path: str, client: httpx.AsyncClient) -> ClientConnection:
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    if "Authorization" in client.headers:
        headers["Authorization"] = client.headers["Authorization"]
    address = f"ws://127.0.0.1:{world.running.port}{path}"
    return await connect(address, additional_headers=headers, origin=world.running.url)  # type: ignore[arg-type]


@sockets
async def test_a_socket_opens_to_nobody_else(world: AccessWorld, way: SocketWay) -> None:
    for client in (*(await strangers(world, way.right)).values(), await world.client(way.wrong)):
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(world, way.path, client)
        assert refused.value.response.status_code == 403


async def test_a_screen_is_shown_no_operation_of_another_court(world: AccessWorld) -> None:
    watch = json.dumps({"type": "watch", "operation_id": world.things["city_operation"]})
    own = await open_socket(world, "/api/live", await world.client("commander"))
    await own.send(watch)
    assert world.things["feed"] in str(await own.recv())
    await own.close()
    other = await open_socket(world, "/api/live", await world.client("saihan-commander"))
    await other.send(watch)
    with pytest.raises(ConnectionClosed):
        await other.recv()
    assert other.close_code == 4404


async def greeted(world: AccessWorld, username: str, device: str = "phone") -> ClientConnection:
    socket = await open_socket(world, "/api/officer", await world.client(username))
    await socket.send(json.dumps({"type": "hello", "version": PROTOCOL_VERSION, "device": device}))
    assert json.loads(await socket.recv())["type"] == "welcome"
    return socket


@pytest.mark.parametrize("username", [OTHER_OFFICER, "saihan-officer", "officer3"])
async def test_an_officer_is_sent_and_answers_no_instruction_of_another(world: AccessWorld, username: str) -> None:
    delivery = UUID(world.things["delivery"])
    socket = await greeted(world, username)
    message = {
        "type": "receipt",
        "id": str(new_id()),
        "delivery_id": str(delivery),
        "state": "accepted",
        "at": 1,
        "reason": "",
    }
    await socket.send(json.dumps(message))
    while True:
        text = str(await socket.recv())
        assert "secret" not in text
        answer = json.loads(text)
        if answer["type"] == "refusal":
            break
    assert answer["code"] == "delivery-not-found"
    await socket.close()
    async with world.running.web.database.read() as session:
        assert (await session.get_one(Delivery, delivery)).state == "sent"


@pytest.mark.parametrize("username", [OTHER_OFFICER, "saihan-officer"])
async def test_what_a_device_tells_is_never_taken_for_anothers(world: AccessWorld, username: str) -> None:
    """The device's name alone says nothing: the feed is looked up by officer and device."""
    socket = await greeted(world, username, device="phone")
    position = {
        "type": "position",
        "id": str(new_id()),
        "taken_at": 1_760_000_000_000,
        "latitude": 1.0,
        "longitude": 2.0,
        "accuracy_m": 3.0,
    }
    camera = {"type": "camera", "id": str(new_id()), "at": 1_760_000_000_000, "state": "stopped_by_officer"}
    for message in (position, camera):
        await socket.send(json.dumps(message))
    await socket.send("no json")  # its refusal says that the others are dealt with
    while json.loads(await socket.recv())["type"] != "refusal":
        pass
    await socket.close()
    async with world.running.web.database.read() as session:
        feed = (await session.scalars(select(Feed).where(Feed.name == world.things["feed"]))).one()
        stored = await session.get(PositionRecord, UUID(str(position["id"])))
        assert feed.camera_state == "live"
        assert stored is None or stored.feed_id != feed.id

"""What the pages hold before any script runs, by person and language."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from command_center.accounts.identity import Identity, current_identity
from command_center.accounts.permissions import Role
from command_center.api.session import SignInBody
from command_center.api.setup import FirstAccountBody
from command_center.screens import ids, map_page, routes, shell
from command_center.screens.components.instructions import instructions
from command_center.screens.pages.setup import setup_page
from command_center.screens.pages.sign_in import sign_in_page
from command_center.screens.shell import Installation

PLACE = Installation("某某法院", "Some <Court>", demonstration=True)


@contextmanager
def signed_in(role: Role, language: str = "zh") -> Iterator[None]:
    court = UUID(int=1)
    person = Identity(UUID(int=2), UUID(int=3), "li", "林致远", role, court, frozenset({court}), language)
    token = current_identity.set(person)
    try:
        yield
    finally:
        current_identity.reset(token)


def text_of(component: Any) -> str:
    return json.dumps(component.to_plotly_json(), default=lambda part: part.to_plotly_json(), ensure_ascii=False)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    server = FastAPI()

    async def is_open(secret: str) -> bool:
        return secret == "open"

    routes.install(server, PLACE, is_open)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://test") as client:
        yield client


def test_the_header_speaks_the_readers_language_and_shows_where_it_runs() -> None:
    with signed_in(Role.COMMANDER, "en"):
        text = text_of(shell.header(PLACE))
    assert "Some <Court>" in text
    assert "DEMONSTRATION" in text
    assert "Commander" in text


def test_an_installation_that_is_real_carries_no_demonstration_badge() -> None:
    with signed_in(Role.COMMANDER):
        assert "演示数据" not in text_of(shell.header(Installation("某某法院", "Some Court", demonstration=False)))


def test_the_header_links_only_to_pages_that_the_role_may_open() -> None:
    with signed_in(Role.APPROVER):
        approver = text_of(shell.header(PLACE))
    with signed_in(Role.SUPERVISOR):
        supervisor = text_of(shell.header(PLACE))
    assert '"/review"' not in approver
    assert '"/review"' in supervisor


def test_only_who_may_send_instructions_gets_the_box() -> None:
    with signed_in(Role.SUPERVISOR):
        assert '"compose"' not in text_of(instructions())
    with signed_in(Role.COMMANDER):
        assert '"compose"' in text_of(instructions())


def test_the_sign_in_page_is_whole_without_scripts_and_escapes_names() -> None:
    page = sign_in_page(PLACE, "en")
    assert '<html lang="en">' in page
    assert "Some &lt;Court&gt;" in page
    assert 'type="password"' in page
    assert "DEMONSTRATION" in page
    assert "<script>" not in page


@pytest.mark.parametrize("page", [sign_in_page(PLACE, "en"), setup_page(PLACE, "en", is_open=True)])
def test_a_password_is_never_sent_in_an_address_by_whoever_is_faster_than_the_script(page: str) -> None:
    assert 'method="post"' in page
    assert 'type="submit" disabled' in page


def test_a_set_up_link_that_is_over_shows_no_form() -> None:
    assert "<form" in setup_page(PLACE, "zh", is_open=True)
    assert "<form" not in setup_page(PLACE, "zh", is_open=False)


async def test_a_set_up_link_that_is_over_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/setup/open")).status_code == 200
    assert (await client.get("/setup/other")).status_code == 404


async def test_scripts_get_the_words_of_a_language_and_of_no_other(client: httpx.AsyncClient) -> None:
    words = (await client.get("/static/words/en.json")).json()
    assert words["page.sign-in"] == "Sign in"
    assert (await client.get("/static/words/fr.json")).status_code == 422


async def test_a_browser_asks_anew_for_each_script_so_that_an_upgrade_is_whole(client: httpx.AsyncClient) -> None:
    first = await client.get("/static/live.js")
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get("/static/live.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_leaflet_comes_from_the_installed_wheel(client: httpx.AsyncClient) -> None:
    answer = await client.get("/vendor/leaflet/leaflet.js")
    assert answer.status_code == 200
    assert "1.9.4" in answer.text[:500]


def test_the_maps_page_loads_nothing_from_elsewhere_and_marks_every_inline_script() -> None:
    page = map_page.render(map_page.Kind.CENTRE, "zh")
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
    assert page.count(map_page.NONCE) == page.count("<script nonce=")
    assert 'href="/vendor/leaflet/leaflet.css"' in page
    assert 'src="/vendor/leaflet/leaflet.js"' in page


def test_the_outlines_name_all_nine_districts_in_both_languages_within_the_city() -> None:
    path = routes.STATIC / "map" / "hohhot.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert path.stat().st_size < 1_000_000
    assert len({feature["properties"]["zh"] for feature in features}) == 9
    assert len({feature["properties"]["en"] for feature in features}) == 9
    for feature in features:
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                assert ring[0] == ring[-1]
                assert all(110.4 < longitude < 112.5 and 39.5 < latitude < 41.5 for longitude, latitude in ring)


def test_ids_are_each_used_once() -> None:
    values = [value for name, value in vars(ids).items() if name.isupper()]
    assert len(values) == len(set(values))


@pytest.mark.parametrize(
    ("page", "body", "fields"),
    [
        (sign_in_page(PLACE, "zh"), SignInBody, ("username", "password")),
        (setup_page(PLACE, "zh", is_open=True), FirstAccountBody, ("username", "display_name", "password")),
    ],
)
def test_a_field_takes_no_more_than_the_api(page: str, body: type[BaseModel], fields: tuple[str, ...]) -> None:
    for name in fields:
        field = re.search(rf'<input name="{name}"[^>]*maxlength="(\d+)"', page)
        bounds = [each.max_length for each in body.model_fields[name].metadata if hasattr(each, "max_length")]
        assert field is not None
        assert [int(field[1])] == bounds

"""Item 6: DELETE, GET, HEAD, OPTIONS, and whose pages may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.streams.conformance.exchange import (
    CANDIDATE,
    FRAGMENT,
    GOOD,
    SDP,
    WATCHING,
    assert_problem,
    live_feed,
    patch,
    post,
)
from tests.support.node import RunningNode, running_node
from tests.support.waiting import until

OURS = "https://field.example"


async def test_6_delete_is_200_and_frees_everything(running: RunningNode, http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    assert (await http.delete(url)).status_code == 200
    assert not running.node.sessions.by_id
    await until(lambda: not running.node.port.has_links)


async def test_6_delete_of_a_viewer_leaves_the_feed_alone(running: RunningNode, http: httpx.AsyncClient) -> None:
    async with live_feed(running):
        url = (await post(http, "/whep/site-1", WATCHING)).headers["location"]
        assert (await http.delete(url)).status_code == 200
        feed = running.node.sessions.feeds["site-1"]
        assert not feed.viewers
        assert feed.is_live


async def test_6_a_second_delete_is_404(http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    await http.delete(url)
    assert_problem(await http.delete(url), 404, "session-unknown")
    assert_problem(await patch(http, url, CANDIDATE, "*"), 404, "session-unknown")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_6_reading_is_empty(http: httpx.AsyncClient, method: str) -> None:
    url = (await post(http)).headers["location"]
    for path in ("/whip/site-1", "/whep/site-1", url):
        response = await http.request(method, path)
        assert response.status_code == 204
        assert response.content == b""


@pytest.mark.parametrize("path", ["/whip/site-1", "/whep/site-1"])
async def test_6_options_of_an_endpoint_say_what_may_be_posted(http: httpx.AsyncClient, path: str) -> None:
    response = await http.options(path)
    assert response.status_code == 200
    assert response.headers["accept-post"] == SDP


async def test_6_options_of_a_session_say_what_may_be_patched(http: httpx.AsyncClient) -> None:
    response = await http.options((await post(http)).headers["location"])
    assert response.status_code == 200
    assert response.headers["accept-patch"] == FRAGMENT


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_6_what_an_endpoint_does_not_do_is_405_with_what_it_does(http: httpx.AsyncClient, method: str) -> None:
    refused = await http.request(method, "/whip/site-1", content=b"")
    assert_problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == (await http.options("/whip/site-1")).headers["allow"]


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_6_what_a_session_does_not_do_is_405_with_what_it_does(http: httpx.AsyncClient, method: str) -> None:
    url = (await post(http)).headers["location"]
    refused = await http.request(method, url, content=b"")
    assert_problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == (await http.options(url)).headers["allow"]


@pytest.mark.parametrize("name", ["a%20b", "x" * 129])
async def test_6_what_is_no_feeds_name_is_404(http: httpx.AsyncClient, name: str) -> None:
    assert_problem(await post(http, f"/whip/{name}"), 404, "not-found")


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A page of an origin that the node was given."""
    async with running_node(tmp_path, allowed_origins=[OURS]) as running:
        headers = {"Origin": OURS, "Authorization": f"Bearer {running.token()}"}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
            yield client


@pytest.mark.parametrize("path", ["/whip/site-1", "/whep/site-1", "/whip/site-1/any"])
async def test_6_a_preflight_of_a_named_origin_is_allowed_what_the_protocol_needs(
    page: httpx.AsyncClient, path: str
) -> None:
    preflight = await page.options(path, headers={"Authorization": ""})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == OURS
    allowed = {name.strip() for name in preflight.headers["access-control-allow-headers"].split(",")}
    assert {"Authorization", "Content-Type", "If-Match"} <= allowed
    methods = {name.strip() for name in preflight.headers["access-control-allow-methods"].split(",")}
    assert {"POST", "PATCH", "DELETE"} <= methods


async def test_6_location_tag_and_links_are_exposed_to_a_named_origin(page: httpx.AsyncClient) -> None:
    answer = await page.post("/whip/site-1", content=GOOD, headers={"Content-Type": SDP})
    assert answer.headers["access-control-allow-origin"] == OURS
    assert set(answer.headers["access-control-expose-headers"].split(", ")) >= {"Location", "ETag", "Link"}


async def test_6_a_refusal_too_can_be_read_by_a_named_origin(page: httpx.AsyncClient) -> None:
    refused = await page.post("/whep/site-1", content=WATCHING, headers={"Content-Type": SDP})
    assert refused.status_code == 409
    assert refused.headers["access-control-allow-origin"] == OURS
    assert "Retry-After" in refused.headers["access-control-expose-headers"].split(", ")


async def test_6_other_origins_are_allowed_nothing(page: httpx.AsyncClient, http: httpx.AsyncClient) -> None:
    for client, origin in ((page, f"{OURS}.evil"), (page, "null"), (http, OURS)):
        preflight = await client.options("/whip/site-1", headers={"Origin": origin})
        assert not any(name.startswith("access-control-") for name in preflight.headers)

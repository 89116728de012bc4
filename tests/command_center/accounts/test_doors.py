"""The table of doors: what fits, what doesn't, and that everything else is closed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.accounts.doors import DOORS, SOCKETS, Door, MethodRefused, Public, find_door
from command_center.errors import NotFound


def test_a_part_stands_for_one_part_only() -> None:
    door = Door("/a/{x}/b", Public())
    assert door.fits("/a/1/b")
    assert not door.fits("/a/1/2/b")
    assert not door.fits("/a//b")
    assert not door.fits("/a/1/b/")
    assert not door.fits("/a/1/b\n")


def test_a_rest_stands_for_any_rest_of_one_line() -> None:
    door = Door("/files/{rest:path}", Public())
    assert door.fits("/files/a/b/c")
    assert not door.fits("/files")
    assert not door.fits("/files/a\nb")


@pytest.mark.parametrize(
    "path",
    [
        "/api/nothing",
        "/api",
        "/api/",
        "/API/session",
        "//api/session",
        "/api/session/",
        "/_dash-ws-callback",
        "/_reload-hash",
        "/metrics/",
        "/docs",
        "/openapi.json",
        "/.git/config",
        "/api/feeds/a/b",
    ],
)
def test_what_is_not_listed_is_closed(path: str) -> None:
    with pytest.raises(NotFound):
        find_door(path, "GET")


def test_a_listed_path_refuses_other_methods() -> None:
    with pytest.raises(MethodRefused):
        find_door("/api/session", "PUT")
    with pytest.raises(MethodRefused):
        find_door("/", "POST")


def test_head_is_let_in_where_get_is() -> None:
    assert find_door("/healthz", "HEAD") is find_door("/healthz", "GET")


def test_a_socket_has_its_own_doors() -> None:
    assert find_door("/api/live", None, SOCKETS).pattern == "/api/live"
    with pytest.raises(NotFound):
        find_door("/api/session", None, SOCKETS)
    with pytest.raises(NotFound):
        find_door("/api/live", "GET")


@given(st.text())
def test_any_other_first_part_is_closed(text: str) -> None:
    first_parts = {door.pattern.split("/")[1] for door in DOORS}
    path = f"/{text}"
    if path.split("/")[1] not in first_parts and not path.startswith("/{"):
        with pytest.raises(NotFound):
            find_door(path, "GET")

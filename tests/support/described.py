"""Asks every asset route whatever its description allows, in the name of those who may, and holds answers to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from command_center.accounts.doors import SignedIn, find_door
from command_center.accounts.permissions import ROLE_PERMISSIONS, Role
from tests.support.access_world import AccessWorld

PREFIX = "/api/assets"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PEOPLE = {"judge": Role.JUDGE, "approver": Role.APPROVER, "officer1": Role.OFFICER}
KNOWN = {
    "case_id": "city_case",
    "person_id": "city_person",
    "asset_id": "city_asset",
    "request_id": "order",
    "operation_id": "city_operation",
}
"""Which things of the world a field of this name may mean; whatever else has an id may be anything."""


@dataclass
class Asked:
    """What came of it: how many were asked, and what was wrong."""

    count: int = 0
    successes: int = 0
    wrong: dict[str, str] = field(default_factory=dict)
    """By operation, the first answer that wasn't as described."""


def may_use(role: Role, method: str, path: str) -> bool:
    """Whether the door of an operation lets this role in."""
    access = find_door(path.replace("{", "").replace("}", ""), method).access
    return isinstance(access, SignedIn) and (not access.any_of or bool(access.any_of & ROLE_PERMISSIONS[role]))


def operations_of(description: dict[str, Any]) -> Iterator[Any]:
    """All operations about assets."""
    paths = {path: methods for path, methods in description["paths"].items() if path.startswith(PREFIX)}
    for result in schemathesis.openapi.from_dict({**description, "paths": paths}).get_all_operations():
        yield result.ok()


async def session_of(world: AccessWorld, username: str) -> requests.Session:
    """A signed-in session of one person."""
    client = await world.client(username)
    session = requests.Session()
    session.trust_env = False
    session.cookies.update(dict(client.cookies))
    session.headers.update({"X-CSRFToken": client.headers["X-CSRFToken"]})
    return session


def ask_all(
    description: dict[str, Any], url: str, things: dict[str, str], sessions: dict[str, requests.Session], examples: int
) -> Asked:
    """Ask each operation `examples` times for each person who may, always in the same way."""
    asked = Asked()
    for operation in operations_of(description):
        for username, session in sessions.items():
            if may_use(PEOPLE[username], operation.method.upper(), operation.path):
                _ask(operation, url, things, session, examples, asked)
    return asked


def _ask(
    operation: Any, url: str, things: dict[str, str], session: requests.Session, examples: int, asked: Asked
) -> None:
    @seed(20261122)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), st.integers(0, 2**32))
    def tried(case: Any, chance: int) -> None:
        choice = random.Random(chance)
        _mean(case.path_parameters, things, choice)
        _mean(case.query, things, choice)
        _mean(case.body, things, choice)
        answer = case.call(base_url=url, session=session, timeout=30)
        asked.count += 1
        asked.successes += answer.status_code < 300
        case.validate_response(answer, checks=CHECKS)

    try:
        tried()
    except (Exception, FailureGroup) as problem:  # noqa: BLE001 - whatever it is goes into the report
        asked.wrong.setdefault(f"{operation.method.upper()} {operation.path}", _told(problem))


def _mean(values: Any, things: dict[str, str], choice: random.Random) -> None:
    """Have most ids mean something that exists; what is made up by chance alone is never found."""
    if not isinstance(values, dict) or not things:
        return
    ids = [value for value in things.values() if len(value) == 36]
    for name, value in values.items():
        if isinstance(value, dict):
            _mean(value, things, choice)
        elif name == "idempotency_key":
            values[name] = str(uuid4())
        elif (name == "id" or name.endswith("_id")) and choice.random() < 0.8:
            values[name] = things[KNOWN[name]] if name in KNOWN else choice.choice(ids)


def _told(problem: BaseException) -> str:
    told = problem.exceptions if isinstance(problem, BaseExceptionGroup) else (problem,)
    return "\n".join(str(one)[:1500] for one in told)

"""Cases with measures in bulk, as rows: for what is promised for many of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from assets.identifiers import new_id
from assets.measures import MeasureState
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from command_center.database import Database

AT = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
KINDS = ("bank_account", "bank_account", "bank_account", "real_estate", "movable")
STATES = (*[MeasureState.IN_FORCE] * 8, MeasureState.WAITING, MeasureState.RELEASED)
LOT = 5000


@dataclass
class Many:
    """What was made; each measure with its case's place in `cases`."""

    cases: list[UUID] = field(default_factory=list)
    measures: list[UUID] = field(default_factory=list)


@dataclass
class _Rows:
    number: int
    place: int
    cases: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)
    assets: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)


async def make_measures(
    database: Database,
    courts: Sequence[UUID],
    ends: Sequence[date | None],
    *,
    per_case: int = 5,
    states: Sequence[MeasureState] = (MeasureState.IN_FORCE,),
    seed: int = 1,
    judges: int = 20,
    first: int = 1,
) -> Many:
    """One measure for each of `ends`, `per_case` of them in each case, the cases spread over the courts.

    Numbers begin with `first`, where some were made before.
    """
    rng, rows, made = random.Random(seed), _Rows(number=first - 1, place=(first - 1) * per_case), Many()
    for place, ends_on in enumerate(ends):
        if place % per_case == 0:
            _add_case(rows, made, courts[len(made.cases) % len(courts)], judges)
        _add_measure(rows, made, rows.place + place, ends_on, states[place % len(states)], rng)
    async with database.write() as session:
        for table, values in (
            (Case, rows.cases),
            (Person, rows.persons),
            (Asset, rows.assets),
            (AssetRequest, rows.requests),
            (ControlMeasure, rows.measures),
        ):
            for start in range(0, len(values), LOT):
                await session.execute(insert(table), values[start : start + LOT])
    return made


def _add_case(rows: _Rows, made: Many, court: UUID, judges: int) -> None:
    rows.number += 1
    number = rows.number
    case_id, person_id = new_id(), new_id()
    rows.cases.append(
        {
            "id": case_id,
            "court_id": court,
            "court_code": "内01",
            "court_name": "某法院（虚构）",
            "number": f"（2026）内01执{number}号",
            "claim_cents": 100_000_00,
            "judge_name": f"法官{number % judges}",
            "work_card": "W",
            "duty_card": "D",
            "filed_on": date(2026, 1, 5),
        }
    )
    rows.persons.append(
        {
            "id": person_id,
            "case_id": case_id,
            "name": f"某某{number}",
            "id_number": f"{number:018d}",
            "role": "under_enforcement",
        }
    )
    made.cases.append(case_id)


def _add_measure(
    rows: _Rows, made: Many, place: int, ends_on: date | None, state: MeasureState, rng: random.Random
) -> None:
    case, person = rows.cases[-1], rows.persons[-1]
    asset_id, request_id, measure_id = new_id(), new_id(), new_id()
    kind, cents = KINDS[rng.randrange(len(KINDS))], rng.randrange(1, 10_000_00)
    action = "freeze" if kind == "bank_account" else "seize"
    rows.assets.append(
        {
            "id": asset_id,
            "case_id": case["id"],
            "person_id": person["id"],
            "kind": kind,
            "gateway": "bank" if kind == "bank_account" else "registry",
            "reference": f"6217{place:012d}",
            "description": f"财产{place}",
            "answered_at": AT,
            "value_cents": cents,
        }
    )
    rows.requests.append(
        {
            "id": request_id,
            "number": f"D{place:018d}",
            "case_id": case["id"],
            "person_id": person["id"],
            "asset_id": asset_id,
            "action": action,
            "gateway": "bank",
            "state": "answered",
            "measure_id": measure_id,
            "idempotency_key": new_id(),
            "actor_id": request_id,
            "created_at": AT,
        }
    )
    is_waiting = state is MeasureState.WAITING
    rows.measures.append(
        {
            "id": measure_id,
            "case_id": case["id"],
            "court_id": case["court_id"],
            "asset_id": asset_id,
            "request_id": request_id,
            "line": f"bank/{kind}/6217{place:012d}",
            "action": action,
            "state": state.value,
            "rank": 1 if is_waiting else 0,
            "asked_cents": cents,
            "controlled_cents": 0 if is_waiting else cents,
            "starts_on": None if is_waiting or ends_on is None else ends_on - timedelta(days=364),
            "ends_on": None if is_waiting else ends_on,
            "changed_at": AT,
        }
    )
    made.measures.append(measure_id)

"""The demonstration: once, whole, its officers really in the districts that their sites name."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from sqlalchemy import func, select

from assets.sanctions.tables import Sanction
from command_center import demonstration, schema
from command_center.accounts.passwords import Passwords
from command_center.accounts.permissions import Role
from command_center.accounts.tables import Court, User
from command_center.config import Settings
from command_center.database import Database
from command_center.demonstration_plan import DISTRICT_SITE, PEOPLE, SITES
from command_center.operations.tables import Assignment, Operation, Site
from field_agent.agent.configuration import read_agents
from tests.support.seeded import QUICK_HASHER

OUTLINES = Path("command_center/screens/static/map/hohhot.geojson")
PASSWORDS = Passwords(QUICK_HASHER)


def is_inside(ring: list[list[float]], latitude: float, longitude: float) -> bool:
    """Whether a ray to the east crosses the ring an odd number of times."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > latitude) != (y2 > latitude) and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


async def count(database: Database, table: type[object]) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_seeding_twice_makes_everything_once_and_keeps_the_passwords(records: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, redis_url="redis://127.0.0.1:9")
    first = await demonstration.seed(records, settings, PASSWORDS)
    second = await demonstration.seed(records, settings, PASSWORDS)
    assert second == first
    assert await count(records, Court) == 2
    assert await count(records, User) == len(PEOPLE)
    assert await count(records, Operation) == 2
    assert await count(records, Site) == len(SITES) + 1
    assert await count(records, Assignment) == len(SITES) + 2
    assert await count(records, Sanction) == 3


async def test_lost_passwords_are_made_anew(records: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, redis_url="redis://127.0.0.1:9")
    first = await demonstration.seed(records, settings, PASSWORDS)
    (tmp_path / demonstration.ACCOUNTS_FILE).unlink()
    second = await demonstration.seed(records, settings, PASSWORDS)
    assert second.users == first.users
    assert second.passwords["commander"] != first.passwords["commander"]
    async with records.read() as session:
        kept = await session.scalar(select(User.password_hash).where(User.username == "commander"))
    assert await PASSWORDS.matches(second.passwords["commander"], kept)


async def test_every_role_is_there_in_both_courts_and_the_file_is_private(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, redis_url="redis://127.0.0.1:9")
    await schema.prepare(settings)
    database = Database(settings.records_url)
    await demonstration.seed(database, settings, PASSWORDS)
    await database.close()
    path = tmp_path / demonstration.ACCOUNTS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    accounts = json.loads(path.read_text())
    for court in ("内01", "内0105"):
        assert {account["role"] for account in accounts if account["court"] == court} == set(Role)
    assert len({account["password"] for account in accounts}) == len(accounts)
    agents = read_agents(tmp_path / demonstration.AGENTS_FILE)
    assert [agent.site_ordinal for agent in agents] == [1, 2, 3, 4, 5]
    assert len({agent.clip for agent in agents}) == 5
    assert [agent.codec for agent in agents].count("VP8") == 1
    assert stat.S_IMODE((tmp_path / demonstration.AGENTS_FILE).stat().st_mode) == 0o600


def test_every_way_stays_in_the_district_that_its_site_names() -> None:
    districts = {one["properties"]["zh"]: one["geometry"] for one in json.loads(OUTLINES.read_text())["features"]}
    assert len({site.district_zh for site in SITES}) == 5
    for site in [*SITES, DISTRICT_SITE]:
        geometry = districts[site.district_zh]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        if site is not DISTRICT_SITE:
            assert len(site.track) >= 12
        for latitude, longitude in [(site.latitude, site.longitude), *site.track]:
            assert any(is_inside(polygon[0], latitude, longitude) for polygon in polygons), (site.district_zh, latitude)

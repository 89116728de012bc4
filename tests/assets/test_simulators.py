"""The simulators as processes of their own, as the launcher starts them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from assets.banks.http import HttpBank
from assets.demonstration import CITY_CASE, DISTRICT_CASE
from assets.documents import Action
from assets.formats import bank_card, firm_code, real_estate_unit, resident_id, title_certificate
from assets.gateway import ControlOrder, QueryOrder, Subject
from assets.kinds import kinds
from assets.posting import Poster
from assets.simulators.people import everybody
from tests.assets.conftest import TODAY
from tests.assets.test_gateways import _head, _order
from tests.support.ports import free_ports
from tests.support.waiting import until

STARTS_WITHIN_SECONDS = 40
ENDS_WITHIN_SECONDS = 5


@asynccontextmanager
async def _process(service: str, *flags: str) -> AsyncIterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "assets.simulators", service, "--port", str(port), "--delay-seconds", "0", *flags]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: process.poll() is not None or _service(url) == service, STARTS_WITHIN_SECONDS)
        assert process.poll() is None
        yield url, process
    finally:
        process.kill()
        process.wait()


def _service(url: str) -> str:
    """What answers there; nothing while nobody does."""
    try:
        return str(httpx.get(f"{url}/healthz", trust_env=False).json()["service"])
    except httpx.TransportError:
        return ""


def _freeze(subject: Subject, account: str) -> ControlOrder:
    order = _order(Action.FREEZE, account)
    return ControlOrder(
        head=order.head,
        subject=subject,
        action=order.action,
        reference=account,
        description=order.description,
        ruling_number=order.ruling_number,
        amount_cents=100_000,
        starts_on=order.starts_on,
        ends_on=order.ends_on,
    )


async def test_a_killed_bank_remembers_what_it_froze(tmp_path: Path) -> None:
    subject = Subject("张某甲（虚构）", False, "150105199001010018")
    order = _freeze(subject, "6217000060000000008")
    flags = ("--data", str(tmp_path / "deep" / "bank.sqlite3"))
    async with _process("bank", *flags) as (url, process):
        gateway = HttpBank(Poster("bank", url))
        first = await gateway.control(order)
        await gateway.close()
        process.send_signal(signal.SIGKILL)
        process.wait()
    async with _process("bank", *flags) as (url, _):
        gateway = HttpBank(Poster("bank", url))
        assert await gateway.control(order) == first
        account = (await gateway.query(QueryOrder(_head(Action.QUERY), subject))).assets[0]
        assert account.available_cents == 18_643_217 - 100_000
        await gateway.close()
        assert len(httpx.get(f"{url}/controls", trust_env=False).json()) == 1


@pytest.mark.parametrize("service", list(kinds()))
async def test_a_simulator_ends_when_told_to(service: str) -> None:
    async with _process(service) as (_, process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_WITHIN_SECONDS) in (0, -signal.SIGTERM)


def test_the_fictional_people_have_numbers_that_pass_the_checks_and_say_that_they_are_made_up() -> None:
    for person in everybody().values():
        assert person.name.endswith("（虚构）")
        number = firm_code(person.id_number) if person.is_firm else resident_id(person.id_number, TODAY)
        assert number == person.id_number
        for account in person.bank.accounts:
            assert person.is_firm or bank_card(account.number)
        for unit in person.registry.units:
            assert real_estate_unit(unit.unit) == unit.unit
            assert title_certificate(unit.certificate, TODAY) == unit.certificate
    assert {*CITY_CASE.persons, *DISTRICT_CASE.persons} <= set(everybody())

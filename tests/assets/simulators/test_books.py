"""Random orders of three courts, seeded: whatever they ask in whatever order, the books hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from assets.banks import messages as bank_messages
from assets.documents import Action
from assets.registry import messages as registry_messages
from assets.simulators.accounts import Accounts
from assets.simulators.conduct import PLAIN, Conduct, NotYet, Refused
from assets.simulators.deposits import Deposits
from assets.simulators.ledger import Ledger
from assets.simulators.lines import HoldState
from assets.simulators.registry import Desk
from assets.terms import AssetKind, last_day
from tests.assets.simulators.conftest import Day
from tests.assets.simulators.orders import ACCOUNT, BALANCE, COURTS, UNIT, order

STEPS = 1_500
ON_MONEY = (*(action for action in Action if action in bank_messages.codes.CODES), Action.FREEZE, Action.FREEZE)
MOVES = (Action.WITHDRAW_INCOME, Action.FREEZE_AND_TRANSFER)
ON_LAND = (Action.SEIZE, Action.SEIZE, Action.RENEW, Action.RELEASE)


@pytest.fixture
def conduct(day: Day) -> Iterator[Conduct]:
    """A simulator that nobody talks to over HTTP."""
    ledger = Ledger()
    yield Conduct(ledger, delay_seconds=0, seed=1, clock=day)
    ledger.close()


def _walk(
    conduct: Conduct,
    day: Day,
    reference: str,
    actions: tuple[Action, ...],
    body: Callable[..., dict[str, Any]],
    do: Callable[..., Any],
) -> Iterator[dict[str, Any] | None]:
    chance = random.Random(20261129)
    courts = {name: court for court, (_, name, _) in COURTS.items()}
    begun: list[tuple[str, str]] = []
    for step in range(STEPS):
        if chance.random() < 0.05:
            day.pass_days(chance.choice((1, 30, 200, 1_000)))
        action, court, original, number = chance.choice(actions), chance.choice(list(COURTS)), "", f"N{step}"
        if not action.is_first:
            standing = [(hold.number, courts[hold.court]) for hold in conduct.ledger.lines.standing(reference)]
            original, court = chance.choice((*standing, *standing, *begun[-1:]) or [("nobody's", court)])
        asked = body(number, action, court, original, chance)
        try:
            with conduct.ledger.transaction():
                answer = do(asked, PLAIN)
        except (Refused, NotYet):
            yield None
            continue
        if action.is_first:
            begun.append((number, court))
        yield answer


def _require_a_line(conduct: Conduct, reference: str, day: date) -> None:
    standing = conduct.ledger.lines.standing(reference)
    assert [hold.state for hold in standing[1:]] == [HoldState.WAITING] * (len(standing) - 1)
    if standing:
        assert standing[0].state is HoldState.IN_FORCE
        assert standing[0].last_day >= day
    assert all(hold.cents == 0 for hold in standing[1:])


def test_an_account_has_one_freeze_in_force_and_never_more_frozen_or_paid_than_was_on_it(
    conduct: Conduct, day: Day
) -> None:
    accounts = Accounts(conduct, "")
    deposits = Deposits(conduct, accounts)
    account = accounts.find(ACCOUNT)
    assert account is not None

    def body(number: str, action: Action, court: str, original: str, chance: random.Random) -> dict[str, Any]:
        cents = chance.choice((None, 1, 100, 5_000)) if action.is_first or chance.random() < 0.9 else BALANCE * 2
        cents = 100 if cents is None and action in MOVES else cents
        is_waiting = chance.random() < 0.3
        asked = order(
            number, action, court=court, cents=cents, original=original, is_waiting=is_waiting, day=conduct.today()
        )
        return bank_messages.control(asked)

    told: Counter[str] = Counter()
    for answer in _walk(conduct, day, ACCOUNT, ON_MONEY, body, deposits.control):
        deposits.settle(account)
        _require_a_line(conduct, ACCOUNT, conduct.today())
        held = sum(hold.cents for hold in deposits.standing(account))
        assert 0 <= held <= deposits.balance(account) == BALANCE - conduct.ledger.moved(ACCOUNT)
        told[answer["kzcs"] + answer["kzzt"] if answer else "refused"] += 1
    assert {"011", "021", "031", "041", "042", "051", "052", "061", "071", "081", "refused"} <= set(told)


def test_a_unit_has_one_seizure_in_force_and_each_lasts_as_long_as_it_was_asked_for(conduct: Conduct, day: Day) -> None:
    desk = Desk(conduct)

    def body(number: str, action: Action, court: str, original: str, _: random.Random) -> dict[str, Any]:
        return registry_messages.control(
            order(
                number,
                action,
                court=court,
                original=original,
                reference=UNIT,
                kind=AssetKind.REAL_ESTATE,
                day=conduct.today(),
            )
        )

    ended: Counter[str] = Counter()
    for _ in _walk(conduct, day, UNIT, ON_LAND, body, desk.control):
        conduct.ledger.lines.settle(UNIT, conduct.today(), lambda: 0)
        _require_a_line(conduct, UNIT, conduct.today())
        for hold in conduct.ledger.lines.standing(UNIT)[:1]:
            assert hold.last_day <= max(last_day(conduct.today(), 3), last_day(hold.first_day, 3))
    for one in conduct.ledger.controls(UNIT):
        ended[one["state"]] += 1
    assert {"released", "lapsed"} <= set(ended)

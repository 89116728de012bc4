"""The accounts of one simulated bank: those of the file, or of a numbered bank, made up from the seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from assets.simulators.lines import Hold
from assets.simulators.people import Account, Product, accounts, everybody
from assets.wire import day_text, yuan

if TYPE_CHECKING:
    from assets.simulators.conduct import Conduct
    from assets.simulators.deposits import Deposits

HAS_AN_ACCOUNT = 0.6
HIGHEST_CENTS = 30_000_000


class Accounts:
    """Who has which account here."""

    def __init__(self, conduct: Conduct, place: str) -> None:
        self._conduct = conduct
        self._place = place

    def of(self, id_number: str, name: str) -> list[Account]:
        """A person's accounts; none where the name doesn't go with the number."""
        person = everybody().get(id_number)
        if person is None or person.name != name:
            return []
        return list(person.bank.accounts) if not self._place else self._made_up(id_number)

    def find(self, number: str) -> Account | None:
        """An account by its number."""
        if (account := accounts().get(number)) is not None:
            return None if self._place else account
        known = self._conduct.ledger.known(number)
        return Account.model_validate_json(known[1]) if known else None

    def is_owned_by(self, number: str, id_number: str) -> bool:
        """Whether this account is this person's."""
        person = everybody().get(id_number)
        if person is not None and any(account.number == number for account in person.bank.accounts):
            return True
        known = self._conduct.ledger.known(number)
        return known is not None and known[0] == id_number

    def _made_up(self, id_number: str) -> list[Account]:
        chance = random.Random(f"{self._conduct.seed}/{self._place}/{id_number}")
        if chance.random() >= HAS_AN_ACCOUNT:
            return []
        text = json.dumps(
            {
                "number": _card(f"621799{self._place}{chance.randrange(10**9):09d}"),
                "branch": f"虚构银行{self._place}号支行",
                "branch_code": f"31319{self._place}{chance.randrange(10**4):04d}",
                "opened": f"20{chance.randint(10, 24)}0{chance.randint(1, 9)}15",
                "balance": yuan(chance.randrange(HIGHEST_CENTS)),
            }
        )
        account = Account.model_validate_json(text)
        self._conduct.ledger.know(account.number, id_number, text)
        return [account]


def _card(digits: str) -> str:
    """The digits with their check digit (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 if place % 2 else 2)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def described(account: Account, period: tuple[str, str]) -> dict[str, Any]:
    """What doesn't change about an account; statements only where a period was asked for."""
    told: dict[str, Any] = {
        "khzh": account.number,
        "cclb": "活期存款",
        "zhzt": "正常",
        "zhxz": account.special,
        "khwd": account.branch,
        "khwddm": account.branch_code,
        "khrq": account.opened,
        "xhrq": "",
        "bz": "CNY",
        "yxq": [{"qlr": one.holder, "yxje": yuan(one.amount)} for one in account.priority],
        "zzhxx": [
            {"zzhh": one.number, "zzhlb": one.kind, "ye": yuan(one.balance), "kyye": yuan(one.balance)}
            for one in account.sub_accounts
        ],
        "gyrxx": [{"gyr": one} for one in account.co_owners],
    }
    if all(period):
        told["jymx"] = [
            {
                "jysj": one.at,
                "jdbz": "1" if one.is_in else "2",
                "jyje": yuan(one.amount),
                "dfhm": one.other,
                "zy": one.purpose,
            }
            for one in account.movements
            if period[0] <= one.at[:8] <= period[1]
        ]
    return told


def standing(holds: Iterable[Hold]) -> list[dict[str, str]]:
    """The judicial measures on an account, in order."""
    return [
        {
            "djjg": one.court,
            "djje": yuan(one.cents if rank == 0 else one.asked_cents or 0),
            "jsrq": day_text(one.last_day) if rank == 0 else "",
            "ah": one.case_number,
            "djdh": one.number,
            "lhsx": str(rank),
        }
        for rank, one in enumerate(holds)
    ]


def products(account: Account, deposits: Deposits) -> list[dict[str, Any]]:
    """The financial assets that go with an account."""
    return [_product(one, deposits) for one in account.products]


def _product(one: Product, deposits: Deposits) -> dict[str, Any]:
    holds = deposits.lines.standing(one.number)
    held = sum(hold.cents for hold in holds)
    return {
        "zcbh": one.number,
        "zcmc": one.name,
        "zclx": one.kind,
        "se": one.shares,
        "zczje": yuan(one.value),
        "kyje": yuan(max(0, one.value - held)),
        "zxdj": standing(holds),
    }

"""What a simulated bank does with an order: freezes, renews, releases, pays out; and in what order it may."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from assets.banks import codes
from assets.errors import BadFormat
from assets.formats import amount_cents
from assets.simulators.accounts import Accounts, standing
from assets.simulators.asked import require_ruling, term_of
from assets.simulators.conduct import Conduct, NotYet, Refused
from assets.simulators.lines import FICTIONAL_COURT, Hold, HoldState, Scripted
from assets.simulators.manners import Trouble
from assets.simulators.people import Account
from assets.terms import AssetKind
from assets.wire import read_day, yuan

FICTIONAL_UNTIL = date(2027, 6, 30)
FICTIONAL_REASON = "账户状态异常（虚构）"
SUB_DIGITS = 6
"""A case's sub-account is the main account's number and so many digits."""
TRANSFER_REMARK = "协助扣划"
FICTIONAL_HOLDER = "虚构银行（质押）"


class Deposits:
    """The bank's logic over its book."""

    def __init__(self, conduct: Conduct, accounts: Accounts) -> None:
        self.lines = conduct.ledger.lines
        self._ledger = conduct.ledger
        self._conduct = conduct
        self._accounts = accounts

    def balance(self, account: Account) -> int:
        """What is on the account now."""
        return account.balance - self._ledger.moved(account.number)

    def room(self, account: Account) -> int:
        """How much a control that is in force could hold."""
        return 0 if account.priority else max(0, self.balance(account) - account.blocked)

    def room_of(self, number: str) -> int:
        """The same, of an account by its number."""
        account = self._accounts.find(number)
        return self.room(account) if account else 0

    def available(self, account: Account) -> int:
        """What the owner could still use."""
        held = sum(hold.cents for hold in self.standing(account) if hold.state is HoldState.IN_FORCE)
        before = account.blocked + sum(one.amount for one in account.priority)
        return max(0, self.balance(account) - before - held)

    def standing(self, account: Account) -> list[Hold]:
        """The measures on the account, in order."""
        return self.lines.standing(account.number)

    def settle(self, account: Account) -> None:
        """Bring the line up to today."""
        self.lines.script(
            account.number,
            (
                Scripted(one.court, one.case_number, one.amount, read_day(one.until) or FICTIONAL_UNTIL)
                for one in account.earlier
            ),
        )
        self.lines.settle(account.number, self._conduct.today(), lambda: self.room(account))

    def control(self, asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        """Carry one order out."""
        require_ruling(str(asked.get("ckwh", "")), str(asked.get("ckh", "")))
        account = self._account(asked)
        if account is None:
            raise Refused("账户不存在")
        self.settle(account)
        code = asked.get("kzcs", "")
        reason = account.not_controlled or (FICTIONAL_REASON if manner.kind == "not-controlled" else "")
        if reason:
            return self._reply(asked, account, code, kzzt=codes.NOT_CONTROLLED, wnkzyy=reason)
        if code == codes.FREEZE:
            return self._freeze(asked, account, manner)
        if code == codes.WITHDRAW_INCOME:
            return self._withdraw(asked, account)
        if code == codes.FREEZE_AND_TRANSFER:
            return self._freeze_and_transfer(asked, account, manner)
        changes = {
            codes.RENEW: self._renew,
            codes.RELEASE: self._release,
            codes.RELEASE_WAITING: self._release_waiting,
            codes.TRANSFER: self._transfer,
        }
        if code not in changes:
            raise Refused("控制措施代码不支持")
        return changes[code](asked, account, self._original(asked, account))

    def _account(self, asked: dict[str, Any]) -> Account | None:
        number, person = str(asked.get("khzh", "")), str(asked["dsrzjhm"])
        if asked.get("kzlx") == codes.OTHER:
            return self._product(number, person, str(asked["xm"]))
        return self._accounts.find(number) if self._accounts.is_owned_by(number, person) else None

    def _product(self, number: str, person: str, name: str) -> Account | None:
        """A financial asset is controlled like an account with its value on it."""
        for account in self._accounts.of(person, name):
            for one in account.products:
                if one.number == number:
                    update = {"number": number, "balance": one.value, "blocked": 0, "earlier": (), "priority": ()}
                    return account.model_copy(update=update)
        return None

    def _original(self, asked: dict[str, Any], account: Account) -> Hold:
        if not asked.get("ydjdh"):
            raise Refused("缺少原冻结单号")
        hold = self.lines.find(str(asked["ydjdh"]))
        if hold is None or hold.reference != account.number or hold.case_number != asked.get("ydjah"):
            raise Refused("原冻结不存在")
        if hold.state is HoldState.LAPSED:
            raise Refused("原冻结已到期失效")
        return hold

    def _freeze(self, asked: dict[str, Any], account: Account, manner: Trouble) -> dict[str, Any]:
        hold, before = self._placed(asked, account, manner)
        is_waiting = hold.state is HoldState.WAITING
        yxq = [{"qlr": one.holder, "yxje": yuan(one.amount)} for one in account.priority]
        if manner.kind == "priority" and not yxq and not is_waiting:
            yxq = [{"qlr": FICTIONAL_HOLDER, "yxje": yuan(self.balance(account))}]
        return self._reply(
            asked,
            account,
            codes.WAITING_FREEZE if is_waiting else codes.FREEZE,
            skje=hold.cents,
            ceskje=0 if hold.asked_cents is None else hold.asked_cents - hold.cents,
            csksrq="" if is_waiting else asked["ksrq"],
            csjsrq="" if is_waiting else asked["jsrq"],
            zxdj=standing(before),
            yxq=yxq,
        )

    def _placed(self, asked: dict[str, Any], account: Account, manner: Trouble) -> tuple[Hold, list[Hold]]:
        first, last = _term(asked)
        if manner.kind == "waiting" and not self.standing(account):
            other = Scripted(FICTIONAL_COURT, "", self.room(account), max(FICTIONAL_UNTIL, self._conduct.today()))
            self.lines.script(account.number, (other,))
        before = self.standing(account)
        if any(hold.case_number == asked["ah"] and hold.court == asked["fymc"] for hold in before):
            raise Refused("本案已冻结该账户")
        cents = _amount(asked)
        room = self.room(account)
        if manner.kind == "priority":
            room = 0
        elif manner.kind == "partly":
            room = min(room, (room if cents is None else cents) // 2)
        placed = self.lines.place(
            Hold(
                number=str(asked["bdhm"]),
                reference=account.number,
                court=str(asked["fymc"]),
                case_number=str(asked["ah"]),
                state=HoldState.WAITING,
                asked_cents=cents,
                cents=0,
                first_day=first,
                last_day=last,
                is_scripted=False,
            ),
            room,
        )
        return placed, before

    def _renew(self, asked: dict[str, Any], account: Account, hold: Hold) -> dict[str, Any]:
        if hold.state is not HoldState.IN_FORCE:
            raise Refused("原冻结未生效，不能续冻")
        _, last = _term(asked)
        if last < hold.last_day:
            raise Refused("续冻期限早于原期限")
        self.lines.prolong(hold, last)
        return self._reply(
            asked, account, codes.RENEW, skje=hold.cents, csksrq=asked["ksrq"], csjsrq=asked["jsrq"], sydjje=hold.cents
        )

    def _release(self, asked: dict[str, Any], account: Account, hold: Hold) -> dict[str, Any]:
        if self._ledger.awaits_transfer(hold.number):
            raise NotYet  # the transfer of the same freeze goes first
        if hold.state is not HoldState.IN_FORCE:
            return self._not_done(asked, account, hold)
        cents = _amount(asked)
        if cents is not None and cents < hold.cents:
            self.lines.lessen(hold, cents)
            rest = hold.cents - cents
        else:
            cents, rest = hold.cents, 0
            self.lines.end(hold, HoldState.RELEASED, self._conduct.today(), lambda: self.room(account))
        return self._reply(asked, account, codes.RELEASE, skje=cents, sydjje=rest)

    def _release_waiting(self, asked: dict[str, Any], account: Account, hold: Hold) -> dict[str, Any]:
        if hold.state is not HoldState.WAITING:
            return self._not_done(asked, account, hold)
        self.lines.end(hold, HoldState.RELEASED, self._conduct.today(), lambda: self.room(account))
        return self._reply(asked, account, codes.RELEASE_WAITING, sydjje=0)

    def _transfer(self, asked: dict[str, Any], account: Account, hold: Hold) -> dict[str, Any]:
        if hold.state is not HoldState.IN_FORCE:
            return self._not_done(asked, account, hold)
        asked_cents = _amount(asked)
        wanted = hold.cents if asked_cents is None else asked_cents
        moved = min(wanted, hold.cents)
        self._pay(asked, account, moved)
        rest = hold.cents - moved
        if rest:
            self.lines.lessen(hold, moved)
        else:
            self._dispose(hold, account)
        return self._reply(asked, account, codes.TRANSFER, skje=moved, ceskje=wanted - moved, sydjje=rest)

    def _withdraw(self, asked: dict[str, Any], account: Account) -> dict[str, Any]:
        wanted = _amount(asked)
        available = self.available(account)
        moved = available if wanted is None else min(wanted, available)
        self._pay(asked, account, moved)
        over = 0 if wanted is None else wanted - moved
        return self._reply(asked, account, codes.WITHDRAW_INCOME, skje=moved, ceskje=over, sydjje=0)

    def _freeze_and_transfer(self, asked: dict[str, Any], account: Account, manner: Trouble) -> dict[str, Any]:
        hold, before = self._placed(asked, account, manner)
        if hold.state is HoldState.WAITING:
            return self._reply(
                asked, account, codes.WAITING_FREEZE, ceskje=hold.asked_cents or 0, zxdj=standing(before), sydjje=0
            )
        self._pay(asked, account, hold.cents)
        self._dispose(hold, account)
        over = 0 if hold.asked_cents is None else hold.asked_cents - hold.cents
        return self._reply(asked, account, codes.FREEZE_AND_TRANSFER, skje=hold.cents, ceskje=over, sydjje=0)

    def _pay(self, asked: dict[str, Any], account: Account, cents: int) -> None:
        if not asked.get("zxkzh"):
            raise Refused("缺少执行款专户")
        number, payee = str(asked["bdhm"]), str(asked["zxkzh"])
        self._ledger.move(number, account.number, cents, payee)
        if cents and self._conduct.paying_url:
            serial = f"KH{number}"
            deposit = {
                "yhlsh": serial,
                "zh": payee[:-SUB_DIGITS],
                "zzh": payee,
                "je": yuan(cents),
                "dfhm": str(asked["xm"]),
                "dfzh": account.number,
                "zy": f"{asked['ah']}{TRANSFER_REMARK}",
            }
            self._ledger.transfer(serial, deposit)
            self._conduct.transferred()

    def _dispose(self, hold: Hold, account: Account) -> None:
        if self.balance(account) == 0:
            self.lines.empty(account.number)
        self.lines.end(hold, HoldState.TRANSFERRED, self._conduct.today(), lambda: self.room(account))

    def _not_done(self, asked: dict[str, Any], account: Account, hold: Hold) -> dict[str, Any]:
        reasons = {
            HoldState.IN_FORCE: "轮候已转为正式冻结",
            HoldState.WAITING: "仍在轮候，未生效",
            HoldState.RELEASED: "原冻结已解除",
            HoldState.TRANSFERRED: "原冻结款项已扣划",
        }
        reason = reasons.get(hold.state, "原冻结已失效")
        return self._reply(asked, account, str(asked["kzcs"]), kzzt=codes.NOT_CONTROLLED, wnkzyy=reason)

    def _reply(self, asked: dict[str, Any], account: Account, code: str, **told: Any) -> dict[str, Any]:
        fields = {
            "kzzt": codes.CONTROLLED,
            "kzcs": code,
            "skje": 0,
            "ceskje": 0,
            "djxe": asked.get("je", ""),
            "ye": self.balance(account),
            "kyye": self.available(account),
            "csksrq": "",
            "csjsrq": "",
            "wnkzyy": "",
            "zxdj": [],
            "yxq": [],
            "hzwsbh": f"HZ{asked['bdhm']}",
        } | told
        written = {name: yuan(value) if isinstance(value, int) else value for name, value in fields.items()}
        receipt = f"协助执行回执（虚构）\n{asked['bdhm']}\n{written['kzcs']} {written['kzzt']} {written['skje']}\n"
        return {"bdhm": asked["bdhm"], **written, "hznr": base64.b64encode(receipt.encode()).decode()}


def _amount(asked: dict[str, Any]) -> int | None:
    if asked.get("kznr") == codes.WHOLE or not asked.get("je"):
        return None
    try:
        return amount_cents(str(asked["je"]))
    except BadFormat as exc:
        raise Refused("金额格式有误") from exc


def _term(asked: dict[str, Any]) -> tuple[date, date]:
    kind = AssetKind.OTHER_RIGHT if asked.get("kzlx") == codes.OTHER else AssetKind.BANK_ACCOUNT
    return term_of(kind, str(asked.get("ksrq", "")), str(asked.get("jsrq", "")))

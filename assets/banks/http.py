"""A bank over HTTP."""

from __future__ import annotations

from typing import Any

from assets.banks import codes, messages
from assets.banks.replies import Account, AccountsReply, ControlReply, EarlierFreeze, FinancialAsset, contradiction
from assets.documents import Action
from assets.errors import BadFormat, GatewayAnsweredGarbage
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, FoundAsset, Movement, QueryAnswer, QueryOrder
from assets.posting import Poster
from assets.terms import AssetKind, check_term
from assets.wire import yuan

ACTIONS = frozenset(codes.CODES)
NUMBER_FIELD = "bdhm"


class HttpBank:
    """One bank, or one clearing house for many, that knows a bank by its code `yhdh`."""

    actions = ACTIONS

    def __init__(self, poster: Poster, yhdh: str = "") -> None:
        self.name = poster.name
        self._poster = poster
        self._yhdh = yhdh

    async def close(self) -> None:
        """Give back every connection."""
        await self._poster.close()

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """Ask which accounts the subject has."""
        body = messages.query(order, self._yhdh)
        reply = await self._poster.post("/bank/query", body, AccountsReply, NUMBER_FIELD)
        accounts = [account for account in reply.zhxx if account.khzh != codes.NO_ACCOUNT]
        found = [asset for account in accounts for asset in (_account(account), *_products(account))]
        return QueryAnswer(tuple(found), max(one.fksj for one in reply.zhxx))

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Have one account frozen, its freeze renewed or released, or money moved from it."""
        body = messages.control(order, self._yhdh)
        reply = await self._poster.post("/bank/control", body, ControlReply, NUMBER_FIELD)
        if field := contradiction(body, order.amount_cents, reply) or _bad_term(order, reply):
            raise GatewayAnsweredGarbage(self.name, field)
        return _receipt(body, reply)


def _receipt(asked: dict[str, Any], reply: ControlReply) -> ControlReceipt:
    is_registered = reply.kzzt == codes.CONTROLLED
    is_waiting = is_registered and reply.kzcs == codes.WAITING_FREEZE
    is_moved = asked["kzcs"] in codes.MOVES and not is_waiting
    return ControlReceipt(
        is_registered=is_registered,
        waiting_rank=len(reply.zxdj) if is_waiting else 0,
        controlled_cents=_held(asked, reply, is_moved=is_moved) if is_registered else 0,
        over_cents=reply.ceskje,
        starts_on=reply.csksrq,
        ends_on=reply.csjsrq,
        reason=reply.wnkzyy,
        receipt_number=reply.hzwsbh,
        earlier=(*map(_freeze, reply.zxdj), *(Encumbrance("priority", one.qlr, one.yxje, None) for one in reply.yxq)),
        balance_cents=reply.ye,
        available_cents=reply.kyye,
        transferred_cents=reply.skje if is_moved else 0,
        document=reply.hznr,
    )


def _held(asked: dict[str, Any], reply: ControlReply, *, is_moved: bool) -> int:
    is_release = asked["kzcs"] in (codes.RELEASE, codes.RELEASE_WAITING)
    return (reply.sydjje or 0) if is_moved or is_release else reply.skje


def _bad_term(order: ControlOrder, reply: ControlReply) -> str:
    if reply.csksrq is None or reply.csjsrq is None or order.action is not Action.FREEZE:
        return ""
    try:
        check_term(order.kind, reply.csksrq, reply.csjsrq)
    except BadFormat:
        return "csjsrq"
    return ""


def _freeze(one: EarlierFreeze) -> Encumbrance:
    return Encumbrance(
        "freeze",
        one.djjg,
        one.djje,
        one.jsrq,
        case_number=one.ah,
        order_number=one.djdh,
        rank=int(one.lhsx or 0),
    )


def _account(account: Account) -> FoundAsset:
    return FoundAsset(
        kind=AssetKind.BANK_ACCOUNT,
        reference=account.khzh,
        description=account.khwd,
        value_cents=account.ye,
        available_cents=account.kyye,
        encumbrances=(
            *map(_freeze, account.zxdj),
            *(Encumbrance("priority", one.qlr, one.yxje, None) for one in account.yxq),
        ),
        details={
            "cclb": account.cclb,
            "zhzt": account.zhzt,
            "khwddm": account.khwddm,
            "bz": account.bz,
            "khrq": account.khrq.isoformat() if account.khrq else "",
            "xhrq": account.xhrq.isoformat() if account.xhrq else "",
        },
        special=codes.SPECIAL_ACCOUNTS.get(account.zhxz, ""),
        lists=_lists(account),
        statements=tuple(
            Movement(one.jysj, one.jyje if one.jdbz == codes.IN else -one.jyje, one.dfhm, one.zy)
            for one in account.jymx
        ),
    )


def _lists(account: Account) -> dict[str, tuple[str, ...]]:
    lists = {
        "zzhxx": tuple(f"{one.zzhh} {one.zzhlb} {one.bz} {yuan(one.ye)}" for one in account.zzhxx),
        "gyrxx": tuple(f"{one.gyr} {one.gybl}".strip() for one in account.gyrxx),
    }
    return {name: lines for name, lines in lists.items() if lines}


def _products(account: Account) -> list[FoundAsset]:
    return [_product(account, one) for one in account.jrzcxx]


def _product(account: Account, one: FinancialAsset) -> FoundAsset:
    return FoundAsset(
        kind=AssetKind.OTHER_RIGHT,
        reference=one.zcbh,
        description=one.zcmc or one.zclx,
        value_cents=one.zczje,
        available_cents=one.kyje,
        encumbrances=tuple(map(_freeze, one.zxdj)),
        details={"zclx": one.zclx, "se": one.se, "khzh": account.khzh},
    )

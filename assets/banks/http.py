"""A bank over HTTP."""

from __future__ import annotations

from assets.banks import messages
from assets.documents import Action
from assets.errors import GatewayAnsweredGarbage
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, FoundAsset, QueryAnswer, QueryOrder
from assets.posting import ANSWER_SECONDS, Poster
from assets.terms import AssetKind


class HttpBank:
    """One bank, or one clearing house for many, at `base_url`."""

    actions = frozenset({Action.FREEZE})

    def __init__(self, base_url: str, name: str = "bank", *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.name = name
        self._poster = Poster(name, base_url, answer_seconds=answer_seconds)

    async def close(self) -> None:
        """Give back every connection."""
        await self._poster.close()

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """Ask which accounts the subject has."""
        body = messages.head(order.head, order.subject, messages.QUERY)
        reply = await self._poster.post("/bank/query", body, messages.AccountsReply)
        self._check_number(reply, order.head.number)
        accounts = [account for account in reply.zhxx if account.khzh != messages.NO_ACCOUNT]
        if accounts and len(accounts) < len(reply.zhxx):
            raise GatewayAnsweredGarbage(self.name, "zhxx")  # accounts, and at once none
        return QueryAnswer(tuple(_found(account) for account in accounts), max(one.fksj for one in reply.zhxx))

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Freeze an amount on one account."""
        reply = await self._poster.post("/bank/control", messages.freeze(order), messages.ControlReply)
        self._check_number(reply, order.head.number)
        is_waiting = reply.kzcs == messages.WAITING_FREEZE
        if reply.kzzt == messages.NOT_CONTROLLED:
            is_waiting = False
        elif reply.kzcs not in (messages.FREEZE, messages.WAITING_FREEZE):
            raise GatewayAnsweredGarbage(self.name, "kzcs")
        elif is_waiting and (not reply.zxdj or reply.skje):
            raise GatewayAnsweredGarbage(self.name, "zxdj")  # waiting behind nobody, or waiting and yet controlled
        return ControlReceipt(
            is_registered=reply.kzzt == messages.CONTROLLED,
            waiting_rank=len(reply.zxdj) if is_waiting else 0,
            controlled_cents=reply.skje if reply.kzzt == messages.CONTROLLED else 0,
            over_cents=reply.ceskje,
            starts_on=reply.csksrq,
            ends_on=reply.csjsrq,
            reason=reply.wnkzyy,
            receipt_number=reply.hzwsbh,
        )

    def _check_number(self, reply: messages.Reply, number: str) -> None:
        if reply.bdhm != number:
            raise GatewayAnsweredGarbage(self.name, "bdhm")


def _found(account: messages.Account) -> FoundAsset:
    return FoundAsset(
        kind=AssetKind.BANK_ACCOUNT,
        reference=account.khzh,
        description=account.khwd,
        value_cents=account.ye,
        available_cents=account.kyye,
        encumbrances=(
            *(Encumbrance("freeze", one.djjg, one.djje, one.jsrq) for one in account.zxdj),
            *(Encumbrance("priority", one.qlr, one.yxje, None) for one in account.yxq),
        ),
        details={"cclb": account.cclb, "zhzt": account.zhzt, "khwddm": account.khwddm, "bz": account.bz},
    )

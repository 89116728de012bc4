"""The real-estate registry over HTTP."""

from __future__ import annotations

from assets import formats
from assets.documents import Action
from assets.errors import BadFormat, GatewayAnsweredGarbage
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, FoundAsset, QueryAnswer, QueryOrder
from assets.posting import ANSWER_SECONDS, Poster
from assets.registry import messages
from assets.terms import AssetKind


class HttpRegistry:
    """One registry at `base_url`."""

    actions = frozenset({Action.SEIZE})

    def __init__(self, base_url: str, name: str = "registry", *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.name = name
        self._poster = Poster(name, base_url, answer_seconds=answer_seconds)

    async def close(self) -> None:
        """Give back every connection."""
        await self._poster.close()

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """Ask which units the subject has a title to."""
        body = messages.head(order.head, order.subject, messages.QUERY)
        reply = await self._poster.post("/registry/query", body, messages.RightsReply)
        self._check_number(reply, order.head.number)
        return QueryAnswer(tuple(self._found(right) for right in reply.BDCQL), reply.FKSJ)

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Seize one unit."""
        reply = await self._poster.post("/registry/control", messages.seize(order), messages.ControlReply)
        self._check_number(reply, order.head.number)
        is_registered = reply.KZZT == messages.CONTROLLED
        return ControlReceipt(
            is_registered=is_registered,
            waiting_rank=len(reply.CFXX) if is_registered else 0,
            controlled_cents=0,
            over_cents=0,
            starts_on=reply.CSKSRQ,
            ends_on=reply.CSJSRQ,
            reason=reply.WNKZYY,
            receipt_number=reply.CFYWH or reply.YWH,
        )

    def _check_number(self, reply: messages.Reply, number: str) -> None:
        if reply.CXQQDH != number:  # noqa: SIM300 - a field of the message, not a constant
            raise GatewayAnsweredGarbage(self.name, "CXQQDH")

    def _found(self, right: messages.Right) -> FoundAsset:
        try:
            unit = formats.real_estate_unit(right.BDCDYH)
        except BadFormat as exc:
            raise GatewayAnsweredGarbage(self.name, "BDCDYH") from exc
        return FoundAsset(
            kind=AssetKind.REAL_ESTATE,
            reference=unit,
            description=right.ZL,
            value_cents=None,
            available_cents=None,
            encumbrances=(
                *(Encumbrance("seizure", one.CFJG, None, one.JSRQ) for one in right.CFXX),
                *(Encumbrance("mortgage", one.DYQR, one.BDBZZQSE, None) for one in right.DYXX),
            ),
            details={"BDCQZH": right.BDCQZH, "BDCQLLX": right.BDCQLLX, "JZMJ": right.JZMJ, "SDZT": right.SDZT},
        )

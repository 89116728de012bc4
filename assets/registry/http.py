"""The real-estate registry over HTTP."""

from __future__ import annotations

from assets import formats
from assets.documents import Action
from assets.errors import BadFormat, GatewayAnsweredGarbage, GatewayRefused
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, FoundAsset, QueryAnswer, QueryOrder
from assets.posting import ANSWER_SECONDS, Poster
from assets.registry import codes, messages
from assets.registry.replies import ControlReply, Receipt, Right, RightsReply, Seizure
from assets.terms import AssetKind, check_term

ACTIONS = frozenset(codes.CODES)
NUMBER_FIELD = "CXQQDH"


class HttpRegistry:
    """One registry at `base_url`."""

    actions = ACTIONS

    def __init__(
        self,
        base_url: str = "",
        name: str = "registry",
        *,
        answer_seconds: float = ANSWER_SECONDS,
        poster: Poster | None = None,
    ) -> None:
        self.name = name
        self._poster = poster or Poster(name, base_url, answer_seconds=answer_seconds)

    async def close(self) -> None:
        """Give back every connection."""
        await self._poster.close()

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """Ask which units the subject has a title to."""
        await self._deliver_papers(order)
        body = messages.head(order.head, order.subject, codes.QUERY)
        reply = await self._poster.post("/registry/query", body, RightsReply, NUMBER_FIELD)
        return QueryAnswer(tuple(self._found(right) for right in reply.BDCQL), reply.FKSJ)

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Have one unit seized, its seizure renewed or released, or its title transferred.

        The papers and the officer's certificates go first: the registry acts on what it has read.
        """
        await self._deliver("/registry/certificates", messages.certificates(order.head))
        await self._deliver_papers(order)
        body = messages.control(order)
        reply = await self._poster.post("/registry/control", body, ControlReply, NUMBER_FIELD)
        is_registered = reply.KZZT == codes.CONTROLLED
        if is_registered and reply.CFXX and order.action not in (Action.SEIZE, Action.PRE_REGISTER):
            raise GatewayAnsweredGarbage(self.name, "CFXX")
        if _is_too_long(order, reply):
            raise GatewayAnsweredGarbage(self.name, "CSJSRQ")
        return ControlReceipt(
            is_registered=is_registered,
            waiting_rank=len(reply.CFXX) if is_registered else 0,
            controlled_cents=0,
            over_cents=0,
            starts_on=reply.CSKSRQ,
            ends_on=reply.CSJSRQ,
            reason=reply.WNKZYY,
            receipt_number=reply.CFYWH or reply.YWH,
            earlier=tuple(map(_seizure, reply.CFXX)),
            document=reply.HZNR,
        )

    async def _deliver_papers(self, order: QueryOrder | ControlOrder) -> None:
        if order.papers:
            await self._deliver("/registry/papers", messages.papers(order.head, order.papers))

    async def _deliver(self, path: str, body: dict[str, object]) -> None:
        receipt = await self._poster.post(path, body, Receipt, NUMBER_FIELD)
        if receipt.JSZT == codes.NOT_RECEIVED:
            raise GatewayRefused(self.name, receipt.WJSYY)

    def _found(self, right: Right) -> FoundAsset:
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
            encumbrances=_encumbrances(right),
            details={
                "BDCQZH": right.BDCQZH,
                "BDCQLLX": right.BDCQLLX,
                "JZMJ": right.JZMJ,
                "SDZT": right.SDZT,
                "DJZT": right.DJZT,
            },
            lists={"GYRXX": tuple(f"{one.GYR} {one.GYFE}".strip() for one in right.GYRXX)} if right.GYRXX else {},
        )


def _is_too_long(order: ControlOrder, reply: ControlReply) -> bool:
    if reply.CSKSRQ is None or reply.CSJSRQ is None or not order.action.is_first:
        return False
    try:
        check_term(AssetKind.REAL_ESTATE, reply.CSKSRQ, reply.CSJSRQ)
    except BadFormat:
        return True
    return False


def _seizure(one: Seizure) -> Encumbrance:
    return Encumbrance(
        "seizure",
        one.CFJG,
        None,
        one.JSRQ,
        case_number=one.AH or one.CFWH,
        order_number=one.CFDH,
        rank=int(one.LHSX or 0),
    )


def _encumbrances(right: Right) -> tuple[Encumbrance, ...]:
    return (
        *map(_seizure, right.CFXX),
        *(Encumbrance("mortgage", one.DYQR, one.BDBZZQSE, None) for one in right.DYXX),
        *(Encumbrance("objection", one.YYR, None, None) for one in right.YYXX),
        *((Encumbrance("lock", right.SDZT, None, None),) if right.SDZT else ()),
    )

"""The real-estate registry over HTTP."""

from __future__ import annotations

from assets import formats
from assets.errors import BadFormat, GatewayAnsweredGarbage, GatewayRefused
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, FoundAsset, QueryAnswer, QueryOrder
from assets.posting import Poster
from assets.registry import codes, messages
from assets.registry.replies import ControlReply, Receipt, Right, RightsReply
from assets.terms import AssetKind
from assets.title_registers import mortgages, receipt_of, seizures

ACTIONS = frozenset(codes.CODES)
NUMBER_FIELD = "CXQQDH"


class HttpRegistry:
    """One registry, over a connection with whatever was agreed for it."""

    actions = ACTIONS

    def __init__(self, poster: Poster) -> None:
        self.name = poster.name
        self._poster = poster

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
        return receipt_of(self.name, AssetKind.REAL_ESTATE, order, reply, reply.CFYWH or reply.YWH)

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
            is_title_registered=right.DJZT == codes.REGISTERED,
            details={
                "BDCQZH": right.BDCQZH,
                "BDCQLLX": right.BDCQLLX,
                "JZMJ": right.JZMJ,
                "SDZT": right.SDZT,
                "DJZT": right.DJZT,
            },
            lists={"GYRXX": tuple(f"{one.GYR} {one.GYFE}".strip() for one in right.GYRXX)} if right.GYRXX else {},
        )


def _encumbrances(right: Right) -> tuple[Encumbrance, ...]:
    return (
        *seizures(right.CFXX),
        *mortgages(right.DYXX),
        *(Encumbrance("objection", one.YYR, None, None) for one in right.YYXX),
        *((Encumbrance("lock", right.SDZT, None, None),) if right.SDZT else ()),
    )

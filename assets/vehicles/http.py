"""The register of motor vehicles over HTTP."""

from __future__ import annotations

from assets import formats
from assets.errors import BadFormat, GatewayAnsweredGarbage
from assets.gateway import ControlOrder, ControlReceipt, FoundAsset, QueryAnswer, QueryOrder
from assets.posting import Poster
from assets.terms import AssetKind
from assets.title_registers import mortgages, receipt_of, seizures
from assets.vehicles import messages
from assets.vehicles.messages import ControlReply, Vehicle, VehiclesReply

ACTIONS = frozenset(messages.CODES)
NUMBER_FIELD = "CXQQDH"


class HttpVehicles:
    """The register, over a connection with whatever was agreed for it."""

    actions = ACTIONS

    def __init__(self, poster: Poster) -> None:
        self.name = poster.name
        self._poster = poster

    async def close(self) -> None:
        """Give back every connection."""
        await self._poster.close()

    async def query(self, order: QueryOrder) -> QueryAnswer:
        """Ask which vehicles are registered in the subject's name."""
        body = messages.query(order.head, order.subject, order.papers)
        reply = await self._poster.post("/vehicles/query", body, VehiclesReply, NUMBER_FIELD)
        return QueryAnswer(tuple(self._found(vehicle) for vehicle in reply.JDCXX), reply.FKSJ)

    async def control(self, order: ControlOrder) -> ControlReceipt:
        """Have one vehicle seized or impounded, that renewed or released, or its title transferred."""
        reply = await self._poster.post("/vehicles/control", messages.control(order), ControlReply, NUMBER_FIELD)
        return receipt_of(self.name, AssetKind.MOVABLE, order, reply, reply.YWH)

    def _found(self, vehicle: Vehicle) -> FoundAsset:
        try:
            plate, vin = formats.plate(vehicle.HPHM), formats.vin(vehicle.CLSBDM)
        except BadFormat as exc:
            raise GatewayAnsweredGarbage(self.name, "HPHM" if exc.item == "plate" else "CLSBDM") from exc
        return FoundAsset(
            kind=AssetKind.MOVABLE,
            reference=plate,
            description=vehicle.CLPP,
            value_cents=None,
            available_cents=None,
            encumbrances=seizures(vehicle.CFXX) + mortgages(vehicle.DYXX),
            details={
                "CLSBDM": vin,
                "CLPP": vehicle.CLPP,
                "FDJH": vehicle.FDJH,
                "CSYS": vehicle.CSYS,
                "CCDJRQ": vehicle.CCDJRQ,
                "ZT": vehicle.ZT,
            },
        )

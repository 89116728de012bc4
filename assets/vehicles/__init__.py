"""The register of motor vehicles: its messages, its gateway over HTTP, its simulator. Nothing outside names it."""

from __future__ import annotations

from assets.gateway import Gateway
from assets.gateway_settings import GatewaySettings
from assets.kinds import GatewayKind
from assets.posting import Poster
from assets.terms import AssetKind
from assets.vehicles.http import ACTIONS, HttpVehicles


def _open(settings: GatewaySettings, poster: Poster) -> Gateway:
    return HttpVehicles(poster)


KIND: GatewayKind = GatewayKind(
    name="vehicles",
    names={"zh": "机动车登记", "en": "Vehicles"},
    asset=AssetKind.MOVABLE,
    actions=ACTIONS,
    open=_open,
    simulator="assets.vehicles.simulator:vehicles",
    words={
        "CLSBDM": {"zh": "车辆识别代号", "en": "VIN"},
        "CLPP": {"zh": "品牌型号", "en": "Make and model"},
        "FDJH": {"zh": "发动机号", "en": "Engine number"},
        "CSYS": {"zh": "车身颜色", "en": "Colour"},
        "CCDJRQ": {"zh": "初次登记日期", "en": "First registered"},
        "ZT": {"zh": "机动车状态", "en": "State"},
    },
)

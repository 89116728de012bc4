"""The real-estate registry: the messages that go to it and come back, and the gateway over HTTP."""

from __future__ import annotations

from assets.gateway import Gateway
from assets.gateway_settings import GatewaySettings
from assets.kinds import GatewayKind
from assets.posting import Poster
from assets.registry.http import ACTIONS, HttpRegistry
from assets.terms import AssetKind


def _open(settings: GatewaySettings, poster: Poster) -> Gateway:
    return HttpRegistry(poster)


KIND: GatewayKind = GatewayKind(
    name="registry",
    names={"zh": "不动产登记", "en": "Registry"},
    asset=AssetKind.REAL_ESTATE,
    actions=ACTIONS,
    open=_open,
    simulator="assets.simulators.registry:registry",
    words={
        "BDCQZH": {"zh": "不动产权证号", "en": "Title certificate"},
        "BDCQLLX": {"zh": "权利类型", "en": "Kind of right"},
        "JZMJ": {"zh": "建筑面积（平方米）", "en": "Floor area (m²)"},
        "SDZT": {"zh": "锁定状态", "en": "Lock"},
        "GYRXX": {"zh": "共有人", "en": "Co-owners"},
    },
)

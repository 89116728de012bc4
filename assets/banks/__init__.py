"""The banks: the messages that go to them and come back, and the gateway over HTTP."""

from __future__ import annotations

from assets.banks.http import ACTIONS, HttpBank
from assets.gateway import Gateway
from assets.gateway_settings import GatewaySettings
from assets.kinds import GatewayKind
from assets.posting import Poster
from assets.terms import AssetKind


def _open(settings: GatewaySettings, poster: Poster) -> Gateway:
    return HttpBank(poster, settings.code)


KIND: GatewayKind = GatewayKind(
    name="bank",
    names={"zh": "银行", "en": "Bank"},
    asset=AssetKind.BANK_ACCOUNT,
    actions=ACTIONS,
    open=_open,
    simulator="assets.simulators.bank:bank",
    words={
        "cclb": {"zh": "账户类别", "en": "Kind of account"},
        "zhzt": {"zh": "账户状态", "en": "State"},
        "khwddm": {"zh": "开户网点代码", "en": "Branch code"},
        "bz": {"zh": "币种", "en": "Currency"},
        "khrq": {"zh": "开户日期", "en": "Opened"},
        "xhrq": {"zh": "销户日期", "en": "Closed"},
        "zclx": {"zh": "资产类型", "en": "Kind of asset"},
        "se": {"zh": "数额（份额）", "en": "Shares"},
        "khzh": {"zh": "关联账户", "en": "Account"},
        "zzhxx": {"zh": "子账户", "en": "Sub-accounts"},
        "gyrxx": {"zh": "共有人", "en": "Co-owners"},
    },
)

"""How orders about things, and what was done, stand in the messages of simulated registries of titles."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from assets.documents import Action
from assets.simulators.conduct import Refused, Service
from assets.simulators.lines import Hold
from assets.simulators.manners import Trouble
from assets.simulators.titles import Deed, TitleOrder
from assets.title_registers import CONTROLLED, NOT_CONTROLLED
from assets.wire import day_text


def control_service(
    name: str,
    reference: str,
    scripted: Callable[[dict[str, Any]], Trouble | None],
    do: Callable[[dict[str, Any], Trouble], dict[str, Any]],
    reason: str,
) -> Service:
    """The service that takes orders about the thing in the field `reference`; `reason` is why it contradicts itself."""

    def contrary(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"KZZT": NOT_CONTROLLED, "WNKZYY": reason, "CFXX": []}

    return Service(name, "CXQQDH", "ZJH", reference, scripted, do, contrary, "YDJDH")


def order_of(asked: dict[str, Any]) -> TitleOrder:
    """The order that a message holds."""
    return TitleOrder(
        number=str(asked["CXQQDH"]),
        court=str(asked.get("FYMC", "")),
        case_number=str(asked.get("AH", "")),
        ruling=str(asked.get("CKWH", "")),
        papers=str(asked.get("CKH", "")),
        first_day=str(asked.get("KSRQ", "")),
        last_day=str(asked.get("JSRQ", "")),
        original=str(asked.get("YDJDH", "")),
        original_case=str(asked.get("YDJAH", "")),
        receiver=str(asked.get("SRR", "")),
    )


def action_of(asked: dict[str, Any], codes: Mapping[Action, str]) -> Action:
    """What is to be done, by the registry's own codes."""
    for action, code in codes.items():
        if code == asked.get("KZCS"):
            return action
    raise Refused("控制措施代码不支持")


def answer(order: TitleOrder, deed: Deed) -> dict[str, Any]:
    """The answer to an order."""
    receipt = f"协助执行回执（虚构）\n{order.number}\n{deed.undone}\n"
    return {
        "CXQQDH": order.number,
        "KZZT": NOT_CONTROLLED if deed.undone else CONTROLLED,
        "CSKSRQ": deed.first_day,
        "CSJSRQ": deed.last_day,
        "WNKZYY": deed.undone,
        "YWH": f"YW{order.number}",
        "CFXX": seizures(deed.before),
        "HZNR": base64.b64encode(receipt.encode()).decode(),
    }


def seizures(holds: Iterable[Hold]) -> list[dict[str, str]]:
    """The measures on a thing, in order."""
    return [
        {
            "CFJG": one.court,
            "AH": one.case_number,
            "JSRQ": day_text(one.last_day) if rank == 0 else "",
            "CFDH": one.number,
            "LHSX": str(rank),
        }
        for rank, one in enumerate(holds)
    ]

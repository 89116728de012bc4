"""The codes of the real-estate registry's messages.

`KZCS` 11, 12, 14 and 15 and the values of `XZ` and `KZZT` are those of real integrations. Agreed with the registry are
16 for a pre-registration (预查封), for which no code is known, and the values of `LB`, `ZJZL`, `DJZT` and `JSZT`.
"""

from __future__ import annotations

from assets.documents import Action

QUERY, CONTROL = "1", "2"
RECEIVED, NOT_RECEIVED = "1", "2"

CODES: dict[Action, str] = {
    Action.SEIZE: "11",
    Action.RENEW: "12",
    Action.RELEASE: "14",
    Action.TRANSFER: "15",
    Action.PRE_REGISTER: "16",
}
"""`KZCS` of what a court asks."""

REGISTERED, NOT_YET_REGISTERED = "1", "2"
"""`DJZT`: the title stands in the person's name, or only a notice of it (预告登记)."""

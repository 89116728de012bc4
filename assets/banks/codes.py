"""The codes of the banks' messages.

Those of `xz`, `kzlx`, `kzcs`, `kznr` and `kzzt` are the ones of real integrations. Agreed with each bank are `lb`,
`zjlx` and `zhxz` (what kind of account it is).
"""

from __future__ import annotations

from assets.documents import Action

NO_ACCOUNT = "查无开户信息"
"""What `khzh` says where the person has no account there."""
QUERY, CONTROL = "1", "2"
DEPOSIT, OTHER = "1", "2"
"""`kzlx`: a deposit, or something else that the bank keeps."""
AMOUNT, WHOLE = "1", "2"
"""`kznr`: up to an amount, or the whole account."""
CONTROLLED, NOT_CONTROLLED = "1", "2"

IN, OUT = "1", "2"
"""`jdbz`: money that came, or went."""

FREEZE, RENEW, WAITING_FREEZE, RELEASE = "01", "02", "03", "04"
RELEASE_WAITING, TRANSFER, WITHDRAW_INCOME, FREEZE_AND_TRANSFER = "05", "06", "07", "08"

CODES: dict[Action, str] = {
    Action.FREEZE: FREEZE,
    Action.RENEW: RENEW,
    Action.RELEASE: RELEASE,
    Action.PART_RELEASE: RELEASE,
    Action.TRANSFER: TRANSFER,
    Action.WITHDRAW_INCOME: WITHDRAW_INCOME,
    Action.FREEZE_AND_TRANSFER: FREEZE_AND_TRANSFER,
}
"""`kzcs` of what a court asks; a part release is a release up to an amount, 03 and 05 follow from where it stands."""
MOVES = frozenset({TRANSFER, WITHDRAW_INCOME, FREEZE_AND_TRANSFER})
"""What moves money to the court's account: in their replies `skje` is what was moved."""

SPECIAL_ACCOUNTS = {
    "1": "migrant_wage",
    "2": "bank_reserve",
    "3": "social_security",
    "4": "union",
    "5": "treasury",
    "6": "deposit_guarantee",
}
"""`zhxz`: 农民工工资专户, 存款准备金, 社保, 工会经费, 国库, 保证金; 0 or empty is an ordinary account."""

"""Which documents an action needs, and by which name the other side knows each.

Source: 法释〔2013〕20号 §3.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What is asked of a bank or a registry."""

    QUERY = "query"
    FREEZE = "freeze"
    SEIZE = "seize"
    PRE_REGISTER = "pre_register"
    """预查封: a seizure of what isn't registered in the debtor's name yet."""
    IMPOUND = "impound"
    """扣押: a movable is taken away, or left with a keeper."""
    RENEW = "renew"
    PART_RELEASE = "part_release"
    RELEASE = "release"
    TRANSFER = "transfer"
    """扣划 of money, 过户 of a title."""
    WITHDRAW_INCOME = "withdraw_income"
    """提取收入: what has come in, up to an amount; what comes in later by a further order."""
    FREEZE_AND_TRANSFER = "freeze_and_transfer"
    """冻结并扣划: both in one; where others stand before it waits like a freeze."""
    LIFT_MARK = "lift_mark"
    """What a gateway said of an account is set aside; nothing is sent, two people of the court decide."""

    @property
    def is_control(self) -> bool:
        """Whether it takes something out of its owner's hands or gives it back, and so needs a ruling."""
        return self not in (Action.QUERY, Action.LIFT_MARK)

    @property
    def is_first(self) -> bool:
        """Whether it begins a measure; what doesn't names the one that it changes."""
        return self in FIRST


FIRST = frozenset(
    {
        Action.FREEZE,
        Action.SEIZE,
        Action.PRE_REGISTER,
        Action.IMPOUND,
        Action.WITHDRAW_INCOME,
        Action.FREEZE_AND_TRANSFER,
    }
)


TAKES_AT_ONCE = frozenset({Action.WITHDRAW_INCOME, Action.FREEZE_AND_TRANSFER})
"""What begins with the money; what a bank couldn't move it may keep frozen."""
TAKES = TAKES_AT_ONCE | {Action.TRANSFER}
"""What takes: that nothing of ours stands afterwards doesn't say that nothing was done."""


class Document(StrEnum):
    """A paper that goes with a request."""

    QUERY_NOTICE = "query_notice"
    RULING = "ruling"
    FREEZE_NOTICE = "freeze_notice"
    RELEASE_RULING = "release_ruling"
    RELEASE_NOTICE = "release_notice"
    TRANSFER_NOTICE = "transfer_notice"
    WORK_CARD = "work_card"
    ENFORCEMENT_NOTICE = "enforcement_notice"


NEEDED: dict[Action, tuple[Document, ...]] = {
    Action.QUERY: (Document.QUERY_NOTICE,),
    Action.FREEZE: (Document.RULING, Document.FREEZE_NOTICE),
    Action.RENEW: (Document.RULING, Document.FREEZE_NOTICE),
    Action.PART_RELEASE: (Document.RELEASE_RULING, Document.RELEASE_NOTICE),
    Action.RELEASE: (Document.RELEASE_RULING, Document.RELEASE_NOTICE),
    Action.TRANSFER: (Document.RULING, Document.TRANSFER_NOTICE),
    Action.WITHDRAW_INCOME: (Document.RULING, Document.TRANSFER_NOTICE),
    Action.FREEZE_AND_TRANSFER: (Document.RULING, Document.FREEZE_NOTICE, Document.TRANSFER_NOTICE),
    Action.SEIZE: (Document.WORK_CARD, Document.RULING, Document.ENFORCEMENT_NOTICE),
    Action.PRE_REGISTER: (Document.WORK_CARD, Document.RULING, Document.ENFORCEMENT_NOTICE),
    Action.IMPOUND: (Document.WORK_CARD, Document.RULING, Document.ENFORCEMENT_NOTICE),
    Action.LIFT_MARK: (),
}
"""At a bank; for what isn't money `needed` adds what real estate asks for."""

OFFICIAL_NAMES: dict[Document, str] = {
    Document.QUERY_NOTICE: "协助查询通知书",
    Document.RULING: "执行裁定书",
    Document.FREEZE_NOTICE: "协助冻结通知书",
    Document.RELEASE_RULING: "解除裁定书",
    Document.RELEASE_NOTICE: "协助解除通知书",
    Document.TRANSFER_NOTICE: "协助扣划通知书",
    Document.WORK_CARD: "工作证",
    Document.ENFORCEMENT_NOTICE: "协助执行通知书",
}
"""Fixed by law and carried in messages; never translated there."""


def needed(action: Action, *, is_money: bool) -> tuple[Document, ...]:
    """The papers of `action`: on anything but money every control goes with work card, ruling and one notice."""
    if is_money or action is Action.QUERY:
        return NEEDED[action]
    ruling = Document.RELEASE_RULING if action in (Action.RELEASE, Action.PART_RELEASE) else Document.RULING
    return (Document.WORK_CARD, ruling, Document.ENFORCEMENT_NOTICE)


def names_on_the_wire(documents: tuple[Document, ...]) -> str:
    """The field `ckh`/`CKH`: the documents' official names in one line."""
    return "、".join(OFFICIAL_NAMES[document] for document in documents)

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

    @property
    def is_control(self) -> bool:
        """Whether it takes something out of its owner's hands, and so needs a ruling."""
        return self is not Action.QUERY


class Document(StrEnum):
    """A paper that goes with a request."""

    QUERY_NOTICE = "query_notice"
    RULING = "ruling"
    FREEZE_NOTICE = "freeze_notice"
    WORK_CARD = "work_card"
    ENFORCEMENT_NOTICE = "enforcement_notice"


NEEDED: dict[Action, tuple[Document, ...]] = {
    Action.QUERY: (Document.QUERY_NOTICE,),
    Action.FREEZE: (Document.RULING, Document.FREEZE_NOTICE),
    Action.SEIZE: (Document.WORK_CARD, Document.RULING, Document.ENFORCEMENT_NOTICE),
}

OFFICIAL_NAMES: dict[Document, str] = {
    Document.QUERY_NOTICE: "协助查询通知书",
    Document.RULING: "执行裁定书",
    Document.FREEZE_NOTICE: "协助冻结通知书",
    Document.WORK_CARD: "工作证",
    Document.ENFORCEMENT_NOTICE: "协助执行通知书",
}
"""Fixed by law and carried in messages; never translated there."""


def names_on_the_wire(documents: tuple[Document, ...]) -> str:
    """The field `ckh`/`CKH`: the documents' official names in one line."""
    return "、".join(OFFICIAL_NAMES[document] for document in documents)

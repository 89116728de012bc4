"""What the public is told of a sanction: fixed fields, and one text made of them.

The fields are those of 法释〔2017〕7号; their names and values are official Chinese, never translated. The identity
number is masked, the name is not: that is what a publication is for.
"""

from __future__ import annotations

from datetime import date

from assets import formats
from assets.masks import masked_id, masked_name
from assets.sanctions.grounds import OFFICIAL_GROUNDS, OFFICIAL_PERFORMANCE, Ground, Performance, SanctionKind
from assets.sanctions.tables import Sanction
from assets.tables import Case, Person

TITLES = {SanctionKind.LISTING: "失信被执行人信息", SanctionKind.LIMIT: "限制消费人员信息"}


def published_fields(
    sanction: Sanction, case: Case, person: Person, today: date, *, is_draft: bool = False
) -> dict[str, str]:
    """The fields in the order in which they are shown; a draft masks the name, which isn't public yet."""
    name = masked_name(person.name, is_firm=person.is_firm) if is_draft else person.name
    fields = _who(person, name, today) | {"执行法院": case.court_name, "案号": case.number}
    fields |= {
        "执行依据文号": sanction.basis_document,
        "生效法律文书确定的义务": sanction.duty,
        "被执行人的履行情况": OFFICIAL_PERFORMANCE[Performance(sanction.performance)],
    }
    if sanction.is_listing:
        fields["失信被执行人行为具体情形"] = OFFICIAL_GROUNDS[Ground(sanction.ground)]
    return fields


def publication_text(sanction: Sanction, fields: dict[str, str], published_on: date) -> str:
    """The publication as a plain text."""
    lines = [TITLES[SanctionKind(sanction.kind)], *(f"{name}：{value}" for name, value in fields.items())]
    return "\n".join([*lines, f"发布时间：{published_on:%Y-%m-%d}"])


def _who(person: Person, name: str, today: date) -> dict[str, str]:
    if person.is_firm:
        return {"被执行人名称": name, "统一社会信用代码": person.id_number}
    return {
        "被执行人姓名": name,
        "性别": "男" if formats.is_male(person.id_number) else "女",
        "年龄": str(formats.age_on(person.id_number, today)),
        "身份证号码": masked_id(person.id_number),
    }

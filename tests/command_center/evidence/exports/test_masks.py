"""No number of a person and no known name is left in a text, however it is written; everything else stays."""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
import zipfile
from random import Random
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from assets.tables import Case as AssetCase
from assets.tables import Person
from command_center.accounts.tables import Court, User
from command_center.evidence.exports import telling
from command_center.evidence.exports.masks import Masks
from command_center.operations.tables import Instruction
from tests.command_center.evidence.conftest import START
from tests.command_center.evidence.exports.conftest import CARD, NAME, SECRETS, Case
from tests.support.personal_data import name_in_some_way, paper_in_some_way, written_in_some_way

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
NAMES = ("乌兰图雅", "巴特尔", "王小明", "李喆", "阿拉腾·图雅")
MASKS = Masks({*NAMES, "王", "Wang Xiaoming"})


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    """A number of GB 11643 that is right."""
    body = (
        f"{draw(st.integers(110000, 659999))}{draw(st.integers(1930, 2012))}"
        f"{draw(st.integers(1, 12)):02}{draw(st.integers(1, 28)):02}{draw(st.integers(0, 999)):03}"
    )
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
accounts = st.from_regex(r"[1-9][0-9]{10,18}", fullmatch=True)
papers = st.from_regex(r"[CDEGHKLMPSTW][0-9]{8}|[CE][A-Z][0-9]{7}", fullmatch=True)
words = st.text(st.sampled_from("请核对其账户号码，证件：电话。AaZz（）\n 呼和浩特市新城区海拉尔东大街"), max_size=12)
sentences = st.sampled_from(
    (
        "",
        "请于2026-11-28 16:00前核对，",
        "（2026）内01执123号：",
        "依第484、485条，",
        "在40.84123, 111.70012附近，",
        "余额1,250,000.00元。",
        "\n1. ",
    )
)


@settings(max_examples=300)
@given(st.one_of(resident_ids(), phones, accounts), words, words, st.integers(0, 1 << 30))
def test_no_number_survives_in_whatever_way_it_is_written(number: str, before: str, after: str, seed: int) -> None:
    written = written_in_some_way(number, Random(seed))
    masked = MASKS.text(f"{before}{written}{after}")
    assert len(re.sub(r"[^0-9]", "", masked)) <= 7
    assert MASKS.holds_personal_data(json.dumps({"text": [written]}, ensure_ascii=False))


numbers = st.one_of(resident_ids(), phones, st.from_regex(r"[1-9][0-9]{14,18}", fullmatch=True))
apart = st.text(" -.·,，:：;；|｜、。…~*+'=→^/_—\u200b", max_size=2)


@settings(max_examples=500)
@given(st.lists(st.tuples(numbers, st.sampled_from((3, 4, 6, 20)), apart), min_size=1, max_size=3), apart)
def test_numbers_that_stand_side_by_side_leave_no_digits_of_each_other(
    spelt: list[tuple[str, int, str]], between: str
) -> None:
    """Not even where nobody could say where one ends: each shows what its own mask shows, at the most."""
    ways = [mark.join(number[at : at + step] for at in range(0, len(number), step)) for number, step, mark in spelt]
    masked = MASKS.text(f"{between} ".join(ways))
    assert not re.search(r"\d{5}", masked)
    shown = re.split(r"\*{3,}", masked)
    assert len(shown) > 1
    assert all(len(re.findall(r"[0-9]", part)) <= 7 for part in shown)


@settings(max_examples=300)
@given(st.one_of(resident_ids(), phones, accounts), sentences, sentences, st.integers(0, 1 << 30))
def test_none_survives_among_what_is_no_number_of_a_person(number: str, before: str, after: str, seed: int) -> None:
    """Of its digits in a row no more than its last four are left, or as many as a mask of an id shows."""
    masked = MASKS.text(f"{before}电话{written_in_some_way(number, Random(seed))}，{after}")
    assert before.strip() in masked
    assert after.strip() in masked
    shown = masked.replace(before, "", 1) if before else masked
    shown = shown.removesuffix(after) if after else shown
    assert len(re.sub(r"[^0-9]", "", shown)) <= 7


@settings(max_examples=200)
@given(papers, st.integers(0, 1 << 30))
def test_no_number_of_a_paper_survives(number: str, seed: int) -> None:
    masked = MASKS.text(f"持{paper_in_some_way(number, Random(seed))}，已核对")
    assert masked == f"持****{number[-4:]}，已核对"


@settings(max_examples=200)
@given(st.sampled_from(NAMES), words, words, st.integers(0, 1 << 30))
def test_no_known_name_survives(name: str, before: str, after: str, seed: int) -> None:
    masked = MASKS.text(f"{before}{name_in_some_way(name, Random(seed))}{after}")
    assert f"{name[0]}*" in masked
    assert name.replace("·", "") not in re.sub(r"[\s\u200b\-·]", "", masked)


@settings(max_examples=500)
@given(
    st.sets(st.text("王小明芳aﬀ", min_size=2, max_size=4), max_size=6),
    st.lists(st.sampled_from(("王", "小", "明", "芳", "王\u200b", "小 · ", "明　", "A", "ff", "ﬀ", "，")), max_size=12),
)
def test_of_names_that_begin_alike_none_is_left_wherever_the_text_ends(names: set[str], spelt: list[str]) -> None:
    masks = Masks(names)
    masked = masks.text("".join(spelt))
    assert masks.text(masked) == masked
    left = re.sub(r"[\s\u200b·]", "", masked)
    assert not [name for name in names if not re.search("[aﬀ]", name) and name in left]


@settings(max_examples=500)
@given(st.sets(st.text(max_size=5), max_size=5), st.text(max_size=20), st.data())
def test_masking_never_raises_whatever_is_written_and_whoever_is_known(
    names: set[str], text: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(names))) if names else ""
    Masks({*names, f"{name}明"}).text(f"{text}{name}")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("账号: 6222,0212,3456,7890 / 622202.1234.5678.9012", "账号: ****9012"),
        ("6222,0212,3456,7890 13800138000", "****7890 138****8000"),
        ("6222:0212:3456:7890 15012219900101123X", "****7890 150***********123X"),
        ("6222 02 12:34 56 7890 1234", "****1234"),
        ("13800138000，13900139000", "138****8000，139****9000"),
        *((f"138{between}0013{between}8000", "138****8000") for between in "~*+'=→^…。、"),
        ("①③⑧⓪⓪①③⑧⓪⓪⓪", "****⑧⓪⓪⓪"),
        ("一三八，〇〇一三，八〇〇〇", "****八〇〇〇"),
        ("13800一三八000", "****八000"),
        ("13800138000/13900139000", "138****8000/139****9000"),
        ("13800138000，一二楼", "138****8000，一二楼"),
        ("150102<b>19900101</b>1234", "150***********1234"),
        ("150102 1990年01月01日 1234", "150***********1234"),
        ("150102|2003-11-28|1234", "150***********1234"),
        ("6222…0212…3456…7890", "****7890"),
        ("6222、0212、3456、7890条", "****7890条"),
        ("622,202,123,456,789,012", "622***********9012"),
        ("账户zhangsan88@163.com 支付宝", "账户****@163.com 支付宝"),
        ("微信wxid_zhangsan", "微信****"),
        ("wxid_zhangsan", "wxid_****"),
        ("微信号：zhangsan_88", "微信号：****"),
        ("证件150105199001010018", "证件150***********0018"),
        ("电话：138 0013 8000。", "电话：138****8000。"),
        ("+86 13800138000", "+138****8000"),
        ("ID150105199001010018b", "ID150***********0018b"),
        ("卡号6217-0000-6000-0000-008", "卡号****0008"),
        ("１３８００１３８０００", "138****8000"),
        ("代码91350100M000100Y43", "代码913***********0Y43"),
        ("卡号6217 - 0000 - 6000 - 0000 - 008", "卡号****0008"),
        ("电话138 - 0013 - 8000", "电话138****8000"),
        ("卡号6217－0000－6000－0000－008", "卡号****0008"),
        ("卡号6217、0000、6000\n0000008", "卡号****0008"),
        ("电话138\u200d0013\u20608000", "电话138****8000"),
        ("证件１５０１０５１９９００１０１００１ｘ", "证件150***********001x"),
        ("证件150105 1990-01-01 0018", "证件150***********0018"),
        ("证件150105 2003-11-28 0018", "证件150***********0018"),
        ("138-1234-5678", "138****5678"),
        ("138 1234 5678", "138****5678"),
        ("138（1234）5678", "138****5678"),
        ("0086-138-1234-5678", "138****5678"),
        ("（0471）6612345", "（****2345"),
        ("电话：6612345", "电话：****"),
        ("座机66123456", "座机****3456"),
        ("6612 3456转8", "****3456转8"),
        ("尾数为66123456", "尾数为****3456"),
        ("卡号6217 0000 6000 0000 008", "卡号****0008"),
        ("6217，0000，6000，0000，008", "****0008"),
        ("一三八〇零一二三四五六", "****三四五六"),
        ("护照E12345678", "护照****5678"),
        ("持EA1234567出境", "持****4567出境"),
        ("持 e 1234 5678 出境", "持 ****5678 出境"),
        ("护照号码：L01X00T47", "护照号码：****0T47"),
        ("港澳通行证C12345678、W1234567", "港澳通行证****5678、W1234567"),
        ("回乡证H0123456789", "回乡证****6789"),
        ("台胞证01234567", "台胞证****4567"),
        ("台胞证0123456789（B）", "台胞证****6789（B）"),
        ("香港身份证A123456（7）", "香港身份证****4567"),
        ("台湾A123456789", "台湾****6789"),
        ("军官证：南字第12345678号", "军官证：南字第****5678号"),
        ("军字第123456号", "军字第****号"),
        ("16:00:03 13800138000", "16:00:03 138****8000"),
        ("13800138000 2026-11-28 16:00", "138****8000 2026-11-28 16:00"),
        ("不动产单元150105001002GB00014F00310202", "不动产单元150*********************0202"),
        ("联系乌兰图雅", "联系乌*"),
        ("联系王 小 明。", "联系王*。"),
        ("（王　小　明）", "（王*）"),
        ("王\u200b小明、李 喆", "王*、李*"),
        ("阿拉腾图雅到场", "阿*到场"),
        ("阿拉腾。图雅到场", "阿*到场"),
        ("乌兰、图雅到场", "乌*到场"),
        ("Wang, Xiaoming", "W*"),
        ("ＷＡＮＧ Xiaoming", "W*"),
        ("wang-xiaoming", "w*"),
        ("住海拉尔东大街12号3单元501室", "住海拉尔东大街***"),
    ],
)
def test_masks_are_those_of_the_wall(text: str, masked: str) -> None:
    assert MASKS.text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "（2026）内01执123号",
        "(2026)内0105执恢12345号",
        "（2012）呼民初字第12345号",
        "蒙（2021）呼和浩特市不动产权第0012345号",
        "法释〔2017〕5号",
        "2026-11-28 16:00:03",
        "2026-11-28 2026-11-29",
        "2026-11-28-2026-11-29",
        "2026.11.28—2026.11.29",
        "2026年11月28日16时",
        "20261128",
        "20261128 16:00 20261129 17:00",
        "1600-1730",
        "2024-2026年度",
        "16:00:03.250 16:00:04",
        "冻结 1,250,000.00 元",
        "冻结12500000000.00元",
        "12,500,000,000.00元、3,400,000,000.00元",
        "1,250,000.00, 3,400,000.00, 12,500,000.00",
        "第1001、1002、1003、1004条",
        "1920×1080、1280×720、640×360",
        "16:00、16:30、17:00、17:30、18:00",
        "①核对②询问③登记",
        "一、二、三、四、五、六、七、八、九",
        "微信支付",
        "姓王，小明街",
        "余额12345678.90",
        "￥12345678901.00",
        "12345678元",
        "40.84123, 111.70012",
        "40.84123 111.70012",
        "111.70012345",
        "第484、485、486、487条",
        "民诉法第253条、第256条、第259条、第261条",
        "面积12345678平方米",
        "车牌蒙A12345、蒙AD12345",
        "第3现场，2名干警",
        "019a2248-8ce7-7957-93db-089894812345",
        "op1a2b.s3.wang-xiaoming.phone.12345678901234ab",
    ],
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert MASKS.text(text) == text
    assert not MASKS.holds_personal_data(json.dumps({"text": text}))


async def test_no_text_of_a_package_holds_a_number_that_was_planted(case: Case) -> None:
    path = await asyncio.to_thread(case.build, case.wanted())
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith((".mp4", ".webm", "verify.py")):
                text = archive.read(name).decode()
                digits = re.sub(r"[ \-]", "", text)
                assert not [secret for secret in SECRETS if secret in digits], name
                assert NAME not in text, name


async def test_no_spelling_of_a_number_or_name_survives_in_a_package(case: Case) -> None:
    """Planted: numbers, and names of somebody of another court and of another court's case, 40 times each."""
    outsiders, passport, chance = ("哈斯额尔敦", "李喆"), "E12345678", Random(7)
    async with case.world.database.write() as session:
        await _know(session, *outsiders)
        for number in range(10, 50):
            spelt = [*(written_in_some_way(secret, chance) for secret in SECRETS), paper_in_some_way(passport, chance)]
            spelt += [name_in_some_way(name, chance) for name in (*outsiders, NAME)]
            session.add(
                Instruction(
                    id=uuid4(), operation_id=case.world.operation, number=number, sender_id=case.world.city.user_id,
                    scope="all", priority="urgent", text="，".join(spelt), idempotency_key=uuid4(),
                    issued_at=START,
                )
            )  # fmt: skip
    path = await asyncio.to_thread(case.build, case.wanted(2.0))
    with zipfile.ZipFile(path) as archive:
        report = archive.read("report.html").decode()
    letters = "".join(one for one in unicodedata.normalize("NFKC", report).upper() if one.isalnum())
    assert "其中可能仍有系统无从知晓的他人姓名" in report
    assert report.count("哈*") == 40
    assert not [secret for secret in (*SECRETS, passport, *outsiders, NAME) if secret in letters]


def test_what_an_entry_holds_as_a_number_is_told_unmasked() -> None:
    told = telling.facts("asset", {"amount_cents": 125_000_000_000, "account": CARD}, {}, MASKS.text)
    assert [value for _, value in told] == ["125000000000", "****0008"]


async def _know(session: AsyncSession, user: str, person: str) -> None:
    """Have a user of another court, and a person of that court's case."""
    court = Court(id=uuid4(), code="内0105", name_zh="赛罕区人民法院", name_en="Saihan")
    session.add(court)
    await session.flush()
    session.add(
        User(
            id=uuid4(), court_id=court.id, username="elsewhere", display_name=user, role="officer", password_hash="-",
            created_at=START,
        )
    )  # fmt: skip
    other = AssetCase(
        id=uuid4(), court_id=court.id, court_code=court.code, court_name=court.name_zh, number="（2026）内0105执9号",
        claim_cents=0, judge_name=user, work_card="1", duty_card="2", filed_on=START.date(),
    )  # fmt: skip
    session.add(other)
    await session.flush()
    session.add(Person(id=uuid4(), case_id=other.id, name=person, id_number="110101199003070011"))


async def test_what_is_withheld_is_listed_and_nothing_else_is(case: Case) -> None:
    path = await asyncio.to_thread(case.build, case.wanted())
    with zipfile.ZipFile(path) as archive:
        index = json.loads(archive.read("package.json"))
        bodies = next(name for name in archive.namelist() if name.endswith(".bodies.jsonl"))
        given_away = [json.loads(line)["id"] for line in archive.read(bodies).splitlines()]
    assert (index["withheld"], given_away) == ([2, 3, 4], [1, 5])

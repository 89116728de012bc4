"""No number of a person and no known name is left in a text, however it is written; everything else stays."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.evidence.exports.masks import Masks
from tests.command_center.evidence.exports.conftest import NAME, SECRETS, Case
from tests.support.personal_data import written_in_some_way

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
MASKS = Masks({"乌兰图雅", "巴特尔", "王"})


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    """A number of GB 11643 that is right."""
    body = (
        f"{draw(st.integers(110000, 659999))}{draw(st.integers(1930, 2012))}"
        f"{draw(st.integers(1, 12)):02}{draw(st.integers(1, 28)):02}{draw(st.integers(0, 999)):03}"
    )
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
accounts = st.from_regex(r"[1-9][0-9]{11,18}", fullmatch=True)
words = st.text(st.sampled_from("请核对其账户号码，证件：电话。AaZz（）\n 呼和浩特市新城区海拉尔东大街"), max_size=12)


@settings(max_examples=300)
@given(st.one_of(resident_ids(), phones, accounts), words, words, st.integers(0, 1 << 30))
def test_no_number_survives_in_whatever_way_it_is_written(number: str, before: str, after: str, seed: int) -> None:
    written = written_in_some_way(number, Random(seed))
    masked = MASKS.text(f"{before}{written}{after}")
    assert len(re.sub(r"[^0-9]", "", masked)) <= 7
    assert MASKS.holds_personal_data(json.dumps({"text": [written]}, ensure_ascii=False))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
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
        ("联系乌兰图雅", "联系乌*"),
        ("住海拉尔东大街12号3单元501室", "住海拉尔东大街***"),
    ],
)
def test_masks_are_those_of_the_wall(text: str, masked: str) -> None:
    assert MASKS.text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "（2026）内01执123号",
        "2026-11-28 16:00:03",
        "冻结 1,250,000.00 元",
        "40.84123, 111.70012",
        "第3现场，2名干警",
        "019a2248-8ce7-7957-93db-089894812345",
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


async def test_what_is_withheld_is_listed_and_nothing_else_is(case: Case) -> None:
    path = await asyncio.to_thread(case.build, case.wanted())
    with zipfile.ZipFile(path) as archive:
        index = json.loads(archive.read("package.json"))
        bodies = next(name for name in archive.namelist() if name.endswith(".bodies.jsonl"))
        given_away = [json.loads(line)["id"] for line in archive.read(bodies).splitlines()]
    assert (index["withheld"], given_away) == ([2, 3, 4], [1, 5])

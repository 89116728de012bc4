"""What is left of names and numbers for whoever isn't the case's own judge."""

from __future__ import annotations

import pytest

from assets import masks


def test_masks_are_those_that_the_court_prescribes() -> None:
    assert masks.masked_name("张某某", is_firm=False) == "张*"
    assert masks.masked_name("某某商贸有限公司", is_firm=True) == "某某商贸有限公司"
    assert masks.masked_id("150105199001010018") == "150***********0018"
    assert masks.masked_phone("13800001234") == "138****1234"
    assert masks.masked_account("6217000060000000008") == "****0008"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("呼和浩特市赛罕区虚构路1号3-2-501", "呼和浩特市赛罕区虚构路***"),
        ("呼和浩特市新城区虚构街8号1-1-101", "呼和浩特市新城区虚构街***"),
        ("内蒙古自治区呼和浩特市回民区中山西路12号", "内蒙古自治区呼和浩特市回民区中山西路***"),
        ("呼和浩特市玉泉区大南街", "呼和浩特市玉泉区大南街"),
        ("土默特左旗察素齐镇某某村12号", "土默特左旗察素齐镇某某村***"),
        ("虚构花园3栋2单元501", "***"),
        ("", "***"),
    ],
)
def test_an_address_is_shown_down_to_the_street(address: str, shown: str) -> None:
    assert masks.masked_address(address) == shown


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        ("虚构银行呼和浩特分行", "虚构银行呼和浩特分行"),
        ("某区人民法院（虚构）", "某区人民法院（虚构）"),
        ("李四光", "李*"),
        ("孙某庚（虚构）", "孙*"),
        ("建设银行", "建设银行"),
    ],
)
def test_a_holder_that_could_be_a_person_is_masked(holder: str, shown: str) -> None:
    assert masks.masked_holder(holder) == shown


def test_free_words_lose_known_names_and_every_kind_of_number() -> None:
    words = (
        "户主张三丰，证件150105199001010018，电话13800001234，账户6217000060000000008已销户，案号（2026）内01执123号"
    )
    assert masks.masked_words(words, ["张三丰"]) == (
        "户主张*，证件150***********0018，电话138****1234，账户****0008已销户，案号（2026）内01执123号"
    )


def test_the_number_of_a_unit_or_a_plate_in_free_words_stays() -> None:
    assert masks.masked_words("150105001002GB00014F00310202 与 蒙A12345") == "150105001002GB00014F00310202 与 蒙A12345"

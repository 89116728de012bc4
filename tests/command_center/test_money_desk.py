"""The bank of the main accounts as settings name it, and the words of a notice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from assets.case_accounts.practice import CreditOrder
from assets.case_accounts.trail import NoticeFacts
from assets.gateway_settings import GatewaysMisconfigured
from command_center.config import Settings
from command_center.money_desk import notice_words, paying_bank_of, paying_simulator, practice_of

AGREED = '[[gateway]]\nname = "court-bank"\nkind = "{}"\nurl = "https://bank.example.test"\n'


async def test_the_bank_is_the_one_of_the_file_with_what_was_agreed(tmp_path: Path) -> None:
    file = tmp_path / "paying.toml"
    file.write_text(AGREED.format("paying"))
    bank = paying_bank_of(Settings(paying_file=file))
    assert bank.name == "court-bank"
    await bank.close()
    assert paying_simulator(Settings(paying_file=file)) == []
    file.write_text(AGREED.format("bank"))
    with pytest.raises(GatewaysMisconfigured, match="of the kind paying"):
        paying_bank_of(Settings(paying_file=file))


async def test_without_a_file_it_is_at_its_address_and_simulated_on_this_machine_only() -> None:
    bank = paying_bank_of(Settings(paying_url="http://127.0.0.1:9"))
    assert bank.name == "paying"
    await bank.close()
    assert paying_simulator(Settings(paying_url="http://127.0.0.1:9")) == [("paying", 9)]
    assert paying_simulator(Settings(paying_url="http://localhost:9")) == [("paying", 9)]
    assert paying_simulator(Settings(paying_url="https://127.0.0.1:9")) == []
    assert paying_simulator(Settings(paying_url="https://bank.example.test")) == []


def test_practice_is_what_the_settings_say() -> None:
    practice = practice_of(Settings(money_payout_days=20, money_credit_order="principal-first"))
    assert (practice.payout_days, practice.credit_order) == (20, CreditOrder.PRINCIPAL_FIRST)


def test_a_notice_names_the_last_four_digits_and_nobody() -> None:
    facts = NoticeFacts("某院", "（2026）内01执1号", 1_234_50, "****0008", date(2026, 11, 22), "HZ1")
    assert notice_words(facts) == "【某院】（2026）内01执1号案款1,234.50元已于2026-11-22付至尾号0008的账户，回单号HZ1。"

"""The money of cases as an installation runs it: its bank, its practice, the words of its notices."""

from __future__ import annotations

from uuid import UUID

from assets.case_accounts.http import HttpPayingBank
from assets.case_accounts.practice import CreditOrder, FeeBase, InterestUntil, Practice
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.trail import NoticeFacts
from assets.gateway_settings import GatewaySettings, GatewaysMisconfigured, poster_of, read_file
from command_center.asset_access import told_over
from command_center.audit import Audit
from command_center.clock import now
from command_center.config import Settings
from command_center.database import Database
from command_center.gateways import loopback_port
from command_center.translations import DEFAULT_LANGUAGE, translate
from streams.hub.hub import Hub

PAYING = "paying"
"""How the bank of the main accounts is called in files, parts and logs."""


def case_accounts_of(settings: Settings, database: Database, hub: Hub, audit: Audit) -> CaseAccounts:
    """The service for the money of cases, for one process."""
    tell = told_over(hub)

    async def changed(case_id: UUID | None) -> None:
        if case_id is not None:
            await tell(case_id)

    return CaseAccounts(
        database, paying_bank_of(settings), audit, now, changed, notice_words, practice=practice_of(settings)
    )


def paying_bank_of(settings: Settings) -> HttpPayingBank:
    """The connection to the bank that keeps the main accounts: that of the file, or plainly at the address.

    Raises:
        GatewaysMisconfigured: the file, a certificate or a key can't be used.
    """
    if settings.paying_file is None:
        return HttpPayingBank(poster_of(GatewaySettings(name=PAYING, kind=PAYING, url=settings.paying_url)))
    listed = read_file(settings.paying_file)
    if len(listed) != 1 or listed[0].kind != PAYING:
        raise GatewaysMisconfigured(f"{settings.paying_file}: it lists one gateway, of the kind {PAYING}")
    return HttpPayingBank(poster_of(listed[0]))


def paying_simulator(settings: Settings) -> list[tuple[str, int]]:
    """The simulated bank of the demonstration and its port; none where the address is of another machine."""
    port = loopback_port(settings.paying_url) if settings.paying_file is None else 0
    return [(PAYING, port)] if port else []


def practice_of(settings: Settings) -> Practice:
    """What the administrator has set of the court's practice."""
    return Practice(
        payout_days=settings.money_payout_days,
        days_after_ground=settings.money_days_after_ground,
        credit_order=CreditOrder(settings.money_credit_order),
        fee_base=FeeBase(settings.money_fee_base),
        interest_until=InterestUntil(settings.money_interest_until),
        counts_day_of_payment=settings.money_counts_day_of_payment,
        doubled_interest_last=settings.money_doubled_interest_last,
    )


def notice_words(facts: NoticeFacts) -> str:
    """What a payee would be told, in the language of the court's messages."""
    return translate(
        "case-money.notice",
        DEFAULT_LANGUAGE,
        court=facts.court_name,
        case=facts.case_number,
        amount=f"{facts.cents // 100:,}.{facts.cents % 100:02d}",
        account=facts.account[-4:],
        day=facts.paid_on.isoformat(),
        receipt=facts.receipt_number,
    )

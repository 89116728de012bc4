"""Opening a court's main account."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from assets import formats
from assets.audit import Actor
from assets.case_accounts.accounts import open_missing, require_own_main
from assets.case_accounts.books import Books
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.trail import earlier_deed, keep_deed
from assets.errors import BadFormat, Conflict
from assets.identifiers import new_id
from assets.orders import require


@dataclass(frozen=True, slots=True)
class NewMain:
    """The account at the bank, and where enforcement fees go to."""

    number: str
    bank_name: str
    fee_holder: str
    fee_number: str
    fee_bank_code: str = ""


async def open_main(books: Books, actor: Actor, court_id: UUID, account: NewMain, *, idempotency_key: UUID) -> UUID:
    """Open it, with a sub-account for each case of the court; gives its id.

    Raises:
        NotPermitted, NotFound, BadFormat.
        Conflict: the court has one, or another court has this number.
    """
    require(actor.may_approve_money)
    require_own_main(actor, court_id, "no-such-court")
    what = (court_id, account.number, account.bank_name, account.fee_holder, account.fee_number, account.fee_bank_code)
    async with books.records.write() as session:
        if known := await earlier_deed(session, idempotency_key, "open_main", actor, *what):
            return known
        if (await session.scalars(select(MainAccount.id).where(MainAccount.court_id == court_id))).first() is not None:
            raise Conflict("main-account-open")
        main = MainAccount(
            id=new_id(),
            court_id=court_id,
            number=account_number(account.number),
            bank_name=account.bank_name,
            fee_holder=account.fee_holder,
            fee_number=account_number(account.fee_number),
            fee_bank_code=formats.bank_code(account.fee_bank_code) if account.fee_bank_code else "",
            balance_cents=0,
            postings=0,
            sub_accounts=0,
            opened_at=books.clock(),
        )
        session.add(main)
        try:
            await session.flush()
        except IntegrityError as exc:
            raise Conflict("main-account-open") from exc
        await open_missing(session, main, books.clock())
        await keep_deed(session, books.clock(), idempotency_key, "open_main", actor, main.id, *what)
        await books.record_deed(
            session, "case_money.main_opened", ("main_account", main.id), court_id=court_id, actor_id=actor.user_id
        )
    return main.id


def account_number(text: str) -> str:
    """An account's number: 6 to 32 digits, blanks left out.

    Raises:
        BadFormat: it is something else.
    """
    squeezed = "".join(text.split())
    if not squeezed.isascii() or not squeezed.isdigit() or not 6 <= len(squeezed) <= 32:
        raise BadFormat("bank-account", "shape")
    return squeezed

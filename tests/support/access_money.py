"""The money of the access tests: two arrivals of the city, and things on which everything is decided already."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from assets.case_accounts.demonstration import CITY_MAIN
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.tables import Arrival, Discrepancy, Hold, Payment, Proposal
from command_center.database import new_id

if TYPE_CHECKING:
    from tests.support.access_world import AccessWorld


async def new_case_money(world: AccessWorld) -> None:
    """Name what the routes of case money can be asked about."""
    things = world.things
    case_id, person_id = UUID(things["city_case"]), UUID(things["city_person"])
    at = datetime.now(UTC)
    async with world.running.web.database.write() as session:
        main = (await session.scalars(select(MainAccount).where(MainAccount.number == CITY_MAIN.number))).one()
        for name, place in (("fee_arrival", 2), ("waiting_arrival", 3)):
            serial = CITY_MAIN.arrivals[place].serial
            things[name] = str((await session.scalars(select(Arrival.id).where(Arrival.bank_serial == serial))).one())
        proposal = Proposal(
            id=new_id(), main_id=main.id, case_id=case_id, kind="deferral", state="withdrawn",
            content={"ground": "other", "note": ""}, proposed_by=world.running.world.users["judge"], proposed_at=at,
        )  # fmt: skip
        session.add(proposal)
        await session.flush()
        payment = Payment(
            id=new_id(), number="FK-ACCESS", main_id=main.id, case_id=case_id, proposal_id=proposal.id, purpose="claim",
            payee_name="某", payee_account="6217000060000000008", cents=1, credited_on=date(2026, 11, 22), state="paid",
            ordered_at=at,
        )  # fmt: skip
        hold = Hold(
            id=new_id(), case_id=case_id, proposal_id=proposal.id, claim_id=new_id(), person_id=person_id, cents=1,
            reason="x", credited_on=date(2026, 11, 22), held_at=at, released_at=at,
        )  # fmt: skip
        discrepancy = Discrepancy(
            id=new_id(), main_id=main.id, code="not-ordered", bank_serial="ACCESS", order_number="", bank_cents=-1,
            ordered_cents=0, moved_at=at, seen_at=at,
        )  # fmt: skip
        returned = Arrival(
            id=new_id(), main_id=main.id, bank_serial="ACCESS", cents=1, payer_name="某", payer_account="6217",
            remark="", sub_number="", arrived_at=at, notified_at=at, purpose="enforcement", state="returned",
            receipt_number="SK-ACCESS",
        )  # fmt: skip
        session.add_all([payment, hold, discrepancy, returned])
        things |= {
            "money_proposal": str(proposal.id),
            "payment": str(payment.id),
            "money_hold": str(hold.id),
            "returned_arrival": str(returned.id),
            "discrepancy": str(discrepancy.id),
        }

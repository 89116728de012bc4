"""Orders about assets as JSON: what can be ordered, what it would cover, and the orders themselves.

Every order is repeated safely: with the same `idempotency_key` it gives the first request back.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field

from assets.exemptions import ExemptProperty, SpecialAccount
from assets.findings import Marks
from assets.measures import Keeping, MeasureState
from assets.ordering import Warrant
from assets.service import Assets
from assets.views import RequestView
from command_center.accounts.identity import signed_in
from command_center.api.assets import LARGEST_CENTS, RequestLine
from command_center.asset_access import actor_of, refusals

MOST_YEARS = 3
Cents = Annotated[int, Field(gt=0, le=LARGEST_CENTS)]
Words = Annotated[str, Field(max_length=500)]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    idempotency_key: UUID


class _Order(_Body):
    ruling_number: str = Field(max_length=64)
    override_reason: Words = ""
    """Why it is ordered although a guard stands against it; a second person is asked then."""
    emergency: Words = ""
    """Why it goes before its approval, which is asked for afterwards."""

    def warrant(self, years: int = 0) -> Warrant:
        """On what it rests."""
        return Warrant(self.ruling_number, self.idempotency_key, years, self.override_reason, self.emergency)


class _First(_Order):
    asset_id: UUID
    years: int = Field(default=0, ge=0, le=MOST_YEARS)
    """The term; 0 is the longest that the law allows."""


class _Change(_Order):
    measure_id: UUID


class FreezeBody(_First):
    """Freeze up to an amount of one account, or the whole account where none is named."""

    amount_cents: Cents | None = None


class FreezeTransferBody(FreezeBody):
    """Freeze up to an amount of one account, or the whole account, and move it to the case's account in one."""


class WithdrawalBody(_Order):
    """Move what has come in on an account, up to an amount, to the case's account."""

    asset_id: UUID
    amount_cents: Cents


class SeizureBody(_First):
    """Seize a house, land or a vehicle."""


class PreRegistrationBody(_First):
    """Seize what isn't registered in the debtor's name yet."""


class ImpoundmentBody(_First):
    """Have a movable taken away, or left with a keeper."""


class RenewalBody(_Change):
    """Prolong a measure before its last day."""

    years: int = Field(default=0, ge=0, le=MOST_YEARS)


class ReleaseBody(_Change):
    """End a measure."""


class PartReleaseBody(_Change):
    """Give back a part of what is frozen."""

    amount_cents: Cents


class TransferBody(_Change):
    """Move frozen money, all of it where no amount is named, to the case's account; or a title to its recipient."""

    amount_cents: Cents | None = None
    recipient: str = Field(default="", max_length=200)


class MarksBody(BaseModel):
    """All marks of an asset at once."""

    model_config = ConfigDict(extra="forbid")
    special: SpecialAccount | None = None
    exempt: ExemptProperty | None = None
    is_only_home: bool = False
    is_indivisible: bool = False
    valuation_cents: Cents | None = None
    valuation_source: str = Field(default="", max_length=200)
    reason: Words


class LiftingBody(_Body):
    """Why what the gateway said of an account is to be set aside."""

    reason: Words


class RegistrationBody(_Body):
    """The title stands in the debtor's name now."""

    reason: Words


class KeepingBody(_Body):
    """Where a movable is; `place` names the keeper, the store, or who received it."""

    keeping: Keeping
    place: str = Field(default="", max_length=200)


class ResolutionBody(_Body):
    """What came of a contradiction: nothing, or the measure has ended; of an unanswered order, whether it took."""

    reason: Words
    ends: Literal["released", "lapsed", "transferred", "not_controlled"] | None = None


class CoverLine(_Answer):
    """What covers the claim. What waits counts nothing, and what nobody valued neither."""

    claim_cents: int
    covered_cents: int
    money_cents: int
    things_cents: int
    collected_cents: int
    intended_cents: int
    unvalued: int


class PreviewLine(_Answer):
    """What an order would add, before anything is sent."""

    cover: CoverLine
    added_cents: int
    is_valued: bool
    will_wait: bool
    limit_cents: int
    is_over_limit: bool


class MeasureLine(_Answer):
    """One measure; `term_rule` says how its last day was counted."""

    id: UUID
    action: str
    state: str
    rank: int
    asked_cents: int | None
    controlled_cents: int
    over_cents: int
    released_cents: int
    transferred_cents: int
    starts_on: date | None
    ends_on: date | None
    term_rule: str
    renewals: int
    reason: str
    receipt_number: str
    promoted_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    follows_id: UUID | None
    keeping: str
    keeper: str
    contradiction: str


class AllowedLine(_Answer):
    """One order, and whether it can be given now: `why` is the code of the reason why not."""

    action: str
    why: str
    parameters: dict[str, str | int]
    override: str
    needs_approval: bool
    is_urgent: bool
    measure_id: UUID | None


class SaidLine(_Answer):
    """What the gateway said of an account; `lifting` is empty, asked or lifted."""

    special: str
    gateway: str
    at: datetime | None
    lifting: str
    is_barring: bool


class ControlsLine(_Answer):
    """An asset's measure and marks, and every order that could be given."""

    measure: MeasureLine | None
    allowed: list[AllowedLine]
    special: str
    said: SaidLine | None
    exempt: str
    is_only_home: bool
    is_indivisible: bool
    valuation_cents: int | None
    valuation_source: str
    prior_cents: int


def router(assets: Assets) -> APIRouter:
    """The routes of orders about assets."""
    routes = APIRouter(prefix="/api/assets", tags=["assets"])
    _add_looking(routes, assets)
    _add_beginning(routes, assets)
    _add_changing(routes, assets)
    _add_finding(routes, assets)
    return routes


def _add_looking(routes: APIRouter, assets: Assets) -> None:
    @routes.get("/items/{id}/controls", summary="An asset's measure, and every order with the reason why not")
    async def controls(id: UUID) -> ControlsLine:  # noqa: A002 - the path's own name
        with refusals():
            return ControlsLine.model_validate(await assets.controls.sheet(actor_of(signed_in()), id))

    @routes.get("/items/{id}/preview", summary="What a control would add to the cover of the claim; nothing is sent")
    async def preview(
        id: UUID,  # noqa: A002 - the path's own name
        amount_cents: Annotated[int | None, Parameter(gt=0, le=LARGEST_CENTS)] = None,
    ) -> PreviewLine:
        with refusals():
            return PreviewLine.model_validate(await assets.controls.preview(actor_of(signed_in()), id, amount_cents))

    @routes.get("/cases/{id}/cover", summary="What covers the claim of a case")
    async def cover(id: UUID) -> CoverLine:  # noqa: A002 - the path's own name
        with refusals():
            return CoverLine.model_validate(await assets.controls.cover(actor_of(signed_in()), id))


def _add_beginning(routes: APIRouter, assets: Assets) -> None:
    @routes.post("/freezes", status_code=202, summary="Order a freeze; repeated with the same key it stays one")
    async def freeze(body: FreezeBody) -> RequestLine:
        with refusals():
            actor, warrant = actor_of(signed_in()), body.warrant(body.years)
            return _line(await assets.controls.freeze(actor, body.asset_id, warrant, body.amount_cents))

    @routes.post("/freeze-transfers", status_code=202, summary="Order a freeze and its transfer in one")
    async def freeze_and_transfer(body: FreezeTransferBody) -> RequestLine:
        with refusals():
            actor, warrant = actor_of(signed_in()), body.warrant(body.years)
            return _line(await assets.controls.freeze_and_transfer(actor, body.asset_id, warrant, body.amount_cents))

    @routes.post("/income-withdrawals", status_code=202, summary="Move what has come in, up to an amount")
    async def withdraw_income(body: WithdrawalBody) -> RequestLine:
        with refusals():
            actor, warrant = actor_of(signed_in()), body.warrant()
            return _line(await assets.controls.withdraw_income(actor, body.asset_id, warrant, body.amount_cents))

    @routes.post("/seizures", status_code=202, summary="Order a seizure; repeated with the same key it stays one")
    async def seize(body: SeizureBody) -> RequestLine:
        with refusals():
            return _line(await assets.controls.seize(actor_of(signed_in()), body.asset_id, body.warrant(body.years)))

    @routes.post("/pre-registrations", status_code=202, summary="Order the seizure of what isn't registered yet")
    async def pre_register(body: PreRegistrationBody) -> RequestLine:
        with refusals():
            return _line(
                await assets.controls.pre_register(actor_of(signed_in()), body.asset_id, body.warrant(body.years))
            )

    @routes.post("/impoundments", status_code=202, summary="Order that a movable be taken away or kept")
    async def impound(body: ImpoundmentBody) -> RequestLine:
        with refusals():
            return _line(await assets.controls.impound(actor_of(signed_in()), body.asset_id, body.warrant(body.years)))


def _add_changing(routes: APIRouter, assets: Assets) -> None:
    @routes.post("/renewals", status_code=202, summary="Prolong a measure before its last day")
    async def renew(body: RenewalBody) -> RequestLine:
        with refusals():
            return _line(await assets.controls.renew(actor_of(signed_in()), body.measure_id, body.warrant(body.years)))

    @routes.post("/part-releases", status_code=202, summary="Give back a part of what is frozen")
    async def part_release(body: PartReleaseBody) -> RequestLine:
        with refusals():
            actor, warrant = actor_of(signed_in()), body.warrant()
            return _line(await assets.controls.part_release(actor, body.measure_id, warrant, body.amount_cents))

    @routes.post("/releases", status_code=202, summary="End a measure; whoever waits behind it takes effect")
    async def release(body: ReleaseBody) -> RequestLine:
        with refusals():
            return _line(await assets.controls.release(actor_of(signed_in()), body.measure_id, body.warrant()))

    @routes.post("/transfers", status_code=202, summary="Move frozen money to the case's account, or a title")
    async def transfer(body: TransferBody) -> RequestLine:
        with refusals():
            return _line(
                await assets.controls.transfer(
                    actor_of(signed_in()),
                    body.measure_id,
                    body.warrant(),
                    amount_cents=body.amount_cents,
                    recipient=body.recipient,
                )
            )


def _add_finding(routes: APIRouter, assets: Assets) -> None:
    @routes.put("/items/{id}/marks", status_code=204, summary="Say what an asset is and is worth")
    async def mark(id: UUID, body: MarksBody) -> None:  # noqa: A002 - the path's own name
        marks = Marks(**body.model_dump(exclude={"reason"}))
        with refusals():
            await assets.findings.mark(actor_of(signed_in()), id, marks, body.reason)

    @routes.post(
        "/items/{id}/liftings", status_code=202, summary="Ask a second person to set aside what the gateway said"
    )
    async def lift(id: UUID, body: LiftingBody) -> RequestLine:  # noqa: A002 - the path's own name
        with refusals():
            return _line(await assets.liftings.ask(actor_of(signed_in()), id, body.reason, body.idempotency_key))

    @routes.post("/measures/{id}/registration", status_code=204, summary="A pre-registered seizure is one from now on")
    async def registered(id: UUID, body: RegistrationBody) -> None:  # noqa: A002 - the path's own name
        with refusals():
            await assets.findings.registered(actor_of(signed_in()), id, body.reason, body.idempotency_key)

    @routes.post("/measures/{id}/keeping", status_code=204, summary="Say where an impounded movable is")
    async def keep(id: UUID, body: KeepingBody) -> None:  # noqa: A002 - the path's own name
        with refusals():
            await assets.findings.keep(actor_of(signed_in()), id, body.keeping, body.idempotency_key, place=body.place)

    @routes.post("/measures/{id}/resolution", status_code=204, summary="Say what came of a contradiction")
    async def resolve(id: UUID, body: ResolutionBody) -> None:  # noqa: A002 - the path's own name
        ends = MeasureState(body.ends) if body.ends else None
        with refusals():
            await assets.findings.resolve(actor_of(signed_in()), id, body.reason, body.idempotency_key, ends=ends)


def _line(order: RequestView) -> RequestLine:
    return RequestLine.model_validate(order)

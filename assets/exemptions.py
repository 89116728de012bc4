"""What may not be controlled, or only for a reason that a second person has looked at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from assets.documents import Action
from assets.errors import AssetsError, Conflict
from assets.tables import Asset


class SpecialAccount(StrEnum):
    """Accounts whose money has a purpose that goes before the claim."""

    MIGRANT_WAGE = "migrant_wage"
    """农民工工资专用账户"""
    BANK_RESERVE = "bank_reserve"
    """存款准备金"""
    SOCIAL_SECURITY = "social_security"
    UNION = "union"
    TREASURY = "treasury"
    DEPOSIT_GUARANTEE = "deposit_guarantee"


NOT_FREEZABLE = frozenset({SpecialAccount.MIGRANT_WAGE, SpecialAccount.BANK_RESERVE})
"""Of the others the product only warns: they are frozen for a reason, once a second person agrees."""


class ExemptProperty(StrEnum):
    """The eight classes of what may not be seized. Source: 查扣冻 §3."""

    LIVING_NECESSITIES = "living_necessities"
    LIVING_EXPENSES = "living_expenses"
    COMPULSORY_EDUCATION = "compulsory_education"
    UNPUBLISHED_WORKS = "unpublished_works"
    DISABILITY_AIDS = "disability_aids"
    HONOURS = "honours"
    TREATY = "treaty"
    OTHER_LAW = "other_law"


class Override(StrEnum):
    """Why an order needs a reason and a second person's yes."""

    EXEMPT_PROPERTY = "exempt-property"
    SPECIAL_ACCOUNT = "special-account"
    ONLY_HOME = "only-home"
    OVER_LIMIT = "over-limit"


def take_said(asset: Asset, special: str, at: datetime) -> None:
    """Note what its gateway says of an account; what was set aside stands again only where that is something else."""
    if special != asset.said_special:
        asset.lifting_id = None
    asset.said_special, asset.said_special_at = special, at


def said_of(asset: Asset) -> str:
    """What the gateway said of it, unless two people have set that aside."""
    return "" if asset.lifting_id is not None else asset.said_special


def refusal(asset: Asset, action: Action) -> AssetsError | None:
    """Why nobody may order this, whatever the reason."""
    if not action.is_first:
        return None
    if (said := said_of(asset)) in NOT_FREEZABLE:
        return Conflict("account-said-not-freezable", special=said)
    if asset.special in NOT_FREEZABLE:
        return Conflict("account-not-freezable", special=asset.special)
    return None


def override_needed(asset: Asset, action: Action) -> Override | None:
    """What stands against ordering this without a reason.

    Source: 查扣冻 §3 for exempt property, §4-5 for a necessary home, which may be seized and not sold.
    """
    if asset.exempt and (action.is_first or action is Action.TRANSFER):
        return Override.EXEMPT_PROPERTY
    if asset.is_only_home and action is Action.TRANSFER:
        return Override.ONLY_HOME
    if (asset.special or said_of(asset)) and action.is_first:
        return Override.SPECIAL_ACCOUNT
    return None

"""What can be proposed on site: which control suits which kind of thing, and how the number on it is written."""

from __future__ import annotations

import re
import unicodedata

from assets import formats
from assets.documents import Action
from assets.errors import BadFormat
from assets.terms import AssetKind

PROPOSABLE: dict[AssetKind, tuple[Action, ...]] = {
    AssetKind.BANK_ACCOUNT: (Action.FREEZE,),
    AssetKind.REAL_ESTATE: (Action.SEIZE, Action.PRE_REGISTER),
    AssetKind.MOVABLE: (Action.IMPOUND, Action.SEIZE),
    AssetKind.OTHER_RIGHT: (Action.FREEZE,),
}
"""Of each kind the usual control first."""

MONEY = frozenset({AssetKind.BANK_ACCOUNT, AssetKind.OTHER_RIGHT})
"""Of these a part can be controlled, so an amount may be proposed."""

_ACCOUNT = re.compile(r"\d{8,32}", re.ASCII)
_CARD = re.compile(r"62\d{14,17}", re.ASCII)
"""As the cards of China's banks begin; passbooks and firm accounts have no check."""
_VIN_LENGTH = 17
_LONGEST = 64


def checked_reference(kind: AssetKind, text: str) -> str:
    """The normal form of the number that was read off a thing; empty where it has none.

    An account or card, a unit, a plate or a vehicle's identification number; of other rights as it is written.

    Raises:
        BadFormat: it can't be such a number.
    """
    squeezed = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    if not squeezed:
        return ""
    if kind is AssetKind.BANK_ACCOUNT:
        return _account(squeezed)
    if kind is AssetKind.REAL_ESTATE:
        return formats.real_estate_unit(squeezed)
    if kind is AssetKind.MOVABLE:
        return formats.vin(squeezed) if len(squeezed) == _VIN_LENGTH else formats.plate(squeezed)
    if len(squeezed) > _LONGEST:
        raise BadFormat("reference", "too-long")
    return squeezed


def _account(squeezed: str) -> str:
    digits = squeezed.replace("-", "")
    if not _ACCOUNT.fullmatch(digits):
        raise BadFormat("account", "shape")
    return formats.bank_card(digits) if _CARD.fullmatch(digits) else digits

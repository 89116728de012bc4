"""Why somebody does what others will ask about: in words, without blanks around them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from command_center.errors import Invalid
from streams.protocol import PLAIN_TEXT

LONGEST_REASON = 200


_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by Unicode's book that are drawn as nothing."""


def _told(text: str) -> str:
    # Signs alone, and letters that nobody sees, such as Braille's blank, tell no more than nothing does.
    return text if any(character.isalnum() and character not in _FILLERS for character in text) else ""


def _required(text: str) -> str:
    if not text:
        raise Invalid("reason-required")
    return text


ReasonOrNone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_REASON),
    Field(pattern=PLAIN_TEXT),
    AfterValidator(_told),
]
"""Empty where nothing is told."""
Reason = Annotated[ReasonOrNone, AfterValidator(_required)]

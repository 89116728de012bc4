"""The words of the screens in the language of the person asking."""

from __future__ import annotations

from command_center.accounts.identity import current_identity
from command_center.translations import DEFAULT_LANGUAGE, Language, catalogue, language_of, translate


def reader_language() -> Language:
    """The language of the person asking; Chinese where nobody is signed in."""
    identity = current_identity.get()
    return language_of(identity.language) if identity else DEFAULT_LANGUAGE


def say(key: str, **parameters: object) -> str:
    """The words for `key` in the language of the person asking."""
    return translate(key, reader_language(), **parameters)


def knows(key: str) -> bool:
    """Whether the catalogue has words for `key`."""
    return key in catalogue(reader_language())

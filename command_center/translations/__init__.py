"""The words of the screens in Chinese and English, read once from the catalogues beside this file.

A catalogue is a `.po` file: `zh.po` and `en.po`, or `<domain>.zh.po` and `<domain>.en.po` for the words of one domain.
Keys are dotted (`tile.phase.live`); parameters stand in braces (`{count}`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po

from assets.kinds import kinds

logger = logging.getLogger(__name__)

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
DEFAULT_LANGUAGE: Language = "zh"

_FOLDER = Path(__file__).parent


def language_of(wanted: str | None) -> Language:
    """The language to speak to somebody who asks for `wanted`: that one if it is ours, else Chinese."""
    return "en" if wanted == "en" else DEFAULT_LANGUAGE


def catalogue(language: str) -> Mapping[str, str]:
    """All words of one language, key to text."""
    return _words(language_of(language))


def add_words(key: str, words: Mapping[str, str]) -> None:
    """Add what an installation calls one of its own things, in each language."""
    for language in LANGUAGES:
        _words(language)[key] = words[language]


@cache
def _words(language: Language) -> dict[str, str]:
    # A kind of gateway brings the words for itself; the catalogues' go before.
    words: dict[str, str] = {}
    for kind in kinds().values():
        words |= {f"asset.gateway.{kind.name}": kind.names[language], f"part.{kind.name}": kind.names[language]}
        words |= {f"asset.detail.{field}": said[language] for field, said in kind.words.items()}
    for path in sorted([*_FOLDER.glob(f"*.{language}.po"), _FOLDER / f"{language}.po"]):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and message.string:
                    words[str(message.id)] = str(message.string)
    return words


def translate(key: str, language: str, **parameters: object) -> str:
    """The words for `key`; a key that no catalogue knows is shown as it is, and logged."""
    text = catalogue(language_of(language)).get(key)
    if text is None:
        logger.warning("no words for %s in %s", key, language)
        return key
    return text.format(**parameters) if parameters else text

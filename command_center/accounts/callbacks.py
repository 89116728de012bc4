"""Which Dash callback outputs a person may ask for: each is listed with what it needs, or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from command_center.accounts.doors import SignedIn
from command_center.errors import Invalid, NotPermitted

PAGE_CONTENT = "_pages_content.children"
"""Dash's router: it shows any page by its path, so that the path's own door is asked as well."""
_DUPLICATE = re.compile(r"@[0-9a-f]+$")


def outputs_of(key: str) -> list[str]:
    """The single outputs in a callback's key, without the marks by which Dash tells duplicates apart."""
    parts = key.strip(".").split("...") if key.startswith("..") and key.endswith("..") else [key]
    return [_DUPLICATE.sub("", part) for part in parts]


class CallbackDoors:
    """The table of outputs, asked by the gate for every callback."""

    def __init__(self, table: Mapping[str, SignedIn], page_access: Callable[[str], SignedIn | None]) -> None:
        self._table = table
        self._page_access = page_access

    def access(self, body: bytes) -> Iterable[SignedIn]:
        """What the callback in this request body needs; all of it.

        Raises:
            Invalid: the body is no callback.
            NotPermitted: one of its outputs isn't listed, or its page isn't.
        """
        try:
            request: Any = json.loads(body)
            key = request["output"]
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid("callback-malformed") from error
        if not isinstance(key, str):
            raise Invalid("callback-malformed")
        found: list[SignedIn] = []
        for output in outputs_of(key):
            listed = self._table.get(output)
            if listed is None:
                raise NotPermitted("callback-not-listed", output=output[:200])
            found.append(listed)
            if output == PAGE_CONTENT:
                found.append(self._page(request))
        return found

    def _page(self, request: Any) -> SignedIn:
        inputs = request.get("inputs")
        for given in inputs if isinstance(inputs, list) else []:
            if isinstance(given, dict) and given.get("property") == "pathname":
                access = self._page_access(str(given.get("value") or "/"))
                if access is not None:
                    return access
        raise NotPermitted("page-not-listed")
